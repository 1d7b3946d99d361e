// What callers can do wrong at the native edge: each is an error with a code, before any work begins and without a crash.
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import type { NativeGenerateOptions, NativeLoadOptions, NativeQuantizeOptions } from "../../main/engine/addon-types.ts"
import { ErrorCode } from "../../shared/schema/error.ts"
import { engine, greedy, load, loadOptions, readModel, temporaryFolder } from "./fixtures.ts"

const folder = temporaryFolder()

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    expect((error as Error).message).toMatch(/^.{10,}$/s)
    return (error as { code: string }).code
  }
  return "no error"
}

const never = () => {
  throw new Error("called")
}

test("the codes are those of the schema, which adds that the engine is lost", () => {
  expect([...engine.info().errorCodes, "engine_lost"].sort()).toEqual([...ErrorCode.options].sort())
})

test("info tells numbers that can be right", () => {
  const info = engine.info()
  expect(info.backends).toContain("ref")
  expect(info.formats).toEqual(expect.arrayContaining(["fp32", "fp16", "bf16", "int8", "nf4", "fp4"]))
  expect(info.logicalCores).toBeGreaterThanOrEqual(1)
  expect(info.availableMemoryBytes).toBeLessThanOrEqual(info.totalMemoryBytes)
  expect(info.residentBytes).toBeGreaterThan(1 << 20)
  expect(info.peakResidentBytes).toBeGreaterThanOrEqual(info.residentBytes)
})

test("every backend passes its own test", () => {
  for (const backend of ["auto", ...engine.info().backends]) expect(engine.selfTest(backend)).toBeNull()
})

const source = readModel("llama")
const wrongLoads: [string, (options: NativeLoadOptions) => unknown][] = [
  ["nothing", () => undefined],
  ["null", () => null],
  ["a string", () => "llama"],
  ["an array", () => []],
  ["no source", ({ source: _, ...rest }) => rest],
  ["a context of NaN", (options) => ({ ...options, context: Number.NaN })],
  ["a context of a half", (options) => ({ ...options, context: 1.5 })],
  ["a negative context", (options) => ({ ...options, context: -1 })],
  ["a context that the model has not", (options) => ({ ...options, context: 100_000 })],
  ["a context as text", (options) => ({ ...options, context: "128" })],
  ["a context as a bigint", (options) => ({ ...options, context: 128n })],
  ["an endless memory limit", (options) => ({ ...options, memoryLimitBytes: Number.POSITIVE_INFINITY })],
  ["an unknown backend", (options) => ({ ...options, backend: "abacus" })],
  ["an unknown compute type", (options) => ({ ...options, compute: "fp8" })],
  ["too many threads", (options) => ({ ...options, threads: 1e9 })],
  ["a block size of 48", (options) => ({ ...options, quantize: { format: "nf4", blockSize: 48, isNested: false } })],
  ["files that are numbers", (options) => ({ ...options, source: { ...source, files: [1] } })],
  ["a path with NUL", (options) => ({ ...options, source: { ...source, files: ["a\0b"] } })],
  ["a norm of NaN", (options) => ({ ...options, source: { ...source, decoder: { ...source.decoder, normEps: Number.NaN } } })],
  ["no heads", (options) => ({ ...options, source: { ...source, decoder: { ...source.decoder, nHeads: 0 } } })],
  [
    "frequencies that are a list",
    (options) => {
      const ropes = source.decoder.ropes.map((rope) => ({ ...rope, invFreq: [1] }))
      return { ...options, source: { ...source, decoder: { ...source.decoder, ropes } } }
    },
  ],
  ["a tensor that is null", (options) => ({ ...options, source: { ...source, tensors: [null] } })],
  [
    "a shape with a hole",
    (options) => ({ ...options, source: { ...source, tensors: source.tensors.map((tensor) => ({ ...tensor, shape: new Array(2) })) } }),
  ],
]

