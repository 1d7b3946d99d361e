// The header of a safetensors file: read with every rule of the format checked, and written as the reference implementation does.
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import type { NativeEncoding } from "../engine/addon-types.ts"
import { type BoundedFile, damagedHint, decodeText, withFile } from "./bounded-file.ts"
import { checked, parseJsonObject } from "./json.ts"
import { elementCount, type FileTensor, shapeText } from "./tensors.ts"

/** The limit of the reference implementation. */
const maxHeaderBytes = 100_000_000

/** Bits per element, in the order of the reference implementation: by rising alignment, which is also the order of the data. */
const dtypes = new Map<string, number>([
  ["BOOL", 8],
  ["F4", 4],
  ["F6_E2M3", 6],
  ["F6_E3M2", 6],
  ["U8", 8],
  ["I8", 8],
  ["F8_E5M2", 8],
  ["F8_E4M3", 8],
  ["F8_E8M0", 8],
  ["I16", 16],
  ["U16", 16],
  ["F16", 16],
  ["BF16", 16],
  ["I32", 32],
  ["U32", 32],
  ["F32", 32],
  ["C64", 64],
  ["F64", 64],
  ["I64", 64],
  ["U64", 64],
])
const dtypeRank = new Map([...dtypes.keys()].map((dtype, rank) => [dtype, rank]))

const encodings: Record<string, NativeEncoding> = { F32: "f32", F16: "f16", BF16: "bf16", I8: "i8", U8: "u8" }

/** Null: a type that the engine does not read. */
export const encodingOf = (dtype: string): NativeEncoding | null => encodings[dtype] ?? null

export interface SafetensorsFile {
  metadata: Record<string, string>
  /** In the order of their data; offsets count from the start of the file. */
  tensors: FileTensor[]
}

const size = z.int().nonnegative()
const Entry = z.strictObject({ dtype: z.string(), shape: z.array(size).max(64), data_offsets: z.tuple([size, size]) })
const Metadata = z.record(z.string(), z.string())

/** `fileIndex`: what the slices of the tensors will say. */
export function readSafetensors(path: string, fileIndex = 0): Promise<SafetensorsFile> {
  return withFile(path, (file) => parseSafetensors(file, fileIndex))
}

/** The same of a file that is open, here or elsewhere. */
export async function parseSafetensors(file: BoundedFile, fileIndex = 0): Promise<SafetensorsFile> {
  const { path } = file
  const headerBytes = await readHeaderLength(file)
  const text = decodeText(await file.read(8, headerBytes), `${path}: the header`)
  if (!text.startsWith("{"))
    throw new AppError("bad_file", `${path} is no safetensors file: its header does not begin with "{".`, damagedHint)
  const entries = parseJsonObject(text, `${path}: the header`)
  const tensors: FileTensor[] = []
  let metadata: Record<string, string> = {}
  for (const [name, entry] of Object.entries(entries)) {
    if (name === "__metadata__") metadata = checked(Metadata, entry, `${path}: __metadata__`)
    else tensors.push(readEntry(path, name, entry, 8 + headerBytes, fileIndex))
  }
  checkLayout(path, tensors, 8 + headerBytes, file.size)
  return { metadata, tensors }
}

async function readHeaderLength(file: BoundedFile): Promise<number> {
  if (file.size < 8) {
    throw new AppError(
      "bad_file",
      `${file.path} has ${file.size} bytes; a safetensors file begins with 8 that give its header's length.`,
      damagedHint,
    )
  }
  const length = (await file.read(0, 8)).readBigUInt64LE()
  if (length > maxHeaderBytes) {
    throw new AppError(
      "bad_file",
      `${file.path} is no safetensors file: its header would have ${length} bytes, at most ${maxHeaderBytes} are allowed.`,
    )
  }
  if (Number(length) > file.size - 8) {
    throw new AppError(
      "bad_file",
      `${file.path}: the header should have ${length} bytes, but the file has only ${file.size - 8} after its length.`,
      damagedHint,
    )
  }
  return Number(length)
}

