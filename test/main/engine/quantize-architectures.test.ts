// Every architecture quantized to a folder and opened again computes, bit for bit, what it computes when it is quantized while loading.
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { expect, test } from "vitest"
import type { EngineAddon, NativeQuantizeSpec } from "../../../main/engine/addon-types.ts"
import { openModel } from "../../../main/models/open.ts"
import { temporaryFolder, testEngine, top } from "./fixtures.ts"

const folder = temporaryFolder()
const { client } = testEngine()
const addon = createRequire(import.meta.url)(process.env.NIBBLE_ENGINE ?? join(top, "dist/engine.node")) as EngineAddon
const fixtures = join(top, "test/fixtures/architectures")

const specs = {
  nf4: { format: "nf4", blockSize: 64, isNested: false },
  int8: { format: "int8", blockSize: 64, isNested: false },
} as const satisfies Record<string, NativeQuantizeSpec>

async function logits(path: string, quantize?: NativeQuantizeSpec): Promise<Buffer> {
  const { source, decoder } = await openModel(path)
  const options = { source, context: 16, compute: "f32" as const, threads: 1, backend: "auto", memoryLimitBytes: 0 }
  const model = await addon.loadModel({ ...options, ...(quantize ? { quantize } : {}) }, () => {}).promise
  const out = join(folder, "logits.bin")
  writeFileSync(out, "")
  const tokens = Array.from({ length: 12 }, (_, i) => 5 + ((7 * i) % (decoder.vocabSize - 5)))
  await model.logits({ tokens, path: out, offset: 0 }).promise
  model.dispose()
  return readFileSync(out)
}

// MXFP4 is refused: microscaling.test.ts.
const names = readdirSync(fixtures).filter((name) => !name.endsWith("mxfp4"))

test.each(names.sort())("%s", async (name) => {
  const path = join(fixtures, name)
  for (const format of ["nf4", "int8"] as const) {
    const out = join(folder, `${name}-${format}`)
    const report = await client["quantize.run"]({ path, out, format }, () => {})
    expect(report.tensors_quantized).toBeGreaterThan(0)
    const loaded = await logits(path, specs[format])
    expect(loaded.length).toBeGreaterThan(0)
    expect(loaded.equals(await logits(out))).toBe(true)
    expect(loaded.equals(await logits(path))).toBe(false)
  }
})
