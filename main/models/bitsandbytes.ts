// Checkpoints that bitsandbytes quantized: a weight and its companions become one tensor. The layout is what save_pretrained of
// transformers writes; every size is checked, and nothing is taken from the companions but numbers.
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import { BlockSize } from "../../shared/schema/format.ts"
import type { NativeQuantizedSource } from "../engine/addon-types.ts"
import { damagedHint, decodeText, withFile } from "./bounded-file.ts"
import { checked, parseJsonObject } from "./json.ts"
import { elementCount, type FileTensor, isSameShape, type ModelTensor, shapeText } from "./tensors.ts"

const stateMark = ".quant_state.bitsandbytes__"
const companions = [".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map"]
const maxStateBytes = 1 << 14
const nestedMapLength = 256
const codebookLength = 16

const size = z.int().positive()
const QuantState = z.looseObject({
  quant_type: z.enum(["nf4", "fp4"]),
  blocksize: BlockSize,
  shape: z.array(size).min(1).max(4),
  nested_blocksize: size.max(1 << 20).optional(),
  nested_dtype: z.literal("float32").optional(),
  nested_offset: z.number().optional(),
})

/** The bytes of a small tensor. */
export type TensorReader = (tensor: FileTensor) => Promise<Buffer>

const fromFiles =
  (files: string[]): TensorReader =>
  ({ data }) =>
    withFile(files[data.file] as string, (file) => file.read(data.offset, data.bytes))

/** The tensors of the model, companions taken in. `files`: the paths that the slices index; `read`: for files that are not there yet. */
export async function joinQuantized(tensors: FileTensor[], files: string[], read = fromFiles(files)): Promise<ModelTensor[]> {
  const parts = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  const states = tensors.filter(({ name }) => name.includes(stateMark))
  const taken = new Set<string>()
  const joined = new Map<string, ModelTensor>()
  for (const state of states) {
    const weight = state.name.slice(0, state.name.indexOf(stateMark))
    const context = new Companions(parts, { files, read }, taken, weight)
    taken.add(state.name)
    if (joined.has(weight)) {
      throw new AppError("bad_file", `${context.what} has two quant_states: its codes cannot be of two types.`, damagedHint)
    }
    joined.set(weight, await fourBit(context, state))
  }
  for (const tensor of tensors) {
    if (!tensor.name.endsWith(".SCB")) continue
    const owner = tensor.name.slice(0, -".SCB".length)
    // Of a linear layer the scales stand beside the weight, of a parameter (experts) below it.
    const weight = parts.has(owner) ? owner : `${owner}.weight`
    taken.add(tensor.name)
    joined.set(weight, await eightBit(new Companions(parts, { files, read }, taken, weight), tensor))
  }
  refuseOrphans(tensors, files, taken)
  return tensors.filter(({ name }) => !taken.has(name)).map((tensor) => joined.get(tensor.name) ?? { ...tensor, bytes: tensor.data.bytes })
}

/** The tensors around one quantized weight. */
class Companions {
  readonly weight: FileTensor
  readonly what: string
  readonly #read: TensorReader
  readonly #parts: Map<string, FileTensor>
  readonly #taken: Set<string>
  bytes: number

  constructor(parts: Map<string, FileTensor>, { files, read }: { files: string[]; read: TensorReader }, taken: Set<string>, name: string) {
    const weight = parts.get(name)
    if (!weight) throw new AppError("bad_file", `${files[0]}: tensor ${name} is missing; only what quantized it is there.`, damagedHint)
    this.weight = weight
    this.what = `${files[weight.data.file]}: tensor ${name}`
    this.#read = read
    this.#parts = parts
    this.#taken = taken
    this.bytes = weight.data.bytes
  }

  /** A companion by its full name, checked to have this type and number of elements. */
  take(name: string, dtype: string, length: number): FileTensor {
    const part = this.takeOptional(name, dtype, length)
    if (part) return part
    throw new AppError("bad_file", `${this.what} lacks its companion ${name}.`, damagedHint)
  }

  takeOptional(name: string, dtype: string, length: number): FileTensor | undefined {
    const part = this.#parts.get(name)
    if (!part) return undefined
    if (part.dtype !== dtype || elementCount(part.shape) !== length) {
      const found = `${part.dtype} ${shapeText(part.shape)}`
      const isRepacked = part.dtype === "BF16" && part.shape.length === 2 && elementCount(part.shape) === length
      throw new AppError(
        "bad_file",
        `${this.what}: its companion ${name} is ${found}, expected ${dtype} [${length}].`,
        isRepacked
          ? "bitsandbytes writes such scales when a model that has already answered on a CPU is saved. Quantize it again and save it first."
          : damagedHint,
      )
    }
    this.#taken.add(name)
    this.bytes += part.data.bytes
    return part
  }

