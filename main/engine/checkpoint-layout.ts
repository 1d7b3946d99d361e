// Where each tensor stands in the safetensors files of a quantized checkpoint.
//
// A linear layer X becomes X.weight and its companions (bitsandbytes.md 3.1 and 3.2); a parameter of three dimensions P becomes P and
// P.absmax … as replace_parameter_4bit of bitsandbytes writes it, and in 8 bits, for which it has nothing, P and P.SCB. The one thing that is not known before the
// work is the length of X's quant_state text when the scales are double-quantized, because it holds a number that is computed; the
// layout is made with the longest text possible first and made again with the real ones.

import type { PlacedTensor } from "../models/safetensors.ts"
import type { ModelTensor } from "../models/tensors.ts"
import type { NativeQuantizeSpec, PlainDtype } from "./addon-types.ts"
import { longestQuantState } from "./quant-state.ts"

export type TensorAction =
  /** `isTransposed`: the file holds [columns, rows]. */
  | { kind: "quantize"; spec: NativeQuantizeSpec; isTransposed: boolean }
  /** Converted where it has another type. */
  | { kind: "copy"; dtype: PlainDtype }
  /** As it is: integers and types that nothing here computes with. */
  | { kind: "bytes" }

/** A tensor of the source and what it becomes. */
export interface PlannedTensor {
  source: ModelTensor
  action: TensorAction
  /** Of the matrix, whichever way round the file holds it. */
  shape: number[]
  parameters: number
  entries: PlacedTensor[]
}

export const plainDtypes: Record<PlainDtype, { safetensors: string; torch: string; bytes: number }> = {
  f32: { safetensors: "F32", torch: "float32", bytes: 4 },
  f16: { safetensors: "F16", torch: "float16", bytes: 2 },
  bf16: { safetensors: "BF16", torch: "bfloat16", bytes: 2 },
}

export const nestedBlock = 256

/** `dtype`: of the model's 16/32-bit weights. */
export function planTensor(source: ModelTensor, action: TensorAction, dtype: PlainDtype): PlannedTensor {
  const shape = action.kind === "quantize" && action.isTransposed ? turned(source.shape) : source.shape
  const parameters = shape.reduce((product, size) => product * size, 1)
  return { source, action, shape, parameters, entries: entriesOf(source, action, shape, dtype, parameters) }
}

function turned(shape: number[]): number[] {
  return [...shape.slice(0, -2), shape.at(-1) as number, shape.at(-2) as number]
}

function entriesOf(
  { name, dtype: storedDtype, data }: ModelTensor,
  action: TensorAction,
  shape: number[],
  dtype: PlainDtype,
  parameters: number,
): PlacedTensor[] {
  if (action.kind === "quantize") return quantizedEntries(name, shape, action.spec, dtype, parameters)
  if (action.kind === "bytes") return [{ name, dtype: storedDtype, shape, bytes: data.bytes }]
  const { safetensors, bytes } = plainDtypes[action.dtype]
  return [{ name, dtype: safetensors, shape, bytes: parameters * bytes }]
}

/** Where the scales of an 8-bit tensor stand: beside the weight of a layer, below a parameter. */
export function scbName(name: string): string {
  return name.endsWith(".weight") ? name.replace(/weight$/, "SCB") : `${name}.SCB`
}

function quantizedEntries(name: string, shape: number[], spec: NativeQuantizeSpec, dtype: PlainDtype, parameters: number): PlacedTensor[] {
  if (spec.format === "int8") {
    const rows = shape.slice(0, -1)
    const scales = { name: scbName(name), dtype: "F32", shape: rows, bytes: rows.reduce((product, size) => product * size, 4) }
    const layout = name.endsWith(".weight") ? [{ name: `${name}_format`, dtype: "U8", shape: [], bytes: 1 }] : []
    return [{ name, dtype: "I8", shape, bytes: parameters }, scales, ...layout]
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
