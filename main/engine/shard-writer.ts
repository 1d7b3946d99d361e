// Writes one safetensors file of a quantized checkpoint, byte for byte as Python's safetensors would: tensors sorted by dtype, then
// by name. The engine gets the place of every range and fills them all in one stream; the small constant parts are put in here.
//
// Double quantization: the length of a quant_state text is known only when its tensor is done, so the places are foreseen with the
// longest text, and at the end what stands behind a shorter one moves up by a few bytes.
import { type FileHandle, open } from "node:fs/promises"
import { AppError } from "../../shared/schema/error.ts"
import { type PlacedTensor, safetensorsHeader, safetensorsOrder } from "../models/safetensors.ts"
import type { EngineAddon, NativeQuantizeTensor, PlainDtype } from "./addon-types.ts"
import { type PlannedTensor, plainDtypes, scbName } from "./checkpoint-layout.ts"
import { pythonFloat, quantState } from "./quant-state.ts"
import { runTask } from "./run-task.ts"

export interface ShardOptions {
  addon: EngineAddon
  /** Of the source. */
  files: string[]
  tensors: PlannedTensor[]
  dtype: PlainDtype
  path: string
  threads: number
  /** The error of each quantized tensor is measured. */
  withErrors: boolean
  signal: AbortSignal
  /** Since the start of this shard; of errors those since the event before. */
  onProgress(done: { parametersDone: number; bytesWritten: number; tensor: string; errors: { name: string; error: number }[] }): void
}

const metadata = { format: "pt" }
const moveBytes = 8 << 20

/** Returns the size of the file. */
export async function writeShard(options: ShardOptions): Promise<number> {
  const file = await open(options.path, "wx+")
  try {
    return await new ShardWriter(options, file).write()
  } finally {
    await file.close()
  }
}

class ShardWriter {
  private readonly options: ShardOptions
  private readonly file: FileHandle
  /** In the order of the file. */
  private readonly entries: PlacedTensor[]
  /** As long as it will be: foreseen with the longest texts. */
  private readonly headerBytes: number

  constructor(options: ShardOptions, file: FileHandle) {
    this.options = options
    this.file = file
    this.entries = safetensorsOrder(options.tensors.flatMap((tensor) => tensor.entries))
    this.headerBytes = safetensorsHeader(this.entries, metadata).header.length
  }

  async write(): Promise<number> {
    const { addon, files, tensors, dtype, path, threads, withErrors, signal, onProgress } = this.options
    const foreseen = this.places()
    const computed = tensors.flatMap((tensor) => toNative(tensor, dtype, foreseen) ?? [])
    const request = { files, tensors: computed, outPath: path, outOffset: this.headerBytes, threads, withErrors }
    const { nestedOffsets } = await runTask(
      addon.quantize(request, ({ tensorsDone: _, ...done }) => onProgress(done)),
      signal,
    )
    const offsets = new Map(computed.map(({ name }, i) => [name, nestedOffsets[i]]))
    const constants = this.constants((name) => pythonFloat(offsets.get(name) as number))
    for (const tensor of tensors)
      if (tensor.action.kind === "bytes") await this.copyBytes(tensor, foreseen.get(tensor.source.name) as number)
    for (const entry of this.entries) {
      const bytes = constants.get(entry.name)
      if (bytes && entry.name.includes(".quant_state.")) Object.assign(entry, { bytes: bytes.length, shape: [bytes.length] })
    }
    return this.finish(foreseen, constants)
  }

  /** By name, where the data of an entry begins, with the lengths that are known now. */
  private places(): Map<string, number> {
    let end = this.headerBytes
    return new Map(
      this.entries.map(({ name, bytes }) => {
        const begin = end
        end += bytes
        return [name, begin]
      }),
    )
  }

