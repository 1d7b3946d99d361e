// The header of a GGUF file (version 2 and 3): metadata and where its tensors lie. Nothing but the header is read, and no
// count or length of the file is believed before it was compared with what the file can hold.
import { AppError } from "../../shared/schema/error.ts"
import { type BoundedFile, damagedHint, withFile } from "./bounded-file.ts"
import { ByteCursor } from "./byte-cursor.ts"
import { ggmlType } from "./ggml-types.ts"
import { placeTensors, type TensorInfo } from "./gguf-tensors.ts"
import type { FileTensor } from "./tensors.ts"

/** 64-bit integers are numbers where those are exact, else bigint. */
export type GgufValue = number | bigint | boolean | string | GgufValue[]

export interface GgufFile {
  version: number
  /** Size of the file. */
  bytes: number
  /** Without prototype: any key may be asked for. */
  metadata: Record<string, GgufValue>
  /** In the order of the header; shapes are row-major, as everywhere in this program. */
  tensors: FileTensor[]
}

export const ggufMagic = "GGUF"

// Real headers have up to about 20 MB and a million array elements.
const maxHeaderBytes = 64 << 20
const maxArrayElements = 1 << 23
export const maxTensors = 1 << 16
const maxKeys = 1 << 16
const maxNameBytes = 1024
const maxArrayDepth = 4
const maxDimensions = 4
const maxAlignment = 1 << 20

const stringType = 8
const arrayType = 9

export function readGguf(path: string): Promise<GgufFile> {
  return withFile(path, parseGguf)
}

/** The same of a file that is open, here or elsewhere. */
export async function parseGguf(file: BoundedFile): Promise<GgufFile> {
  const { path } = file
  const cursor = new ByteCursor(file, maxHeaderBytes)
  const parser = new Parser(path, cursor)
  const version = await parser.version()
  // The smallest tensor entry has 24 bytes, the smallest pair 13.
  const tensorCount = await parser.count("the number of tensors", 24, maxTensors)
  const pairCount = await parser.count("the number of metadata entries", 13, maxKeys)
  const metadata = await parser.metadata(pairCount)
  const infos: TensorInfo[] = []
  for (let i = 0; i < tensorCount; i++) infos.push(await parser.tensor(i))
  const alignment = alignmentOf(path, metadata)
  const dataStart = Math.ceil(cursor.position / alignment) * alignment
  return { version, bytes: file.size, metadata, tensors: placeTensors(path, infos, dataStart, alignment, file.size) }
}

class Parser {
  readonly #path: string
  readonly #cursor: ByteCursor
  #elementsLeft = maxArrayElements

  constructor(path: string, cursor: ByteCursor) {
    this.#path = path
    this.#cursor = cursor
  }

  async version(): Promise<number> {
    await this.#cursor.need(24, "a GGUF header")
    const magic = this.#cursor.text(4)
    if (magic !== ggufMagic) throw new AppError("bad_file", `${this.#path} is no GGUF file: it does not begin with "${ggufMagic}".`)
    const version = this.#cursor.uint(4)
    if (version === 2 || version === 3) return version
    if (version !== 0 && version % 65536 === 0)
      throw new AppError("unsupported", `${this.#path} is a big-endian GGUF file, which is not supported.`)
    throw new AppError("unsupported", `${this.#path} has GGUF version ${version}; versions 2 and 3 are supported.`)
  }

