// What the readers of both file formats say about a tensor, and arithmetic on shapes that cannot overflow.
import type { NativeEncoding, NativeFileSlice } from "../engine/addon-types.ts"
import type { StoredTensor } from "./opened-model.ts"

/** A tensor as a file holds it. */
export interface FileTensor {
  name: string
  /** As the file names it. */
  dtype: string
  /** Null: a type that the engine does not read. */
  encoding: NativeEncoding | null
  shape: number[]
  data: NativeFileSlice
}

/** The tensors of a model: several files, bitsandbytes' companions already taken in. */
export interface ModelTensor extends Omit<StoredTensor, "encoding"> {
  encoding: NativeEncoding | null
  /** Bytes of the tensor and its companions. */
  bytes: number
}

/** Number of elements; null when it passes 2^53. */
export function elementCount(shape: number[]): number | null {
  if (shape.includes(0)) return 0
  let count = 1
  for (const dimension of shape) {
    count *= dimension
    if (!Number.isSafeInteger(count)) return null
  }
  return count
}

export function shapeText(shape: number[]): string {
  return `[${shape.join(", ")}]`
}

export function isSameShape(a: number[], b: number[]): boolean {
  return a.length === b.length && a.every((dimension, i) => dimension === b[i])
}

/** What the decoder sees: a Format name, or a block type in lower case. */
export function formatOf(tensor: Pick<ModelTensor, "dtype" | "encoding" | "quantized">): string {
  const { quantized } = tensor
  if (quantized?.isMicroscaling) return "mxfp4"
  if (quantized) return quantized.nested ? `${quantized.format}-dq` : quantized.format
  return plainFormats[tensor.encoding ?? ""] ?? tensor.dtype.toLowerCase()
}

const plainFormats: Record<string, string> = { f32: "fp32", f16: "fp16", bf16: "bf16" }
