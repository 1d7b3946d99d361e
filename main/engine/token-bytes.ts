// Tokens that stand for bytes, back to text: of the byte alphabet, and SentencePiece's names of single bytes.
import { bytesOfCharacters } from "./token-text.ts"

/** Takes pieces and gives the parts of the text that are now certain. */
export interface DecodeStep {
  push(piece: string, out: string[]): void
  end(out: string[]): void
}

const encoder = new TextEncoder()

function utf8() {
  return new TextDecoder("utf-8", { ignoreBOM: true })
}

export function byteLevel(): DecodeStep {
  const decoder = utf8()
  return {
    push(piece, out) {
      const text = decoder.decode(bytesOf(piece), { stream: true })
      if (text !== "") out.push(text)
    },
    end(out) {
      out.push(decoder.decode())
    },
  }
}

/** The bytes that a token of the byte alphabet stands for; any other token (an added one) stands for its own text. */
function bytesOf(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length)
  for (let i = 0; i < token.length; i++) {
    const byte = bytesOfCharacters[token.charCodeAt(i)]
    if (byte === undefined) return encoder.encode(token)
    bytes[i] = byte
  }
  return bytes
}

const byteTokenShape = /^<0x([0-9A-Fa-f]{2})>$/

export function byteFallback(): DecodeStep {
  const decoder = utf8()
  let isInside = false
  function flush(out: string[]): void {
    if (!isInside) return
    isInside = false
    const text = decoder.decode()
    if (text !== "") out.push(text)
  }
  return {
    push(piece, out) {
      const byte = piece.length === 6 ? byteTokenShape.exec(piece) : null
      if (!byte) {
        flush(out)
        out.push(piece)
        return
      }
      isInside = true
      const text = decoder.decode(Uint8Array.of(Number.parseInt(byte[1]!, 16)), { stream: true })
      if (text !== "") out.push(text)
    },
    end: flush,
  }
}
