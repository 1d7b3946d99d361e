// From tokens back to text, piece by piece: each step of the decoder takes what is new, gives what is certain and keeps the rest.
// Decoding a whole list is the same code, so a stream always adds up to it.
//
// Two choices differ from Hugging Face's tokenizers, for text that streams: bytes that are no UTF-8 become U+FFFD where they
// stand (there, one bad byte spoils its whole run of byte tokens), and clean_up_tokenization_spaces is not applied (it would take
// away spaces that the model wrote).
import { badTokenizer, type Decoder } from "./token-json.ts"
import { bytesOfCharacters } from "./token-text.ts"

/** Gives the parts of the text that are now certain. */
interface Step {
  push(piece: string, out: string[]): void
  end(out: string[]): void
}

const encoder = new TextEncoder()

export interface PieceDecoder {
  push(piece: string): string
  end(): string
}

/** Checks the decoder; the result makes a fresh one for each text. */
export function compileDecoder(decoders: Decoder[] | null): () => PieceDecoder {
  const makers = decoders === null ? [spaceBetween] : compileSteps(decoders)
  return () => {
    const steps = makers.map((make) => make())
    function run(pieces: string[], from: number): string {
      let current = pieces
      for (let i = from; i < steps.length && current.length > 0; i++) {
        const out: string[] = []
        for (const piece of current) steps[i]!.push(piece, out)
        current = out
      }
      return current.length === 1 ? current[0]! : current.join("")
    }
    return {
      push: (piece) => run([piece], 0),
      end() {
        let text = ""
        for (const [i, step] of steps.entries()) {
          const out: string[] = []
          step.end(out)
          text += run(out, i + 1)
        }
        return text
      },
    }
  }
}

function compileSteps(decoders: Decoder[]): (() => Step)[] {
  const makers: (() => Step)[] = []
  /** From here on the pieces are parts of one text, no longer tokens. */
  let isFused = false
  for (const step of decoders) {
    switch (step.type) {
      case "Fuse":
        isFused = true
        break
      case "ByteLevel":
        if (isFused) throw badTokenizer("decoder: ByteLevel after Fuse is not supported")
        makers.push(byteLevel)
        isFused = true
        break
      case "ByteFallback":
        if (isFused) throw badTokenizer("decoder: ByteFallback after Fuse is not supported")
        makers.push(byteFallback)
        break
      case "Replace": {
        if (!("String" in step.pattern)) throw badTokenizer("decoder: Replace by a pattern is not supported")
        const search = step.pattern.String
        if (isFused && [...search].length !== 1) throw badTokenizer("decoder: Replace of several characters after Fuse is not supported")
        if (search !== "") makers.push(() => mapped((piece) => piece.replaceAll(search, () => step.content)))
        break
      }
      case "Metaspace": {
        if (isFused) throw badTokenizer("decoder: Metaspace after Fuse is not supported")
        const keepsFirst = step.prepend_scheme === "never" || (!step.prepend_scheme && step.add_prefix_space === false)
        makers.push(() => metaspace(step.replacement, keepsFirst))
        break
      }
      case "Strip":
        if (isFused && step.stop > 0) throw badTokenizer("decoder: Strip at the end of the whole text is not supported")
        if (isFused) makers.push(() => stripStart(step.content, step.start))
        else makers.push(() => mapped((piece) => stripped(piece, step.content, step.start, step.stop)))
    }
  }
  return makers
}

function mapped(map: (piece: string, isFirst: boolean) => string): Step {
  let isFirst = true
  return {
    push(piece, out) {
      out.push(map(piece, isFirst))
      isFirst = false
    },
    end() {},
  }
}

/** Tokenizers without a decoder. */
function spaceBetween(): Step {
  return mapped((piece, isFirst) => (isFirst ? piece : ` ${piece}`))
}

function metaspace(replacement: string, keepsFirst: boolean): Step {
  return mapped((piece, isFirst) => piece.replaceAll(replacement, isFirst && !keepsFirst ? "" : " "))
}

function stripped(piece: string, content: string, start: number, stop: number): string {
  let from = 0
  let to = piece.length
  for (let i = 0; i < start && piece.startsWith(content, from); i++) from += content.length
  for (
    let i = 0;
    i < stop && to - content.length >= from && piece.endsWith(content) && piece.startsWith(content, to - content.length);
    i++
  ) {
    to -= content.length
  }
  return piece.slice(from, to)
}

function stripStart(content: string, count: number): Step {
  let left = count
  return {
    push(piece, out) {
      let from = 0
      while (left > 0 && from < piece.length) {
        if (!piece.startsWith(content, from)) left = 0
        else {
          from += content.length
          left--
        }
      }
      if (from < piece.length) out.push(piece.slice(from))
    },
    end() {},
  }
}

function utf8() {
  return new TextDecoder("utf-8", { ignoreBOM: true })
}

function byteLevel(): Step {
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

function byteFallback(): Step {
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
