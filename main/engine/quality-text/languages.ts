// Of the bundled text: other languages than English, each with prose and everyday sentences. Written for this program; the poem is in the
// public domain (Goethe, 1780).

export const languages = `Der Schlüsseldienst

Es war kurz nach elf, als Frau Albrecht bemerkte, dass sie sich ausgesperrt hatte. Sie stand im Treppenhaus, einen Müllbeutel in der
einen und eine Taschenlampe in der anderen Hand, und die Tür war hinter ihr ins Schloss gefallen. Im zweiten Stock wohnte ein Student, der
Geige spielte; im Erdgeschoss wohnte niemand mehr. Sie klingelte bei dem Studenten. "Entschuldigen Sie die späte Störung", sagte sie,
"aber haben Sie vielleicht eine alte Scheckkarte?" Er hatte keine, aber er hatte ein Telefon und einen Stuhl, und während sie auf den
Schlüsseldienst warteten, der in einer Dreiviertelstunde kommen wollte, spielte er ihr vor, was er am Montag in der Prüfung spielen
sollte. Sie hörte zu, ohne sich zu rühren. Als er fertig war, sagte sie lange nichts. "Im langsamen Teil", sagte sie dann, "haben Sie
Angst, dass es langweilig wird. Haben Sie keine." Woher sie das wisse, fragte er. Sie habe, sagte Frau Albrecht und stellte endlich den
Müllbeutel ab, vierzig Jahre lang in der zweiten Reihe gesessen, Bratsche, Staatskapelle.

Über allen Gipfeln
Ist Ruh,
In allen Wipfeln
Spürest du
Kaum einen Hauch;
Die Vögelein schweigen im Walde.
Warte nur, balde
Ruhest du auch.

Le marché du samedi

Le samedi matin, la place change de visage. Dès six heures, les camionnettes arrivent de la plaine et de la montagne, et chacun monte son
étal au même endroit que la semaine précédente, sans qu'aucune ligne soit tracée au sol. Madame Perrin vend des fromages de chèvre qu'elle
emballe dans des feuilles de châtaignier; à côté d'elle, deux frères qui ne se parlent plus depuis dix ans vendent, dos à dos, les mêmes
pommes au même prix. On raconte que leur querelle a commencé pour une histoire de balance. Vers onze heures, quand la foule est la plus
dense, le boulanger sort devant sa porte, regarde le ciel et annonce le temps qu'il fera. Il se trompe souvent, mais personne ne lui en
veut: c'est moins une prévision qu'une politesse. — Vous désirez autre chose? — Non merci, ce sera tout. Ça fait combien? — Huit euros
cinquante. — Je n'ai qu'un billet de vingt. — Ce n'est pas grave, je vous rends la monnaie.

La llave del faro

Mi abuelo fue el último farero de la isla. Cuando automatizaron la lámpara le dieron una medalla, un reloj y una semana para marcharse. Se
llevó la llave. No servía para nada, porque habían cambiado la cerradura, pero él la limpiaba todos los domingos con un trapo y vinagre y
la volvía a colgar junto a la ventana. "Una luz que no vigila nadie", decía, "alumbra igual, pero no acompaña." Años después subí al faro
con una excursión del colegio. El guía nos preguntó si alguien sabía cuántos escalones había hasta arriba. Levanté la mano y dije que
ciento ochenta y tres, y que el noventa y uno estaba roto. El guía se rió. Luego subió contando y, cuando bajó, me miró de otra manera.
¿A qué hora sale el próximo tren? A las siete y cuarto, del andén número cinco. ¿Podría repetirlo más despacio, por favor?

老张的修表铺

老张的铺子在菜市场后面，门面只有两米宽。他修了四十年的表，从来不问客人急不急。
他说，急的人自己会走，不急的人才会把表留下来。墙上挂着二十几只钟，没有两只走得一样。
有一次，一个小女孩问他，哪一只是准的。老张想了想，指着柜台下面一只不走的旧怀表说：“这只，一天准两次，从来不骗人。”
后来市场要拆了，邻居们都劝他搬到新商场里去。他摇摇头，把所有的钟都拨到了同一个时间，然后一只一只地送给了老顾客。
第二天早上八点，整条街的钟一起响了起来。人们站在门口听着，谁也没有说话。
请问，去火车站怎么走？一直往前走，到第二个红绿灯左转，大约十分钟就到了。
这件衣服有没有大一号的？有，不过只剩蓝色的了。多少钱？原价三百二，现在打八折。
水在零摄氏度结冰，在一百摄氏度沸腾；但是在高山上，因为气压低，水不到九十度就开了，所以饭不容易煮熟。

Сад за стеной

Когда мы переехали в этот дом, во дворе росла одна-единственная яблоня, и та не давала яблок. Сосед сказал, что её посадили в год войны
и что с тех пор она цвела только дважды. Отец каждую весну хотел её спилить, а мать каждую весну просила подождать до осени. Так прошло
девять лет. На десятый год я уехал учиться, и в сентябре пришла посылка: коробка из-под обуви, в ней сено, а в сене три маленьких яблока,
кислых, как лимон. Записки не было. Извините, вы не подскажете, где здесь аптека? Прямо и направо, рядом с почтой.

小さな駅で

その駅には、一日に四本しか電車が来ない。駅員は一人で、名前を森田さんという。
電車が来ない時間、森田さんは花に水をやったり、待合室の猫に新聞を読んで聞かせたりしている。
ある冬の朝、切符を買いに来た老人が、行き先を思い出せなくなった。森田さんは急がせなかった。
二人はストーブの前に座って、お茶を飲みながら、線路の先にある町の名前を一つずつ声に出して言った。
すみません、この席は空いていますか。はい、どうぞ。今日は寒いですね。

Il tempo di ieri: pioggia debole al nord, sereno altrove, massime tra 14 e 19 gradi. Chi va piano va sano e va lontano, diceva la nonna,
ma intanto usciva di casa per prima. Posso pagare con la carta? Certo, anche senza contatto.
Amanhã vou à praia se não chover; se chover, fico em casa a ler. O comboio para o Porto parte às nove e meia da linha três.
De trein naar Utrecht vertrekt vandaag van spoor 11 in plaats van spoor 9. Houd u rekening met een extra reistijd van tien minuten.
`
