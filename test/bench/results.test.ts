import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "vitest"
import { changes, type Measurement, type Results, readBaseline } from "../../bench/results.ts"
import { markdownTable, resultsTable } from "../../bench/table.ts"

/** Without what aligns the columns. */
const narrow = (table: string) => table.replace(/ +/g, " ")

const folder = mkdtempSync(join(tmpdir(), "nibble-bench-"))
afterAll(() => rmSync(folder, { recursive: true }))

function measurement(subject: string, prefill: number[], decode: number[]): Measurement {
  return { subject, threads: 2, prefill, decode, weightBytesPerToken: 100e6, loadMs: 12.3, firstTokenMs: 345.6, peakBytes: 250e6 }
}

function results(nf4Decode: number[], change: Partial<Results> = {}): Results {
  return {
    commit: "abc",
    date: "2026-01-02T00:00:00.000Z",
    cpu: "A",
    cores: 2,
    isa: "avx2",
    model: "m.gguf",
    promptTokens: 512,
    newTokens: 128,
    reference: "llama.cpp Q4_0",
    bandwidths: [{ threads: 2, values: [40, 50, 45] }],
    quantizing: [],
    measurements: [
      measurement("Nibble nf4", [1000, 1100, 900], nf4Decode),
      measurement("llama.cpp Q4_0", [500, 500, 500], [100, 100, 100]),
    ],
    ...change,
  }
}

test("a Markdown table", () => {
  const rows = [
    ["one", "2", "x"],
    ["three", "10.5", "nf4"],
  ]
  expect(markdownTable(["a", "b", "c"], rows).split("\n")).toEqual([
    "| a     |    b | c   |",
    "| ----- | ---: | --- |",
    "| one   |    2 | x   |",
    "| three | 10.5 | nf4 |",
  ])
})

test("the table of results compares with the reference and the bandwidth", () => {
  const table = narrow(resultsTable(results([225, 225, 225])))
  expect(table).toContain("2 threads, memory is read at 45.0 GB/s")
  // 100 MB a token, 225 tokens/s: 22.5 of 45 GB/s.
  expect(table).toContain("| Nibble nf4 | 100.0 | 1000 ± 10 % | 2.00 | 225 ± 0 % | 2.25 | 50 % | 12 | 346 | 250 |")
  expect(table).toContain("| llama.cpp Q4_0 | 100.0 | 500 ± 0 % | 1.00 | 100 ± 0 % | 1.00 | 22 % |")
})

test("without llama.cpp there are no ratios", () => {
  const alone = results([225, 225, 225], { reference: null })
  alone.measurements = alone.measurements.slice(0, 1)
  expect(narrow(resultsTable(alone))).toContain("| Nibble nf4 | 100.0 | 1000 ± 10 % | | 225 ± 0 % | | 50 % |")
})

test("changes of ratios are told, those of the day are not", () => {
  const before = results([200, 200, 200])
  expect(changes(results([210, 205, 200]), before)).toEqual([])
  expect(changes(results([150, 150, 150]), before)).toEqual([
    "Nibble nf4, 2 threads: decode is slower, 1.50 times llama.cpp Q4_0 (2.00 before).",
  ])
  const slowDay = results([100, 100, 100])
  for (const one of slowDay.measurements) one.decode = one.decode.map((value) => (one.subject === "Nibble nf4" ? value : value / 2))
  expect(changes(slowDay, before)).toEqual([])
})

test("the baseline is the newest of the same processor", () => {
  const write = (name: string, kept: Results) => writeFileSync(join(folder, name), JSON.stringify(kept))
  write("old.json", results([1, 1, 1]))
  write("new.json", results([2, 2, 2], { date: "2026-03-01T00:00:00.000Z" }))
  write("other.json", results([3, 3, 3], { date: "2026-04-01T00:00:00.000Z", cpu: "B" }))
  expect(readBaseline(folder, { cpu: "A", cores: 2 })?.measurements[0]?.decode).toEqual([2, 2, 2])
  expect(readBaseline(folder, { cpu: "A", cores: 8 })).toBeNull()
})
