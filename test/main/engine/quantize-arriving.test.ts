// Quantizing while the weights arrive: the same tensors as of the whole, in whatever order the files come, and gone on with after an end.
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import type { z } from "zod"
import { loadAddon } from "../../../main/engine/addon.ts"
import { createArrivals } from "../../../main/engine/arrivals.ts"
import { quantizeModel } from "../../../main/engine/quantize.ts"
import { quantizeArriving } from "../../../main/engine/quantize-arriving.ts"
import { openModel } from "../../../main/models/open.ts"
import type { engine } from "../../../shared/contract/engine.ts"
import { scratchFolder } from "../scratch.ts"
import { models } from "./fixtures.ts"
import { partsOf } from "./rewritten.ts"

type Options = z.output<(typeof engine)["quantize.run"]["input"]>
type Progress = z.output<(typeof engine)["quantize.run"]["event"]>

const shard = (number: number) => `model-0000${number}-of-00003.safetensors`
const shards = [1, 2, 3].map(shard)

function wishFor(path: string, out: string, change: Partial<Options> = {}): Options {
  return { path, out, format: "nf4-dq", blockSize: 64, threshold: 6, threads: 1, isArriving: true, withErrors: true, ...change }
}

function source(): string {
  const folder = join(scratchFolder(), "llama-tied-sharded")
  cpSync(join(models, "llama-tied-sharded"), folder, { recursive: true })
  return folder
}

/** By name, the bytes of every tensor of a folder. */
async function tensorsOf(folder: string): Promise<Map<string, string>> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".safetensors"))
  const parts = (await Promise.all(files.map((name) => partsOf(join(folder, name))))).flat()
  return new Map(parts.map(({ name, dtype, shape, bytes }) => [name, `${dtype} ${shape} ${bytes.toString("base64")}`]))
}

/** Puts the files away when the model is open, and has them arrive one by one. */
function arriving(path: string, order: string[]) {
  const arrivals = createArrivals()
  const events: Progress[] = []
  const away = join(path, "..", "away")
  const seen: string[][] = []
  const emit = async (event: Progress) => {
    events.push(event)
    if (events.length === 1) {
      cpSync(path, away, { recursive: true })
      for (const name of shards) writeFileSync(join(path, name), "header")
    }
    const done = event.filesDone ?? []
    if (done.length < seen.length) return
    seen.push(done)
    const next = order[done.length]
    if (next === undefined) return
    if (done.length > 0) rmSync(join(path, order[done.length - 1] as string))
    // Announced before it is there, too: nobody may take that for the file.
    arrivals.announce()
    setTimeout(() => {
      renameSync(join(away, next), join(path, next))
      arrivals.announce()
    })
  }
  return { arrivals, events, context: { signal: new AbortController().signal, emit } }
}

it.each([
  ["nf4-dq", [1, 2, 3]],
  ["nf4", [3, 1, 2]],
  ["int8", [2, 3, 1]],
  ["fp4", [3, 2, 1]],
  ["fp4-dq", [1, 3, 2]],
] as const)("%s of files that arrive as %s holds the same tensors as of the whole", async (format, numbers) => {
  const order = numbers.map(shard)
  const path = source()
  const out = join(path, "..", "made")
  const { arrivals, events, context } = arriving(path, order)
  const report = await quantizeArriving(loadAddon(), arrivals, wishFor(path, out, { format, embeddings: "int8" }), context)

  const whole = join(path, "..", "whole")
  const plainContext = { signal: context.signal, emit: async () => {} }
  const expected = await quantizeModel(
    loadAddon(),
    wishFor(join(models, "llama-tied-sharded"), whole, { format, embeddings: "int8" }),
    plainContext,
  )
  expect(await tensorsOf(out)).toEqual(await tensorsOf(whole))
  expect(report).toMatchObject({ kept: expected.kept, tensors_quantized: expected.tensors_quantized, bytes_in: expected.bytes_in, out })
  expect(readdirSync(out).sort()).toEqual(
    [...readdirSync(whole).filter((name) => name !== "model.safetensors"), ...shards, "model.safetensors.index.json"].sort(),
  )
  for (const name of ["config.json", "README.md", "tokenizer.json"])
    expect(readFileSync(join(out, name), "utf8")).toBe(readFileSync(join(whole, name), "utf8"))
  const index = JSON.parse(readFileSync(join(out, "model.safetensors.index.json"), "utf8"))
  expect(Object.keys(index.weight_map)).toHaveLength((await tensorsOf(whole)).size)
  expect((await openModel(out)).source.tensors.length).toBeGreaterThan(10)
  // Each file that is used up is said once it is safe, in the order in which they came.
  expect(events[0]?.filesDone).toEqual([])
  expect(events.at(-1)).toMatchObject({ filesDone: order, parametersDone: events.at(-1)?.parametersTotal })
  expect(readdirSync(join(path, "..")).filter((name) => name.startsWith("."))).toEqual([])
})

