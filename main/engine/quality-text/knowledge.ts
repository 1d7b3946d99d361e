// Of the bundled text: explanations, reports, instructions, an argument. Written for this program; the last two passages are in the public
// domain (Abraham Lincoln, 1863; Charles Darwin, 1859).

export const knowledge = `Why ice is slippery

It is an old question, and the answer that many of us learned at school is wrong. That answer says that the pressure of a skate melts
the ice below it, and that the skater glides on the water. Pressure does lower the melting point of ice, because water takes up less
room than ice does; but it lowers it by less than a hundredth of a degree for each atmosphere. A person of 70 kg on a blade of 3 mm by
20 cm presses with about twelve atmospheres, which moves the melting point from 0 °C to roughly -0.1 °C. People skate happily at -15 °C.

A better candidate is friction: rubbing makes heat, and heat melts a film some micrometers thick. This explains a good deal, for instance
why a sled is harder to start than to keep going. But ice is slippery even for somebody who stands still on it. What is left is a
property of the surface itself. A molecule inside the crystal is held by four neighbors, while one at the surface is held by two or
three, and so it is freer to move. As long ago as 1850 Michael Faraday pressed two ice cubes together, saw them freeze into one, and
concluded that a thin liquid layer covers ice even below its melting point. With modern methods this layer has been seen: it is only a
few molecules thick at -20 °C, grows as the temperature rises, and behaves less like water than like a crowd of marbles that roll.


Minutes of the meeting of 3 November

Present: A. Okafor (chair), J. Lindqvist, R. Banerjee, T. Moreau (from 10:20). Apologies: S. Whitfield.

1. The minutes of the meeting of 6 October were approved with one correction: in item 4, "eighteen thousand" should read "eight thousand."
2. Roof. Lindqvist reported that the lowest of three bids is 12 % above the estimate. Banerjee asked whether the work could be split, with
the north side done this year and the south side next. Lindqvist thought that scaffolding would then have to be paid for twice, at about
3,400 each time. It was decided to ask the second bidder for a price that includes both, and to decide by e-mail before the 20th.
3. Heating. The average indoor temperature in October was 19.4 degrees, against 20.1 a year ago, and consumption fell by 9 %. There were
two complaints, both from the reading room, where the thermostat hangs behind a bookcase. Moreau will move the bookcase.
4. Any other business. The chair reminded everyone that keys are signed for. The meeting closed at 11:05.


How to fix a dripping tap

You will need an adjustable wrench, a flat screwdriver, a cloth, and a washer of the right size; they come in packets of mixed sizes and
cost next to nothing. First turn the water off. The valve is usually under the sink, or else where the pipe enters the house. Then open
the tap until nothing comes out, and put the plug in the drain so that no screw can get away.

Pry off the cap, undo the screw below it, and lift the handle. Wrap the cloth around the nut that you now see and loosen it with the
wrench, counterclockwise, while you hold the spout with the other hand. The valve comes out as one piece. At its lower end sits a rubber
washer, most likely with a groove worn into it. Replace it with one of the same diameter. If the brass seat in the tap feels rough under
your finger, a new washer will last for weeks instead of years, and you should have the seat ground.

Put everything back in the opposite order. Do not tighten the nut as hard as you can: snug is enough. Open the water slowly and wait for
five minutes before you put the tools away.


On the price of bread: against an argument that sounds good

It is sometimes said that a baker who charges more in a shortage does no harm, since whoever buys at the higher price shows by buying
that the bread is worth it to him. The argument is neat, and its first half is true. People do not usually pay more for a thing than they
think it worth. But "worth it to him" hides a second quantity, namely what he has. Two families may want the last loaf equally, in every
sense of wanting that can be seen from outside; one of them gives up a theater ticket for it, and the other gives up coal. The price
sorts them all the same, and calls the result a measure of need.

None of this shows that prices should be fixed. When they are, the loaf goes to whoever stands in line longest, and there is no reason to
think that the line is kinder. It shows only that "he was willing to pay" answers one question, and that we ought to notice when it is
offered as the answer to another.


Field notes, alpine meadow, 1,840 m

06:10. Clear, 4 °C, light wind from the northwest. Dew on everything. Two marmots at the burrow below the split boulder; the larger one
whistles once as I sit down and then ignores me.
07:35. First bumblebees (Bombus, probably lapponicus) on the willow. They shiver before they take off. One visits fourteen catkins in a
minute.
09:00. Counted flowers in the ten marked squares: Gentiana verna 112, Ranunculus montanus 348, Soldanella 9, all but one of these at the
edge of the snow. Last year on this date: 87, 291 and 61. The snow line is about 40 m higher than it was then.
11:20. Cloud from the west. The bees are gone within a quarter of an hour, long before the first drop.
13:00. Hail, grains of 5 mm. Stopped the count.


A short history of the pencil

In 1564, or so the story goes, a storm near Borrowdale in the north of England uprooted a tree, and shepherds found a black, greasy
mineral under it which marked sheep better than anything that they had had. It was taken for a kind of lead. It is in fact carbon, but
in several languages it is called lead to this day. Pure pieces large enough to be sawn into sticks were found nowhere else, so that
England had, for two centuries, something close to a monopoly, and the mine was opened only for some weeks in each year and guarded.

In 1794 France was at war and had no English graphite. Nicolas-Jacques Conté, a painter and balloonist who had lost an eye in an
experiment with hydrogen, was told to find a substitute, and is said to have needed eight days. He ground poor graphite to powder, mixed
it with clay and water, pressed the paste into grooves, and fired it in a kiln. More clay made a harder pencil; more graphite, a softer
one. For the first time a draftsman could choose. The method has hardly changed since, and the letters on the pencil in front of you, from
9H to 9B, say nothing else than how much of it is clay.


Frequently asked questions

Q: Can I return an item that I have already opened?
A: Yes, within 30 days, as long as all parts are in the box. Software and earphones are excepted.
Q: How long does a refund take?
A: We send it on the day on which we receive the parcel. Your bank may need three to five working days more.
Q: I entered a wrong address. What can I do?
A: Write to us at once, with the number of your order in the subject line. As soon as the parcel has left the warehouse, only the carrier
can change it.
Q: Why was my card refused?
A: We are not told. The most frequent reasons are a wrong security code, a limit for purchases abroad, and a card that has run out.


From two older books

Four score and seven years ago our fathers brought forth on this continent, a new nation, conceived in Liberty, and dedicated to the
proposition that all men are created equal. Now we are engaged in a great civil war, testing whether that nation, or any nation so
conceived and so dedicated, can long endure. We are met on a great battle-field of that war. We have come to dedicate a portion of that
field, as a final resting place for those who here gave their lives that that nation might live.

It is interesting to contemplate an entangled bank, clothed with many plants of many kinds, with birds singing on the bushes, with
various insects flitting about, and with worms crawling through the damp earth, and to reflect that these elaborately constructed forms,
so different from each other, and dependent on each other in so complex a manner, have all been produced by laws acting around us.
`
