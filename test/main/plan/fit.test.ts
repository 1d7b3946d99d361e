import { expect, it } from "vitest"
import { changesThatFit, type FitQuestion } from "../../../main/plan/fit.ts"
import type { Format } from "../../../shared/schema/format.ts"
import { PlanRequest, type PlanRow } from "../../../shared/schema/plan.ts"
import { device, row } from "./rows.ts"

const devices = [device("cpu", 1000), device("disk", 100_000)]
const perWeight: Partial<Record<Format, number>> = { bf16: 1600, int8: 800, nf4: 450, "nf4-dq": 413 }

/** A model of a cache of one unit for each 16 tokens, embeddings of 200, and training that is linear in everything. */
function planned(request: PlanRequest, format: Format): PlanRow {
  const { train, embeddings } = request
  const context = request.context || 4096
  const tables = embeddings === "int8" ? 100 : embeddings === "nf4-dq" ? 50 : 200
  const chat = { weights: perWeight[format] ?? 0, unquantized: tables, kv: context / 16 }
  const activations = (train.batchSize * train.sequenceLength) / (train.gradientCheckpointing ? 16 : 2)
  const training = { ...chat, kv: 0, activations, optimizer: train.rank * (train.optimizer.endsWith("8bit") ? 2 : 8), lora: train.rank }
  return row(format, request.mode === "chat" ? chat : training, devices, { context })
}

async function changesOf(wish: Partial<PlanRequest>, format: Format, own: Partial<FitQuestion> = {}) {
  const request = PlanRequest.parse({ path: "x", ...wish })
  return changesThatFit({
    ...{ request, row: planned(request, format), devices },
    speedOf: (one) => 1000 / one.total_bytes,
    async ask({ format: other = format, ...change }) {
      return planned({ ...request, ...(change as Partial<PlanRequest>) }, other)
    },
    ...own,
  })
}
const brief = (changes: Awaited<ReturnType<typeof changesOf>>) =>
  changes.map(({ kind, from, to, savesBytes, fitsAfter, cost }) => [kind, from, to, savesBytes, fitsAfter, cost])

it("changes nothing of what fits", async () => {
  expect(await changesOf({ context: 8192 }, "nf4-dq")).not.toEqual([])
  expect(await changesOf({ context: 512 }, "nf4-dq")).toEqual([])
})

it("goes as far as is needed with each change, alone, the least loss first", async () => {
  // 800 + 200 + 256 = 1256 of 1000.
  expect(brief(await changesOf({}, "int8"))).toEqual([
    ["context", "4096", "512", 224, false, "shorter_memory"],
    ["format", "int8", "nf4", 350, true, "quality"],
    ["embeddings", "16-bit", "nf4-dq", 150, false, "quality"],
  ])
  const [context, format] = await changesOf({}, "int8")
  expect(context).toMatchObject({ spareBytes: -32, change: { context: 512 } })
  expect(format).toMatchObject({ spareBytes: 94, change: { format: "nf4" }, speedBefore: 1000 / 1256, speedAfter: 1000 / 906 })
})

it("stops a series at the first that is enough", async () => {
  expect(brief(await changesOf({ context: 8192 }, "nf4"))[0]).toEqual(["context", "8192", "4096", 256, true, "shorter_memory"])
  expect(brief(await changesOf({}, "bf16")).map(([kind, , to]) => [kind, to])).toEqual([
    ["context", "512"],
    ["format", "nf4"],
  ])
})

it("what is tight is changed until there is room", async () => {
  // 450 + 200 + 256 = 906.
  expect(brief(await changesOf({}, "nf4"))).toEqual([
    ["context", "4096", "2048", 128, true, "shorter_memory"],
    ["format", "nf4", "nf4-dq", 37, true, "quality"],
    ["embeddings", "16-bit", "int8", 100, true, "quality"],
  ])
})

it("training has changes of its own, those that lose nothing first", async () => {
  const train = {
    ...PlanRequest.parse({ path: "x" }).train,
    optimizer: "adamw" as const,
    batchSize: 4,
    rank: 16,
    gradientCheckpointing: false,
  }
  const changes = await changesOf({ mode: "train", train }, "nf4")
  expect(changes.map(({ kind, to, cost }) => [kind, to, cost])).toEqual([
    ["optimizer", "adamw8bit", "none"],
    ["batch_size", "1", "none"],
    ["checkpointing", "on", "speed"],
    ["sequence_length", "256", "shorter_memory"],
    ["rank", "4", "quality"],
    ["format", "nf4-dq", "quality"],
    ["embeddings", "nf4-dq", "quality"],
  ])
  // All else of the run stays as it was.
  expect(changes[0]?.change.train).toEqual({ ...train, optimizer: "adamw8bit" })
  expect(changes.find(({ kind }) => kind === "checkpointing")).toMatchObject({ from: "off", savesBytes: 2048 - 256, fitsAfter: false })
})

it("leaves out what the model cannot have and what saves nothing", async () => {
  const refusing = await changesOf({}, "int8", {
    ask: async ({ format }) => (format ? null : planned(PlanRequest.parse({ path: "x" }), "int8")),
  })
  expect(refusing).toEqual([])
})

it("offers the layers where there is room, with what it costs", async () => {
  const places = [device("0", 1000), device("cpu", 4000), device("disk", 100_000)]
  const partly = row("bf16", { weights: 1600, context: 10 }, places, {
    verdict: "partly",
    fits: false,
    device_map: { "model.embed_tokens": "0", "model.layers.0": "0", "model.layers.1": "cpu", "model.layers.2": "cpu", lm_head: "cpu" },
  })
  partly.devices = partly.devices.map((one, i) => ({ ...one, used_bytes: i === 0 ? 900 : 700 }))
  const ask = async ({ deviceMap }: { deviceMap?: unknown }) => (deviceMap === "auto" ? partly : null)
  const onlyAuto = await changesOf({}, "bf16", { row: partly, devices: places, ask })
  expect(onlyAuto).toEqual([
    expect.objectContaining({
      kind: "layers_to_cpu",
      from: "0",
      to: "2",
      savesBytes: 700,
      fitsAfter: true,
      spareBytes: 100,
      cost: "speed",
    }),
  ])
  expect(onlyAuto[0]?.change.deviceMap).toEqual(partly.device_map)
  const byHand = row("bf16", { weights: 1600 }, places, { device_map: { "": "0" } })
  expect(await changesOf({ deviceMap: { "": "0" } }, "bf16", { row: byHand, devices: places, ask })).toMatchObject([
    { kind: "layers_to_cpu" },
  ])
  const toDisk = { ...partly, device_map: { "model.layers.0": "0", "model.layers.1": "disk" } }
  expect(await changesOf({}, "bf16", { row: toDisk, devices: places, ask: async () => null })).toMatchObject([
    { kind: "layers_to_disk", to: "1" },
  ])
})