test.each(wrongLoads)("loading with %s", async (_, change) => {
  const options = change(loadOptions(source)) as NativeLoadOptions
  const thrown = codeOf(() => engine.plan(options))
  expect(thrown).toBe("bad_input")
  // What the plan refuses, loading refuses too: at once, or by its promise when only the model's description shows it.
  try {
    await engine.loadModel(options, never).promise
    expect.unreachable()
  } catch (error) {
    expect((error as { code: string }).code).toBe("bad_input")
  }
})

test("loading without tensors", () => {
  expect(codeOf(() => engine.plan(loadOptions({ ...source, tensors: [] })))).toBe("bad_file")
})

test("a listener that is none", () => {
  expect(codeOf(() => engine.loadModel(loadOptions(source), undefined as never))).toBe("bad_input")
  expect(codeOf(() => engine.loadModel(loadOptions(source), {} as never))).toBe("bad_input")
})

test("an options object whose getter throws", () => {
  const options = Object.defineProperty({ ...loadOptions(source) }, "context", {
    get() {
      throw new RangeError("no context today")
    },
  })
  expect(() => engine.plan(options)).toThrow(RangeError)
})

test("ranges outside of the file, and files that are not there", async () => {
  const beyond = source.tensors.map((tensor) => ({ ...tensor, data: { ...tensor.data, offset: 1e12 } }))
  await expect(engine.loadModel(loadOptions({ ...source, tensors: beyond }), () => {}).promise).rejects.toMatchObject({ code: "bad_file" })
  const elsewhere = source.tensors.map((tensor) => ({ ...tensor, data: { ...tensor.data, file: 7 } }))
  await expect(async () => engine.loadModel(loadOptions({ ...source, tensors: elsewhere }), () => {}).promise).rejects.toMatchObject({
    code: "bad_input",
  })
  const missing = { ...source, files: [join(folder, "missing.safetensors")] }
  await expect(engine.loadModel(loadOptions(missing), () => {}).promise).rejects.toMatchObject({ code: "not_found" })
})

test("a plan above the limit is refused with the numbers, before anything is allocated", async () => {
  const options = loadOptions(source, { memoryLimitBytes: 1000 })
  const loading = engine.loadModel(options, never).promise
  await expect(loading).rejects.toMatchObject({
    code: "out_of_memory",
    message: expect.stringMatching(/needs .*limit is .*largest part is/),
  })
  expect(engine.plan(options).total).toBeGreaterThan(1000)
})

const wrongGenerates: [string, Partial<Record<keyof NativeGenerateOptions, unknown>>][] = [
  ["no tokens", { tokens: [] }],
  ["a token beyond the vocabulary", { tokens: [320] }],
  ["a negative token", { tokens: [-1] }],
  ["a token of NaN", { tokens: [Number.NaN] }],
  ["tokens as text", { tokens: "1,2" }],
  ["more tokens than the context", { tokens: new Array(129).fill(1) }],
  ["a temperature of NaN", { sampling: { ...greedy, temperature: Number.NaN } }],
  ["a negative temperature", { sampling: { ...greedy, temperature: -1 } }],
  ["a topP of 2", { sampling: { ...greedy, topP: 2 } }],
  ["a repeat penalty of 0", { sampling: { ...greedy, repeatPenalty: 0 } }],
  ["a seed beyond 2^53", { sampling: { ...greedy, seed: 2 ** 53 } }],
  ["no sampling", { sampling: null }],
  ["endless new tokens", { maxNewTokens: Number.POSITIVE_INFINITY }],
]

test("generating with wrong options", async () => {
  const model = await load("llama")
  for (const [name, change] of wrongGenerates) {
    const options = { tokens: [1, 2], maxNewTokens: 2, sampling: greedy, stopTokens: [], ...change } as NativeGenerateOptions
    await expect(async () => model.generate(options, () => undefined).promise, name).rejects.toMatchObject({ code: "bad_input" })
  }
  // And it still works.
  const { tokens } = await model.generate({ tokens: [1, 2], maxNewTokens: 2, sampling: greedy, stopTokens: [] }, () => undefined).promise
  expect(tokens).toHaveLength(2)
  await expect(model.bench({ promptTokens: 100, newTokens: 100 }).promise).rejects.toMatchObject({ code: "bad_input" })
  await expect(model.logits({ tokens: [1], path: join(folder, "none"), offset: 0 }).promise).rejects.toMatchObject({ code: "not_found" })
  model.dispose()
})

