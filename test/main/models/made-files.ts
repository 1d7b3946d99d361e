// What the tests of the model readers share: files made to measure, copies of the fixture models, and errors as values.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect } from "vitest"
import { AppError } from "../../../shared/schema/error.ts"

export const top = join(import.meta.dirname, "../../..")
export const models = join(top, "test/fixtures/models")

/** A folder of this test file's own, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "nibble-models-"))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The AppError that the work throws. Anything else, or nothing, fails the test. */
export async function refusal(work: () => unknown): Promise<AppError> {
  try {
    await work()
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(AppError)
    return thrown as AppError
  }
  throw new Error("nothing was thrown")
}

let copies = 0

/** A copy of a fixture model that the test may spoil. */
export function copyOf(model: string, folder: string): string {
  const copy = join(folder, `${model}-${copies++}`)
  cpSync(join(models, model), copy, { recursive: true })
  return copy
}

export function changeJson(path: string, change: (value: Record<string, unknown>) => unknown): void {
  const value = JSON.parse(readFileSync(path, "utf8"))
  writeFileSync(path, JSON.stringify(change(value) ?? value))
}

/** A safetensors file from the text of its header, whatever that says. */
export function safetensorsBytes(header: string, dataBytes = 0): Buffer {
  const text = Buffer.from(header)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, Buffer.alloc(dataBytes)])
}

/** A folder with one config.json. */
export function configFolder(folder: string, config: unknown): string {
  const path = join(folder, `config-${copies++}`)
  mkdirSync(path)
  writeFileSync(join(path, "config.json"), typeof config === "string" ? config : JSON.stringify(config))
  return path
}

export const llamaConfig = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 320,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  torch_dtype: "bfloat16",
}

type Field = [kind: "u8" | "u32" | "u64" | "f32", value: number | bigint] | string | Buffer

/** Little-endian fields after each other; a text gets its 64-bit length first. */
export function packed(...fields: Field[]): Buffer {
  return Buffer.concat(
    fields.map((field) => {
      if (Buffer.isBuffer(field)) return field
      if (typeof field === "string") return packed(["u64", Buffer.byteLength(field)], Buffer.from(field))
      const [kind, value] = field
      const bytes = Buffer.alloc({ u8: 1, u32: 4, u64: 8, f32: 4 }[kind])
      if (kind === "u64") bytes.writeBigUInt64LE(BigInt(value))
      else if (kind === "u32") bytes.writeUInt32LE(Number(value))
      else if (kind === "f32") bytes.writeFloatLE(Number(value))
      else bytes.writeUInt8(Number(value))
      return bytes
    }),
  )
}

/** A GGUF file from its metadata entries and tensor entries, each made with packed(). */
export function ggufBytes(pairs: Buffer[], tensors: Buffer[] = [], dataBytes = 0): Buffer {
  const header = Buffer.concat([ggufStart(tensors.length, pairs.length), ...pairs, ...tensors])
  return Buffer.concat([header, Buffer.alloc(-header.length & 31), Buffer.alloc(dataBytes)])
}

export function ggufStart(tensors: number | bigint, pairs: number | bigint, version = 3): Buffer {
  return packed(Buffer.from("GGUF"), ["u32", version], ["u64", tensors], ["u64", pairs])
}

export const ggufText = (key: string, value: string) => packed(key, ["u32", 8], value)
export const ggufNumber = (key: string, value: number) => packed(key, ["u32", 4], ["u32", value])

/** `dimensions` as the file has them: fastest first. */
export function ggufTensor(name: string, dimensions: (number | bigint)[], type: number, offset: number | bigint): Buffer {
  return packed(name, ["u32", dimensions.length], ...dimensions.map((size): Field => ["u64", size]), ["u32", type], ["u64", offset])
}