  read(tensor: FileTensor): Promise<Buffer> {
    const { name, data } = tensor
    if (data.bytes > maxStateBytes) {
      throw new AppError(
        "bad_file",
        `${this.what}: its companion ${name} has ${data.bytes} bytes; at most ${maxStateBytes} are read.`,
        damagedHint,
      )
    }
    return this.#read(tensor)
  }
}

async function fourBit(context: Companions, stateTensor: FileTensor): Promise<ModelTensor> {
  const { weight, what } = context
  const text = decodeText(await context.read(stateTensor), `${what}: quant_state`)
  const state = checked(QuantState, parseJsonObject(text, `${what}: quant_state`), `${what}: quant_state`)
  if (stateTensor.name !== `${weight.name}${stateMark}${state.quant_type}`) {
    throw new AppError("bad_file", `${what}: its quant_state says ${state.quant_type}, but is named ${stateTensor.name}.`, damagedHint)
  }
  const count = elementCount(state.shape)
  if (count === null || weight.data.bytes !== Math.ceil(count / 2)) {
    throw new AppError(
      "bad_file",
      `${what} of shape ${shapeText(state.shape)} in 4 bits takes ${Math.ceil((count ?? 0) / 2)} bytes, but the file gives it ${weight.data.bytes}.`,
      damagedHint,
    )
  }
  const blocks = Math.ceil(count / state.blocksize)
  const isNested = state.nested_offset !== undefined
  const absmax = context.take(`${weight.name}.absmax`, isNested ? "U8" : "F32", blocks)
  const codebook = context.takeOptional(`${weight.name}.quant_map`, "F32", codebookLength)
  const quantized: NativeQuantizedSource = {
    format: state.quant_type,
    blockSize: state.blocksize,
    absmax: absmax.data,
    ...(codebook ? { codebook: codebook.data } : {}),
  }
  if (state.nested_offset !== undefined) {
    const nestedBlockSize = state.nested_blocksize ?? 256
    quantized.nested = {
      absmax: context.take(`${weight.name}.nested_absmax`, "F32", Math.ceil(blocks / nestedBlockSize)).data,
      map: context.take(`${weight.name}.nested_quant_map`, "F32", nestedMapLength).data,
      offset: state.nested_offset,
      blockSize: nestedBlockSize,
    }
  }
  const { name, dtype, data } = weight
  return { name, dtype, encoding: "u8", shape: state.shape, data, quantized, bytes: context.bytes + stateTensor.data.bytes }
}

const layouts: Record<number, string> = { 1: "col32", 2: "col_turing", 3: "col_ampere" }

async function eightBit(context: Companions, scb: FileTensor): Promise<ModelTensor> {
  const { weight, what } = context
  const rank = weight.shape.length
  if (weight.dtype !== "I8" || rank < 2 || rank > 3) {
    throw new AppError(
      "bad_file",
      `${what} has 8-bit scales but is ${weight.dtype} ${shapeText(weight.shape)}, expected I8 [rows, columns].`,
      damagedHint,
    )
  }
  const rows = weight.shape.slice(0, -1)
  if (scb.dtype !== "F32" || !isSameShape(scb.shape, rows)) {
    throw new AppError(
      "bad_file",
      `${what}: its scales ${scb.name} are ${scb.dtype} ${shapeText(scb.shape)}, expected F32 ${shapeText(rows)}.`,
      damagedHint,
    )
  }
  const layout = weight.name.endsWith(".weight") ? context.takeOptional(`${weight.name}_format`, "U8", 1) : undefined
  const number = layout ? (await context.read(layout)).readUInt8() : 0
  if (number !== 0) {
    throw new AppError(
      "unsupported",
      `Tensor ${weight.name} is stored in the 8-bit layout \`${layouts[number] ?? number}\`; only rows are supported.`,
    )
  }
  const { name, dtype, shape, data } = weight
  const quantized: NativeQuantizedSource = { format: "int8", blockSize: 0, absmax: scb.data }
  return { name, dtype, encoding: "i8", shape, data, quantized, bytes: context.bytes + scb.data.bytes }
}

/** Scales whose weight nobody claimed: the checkpoint would be read wrongly without them. */
function refuseOrphans(tensors: FileTensor[], files: string[], taken: Set<string>): void {
  for (const { name, data } of tensors) {
    if (taken.has(name) || !companions.some((suffix) => name.endsWith(suffix))) continue
    throw new AppError(
      "bad_file",
      `${files[data.file]}: tensor ${name} belongs to a 4-bit weight whose quant_state is missing.`,
      damagedHint,
    )
  }
}
