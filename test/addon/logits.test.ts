// The whole path from files to logits against PyTorch + bitsandbytes (test/golden), on every backend of this machine.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import type { NativeModel, NativeQuantizeSpec } from "../../main/engine/addon-types.ts"
import { engine, greedy, load, readFloats, temporaryFolder, top } from "./fixtures.ts"

const folder = temporaryFolder()
const specs: Record<string, NativeQuantizeSpec> = {
  nf4: { format: "nf4", blockSize: 64, isNested: false },
  "nf4-dq": { format: "nf4", blockSize: 64, isNested: true },
  fp4: { format: "fp4", blockSize: 64, isNested: false },
  /** With activations as they are; LLM.int8() has its own rows below. */
  int8: { format: "int8", blockSize: 64, isNested: false },
}

function golden(name: string) {
  const path = join(top, `test/golden/models/${name}`)
  return {
    ...(JSON.parse(readFileSync(`${path}.json`, "utf8")) as { tokens: number[]; greedy: Record<string, number[]> }),
    logits: (variant: string) => readFloats(`${path}.safetensors`, variant),
  }
}

async function logitsOf(model: NativeModel, tokens: number[]): Promise<Float32Array> {
  const path = join(folder, "logits.bin")
  writeFileSync(path, "")
  const { rows, cols } = await model.logits({ tokens, path, offset: 0 }).promise
  const values = new Float32Array(new Uint8Array(readFileSync(path)).buffer)
  expect(values.length).toBe(rows * cols)
  return values
}

/** Largest difference as a share of the largest value. */
function worst(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length)
  let difference = 0
  let largest = 0
  actual.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(value - (expected[i] as number)))
    largest = Math.max(largest, Math.abs(expected[i] as number))
  })
  return difference / largest
}

// fp32 sums in another order, over two layers; a wrong layout or rounding rule differs by 1e-3 and more. Keys and values are
// kept in fp16 (2^-11), which dominates.
const allowed = { f32: 2e-3, bf16: 3e-2 }

const backends = engine.info().backends

async function check(model: NativeModel, name: string, variant: string, compute: "f32" | "bf16", otherCodes = 0) {
  const { tokens, logits, greedy: continuation } = golden(name)
  const difference = worst(await logitsOf(model, tokens), logits(variant))
  expect(difference, `${name} ${variant} ${compute}`).toBeLessThan(allowed[compute] + otherCodes)
  if (compute === "f32") {
    const options = { tokens, maxNewTokens: 16, sampling: greedy, stopTokens: [] }
    const made: number[] = []
    const result = await model.generate(options, (ids) => void made.push(...ids)).promise
    expect(result.tokens).toEqual(continuation[variant])
    expect(made).toEqual(result.tokens)
  }
  model.dispose()
}

// LLM.int8() as bitsandbytes computes it. The golden logits have keys and values in fp16, too, so that only the order of fp32 sums differs
// (a few 1e-7): where that tips an activation over to the next int8 code, or a key to the next fp16, the logits move by a 1/254 of
// what one weight adds. Without the outlier columns, or with a wrong constant, they are off by 2e-2 and more.
const { tokens: int8Tokens } = golden("llama")
for (const backend of backends) {
  for (const threshold of [0, 6, 1.5]) {
    test(`LLM.int8() of a folder written by bitsandbytes, threshold ${threshold}, ${backend}`, async () => {
      const model = await load("llama-int8", { backend, compute: "f32", threshold })
      const expected = readFloats(join(top, "test/golden/int8/llama.safetensors"), String(threshold))
      expect(worst(await logitsOf(model, int8Tokens), expected)).toBeLessThan(2e-3)
      model.dispose()
    })
  }
  test(`LLM.int8() with another threshold, and exact products, are something else, ${backend}`, async () => {
    const expected = readFloats(join(top, "test/golden/int8/llama.safetensors"), "1.5")
    for (const change of [{ threshold: 0 }, { isExact: true }]) {
      const model = await load("llama-int8", { backend, compute: "f32", ...change })
      expect(worst(await logitsOf(model, int8Tokens), expected)).toBeGreaterThan(4e-3)
      model.dispose()
    }
  })
}

for (const backend of backends) {
  for (const compute of ["f32", "bf16"] as const) {
    for (const name of ["llama", "llama-bias", "mistral", "qwen2"]) {
      test(`${name} as stored, ${backend}, ${compute}`, async () => check(await load(name, { backend, compute }), name, "stored", compute))
    }
    for (const [variant, quantize] of Object.entries(specs)) {
      test(`llama quantized while loading, ${variant}, ${backend}, ${compute}`, async () =>
        check(await load("llama", { backend, compute, quantize, isExact: true }), "llama", variant, compute))
      // One int8 code in a thousand is a tie that bitsandbytes' CPU backend, from which the folder comes, rounds the other way.
      test(`llama written by bitsandbytes, ${variant}, ${backend}, ${compute}`, async () =>
        check(
          await load(`llama-${variant}`, { backend, compute, isExact: true }),
          "llama",
          variant,
          compute,
          variant === "int8" ? 2e-3 : 0,
        ))
    }
  }
}
