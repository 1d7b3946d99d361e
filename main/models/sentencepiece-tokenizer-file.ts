// Reads SentencePiece's tokenizer.model, a protocol buffer: the pieces, and of the trainer's and the normalizer's settings what
// encoding depends on. Field numbers and defaults: sentencepiece_model.proto.
import { AppError } from "../../shared/schema/error.ts"
import { damagedHint } from "./bounded-file.ts"

/** Numbers of the file format; llama.cpp uses them too. */
export const pieceTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

export interface SentencePieceFile {
  pieces: string[]
  scores: number[]
  /** Of `pieceTypes`. */
  types: number[]
  model: "unigram" | "bpe"
  byteFallback: boolean
  /** -1: there is none. */
  unknownId: number
  bosId: number
  eosId: number
  padId: number
  /** Empty: characters stay as they are. */
  charsmap: Uint8Array
  addsPrefix: boolean
  removesExtraSpaces: boolean
}

const maxPieces = 2 ** 22
const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

interface Field {
  number: number
  wire: number
  /** Of a varint, as a signed number of 32 bits; of others 0. */
  value: number
  /** Of the other kinds; empty for a varint. */
  bytes: Buffer
}

export function parseSentencePiece(bytes: Buffer, path: string): SentencePieceFile {
  const damaged = (detail: string) => new AppError("bad_file", `${path} is no SentencePiece model: ${detail}.`, damagedHint)
  const file: SentencePieceFile = {
    ...{ pieces: [], scores: [], types: [], model: "unigram", byteFallback: false },
    ...{ unknownId: 0, bosId: 1, eosId: 2, padId: -1, charsmap: new Uint8Array(), addsPrefix: true, removesExtraSpaces: true },
  }
  let modelType = 1
  let escapesSpaces = true
  let hasSuffix = false

  function readPiece(message: Buffer): void {
    let text = ""
    let score = 0
    let type: number = pieceTypes.normal
    for (const field of fieldsOf(message, damaged)) {
      if (field.number === 1) text = utf8(field.bytes)
      else if (field.number === 2 && field.wire === wireTypes.fixed32) score = field.bytes.readFloatLE(0)
      else if (field.number === 3) type = field.value
    }
    if (file.pieces.length === maxPieces) throw damaged(`it has more than ${maxPieces} pieces`)
    if (!Number.isFinite(score)) throw damaged(`piece ${file.pieces.length} has the score ${score}`)
    file.pieces.push(text)
    file.scores.push(score)
    file.types.push(type)
  }

  function utf8(text: Buffer): string {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text)
    } catch {
      throw damaged(`piece ${file.pieces.length} is not UTF-8`)
    }
  }

  function readTrainer(message: Buffer): void {
    for (const { number, value } of fieldsOf(message, damaged)) {
      if (number === 3) modelType = value
      else if (number === 24) hasSuffix = value !== 0
      else if (number === 35) file.byteFallback = value !== 0
      else if (number === 40) file.unknownId = value
      else if (number === 41) file.bosId = value
      else if (number === 42) file.eosId = value
      else if (number === 43) file.padId = value
    }
  }

  function readNormalizer(message: Buffer): void {
    for (const { number, value, bytes: content } of fieldsOf(message, damaged)) {
      if (number === 2) file.charsmap = content
      else if (number === 3) file.addsPrefix = value !== 0
      else if (number === 4) file.removesExtraSpaces = value !== 0
      else if (number === 5) escapesSpaces = value !== 0
    }
  }

  for (const field of fieldsOf(bytes, damaged)) {
    if (field.wire !== wireTypes.bytes) continue
    if (field.number === 1) readPiece(field.bytes)
    else if (field.number === 2) readTrainer(field.bytes)
    else if (field.number === 3) readNormalizer(field.bytes)
  }
  if (file.pieces.length === 0) throw damaged("it has no pieces")
  const kind = { 1: "unigram", 2: "bpe" }[modelType]
  const refused =
    kind === undefined ? `of the type ${modelType}` : hasSuffix ? "with spaces after the words" : escapesSpaces ? null : "with plain spaces"
  if (refused !== null) {
    throw new AppError("unsupported", `${path}: a SentencePiece model ${refused} is not supported.`, "Get the model's tokenizer.json.")
  }
  return { ...file, model: kind as SentencePieceFile["model"] }
}

function* fieldsOf(message: Buffer, damaged: (detail: string) => AppError): Generator<Field> {
  let at = 0
  /** The low 32 bits of a number of up to 64, signed. */
  function varint(): number {
    let value = 0
    for (let i = 0; i < 10; i++) {
      const byte = message[at++]
      if (byte === undefined) throw damaged("a number is cut off")
      if (i < 5) value |= (byte & 0x7f) << (i * 7)
      if (byte < 0x80) return value
    }
    throw damaged("a number has more than ten bytes")
  }
  while (at < message.length) {
    const key = varint()
    const number = key >>> 3
    const wire = key & 7
    const value = wire === wireTypes.varint ? varint() : 0
    const length = wire === wireTypes.bytes ? varint() : wire === wireTypes.fixed32 ? 4 : wire === wireTypes.fixed64 ? 8 : 0
    const isKnown = Object.values(wireTypes).some((known) => known === wire)
    if (!isKnown || number === 0) throw damaged(`the bytes before ${at} are no field`)
    if (length < 0 || length > message.length - at) throw damaged(`a field of ${length} bytes has only ${message.length - at}`)
    yield { number, wire, value, bytes: message.subarray(at, at + length) }
    at += length
  }
}
