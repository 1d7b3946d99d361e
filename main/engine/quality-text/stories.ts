// Of the bundled text: stories, a dialogue, letters. Written for this program.

export const stories = `The Ferryman's Ledger

For thirty-one years Tobias Renn carried people across the Aller in a flat boat that his uncle had built, and for thirty-one years he
wrote down who they were. He did not write because anyone had asked him to. The toll was four pfennigs in summer and six when the river
was high, and the money went into a tin that he emptied on Saturdays without counting. What he counted was the crossings. In a ledger
with green boards, of which he had filled nine by the time I knew him, each line held a date, an hour, the state of the water, and a
name; and where he did not know the name, a description so exact that nobody who read it could have been in doubt. "Woman of about
fifty, gray coat with one horn button that does not match, carries a clock in both arms as one carries a child."

When the bridge was opened the council offered him a small pension and the post of bridge warden, which meant that he would sit in a
hut and do nothing. He took the pension and refused the hut. "A bridge does not need me," he said. "A bridge does not even notice."

I came to him because of my grandfather. It was known in our family that he had left the village on a night in March 1921 and had come
back eleven days later with a limp and a horse, and that he had never told anyone where he had been. My mother believed that there had
been a woman. My aunt believed that there had been a debt. I was nineteen and believed nothing, but I liked puzzles, and the ferry was
the only way out of the village that did not lead past the mill, where somebody was always awake.

Tobias did not ask why I wanted to know. He went into the back room and I heard him moving boxes. Then he put the third ledger on the
table and turned the pages with the flat of his hand, the way one strokes a cat. "Here," he said. The line read: "14 March, a little
after two in the morning, water rising, ice at the edges. Heinrich Vogt, alone, without a hat. Asks whether I believe that a man can
owe something to someone he has never met. I say that I take four pfennigs from strangers every day. He laughs, pays with a mark, and
will not have the change."

"And when he came back?" I asked.

He turned eleven days of pages. There were not many; it had been a wet spring. "25 March, noon, fog. Heinrich Vogt with a brown mare,
lame on his left side, he and not the mare. Does not speak until we have passed the middle. Then he says: It is settled. I write it
here because he said it as if someone should write it."

That was all. I have thought about it for longer than my grandfather was away, and I know no more than I knew on that afternoon. But I
have stopped minding. There is a sort of answer that consists of learning that the question was seen: that on the worst night of his
life a man was looked at closely by another man with a lantern, who noticed that he had forgotten his hat.


What the Two of Them Said on the Stairs

"You're late."
"I'm not late. You moved the clock."
"I moved it back to where it was before you moved it."
"So we agree that somebody has been moving it."
"Marta, the guests have been sitting in front of cold soup for twenty-five minutes."
"Is it the leek soup? Leek soup is meant to be cold."
"It is meant to be cold when it starts out cold. This soup has been on a journey."
She sat down on the fourth step, which creaked, and began to unlace her left boot. There was mud on it as far as the ankle. He looked at
the mud, then at the window, where it had not rained for nine days.
"Don't ask," she said.
"I wasn't going to."
"You were going to ask with your eyebrows."
"My eyebrows are my own business."
"The Hendersons' pond," she said at last. "The dog went in after a duck, and then he found that he was a dog who can't swim, and then I
found it too. He's fine. He's in the bath. You might hear him singing."
From upstairs there came, indeed, a long and wavering note.
"I'll reheat the soup," he said.
"You're a good man, Oskar."
"I'm a hungry man, which looks similar from below."


The Night Train to Varna

There were six berths in the compartment and five people in it, and the sixth berth was full of melons. Nobody claimed them. The
conductor, who had stamped our tickets without looking at us, looked at the melons for a long time, counted them under his breath, and
went away. "He'll be back," said the old woman by the door. "He went to ask what the fare is."

He was back in ten minutes with a booklet. In the booklet, he explained, there was a price for a passenger, a price for a child under
twelve, a price for a dog, and a price for a bicycle. There was none for a melon. He had telephoned the stationmaster at Gorna, who had
told him to use his judgment; and this, he said, and took his cap off and wiped his forehead with the inside of his wrist, was the one
thing he had been told in twenty-two years of service never to do.

"How old are they?" the student asked.

The conductor considered. "Under twelve," he said, brightened, and wrote out eleven half tickets, which the old woman paid for out of a
purse that she wore around her neck. So they were hers after all. At every stop she bought one of us a glass of tea. Toward morning,
when the sea lay along the window like a strip of tin, she cut the largest of them with a knife as long as her forearm, handed us each
a slice, and put the conductor's slice, with the punched ticket under it, on the folding seat outside the door.


A letter, never sent

Dear Ines,

You asked me what I do all day, now that I have stopped, and I wrote back something about the garden. It was not true. I do like the
garden, but only from indoors. The truth is that I have been repairing the barometer.

You will remember it: the brass one in the hall, which has said "Change" since before you were born. Your father used to tap it every
morning on his way out and say "Well, it isn't wrong." I took it off the wall in February because I wanted to paint, and when I turned
it over the back came away in my hand and there was a piece of paper folded eight times behind the aneroid. I thought: a love letter; a
will; a map. It was a receipt for the barometer. Somebody in 1934 had paid forty-two francs for it and had kept the proof, in the one
place where he could be certain of having both or neither.

So now I have the parts on a bed sheet in the dining room, each with a number, and a drawing which I made and no longer understand. The
trouble is a lever the length of an eyelash. It should move the chain that moves the pointer, and it does move, but like someone who has
been told to. I have tried clock oil. I have tried talking to it. Yesterday I found that if I breathe on the capsule from close by, the
pointer creeps toward "Storm," and I sat there for most of an hour and made weather.

Come at Easter, if you can. Bring the small screwdrivers.

With love,
your uncle P.


Rules of the House, as Dictated by a Child of Six

Shoes are allowed on the carpet if they are new and have not been told about outside yet. The cat may be woken up only for emergencies,
such as if it is snowing. You can have a biscuit before dinner when you are sad, but you have to be sad first, and somebody has to see
it. The bath is full when the duck can touch the other duck. Nobody is to say "we'll see," because everyone knows what we will see. If
there is a monster, it sleeps on Dad's side. A story that was begun has to be finished, even if the person who is listening is asleep,
because it is not fair to the people in the story.
`