  /** A 64-bit count of things of which each takes at least `leastBytes` bytes of the header. */
  async count(what: string, leastBytes: number, most: number): Promise<number> {
    await this.#cursor.need(8, what)
    const count = this.#cursor.uint64()
    const room = Math.min(most, Math.floor(this.#cursor.left / leastBytes))
    if (count > room)
      throw new AppError("bad_file", `${this.#path}: ${what} is ${count}; at most ${room} are possible in this file.`, damagedHint)
    return Number(count)
  }

  async metadata(count: number): Promise<Record<string, GgufValue>> {
    const metadata: Record<string, GgufValue> = Object.create(null)
    for (let i = 0; i < count; i++) {
      const key = await this.#name(`the key of metadata entry ${i}`)
      if (key in metadata) throw new AppError("bad_file", `${this.#path} gives the metadata key ${key} twice.`, damagedHint)
      await this.#cursor.need(4, `the type of ${key}`)
      metadata[key] = await this.#value(this.#cursor.uint(4), key, 0)
    }
    return metadata
  }

  async tensor(index: number): Promise<TensorInfo> {
    const name = await this.#name(`the name of tensor ${index}`)
    const what = `tensor ${name}`
    await this.#cursor.need(4, what)
    const dimensions = this.#cursor.uint(4)
    if (dimensions > maxDimensions) {
      throw new AppError(
        "bad_file",
        `${this.#path}: ${what} has ${dimensions} dimensions; at most ${maxDimensions} are possible.`,
        damagedHint,
      )
    }
    await this.#cursor.need(dimensions * 8 + 12, what)
    const sizes = Array.from({ length: dimensions }, () => this.#cursor.uint64())
    const tooLarge = sizes.find((size) => size > Number.MAX_SAFE_INTEGER)
    if (tooLarge !== undefined)
      throw new AppError("bad_file", `${this.#path}: ${what} has the impossible dimension ${tooLarge}.`, damagedHint)
    const type = ggmlType(this.#cursor.uint(4))
    return { name, shape: sizes.map(Number).reverse(), type, offset: this.#cursor.uint64() }
  }

  async #name(what: string): Promise<string> {
    await this.#cursor.need(8, what)
    const length = this.#cursor.uint64()
    if (length > maxNameBytes)
      throw new AppError("bad_file", `${this.#path}: ${what} has ${length} bytes; at most ${maxNameBytes} are read.`, damagedHint)
    await this.#cursor.need(Number(length), what)
    return this.#cursor.text(Number(length))
  }

  async #value(type: number, key: string, depth: number): Promise<GgufValue> {
    if (type === stringType) return this.#string(key)
    if (type === arrayType) return this.#array(key, depth + 1)
    const scalar = scalars[type]
    if (!scalar) throw new AppError("bad_file", `${this.#path}: ${key} has the unknown value type ${type}.`, damagedHint)
    await this.#cursor.need(scalar.bytes, key)
    return this.#checked(scalar.read(this.#cursor), key)
  }

  #checked(value: GgufValue | undefined, key: string): GgufValue {
    if (value === undefined)
      throw new AppError("bad_file", `${this.#path}: ${key} holds a truth value that is neither 0 nor 1.`, damagedHint)
    return value
  }

  async #string(key: string): Promise<string> {
    await this.#cursor.need(8, key)
    const length = this.#cursor.uint64()
    if (length > this.#cursor.left) {
      throw new AppError(
        "bad_file",
        `${this.#path}: ${key} holds a text of ${length} bytes, but only ${this.#cursor.left} are left.`,
        damagedHint,
      )
    }
    await this.#cursor.need(Number(length), key)
    return this.#cursor.text(Number(length))
  }

  async #array(key: string, depth: number): Promise<GgufValue[]> {
    if (depth > maxArrayDepth) throw new AppError("bad_file", `${this.#path}: ${key} holds lists nested deeper than ${maxArrayDepth}.`)
    await this.#cursor.need(12, key)
    const type = this.#cursor.uint(4)
    const scalar = scalars[type]
    const count = await this.count(`the length of ${key}`, scalar?.bytes ?? (type === stringType ? 8 : 12), this.#elementsLeft)
    this.#elementsLeft -= count
    const values: GgufValue[] = []
    for (let i = 0; i < count; i++) {
      // Vocabularies have some 100 000 entries: wait only where the window ends.
      if (scalar && this.#cursor.has(scalar.bytes)) values.push(this.#checked(scalar.read(this.#cursor), key))
      else if (type === stringType && this.#hasString()) values.push(this.#cursor.text(Number(this.#cursor.uint64())))
      else values.push(await this.#value(type, key, depth))
    }
    return values
  }

  #hasString(): boolean {
    return this.#cursor.has(8) && this.#cursor.has(8 + Number(this.#cursor.peekUint64()))
  }
}

interface Scalar {
  bytes: number
  /** Undefined: not a value of the type. */
  read(cursor: ByteCursor): GgufValue | undefined
}

const scalars: Record<number, Scalar> = {
  0: { bytes: 1, read: (cursor) => cursor.uint(1) },
  1: { bytes: 1, read: (cursor) => cursor.int(1) },
  2: { bytes: 2, read: (cursor) => cursor.uint(2) },
  3: { bytes: 2, read: (cursor) => cursor.int(2) },
  4: { bytes: 4, read: (cursor) => cursor.uint(4) },
  5: { bytes: 4, read: (cursor) => cursor.int(4) },
  6: { bytes: 4, read: (cursor) => cursor.float32() },
  7: { bytes: 1, read: (cursor) => [false, true][cursor.uint(1)] },
  10: { bytes: 8, read: (cursor) => exact(cursor.uint64()) },
  11: { bytes: 8, read: (cursor) => exact(cursor.int64()) },
  12: { bytes: 8, read: (cursor) => cursor.float64() },
}

function exact(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function alignmentOf(path: string, metadata: Record<string, GgufValue>): number {
  const alignment = metadata["general.alignment"] ?? 32
  const isUsable = typeof alignment === "number" && alignment >= 1 && alignment <= maxAlignment && Number.isInteger(Math.log2(alignment))
  if (isUsable) return alignment
  throw new AppError(
    "bad_file",
    `${path}: general.alignment is ${String(alignment).slice(0, 60)}; it must be a power of two up to ${maxAlignment}.`,
    damagedHint,
  )
}
