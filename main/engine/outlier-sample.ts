// A little of what models read, for measurements where no text is given: prose, a dialogue, a list, code, numbers, other languages.

export const sampleText = `The harbor wakes before the town does. At four the first boats come in, their lamps still lit, and the gulls that slept on the
breakwater lift off all at once as if someone had called them. Crates of herring are passed from hand to hand. By six the auction is over,
the floor is hosed down, and the men stand about with their coffee and talk of the weather, which has been wrong all year.

"Did you weigh it twice?" she asked.
"Three times. 412.5 kilograms, give or take the ice."
"Then somebody owes us 37 euros and 80 cents."

How to keep a sourdough starter alive:
1. Feed it every day with 50 g of flour and 50 g of water at about 26 °C.
2. Throw away half before each feeding, or bake with it.
3. If you travel, dry a spoonful on paper. It can wait for years.

def moving_average(values, size):
    """Mean of each run of \`size\` neighbors."""
    total = sum(values[:size])
    means = [total / size]
    for left, right in zip(values, values[size:]):
        total += right - left
        means.append(total / size)
    return means

print(moving_average([3, 1, 4, 1, 5, 9, 2, 6], 3))  # [2.67, 2.0, 3.33, 5.0, 5.33, 5.67]

In 1905 a clerk at a patent office published four papers in a single year. One of them explained why small grains in water never rest: they
are pushed about by molecules that nobody had seen. If x is the mean squared distance and t the time, then x = 2Dt, where D depends on the
temperature and on the size of the grain. Within three years this had been measured, and doubts about atoms were over.

Der Zug nach Lindau fährt heute von Gleis 7 ab und hat etwa zehn Minuten Verspätung. La bibliothèque ferme à dix-huit heures le samedi.
今天下午可能会下雨，出门请带伞。Завтра утром магазин откроется на час позже. ¿Cuánto cuesta el billete de ida y vuelta?

{"name": "sensor-12", "readings": [21.4, 21.6, 22.0], "ok": true, "note": null}
SELECT city, COUNT(*) AS visits FROM trips WHERE year >= 2019 GROUP BY city ORDER BY visits DESC LIMIT 5;
https://example.com/articles?id=42&page=3#comments
`
