// The benchmark through the whole engine. What it measures is a machine's own; what is tested is that it is there, told, refused and stopped.
import { join } from "node:path"
import { expect, test } from "vitest"
import type { EngineAddon, NativeSpeed } from "../../../main/engine/addon-types.ts"
import { createModelSlot } from "../../../main/engine/model-slot.ts"
import { measureSpeed } from "../../../main/engine/speed.ts"
import { Format } from "../../../shared/schema/format.ts"
import { models, testEngine } from "./fixtures.ts"

const context = () => ({ signal: new AbortController().signal, emit: async () => {} })
const measured: NativeSpeed = {
  ...{ bandwidth: 1e10, layerSeconds: 1e-5, mappedFactor: 0.9 },
  decode: Object.fromEntries(Format.options.map((format) => [format, 1e9])),
  prefill: Object.fromEntries(Format.options.map((format) => [format, 1e10])),
}

function fakeAddon(features: string[] = []) {
  const asked: unknown[] = []
  const info = { isa: "avx512", features, logicalCores: 6 }
  const measureSpeed = (options: unknown, onProgress: (fraction: number) => void) => {
    asked.push(options)
    onProgress(0.5)
    return { promise: Promise.resolve(measured), cancel() {} }
  }
  return { addon: { info: () => info, measureSpeed } as unknown as EngineAddon, asked }
}

test("times what models are computed in here, and says for which threads", async () => {
  const { addon, asked } = fakeAddon(["avx512bf16"])
  const fractions: number[] = []
  const emit = async ({ fraction }: { fraction: number }) => void fractions.push(fraction)
  const profile = await measureSpeed(addon, createModelSlot(), { threads: 0 }, { ...context(), emit })
  expect(asked).toEqual([{ threads: 0, compute: "bf16" }])
  expect(fractions).toEqual([0.5])
  expect(profile).toMatchObject({ isa: "avx512", threads: 6, bandwidth: 1e10, mappedFactor: 0.9, decode: { "nf4-dq": 1e9, fp32: 1e9 } })
  const plain = fakeAddon()
  await measureSpeed(plain.addon, createModelSlot(), { threads: 3 }, context())
  expect(plain.asked).toEqual([{ threads: 3, compute: "f32" }])
})

test("waits for no model: one that works is named as the reason", async () => {
  const { addon, asked } = fakeAddon()
  const slot = createModelSlot()
  const held = (used: () => unknown) =>
    ({ native: { used, dispose() {} } }) as unknown as Parameters<typeof slot.fill>[1] extends () => Promise<infer H> ? H : never
  await slot.fill("a model", async () => held(() => ({ tokens: 0 })))
  await measureSpeed(addon, slot, { threads: 1 }, context())
  await slot.fill("a model", async () =>
    held(() => {
      throw Object.assign(new Error("busy"), { code: "busy" })
    }),
  )
  await expect(measureSpeed(addon, slot, { threads: 1 }, context())).rejects.toMatchObject({ code: "busy" })
  const loading = slot.fill("a model", () => new Promise(() => {}))
  void loading.catch(() => {})
  await expect(measureSpeed(addon, slot, { threads: 1 }, context())).rejects.toMatchObject({ code: "busy" })
  expect(asked).toHaveLength(1)
})

test("stops soon after it is asked to, with a model loaded that answers afterwards", async () => {
  const engine = testEngine()
  await engine.client["model.load"]({ path: join(models, "llama"), context: 64, threads: 1 }, () => {})
  const stop = new AbortController()
  const fractions: number[] = []
  const measuring = engine.client["engine.speed"](
    { threads: 1 },
    ({ fraction }) => {
      fractions.push(fraction)
      stop.abort()
    },
    stop.signal,
  )
  await expect(measuring).rejects.toMatchObject({ code: "cancelled" })
  expect(fractions[0]).toBeGreaterThan(0)
  expect(fractions.at(-1)).toBeLessThan(1)
  expect((await engine.client["model.count"]({ prompt: { kind: "tokens", tokens: [1, 2] } })).tokens).toBe(2)
})