test("methods on something that is no model", async () => {
  const model = await load("llama")
  const { generate } = model
  expect(() => generate.call({} as never, { tokens: [1], maxNewTokens: 1, sampling: greedy, stopTokens: [] }, () => undefined)).toThrow()
  const NativeModelClass = model.constructor as new () => unknown
  expect(codeOf(() => new NativeModelClass())).toBe("bad_input")
  model.dispose()
})

test("quantizing with wrong options, and a source that holds no numbers", async () => {
  const outPath = join(folder, "out.bin")
  writeFileSync(outPath, "")
  const [tensor] = source.tensors
  if (!tensor) return expect.unreachable()
  const { name, data, encoding, shape } = tensor
  const right: NativeQuantizeOptions = {
    files: source.files,
    tensors: [{ name, data, encoding, shape, action: { kind: "copy", dtype: "bf16" } }],
    outPath,
    outOffset: 0,
    threads: 1,
  }
  await engine.quantize(right, () => {}).promise
  const wrong: [string, unknown][] = [
    ["bad_input", { ...right, outOffset: -1 }],
    ["bad_input", { ...right, outOffset: 8, tensors: [{ ...right.tensors[0], place: { data: 0 } }] }],
    ["bad_input", { ...right, tensors: [{ ...right.tensors[0], place: { data: 0.5 } }] }],
    ["bad_input", { ...right, tensors: [{ ...right.tensors[0], action: { kind: "fold" } }] }],
    ["bad_file", { ...right, tensors: [{ ...right.tensors[0], shape: [3, 3] }] }],
    ["bad_input", { ...right, tensors: [{ ...right.tensors[0], encoding: "u8" }] }],
    ["not_found", { ...right, outPath: join(folder, "nowhere", "out") }],
    ["not_found", { ...right, files: [join(folder, "nothing")] }],
  ]
  for (const [code, options] of wrong) {
    await expect(
      async () => engine.quantize(options as NativeQuantizeOptions, () => {}).promise,
      JSON.stringify(options),
    ).rejects.toMatchObject({ code })
  }
  const nan = join(folder, "nan.bin")
  writeFileSync(nan, Buffer.alloc(64 * 64 * 2, 0xff))
  const damaged = {
    ...right,
    files: [nan],
    tensors: [
      {
        name: "w",
        data: { file: 0, offset: 0, bytes: 8192 },
        encoding: "bf16" as const,
        shape: [64, 64],
        action: { kind: "quantize" as const, spec: { format: "nf4" as const, blockSize: 64, isNested: false }, dtype: "bf16" as const },
      },
    ],
  }
  await expect(engine.quantize(damaged, () => {}).promise).rejects.toMatchObject({
    code: "bad_file",
    message: expect.stringContaining("w"),
  })
})

test("small functions with wrong arguments", () => {
  const anyEngine = engine as unknown as Record<string, (...values: unknown[]) => unknown>
  expect(codeOf(() => anyEngine.codebook?.("int8"))).toBe("bad_input")
  expect(codeOf(() => anyEngine.codebook?.())).toBe("bad_input")
  expect(codeOf(() => anyEngine.selfTest?.(3))).toBe("bad_input")
  expect(codeOf(() => anyEngine.selfTest?.("abacus"))).toBe("bad_input")
  expect(codeOf(() => anyEngine.measureBandwidth?.("1", 1))).toBe("bad_input")
  expect(codeOf(() => anyEngine.measureBandwidth?.(1 << 20, -1))).toBe("bad_input")
})
