// Where the tensors of a GGUF file lie: sizes from shapes and block types, checked against the file and each other.
import { AppError } from "../../shared/schema/error.ts"
import { damagedHint } from "./bounded-file.ts"
import type { GgmlType } from "./ggml-types.ts"
import { elementCount, type FileTensor, shapeText } from "./tensors.ts"

/** A tensor as the header describes it. */
export interface TensorInfo {
  name: string
  shape: number[]
  type: GgmlType
  offset: bigint
}

/** `dataStart`: the offset in the file that the tensors' offsets count from. */
export function placeTensors(path: string, infos: TensorInfo[], dataStart: number, alignment: number, fileSize: number): FileTensor[] {
  const names = new Set<string>()
  const tensors = infos.map(({ name, shape, type, offset }): FileTensor => {
    const what = `${path}: tensor ${name}`
    if (names.has(name)) throw new AppError("bad_file", `${path} has two tensors named ${name}.`, damagedHint)
    names.add(name)
    if (offset % BigInt(alignment) !== 0n)
      throw new AppError("bad_file", `${what} lies at offset ${offset}, which is no multiple of ${alignment}.`, damagedHint)
    if (offset > fileSize)
      throw new AppError("bad_file", `${what} lies at offset ${offset}, but the file has only ${fileSize} bytes.`, damagedHint)
    const begin = dataStart + Number(offset)
    const bytes = bytesOf(what, shape, type)
    if (begin + bytes > fileSize) {
      throw new AppError("bad_file", `${what} lies at bytes ${begin} to ${begin + bytes}, but the file has only ${fileSize}.`, damagedHint)
    }
    return { name, dtype: type.name, encoding: type.encoding, shape, data: { file: 0, offset: begin, bytes } }
  })
  checkOverlaps(path, tensors)
  return tensors
}

/** 0 where the size of a block is not known: such a tensor is refused by its type when the model is opened. */
function bytesOf(what: string, shape: number[], { name, block }: GgmlType): number {
  const count = elementCount(shape)
  if (count === null || (block && !Number.isSafeInteger(count * block.bytes))) {
    throw new AppError("bad_file", `${what} has the impossible shape ${shapeText(shape)}.`, damagedHint)
  }
  if (!block) return 0
  if ((shape.at(-1) ?? 1) % block.elements !== 0) {
    throw new AppError(
      "bad_file",
      `${what} of shape ${shapeText(shape)} cannot be ${name}: its rows are no multiple of ${block.elements}.`,
      damagedHint,
    )
  }
  return (count / block.elements) * block.bytes
}

function checkOverlaps(path: string, tensors: FileTensor[]): void {
  let previous: FileTensor | undefined
  for (const tensor of tensors.toSorted((a, b) => a.data.offset - b.data.offset || a.data.bytes - b.data.bytes)) {
    const end = previous ? previous.data.offset + previous.data.bytes : 0
    if (tensor.data.offset < end) {
      throw new AppError(
        "bad_file",
        `${path}: tensor ${tensor.name} begins at byte ${tensor.data.offset}, inside tensor ${previous?.name}, which ends at ${end}.`,
        damagedHint,
      )
    }
    previous = tensor
  }
}
