// Tokens that stand for bytes, back to text: of the byte alphabet, and SentencePiece's names of single bytes.
import { bytesOfCharacters } from "./text.ts"

/** Takes pieces and gives the parts of the text that are now certain. */
export interface DecodeStep {
  push(piece: string, out: string[]): void
  end(out: string[]): void
}

const encoder = new TextEncoder()

function utf8() {
  return new TextDecoder("utf-8", { ignoreBOM: true })
}

/** A maker of steps, which share what they know of the tokens. */
export function byteLevel(): () => DecodeStep {
  const known = new Map<string, { bytes: Uint8Array; ascii: string | null }>()
  function read(token: string) {
    let found = known.get(token)
    if (!found) {
      const bytes = bytesOf(token)
      found = { bytes, ascii: bytes.every((byte) => byte < 0x80) ? new TextDecoder().decode(bytes) : null }
      known.set(token, found)
    }
    return found
  }
  return () => {
    const decoder = utf8()
    /** Then no character is open. */
    let endsInAscii = true
    return {
      push(piece, out) {
        const { bytes, ascii } = read(piece)
        if (endsInAscii && ascii !== null) {
          if (ascii !== "") out.push(ascii)
          return
        }
        const text = decoder.decode(bytes, { stream: true })
        if (text !== "") out.push(text)
        if (bytes.length > 0) endsInAscii = bytes.at(-1)! < 0x80
      },
      end(out) {
        out.push(decoder.decode())
      },
    }
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
