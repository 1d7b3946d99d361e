// The block types of GGUF: decoded by the engine against the values of the gguf package, and what is not read is refused by name.
import { readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { expect, test } from "vitest"
import type { EngineAddon, NativeEncoding } from "../../../main/engine/addon-types.ts"
import { ggmlType } from "../../../main/models/ggml-types.ts"
import { readGguf } from "../../../main/models/gguf.ts"
import { inspectModel } from "../../../main/models/inspect.ts"
import { readSafetensors } from "../../../main/models/safetensors.ts"
import type { FileTensor } from "../../../main/models/tensors.ts"
import { ggufBytes, ggufTensor, models, refusal, temporaryFolder, top } from "./made-files.ts"

const folder = temporaryFolder()
let made = 0

/** A file with tensor `a` alone, and so many bytes after the header. */
function readOne(dimensions: number[], type: number, dataBytes: number) {
  const path = join(folder, `${made++}.gguf`)
  writeFileSync(path, ggufBytes([], [ggufTensor("a", dimensions, type, 0)], dataBytes))
  return readGguf(path)
}

const words = (bytes: Buffer) => new Uint32Array(new Uint8Array(bytes).buffer)

test("tensors of every type that is read decode to the package's values, to the bit", async () => {
  const path = join(models, "gguf/kinds.gguf")
  const { tensors } = await readGguf(path)
  const readable = Array.from({ length: 64 }, (_, number) => ggmlType(number)).filter(({ encoding }) => encoding !== null)
  expect(tensors.map(({ dtype }) => dtype).sort()).toEqual(readable.map(({ name }) => name).sort())
  const engine = createRequire(import.meta.url)(process.env.NIBBLE_ENGINE ?? join(top, "dist/engine.node")) as EngineAddon
  const outPath = join(folder, "decoded")
  writeFileSync(outPath, "")
  const copies = tensors.map(({ name, data, encoding, shape }) => ({
    ...{ name, data, encoding: encoding as NativeEncoding, shape },
    action: { kind: "copy" as const, dtype: "f32" as const },
  }))
  await engine.quantize({ files: [path], tensors: copies, outPath, outOffset: 0, threads: 1 }, () => {}).promise
  const goldenPath = join(top, "test/golden/gguf/kinds.safetensors")
  const golden = new Map((await readSafetensors(goldenPath)).tensors.map((tensor) => [tensor.name, tensor]))
  const decoded = readFileSync(outPath)
  let at = 0
  for (const { name, shape } of tensors) {
    const { data, shape: goldenShape } = golden.get(name) as FileTensor
    expect(shape, name).toEqual(goldenShape)
    const expected = readFileSync(goldenPath).subarray(data.offset, data.offset + data.bytes)
    expect(words(decoded.subarray(at, at + data.bytes)), name).toEqual(words(expected))
    at += data.bytes
  }
  expect(decoded.length).toBe(at)
})

test("experts: tensors of three dimensions keep them, the fastest last", async () => {
  const { tensors } = await readOne([32, 3, 4], 39, 12 * 17)
  expect(tensors[0]).toMatchObject({ dtype: "MXFP4", encoding: "mxfp4", shape: [4, 3, 32], data: { bytes: 12 * 17 } })
})

test("types that are not supported are named, and still bounded", async () => {
  const types = [
    [9, "Q8_1", 36 * 8],
    [15, "Q8_K", 292],
    [24, "I8", 256],
    [25, "I16", 512],
    [26, "I32", 1024],
    [27, "I64", 2048],
    [28, "F64", 2048],
    [41, "Q1_0", 36],
    [36, "IQ4_NL_4_4", 0],
    [99, "type 99", 0],
  ] as const
  for (const [number, name, bytes] of types) {
    const { tensors } = await readOne([256, 1], number, bytes)
    expect(tensors.map(({ dtype, encoding, data }) => [dtype, encoding, data.bytes])).toEqual([[name, null, bytes]])
    if (bytes > 0) expect((await refusal(() => readOne([256, 1], number, bytes - 1))).message).toMatch(/tensor a lies at bytes/)
  }
})

test("a model with weights of such a type is shown, and its reason names tensor and type", async () => {
  const name = "token_embd.weight"
  for (const [number, type] of [
    [24, "I8"],
    [36, "IQ4_NL_4_4"],
  ] as const) {
    const bytes = readFileSync(join(models, "gguf/qwen2-q4_0.gguf"))
    // Behind the name: the number of dimensions, two sizes, the type.
    bytes.writeUInt32LE(number, bytes.indexOf(name) + name.length + 4 + 16)
    const path = join(folder, `${type}.gguf`)
    writeFileSync(path, bytes)
    const reason = `Tensor model.embed_tokens.weight is stored as ${type}, which is not supported yet.`
    expect(await inspectModel(path)).toMatchObject({ supported: false, reason })
  }
})

test("rows that are no whole blocks are refused by name, for every type; so is a file too short for the blocks", async () => {
  const blocks = Array.from({ length: 64 }, (_, number) => ({ number, ...ggmlType(number) })).filter(
    ({ block }) => block && block.elements > 1,
  )
  expect(blocks.length).toBeGreaterThan(23)
  for (const { number, name, block } of blocks) {
    const { elements, bytes } = block as { elements: number; bytes: number }
    for (const columns of [elements - 1, elements * 3 + 1, elements / 2]) {
      const error = await refusal(() => readOne([columns, 2], number, bytes * 16))
      expect(error).toMatchObject({
        code: "bad_file",
        message: expect.stringContaining(`cannot be ${name}: its rows are no multiple of ${elements}.`),
      })
    }
    expect((await readOne([elements * 2, 2], number, bytes * 4)).tensors[0]?.data.bytes).toBe(bytes * 4)
    expect((await refusal(() => readOne([elements * 2, 2], number, bytes * 4 - 1))).message).toMatch(/tensor a lies at bytes/)
  }
})
