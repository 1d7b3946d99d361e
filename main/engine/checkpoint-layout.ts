// Where each tensor stands in the safetensors files of a quantized checkpoint.
//
// A linear layer X becomes X.weight and its companions (bitsandbytes.md 3.1 and 3.2). The one thing that is not known before the
// work is the length of X's quant_state text when the scales are double-quantized, because it holds a number that is computed; the
// layout is made with the longest text possible first and made again with the real ones.

import type { PlacedTensor } from "../models/safetensors.ts"
import type { NativeQuantizeSpec, NativeTensor, PlainDtype } from "./addon-types.ts"
import { longestQuantState } from "./quant-state.ts"

/** A tensor of the source and what it becomes. */
export interface PlannedTensor {
  source: NativeTensor
  /** null: it is copied. */
  spec: NativeQuantizeSpec | null
  parameters: number
  entries: PlacedTensor[]
}

export const plainDtypes: Record<PlainDtype, { safetensors: string; torch: string; bytes: number }> = {
  f32: { safetensors: "F32", torch: "float32", bytes: 4 },
  f16: { safetensors: "F16", torch: "float16", bytes: 2 },
  bf16: { safetensors: "BF16", torch: "bfloat16", bytes: 2 },
}

export const nestedBlock = 256

export function planTensor(source: NativeTensor, spec: NativeQuantizeSpec | null, dtype: PlainDtype): PlannedTensor {
  const parameters = source.shape.reduce((product, size) => product * size, 1)
  return {
    source,
    spec,
    parameters,
    entries: spec ? quantizedEntries(source, spec, dtype, parameters) : [copied(source, dtype, parameters)],
  }
}

function copied({ name, shape }: NativeTensor, dtype: PlainDtype, parameters: number): PlacedTensor {
  const { safetensors, bytes } = plainDtypes[dtype]
  return { name, dtype: safetensors, shape, bytes: parameters * bytes }
}

function quantizedEntries(source: NativeTensor, spec: NativeQuantizeSpec, dtype: PlainDtype, parameters: number): PlacedTensor[] {
  const { name, shape } = source
  const rows = shape[0] ?? 0
  if (spec.format === "int8") {
    const module = name.replace(/\.weight$/, "")
    return [
      { name, dtype: "I8", shape, bytes: parameters },
      { name: `${module}.SCB`, dtype: "F32", shape: [rows], bytes: rows * 4 },
      { name: `${module}.weight_format`, dtype: "U8", shape: [], bytes: 1 },
    ]
  }
  const codes = Math.ceil(parameters / 2)
  const blocks = Math.ceil(parameters / spec.blockSize)
  const nestedBlocks = Math.ceil(blocks / nestedBlock)
  const stateBytes = longestQuantState({ spec, dtype: plainDtypes[dtype].torch, shape })
  return [
    { name, dtype: "U8", shape: [codes, 1], bytes: codes },
    { name: `${name}.absmax`, dtype: spec.isNested ? "U8" : "F32", shape: [blocks], bytes: blocks * (spec.isNested ? 1 : 4) },
    ...(spec.isNested
      ? [
          { name: `${name}.nested_absmax`, dtype: "F32", shape: [nestedBlocks], bytes: nestedBlocks * 4 },
          { name: `${name}.nested_quant_map`, dtype: "F32", shape: [256], bytes: 1024 },
        ]
      : []),
    { name: `${name}.quant_map`, dtype: "F32", shape: [16], bytes: 64 },
    { name: `${name}.quant_state.bitsandbytes__${spec.format}`, dtype: "U8", shape: [stateBytes], bytes: stateBytes },
  ]
}

/** Tensors that go into one file: greedily in the order of their names, as huggingface_hub does; a larger one has a file of its own. */
export function splitIntoShards(tensors: PlannedTensor[], maxBytes: number): PlannedTensor[][] {
  const shards: PlannedTensor[][] = []
  let current: PlannedTensor[] = []
  let currentBytes = 0
  for (const tensor of tensors) {
    const bytes = tensor.entries.reduce((sum, entry) => sum + entry.bytes, 0)
    if (current.length > 0 && currentBytes + bytes > maxBytes) {
      shards.push(current)
      current = []
      currentBytes = 0
    }
    current.push(tensor)
    currentBytes += bytes
  }
  return current.length > 0 ? [...shards, current] : shards
}

export function shardName(index: number, count: number): string {
  const number = (n: number) => String(n).padStart(5, "0")
  return count === 1 ? "model.safetensors" : `model-${number(index + 1)}-of-${number(count)}.safetensors`
}