it("goes on where it was ended, and says again what it had said", async () => {
  const path = source()
  const out = join(path, "..", "made")
  const unfinished = join(path, "..", ".made.unfinished")
  const abort = new AbortController()
  const first: Progress[] = []
  const emit = async (event: Progress) => {
    first.push(event)
    if ((event.filesDone?.length ?? 0) === 2) abort.abort()
  }
  const stopped = quantizeArriving(loadAddon(), createArrivals(), wishFor(path, out), { signal: abort.signal, emit })
  await expect(stopped).rejects.toMatchObject({ code: "cancelled" })
  expect(existsSync(out)).toBe(false)
  expect(readdirSync(unfinished).sort()).toEqual([".nibble-journal.json", ...shards.slice(0, 2)].sort())
  // As if it had been killed in the middle of the third.
  writeFileSync(join(unfinished, shard(3)), "half of it")
  const kept = readFileSync(join(unfinished, shard(1)))

  const second: Progress[] = []
  const context = { signal: new AbortController().signal, emit: async (event: Progress) => void second.push(event) }
  await quantizeArriving(loadAddon(), createArrivals(), wishFor(path, out, { threads: 2 }), context)
  expect(second[0]?.filesDone).toEqual(shards.slice(0, 2))
  expect(second[0]?.parametersDone).toBeGreaterThan(0)
  expect(readFileSync(join(out, shard(1))).equals(kept)).toBe(true)
  const errors = (events: Progress[]) => new Map(events.flatMap((event) => (event.errors ?? []).map(({ name, error }) => [name, error])))
  expect(errors(second).size).toBe(14)
  for (const [name, error] of errors(first)) expect(errors(second).get(name)).toBe(error)
  const whole = join(path, "..", "whole")
  await quantizeModel(loadAddon(), wishFor(path, whole), context)
  expect(await tensorsOf(out)).toEqual(await tensorsOf(whole))
})

it("begins afresh with other options", async () => {
  const path = source()
  const out = join(path, "..", "made")
  const abort = new AbortController()
  const emit = async ({ filesDone }: Progress) => (filesDone?.length ? abort.abort() : undefined)
  await expect(quantizeArriving(loadAddon(), createArrivals(), wishFor(path, out), { signal: abort.signal, emit })).rejects.toThrow()
  const events: Progress[] = []
  const context = { signal: new AbortController().signal, emit: async (event: Progress) => void events.push(event) }
  await quantizeArriving(loadAddon(), createArrivals(), wishFor(path, out, { format: "int8" }), context)
  expect(events[0]?.filesDone).toEqual([])
  expect((await openModel(out)).inspection.format).toBe("int8")
})

it("takes a folder that was complete but for its last step for what it is", async () => {
  const path = source()
  const out = join(path, "..", "made")
  const context = { signal: new AbortController().signal, emit: async () => {} }
  const abort = new AbortController()
  let journal = ""
  const emit = async ({ filesDone }: Progress) => {
    if (filesDone?.length === 3) journal = readFileSync(join(path, "..", ".made.unfinished", ".nibble-journal.json"), "utf8")
  }
  await quantizeArriving(loadAddon(), createArrivals(), wishFor(path, out), { signal: abort.signal, emit })
  writeFileSync(join(out, ".nibble-journal.json"), journal)
  for (const name of shards) writeFileSync(join(path, name), readFileSync(join(path, name)))
  const before = await tensorsOf(out)
  await quantizeArriving(loadAddon(), createArrivals(), wishFor(path, out), context)
  expect(await tensorsOf(out)).toEqual(before)
  expect(existsSync(join(out, ".nibble-journal.json"))).toBe(false)
  await expect(quantizeArriving(loadAddon(), createArrivals(), wishFor(path, out), context)).rejects.toMatchObject({ code: "bad_input" })
})

it("refuses a file that is not what its header promised", async () => {
  const path = source()
  const { arrivals, context } = arriving(path, [shard(2)])
  const emit = async (event: Progress) => {
    await context.emit(event)
    // Another file of the same size takes its place.
    writeFileSync(join(path, "..", "away", shard(2)), Buffer.concat([readFileSync(join(path, "..", "away", shard(1))), Buffer.alloc(9000)]))
  }
  await expect(
    quantizeArriving(loadAddon(), arrivals, wishFor(path, join(path, "..", "made")), { ...context, emit }),
  ).rejects.toMatchObject({ code: "bad_file" })
})
