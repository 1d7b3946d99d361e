// Of the bundled text: programs, data, tables, formulas. Written for this program.

export const code = `def shortest_path(graph, start, goal):
    """Dijkstra's algorithm. graph: {node: {neighbor: distance}}. Returns (distance, path), or None where there is no way."""
    queue = [(0, start, [start])]
    seen = set()
    while queue:
        distance, node, path = heapq.heappop(queue)
        if node == goal:
            return distance, path
        if node in seen:
            continue
        seen.add(node)
        for neighbor, step in graph[node].items():
            if neighbor not in seen:
                heapq.heappush(queue, (distance + step, neighbor, path + [neighbor]))
    return None


class RingBuffer:
    def __init__(self, capacity):
        if capacity < 1:
            raise ValueError(f"capacity must be positive, not {capacity}")
        self._items = [None] * capacity
        self._start = 0
        self._size = 0

    def push(self, item):
        index = (self._start + self._size) % len(self._items)
        self._items[index] = item
        if self._size < len(self._items):
            self._size += 1
        else:
            self._start = (self._start + 1) % len(self._items)

    def __iter__(self):
        for i in range(self._size):
            yield self._items[(self._start + i) % len(self._items)]


async function fetchAll(urls, { limit = 4 } = {}) {
  const results = new Array(urls.length)
  let next = 0
  const worker = async () => {
    while (next < urls.length) {
      const index = next++
      const response = await fetch(urls[index])
      if (!response.ok) throw new Error(urls[index] + ': ' + response.status)
      results[index] = await response.json()
    }
  }
  await Promise.all(Array.from({ length: limit }, worker))
  return results
}

#include <stdio.h>

int main(void) {
    unsigned long long a = 0, b = 1;
    for (int i = 0; i < 90; i++) {
        printf("F(%d) = %llu\\n", i, a);
        unsigned long long c = a + b;
        a = b;
        b = c;
    }
    return 0;
}

fn word_counts(text: &str) -> Vec<(String, usize)> {
    let mut counts = std::collections::HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word.to_lowercase()).or_insert(0) += 1;
    }
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    sorted
}

SELECT c.name, COUNT(o.id) AS orders, SUM(o.total) AS revenue
FROM customers AS c
LEFT JOIN orders AS o ON o.customer_id = c.id AND o.placed_at >= '2023-01-01'
WHERE c.country IN ('DE', 'AT', 'CH')
GROUP BY c.id
HAVING SUM(o.total) > 1000
ORDER BY revenue DESC
LIMIT 20;

<ul class="menu">
  <li><a href="/">Home</a></li>
  <li><a href="/blog?page=2">Older posts</a></li>
  <li class="active"><a href="/about" title="Who we are">About us</a></li>
</ul>

{
  "id": "a81f-2207",
  "created": "2024-02-29T13:45:10Z",
  "items": [
    {"sku": "LAMP-03", "quantity": 2, "price": 39.9, "tags": ["indoor", "led"]},
    {"sku": "BULB-E27", "quantity": 6, "price": 4.25, "tags": []}
  ],
  "shipping": {"method": "standard", "address": null},
  "paid": true
}

$ git log --oneline -3
4f1c9d2 Fix the width of the last column
b07e6aa Read dates in local time
11d9430 Add the report of the month
$ ls -lh build | sort -k5 -h
-rw-r--r-- 1 nora staff  12K Mar  4 09:12 index.html
-rw-r--r-- 1 nora staff 148K Mar  4 09:12 app.js

2024-03-04 09:12:41,207 INFO  server: listening on 127.0.0.1:8080
2024-03-04 09:12:44,910 WARN  cache: 3 of 512 entries are older than 24 h and were dropped
2024-03-04 09:13:02,006 ERROR worker-2: could not open /var/data/queue.db: permission denied

| Planet  | Diameter (km) | Distance from the Sun (AU) | Moons |
|---------|--------------:|---------------------------:|------:|
| Mercury |         4,879 |                       0.39 |     0 |
| Venus   |        12,104 |                       0.72 |     0 |
| Earth   |        12,756 |                       1.00 |     1 |
| Mars    |         6,792 |                       1.52 |     2 |
| Jupiter |       142,984 |                       5.20 |    95 |

# Problem

A train leaves Aachen at 8:15 and travels at 90 km/h. A second train leaves Bonn, 96 km away, at 8:35 on the same line toward the first,
at 120 km/h. When and where do they meet?

# Solution

By 8:35 the first train has been on its way for 20 minutes and has covered 90 * 1/3 = 30 km. There are 96 - 30 = 66 km between the two.
They approach each other at 90 + 120 = 210 km/h, so that they meet after 66 / 210 h = 0.314 h, which is 18 minutes and 51 seconds: at
about 8:54. The first train has then covered 30 + 90 * 0.314 = 58.3 km. Check: the second has covered 120 * 0.314 = 37.7 km, and
58.3 + 37.7 = 96.

Theorem. There are infinitely many prime numbers.
Proof. Suppose that p_1, ..., p_n were all of them, and let N = p_1 * p_2 * ... * p_n + 1. N is greater than 1, so some prime p divides
it. But each p_i leaves the remainder 1 when N is divided by it. Hence p is none of the p_i, a contradiction. QED

Let $f(x) = x^3 - 3x + 1$. Then $f'(x) = 3x^2 - 3 = 3(x - 1)(x + 1)$, so $f$ has a local maximum of $3$ at $x = -1$ and a local minimum of
$-1$ at $x = 1$. Since $f(-2) = -1 < 0 < f(-1)$, $f(0) = 1 > 0 > f(1)$ and $f(1) < 0 < f(2) = 3$, there are three real roots.
`