function readEntry(path: string, name: string, value: unknown, dataStart: number, fileIndex: number): FileTensor {
  const what = `${path}: tensor ${name}`
  const { dtype, shape, data_offsets: offsets } = checked(Entry, value, what)
  const bits = dtypes.get(dtype)
  if (bits === undefined) throw new AppError("bad_file", `${what} has the unknown type ${JSON.stringify(dtype.slice(0, 40))}.`)
  const [begin, end] = offsets
  if (end < begin) throw new AppError("bad_file", `${what} ends at byte ${end}, before it begins at ${begin}.`, damagedHint)
  const expected = dataBytes(shape, bits)
  if (expected !== end - begin) {
    const needs = expected === null ? "an impossible number of" : expected
    throw new AppError(
      "bad_file",
      `${what} of shape ${shapeText(shape)} and type ${dtype} takes ${needs} bytes, but the file gives it ${end - begin}.`,
      damagedHint,
    )
  }
  return {
    name,
    dtype,
    encoding: encodingOf(dtype),
    shape,
    data: { file: fileIndex, offset: dataStart + begin, bytes: end - begin },
  }
}

/** Null when it is no whole number of bytes or passes 2^53. */
function dataBytes(shape: number[], bits: number): number | null {
  const count = elementCount(shape)
  if (count === null || !Number.isSafeInteger(count * bits) || (count * bits) % 8 !== 0) return null
  return (count * bits) / 8
}

/** The format wants the data without holes or overlaps, from the end of the header to the end of the file. */
function checkLayout(path: string, tensors: FileTensor[], dataStart: number, fileSize: number): void {
  tensors.sort((a, b) => a.data.offset - b.data.offset || a.data.bytes - b.data.bytes)
  let end = dataStart
  let previous = "the header"
  for (const { name, data } of tensors) {
    if (data.offset !== end) {
      const how = data.offset < end ? "overlaps" : "leaves a hole after"
      throw new AppError(
        "bad_file",
        `${path}: tensor ${name} begins at byte ${data.offset} and ${how} ${previous}, which ends at ${end}.`,
        damagedHint,
      )
    }
    end += data.bytes
    previous = `tensor ${name}`
    if (end > fileSize)
      throw new AppError("bad_file", `${path}: tensor ${name} ends at byte ${end}, but the file has only ${fileSize}.`, damagedHint)
  }
  if (end !== fileSize)
    throw new AppError("bad_file", `${path} has ${fileSize - end} bytes after its last tensor, which ends at ${end}.`, damagedHint)
}

/** What is needed of a tensor to place it in a file. */
export interface PlacedTensor {
  name: string
  dtype: string
  shape: number[]
  bytes: number
}

/** The order in which the Python library writes tensors: largest alignment first, then by name (bytes of its UTF-8). */
export function safetensorsOrder<Tensor extends { name: string; dtype: string }>(tensors: readonly Tensor[]): Tensor[] {
  const rank = ({ dtype }: Tensor) => dtypeRank.get(dtype) ?? -1
  return tensors.toSorted((a, b) => rank(b) - rank(a) || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
}

/**
 * The first bytes of a file, length included; the data follows in the order of `tensors`, which is not changed here (see
 * safetensorsOrder). `offsets[i]` counts from the end of the header, where tensor i begins.
 */
export function safetensorsHeader(
  tensors: readonly PlacedTensor[],
  metadata?: Record<string, string>,
): { header: Buffer; offsets: number[] } {
  const names = new Set<string>(["__metadata__"])
  const offsets: number[] = []
  const parts = metadata ? [`"__metadata__":${JSON.stringify(metadata)}`] : []
  let offset = 0
  for (const { name, dtype, shape, bytes } of tensors) {
    if (names.has(name)) throw new AppError("bad_input", `Two tensors of one file cannot both be named ${name}.`)
    names.add(name)
    if (bytes !== dataBytes(shape, dtypes.get(dtype) ?? Number.NaN)) {
      throw new AppError("bad_input", `Tensor ${name} of shape ${shapeText(shape)} and type ${dtype} cannot take ${bytes} bytes.`)
    }
    offsets.push(offset)
    parts.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, offset + bytes] })}`)
    offset += bytes
  }
  const text = Buffer.from(`{${parts.join(",")}}`)
  const padding = (8 - (text.length % 8)) % 8
  const header = Buffer.alloc(8 + text.length + padding, " ")
  header.writeBigUInt64LE(BigInt(text.length + padding))
  text.copy(header, 8)
  if (text.length + padding > maxHeaderBytes) {
    throw new AppError("unsupported", `The header of the file would have ${text.length} bytes; at most ${maxHeaderBytes} are allowed.`)
  }
  return { header, offsets }
}