  /** The entries that the engine does not write. */
  private constants(nestedOffset: (name: string) => string): Map<string, Buffer> {
    const { addon, tensors, dtype } = this.options
    const dynamicMap = bytesOf(addon.dynamicMap())
    const codebooks = { nf4: bytesOf(addon.codebook("nf4")), fp4: bytesOf(addon.codebook("fp4")) }
    const constants = new Map<string, Buffer>()
    for (const { source, action, shape } of tensors) {
      const { name } = source
      if (action.kind !== "quantize") continue
      const { spec } = action
      if (spec.format === "int8") {
        if (name.endsWith(".weight")) constants.set(`${name}_format`, Buffer.from([0]))
        continue
      }
      const text = quantState({ spec, dtype: plainDtypes[dtype].torch, shape }, spec.isNested ? nestedOffset(name) : null)
      constants.set(`${name}.quant_map`, codebooks[spec.format])
      constants.set(`${name}.quant_state.bitsandbytes__${spec.format}`, Buffer.from(text))
      if (spec.isNested) constants.set(`${name}.nested_quant_map`, dynamicMap)
    }
    return constants
  }

  /** Moves up what stands behind texts that are shorter than foreseen, and writes header and constants. */
  private async finish(foreseen: Map<string, number>, constants: Map<string, Buffer>): Promise<number> {
    const final = this.places()
    let end = this.headerBytes
    for (const { name, bytes } of this.entries) {
      const place = final.get(name) as number
      const constant = constants.get(name)
      if (constant) await this.file.write(constant, 0, constant.length, place)
      else await this.moveUp(foreseen.get(name) as number, place, bytes)
      end = place + bytes
    }
    const { header } = safetensorsHeader(this.entries, metadata)
    // Where the longest texts made an offset a digit longer than it is, spaces fill the difference, as the format allows.
    const padded = Buffer.alloc(this.headerBytes, " ")
    header.copy(padded)
    padded.writeBigUInt64LE(BigInt(this.headerBytes - 8))
    await this.file.write(padded, 0, padded.length, 0)
    await this.file.truncate(end)
    return end
  }

  private async copyBytes({ source: { name, data } }: PlannedTensor, to: number): Promise<void> {
    const path = this.options.files[data.file] as string
    const source = await open(path)
    try {
      if (!(await this.moveBytes(source, data.offset, to, data.bytes)))
        throw new AppError("bad_file", `${path} ends within tensor ${name}.`, "Download or copy it again.")
    } finally {
      await source.close()
    }
  }

  private async moveUp(from: number, to: number, bytes: number): Promise<void> {
    if (from !== to) await this.moveBytes(this.file, from, to, bytes)
  }

  /** False when the source ended too early. */
  private async moveBytes(source: FileHandle, from: number, to: number, bytes: number): Promise<boolean> {
    const buffer = Buffer.allocUnsafe(Math.min(bytes, moveBytes))
    for (let done = 0; done < bytes; done += buffer.length) {
      this.options.signal.throwIfAborted()
      const count = Math.min(buffer.length, bytes - done)
      const { bytesRead } = await source.read(buffer, 0, count, from + done)
      if (bytesRead < count) return false
      await this.file.write(buffer, 0, count, to + done)
    }
    return true
  }
}

/** Null: nothing is computed from it. */
function toNative({ source, action, shape }: PlannedTensor, dtype: PlainDtype, places: Map<string, number>): NativeQuantizeTensor | null {
  const { name, data, encoding, unpermuteHeads, valueOffset } = source
  if (action.kind === "bytes" || encoding === null) return null
  const place = {
    data: places.get(name),
    scales: places.get(`${name}.absmax`) ?? places.get(scbName(name)),
    nested: places.get(`${name}.nested_absmax`),
  }
  return {
    name,
    data,
    encoding,
    shape,
    ...(unpermuteHeads === undefined ? {} : { unpermuteHeads }),
    ...(valueOffset === undefined ? {} : { valueOffset }),
    ...(action.kind === "quantize" && action.isTransposed ? { isTransposed: true } : {}),
    action: action.kind === "quantize" ? { kind: "quantize", spec: action.spec, dtype } : action,
    place: Object.fromEntries(Object.entries(place).filter(([, offset]) => offset !== undefined)),
  }
}

function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
}
