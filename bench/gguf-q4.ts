// Makes a Q4_0 file from a Q4_1 one, for llama.cpp to be compared at its fastest: its own tool for that is not in the npm package.
// Metadata and all other tensors are copied as they are, so the embedding stays Q8_0, as in the files that llama.cpp's tool makes of
// this model (its rows are no multiple of 256). Values are rounded as llama.cpp does it: the largest magnitude of 32 becomes -8.
import { type FileHandle, open } from "node:fs/promises"
import { readGguf } from "../main/models/gguf.ts"
import type { FileTensor } from "../main/models/tensors.ts"
import { fromHalf, toHalf } from "./half.ts"

const q4 = { elements: 32, bytesOfQ4_0: 18, bytesOfQ4_1: 20, typeOfQ4_0: 2 }
const alignment = 32

export async function writeQ4_0(from: string, to: string): Promise<void> {
  const { tensors } = await readGguf(from)
  const source = await open(from, "r")
  try {
    const target = await open(to, "w")
    try {
      const { header, offsets } = await newHeader(source, tensors)
      await target.write(header, 0, header.length, 0)
      for (const [i, tensor] of tensors.entries()) {
        const bytes = await read(source, tensor.data.offset, tensor.data.bytes)
        const data = tensor.dtype === "Q4_1" ? blocksOfQ4_0(bytes) : bytes
        await target.write(data, 0, data.length, header.length + (offsets[i] as number))
      }
      const end = header.length + aligned((offsets.at(-1) as number) + sizeOf(tensors.at(-1) as FileTensor))
      await target.truncate(end)
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

/** The header of the source with new types and offsets; `offsets[i]` counts from its end. */
async function newHeader(source: FileHandle, tensors: FileTensor[]): Promise<{ header: Buffer; offsets: number[] }> {
  const dataStart = Math.min(...tensors.map(({ data }) => data.offset))
  const header = await read(source, 0, dataStart)
  const offsets: number[] = []
  let end = 0
  let at = metadataEnd(header)
  for (const tensor of tensors) {
    const [nameBytes, dimensions] = [Number(header.readBigUInt64LE(at)), header.readUInt32LE(at + 8 + Number(header.readBigUInt64LE(at)))]
    const type = at + 8 + nameBytes + 4 + dimensions * 8
    if (tensor.dtype === "Q4_1") header.writeUInt32LE(q4.typeOfQ4_0, type)
    header.writeBigUInt64LE(BigInt(end), type + 4)
    offsets.push(end)
    end = aligned(end + sizeOf(tensor))
    at = type + 12
  }
  return { header, offsets }
}

const sizeOf = ({ dtype, data }: FileTensor) => (dtype === "Q4_1" ? (data.bytes / q4.bytesOfQ4_1) * q4.bytesOfQ4_0 : data.bytes)
const aligned = (bytes: number) => Math.ceil(bytes / alignment) * alignment

async function read(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes)
  const { bytesRead } = await file.read(buffer, 0, bytes, offset)
  if (bytesRead !== bytes) throw new Error(`Only ${bytesRead} of ${bytes} bytes at ${offset} could be read.`)
  return buffer
}

/** Where the metadata ends and the list of tensors begins. The file was checked by readGguf. */
function metadataEnd(header: Buffer): number {
  const scalarBytes: Record<number, number> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 }
  let at = 24
  const text = () => {
    at += 8 + Number(header.readBigUInt64LE(at))
  }
  const value = (type: number) => {
    if (type === 8) return text()
    if (type !== 9) {
      at += scalarBytes[type] as number
      return
    }
    const [elementType, count] = [header.readUInt32LE(at), Number(header.readBigUInt64LE(at + 4))]
    at += 12
    for (let i = 0; i < count; i++) value(elementType)
  }
  for (let left = header.readBigUInt64LE(16); left > 0n; left--) {
    text()
    at += 4
    value(header.readUInt32LE(at - 4))
  }
  return at
}

/** Q4_1: value = d * code + m, both fp16 in front of 16 bytes; element j is the low half of byte j, element j + 16 the high one. */
export function blocksOfQ4_0(blocks: Buffer): Buffer {
  const n = blocks.length / q4.bytesOfQ4_1
  const out = Buffer.alloc(n * q4.bytesOfQ4_0)
  const values = new Float32Array(q4.elements)
  for (let block = 0; block < n; block++) {
    const from = block * q4.bytesOfQ4_1
    const [d, m] = [fromHalf(blocks.readUInt16LE(from)), fromHalf(blocks.readUInt16LE(from + 2))]
    for (let j = 0; j < 16; j++) {
      const byte = blocks[from + 4 + j] as number
      values[j] = d * (byte & 15) + m
      values[j + 16] = d * (byte >> 4) + m
    }
    encodeQ4_0(values, out, block * q4.bytesOfQ4_0)
  }
  return out
}

function encodeQ4_0(values: Float32Array, out: Buffer, at: number): void {
  let extreme = 0
  for (const value of values) if (Math.abs(value) > Math.abs(extreme)) extreme = value
  const d = extreme / -8
  const inverse = d === 0 ? 0 : 1 / d
  const code = (value: number) => Math.min(15, Math.trunc(value * inverse + 8.5))
  out.writeUInt16LE(toHalf(d), at)
  for (let j = 0; j < 16; j++) out[at + 2 + j] = code(values[j] as number) | (code(values[j + 16] as number) << 4)
}
