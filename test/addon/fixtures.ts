// What the addon tests share: the real engine, and the tiny fixture models as native sources. A small reader of its own, so
// that these tests do not depend on main/models.
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import type {
  EngineAddon,
  NativeEncoding,
  NativeFileSlice,
  NativeLoadOptions,
  NativeModel,
  NativeModelSource,
  NativeSampling,
  NativeTensor,
} from "../../main/engine/addon-types.ts"
import { llamaDecoder, sameLayers } from "../../main/models/decoder-defaults.ts"

export const top = join(import.meta.dirname, "../..")
export const enginePath = process.env.NIBBLE_ENGINE ?? join(top, "dist/engine.node")
export const engine = createRequire(import.meta.url)(enginePath) as EngineAddon
export const models = join(top, "test/fixtures/models")

/** A folder of this test file's own, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "nibble-addon-"))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface Stored {
  dtype: string
  shape: number[]
  data: NativeFileSlice
}

/** The tensors of a safetensors file; `file` is its index in the list they will be used with. */
export function readSafetensors(path: string, file = 0): Record<string, Stored> {
  const descriptor = openSync(path, "r")
  const length = Buffer.alloc(8)
  readSync(descriptor, length, 0, 8, 0)
  const start = Number(length.readBigUInt64LE())
  const header = Buffer.alloc(start)
  readSync(descriptor, header, 0, start, 8)
  closeSync(descriptor)
  const entries = JSON.parse(header.toString()) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>
  const tensors: Record<string, Stored> = {}
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(entries)) {
    if (name === "__metadata__") continue
    tensors[name] = { dtype, shape, data: { file, offset: 8 + start + data_offsets[0], bytes: data_offsets[1] - data_offsets[0] } }
  }
  return tensors
}

/** fp32 values of a tensor of a safetensors file. */
export function readFloats(path: string, name: string): Float32Array {
  const { data } = readSafetensors(path)[name] as Stored
  return new Float32Array(new Uint8Array(readFileSync(path).subarray(data.offset, data.offset + data.bytes)).buffer)
}

const encodings: Record<string, NativeEncoding> = { F32: "f32", F16: "f16", BF16: "bf16", I8: "i8", U8: "u8" }

const roles: [RegExp, string][] = [
  [/^model\.embed_tokens\.weight$/, "embed"],
  [/^lm_head\.weight$/, "head"],
  [/^model\.norm\.weight$/, "final_norm"],
  [/^model\.layers\.(\d+)\.input_layernorm\.weight$/, "attn_norm"],
  [/^model\.layers\.(\d+)\.post_attention_layernorm\.weight$/, "mlp_norm"],
  [/^model\.layers\.(\d+)\.(?:self_attn|mlp)\.([a-z]+)_proj\.(weight|bias)$/, ""],
]

function roleOf(name: string): string | undefined {
  for (const [pattern, role] of roles) {
    const match = pattern.exec(name)
    if (!match) continue
    if (role !== "") return match[1] === undefined ? role : `layers.${match[1]}.${role}`
    return `layers.${match[1]}.${match[2]}${match[3] === "bias" ? ".bias" : ""}`
  }
  return undefined
}

/** A model folder with one safetensors file and default rotary embedding, as it is or bitsandbytes-quantized. */
export function readModel(name: string): NativeModelSource {
  const folder = join(models, name)
  const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"))
  const path = join(folder, "model.safetensors")
  const stored = readSafetensors(path)
  const headDim: number = config.head_dim ?? config.hidden_size / config.num_attention_heads
  const theta: number = config.rope_parameters?.rope_theta ?? config.rope_theta
  const invFreq = new Float32Array(headDim / 2).map((_, i) => 1 / Math.fround(theta ** ((2 * i) / headDim)))
  const window = config.use_sliding_window === false ? 0 : (config.sliding_window ?? 0)
  const sizes = {
    architecture: config.architectures[0],
    nLayers: config.num_hidden_layers,
    width: config.hidden_size,
    nHeads: config.num_attention_heads,
    nKvHeads: config.num_key_value_heads,
    headDim,
    ffnWidth: config.intermediate_size,
    vocabSize: config.vocab_size,
    maxContext: config.max_position_embeddings,
    normEps: config.rms_norm_eps,
    activation: "silu" as const,
    hasTiedHead: config.tie_word_embeddings,
  }
  const rope = { invFreq, invFreqLong: new Float32Array(), longAbove: 0, rotaryDim: headDim, mscale: 1, isInterleaved: false }
  return {
    files: [path],
    decoder: { ...llamaDecoder(sizes, [rope]), layers: sameLayers(sizes.nLayers, { window }) },
    tensors: Object.entries(stored).flatMap(([tensorName, tensor]) => nativeTensor(path, stored, tensorName, tensor)),
  }
}

function nativeTensor(path: string, stored: Record<string, Stored>, name: string, { dtype, shape, data }: Stored): NativeTensor[] {
  const role = roleOf(name)
  if (!role) return []
  const isLinear = role.startsWith("layers.") && shape.length === 2
  const tensor: NativeTensor = { role, name, data, encoding: encodings[dtype] as NativeEncoding, shape, isLinear }
  const part = (suffix: string) => stored[name + suffix]?.data as NativeFileSlice
  const scb = stored[name.replace(/weight$/, "SCB")]
  if (dtype === "I8" && scb) return [{ ...tensor, quantized: { format: "int8", blockSize: 0, absmax: scb.data } }]
  const key = Object.keys(stored).find((other) => other.startsWith(`${name}.quant_state.bitsandbytes__`))
  if (!key) return [tensor]
  const { offset, bytes } = (stored[key] as Stored).data
  const state = JSON.parse(readFileSync(path).toString("utf8", offset, offset + bytes))
  const nested = {
    absmax: part(".nested_absmax"),
    map: part(".nested_quant_map"),
    offset: state.nested_offset,
    blockSize: state.nested_blocksize,
  }
  return [
    {
      ...tensor,
      shape: state.shape,
      quantized: {
        format: state.quant_type,
        blockSize: state.blocksize,
        absmax: part(".absmax"),
        codebook: part(".quant_map"),
        ...(state.nested_offset === undefined ? {} : { nested }),
      },
    },
  ]
}

export const greedy: NativeSampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 0 }

export function loadOptions(source: NativeModelSource, change: Partial<NativeLoadOptions> = {}): NativeLoadOptions {
  return { source, context: 128, compute: "f32", threads: 2, backend: "auto", memoryLimitBytes: 0, ...change }
}

export function load(name: string, change: Partial<NativeLoadOptions> = {}): Promise<NativeModel> {
  return engine.loadModel(loadOptions(readModel(name), change), () => {}).promise
}
