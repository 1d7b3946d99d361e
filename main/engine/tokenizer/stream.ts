// From tokens back to text, piece by piece: each step of the decoder takes what is new, gives what is certain and keeps the rest.
// Decoding a whole list is the same code, so a stream always adds up to it.
//
// Two choices differ from Hugging Face's tokenizers, for text that streams: bytes that are no UTF-8 become U+FFFD where they
// stand (there, one bad byte spoils its whole run of byte tokens), and clean_up_tokenization_spaces is not applied (it would take
// away spaces that the model wrote).
import { byteFallback, byteLevel, type DecodeStep } from "./bytes.ts"
import { compilePattern } from "./patterns.ts"
import type { Decoder } from "./steps.ts"

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

function compileSteps(decoders: Decoder[]): (() => DecodeStep)[] {
  const makers: (() => DecodeStep)[] = []
  /** From here on the pieces are parts of one text, no longer tokens. */
  let isFused = false
  for (const step of decoders) {
    if (step.type === "Fuse") isFused = true
    else if (!isFused) makers.push(compileStep(step))
    else makers.push(compileFused(step))
    if (step.type === "ByteLevel") isFused = true
  }
  return makers
}

function compileStep(step: Exclude<Decoder, { type: "Fuse" }>): () => DecodeStep {
  switch (step.type) {
    case "ByteLevel":
      return byteLevel()
    case "ByteFallback":
      return byteFallback
    case "Replace": {
      if ("String" in step.pattern && step.pattern.String !== "") {
        const search = step.pattern.String
        return () => mapped((piece) => (piece.includes(search) ? piece.replaceAll(search, () => step.content) : piece))
      }
      const pattern = compilePattern(step.pattern)
      return () => mapped((piece) => piece.replace(pattern, () => step.content))
    }
    case "Metaspace": {
      const keepsFirst = step.prepend_scheme === "never" || (!step.prepend_scheme && step.add_prefix_space === false)
      return () => mapped((piece, isFirst) => piece.replaceAll(step.replacement, isFirst && !keepsFirst ? "" : " "))
    }
    case "Strip":
      return () => mapped((piece) => stripped(piece, step.content, step.start, step.stop))
    case "WordPiece":
      return () =>
        mapped((piece, isFirst) => {
          const text = isFirst ? piece : piece.startsWith(step.prefix) ? piece.slice(step.prefix.length) : ` ${piece}`
          return step.cleanup ? cleanedUp(text) : text
        })
    case "BPEDecoder":
      return () => wordEnds(step.suffix)
    case "CTC":
      return () => withoutRepeats(step)
  }
}

/** A step after Fuse has one token, the whole text. Two kinds do not have to wait for its end. */
function compileFused(step: Exclude<Decoder, { type: "Fuse" }>): () => DecodeStep {
  if (step.type === "Strip" && step.stop === 0) return () => stripStart(step.content, step.start)
  const make = compileStep(step)
  if (step.type === "Replace" && "String" in step.pattern && [...step.pattern.String].length === 1) return make
  return () => joined(make())
}

function mapped(map: (piece: string, isFirst: boolean) => string): DecodeStep {
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
function spaceBetween(): DecodeStep {
  return mapped((piece, isFirst) => (isFirst ? piece : ` ${piece}`))
}

function joined(step: DecodeStep): DecodeStep {
  let text = ""
  return {
    push(piece) {
      text += piece
    },
    end(out) {
      step.push(text, out)
      step.end(out)
    },
  }
}

const cleanUps: [string, string][] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
]

/** Piece by piece, as Hugging Face's tokenizers do. */
function cleanedUp(piece: string): string {
  return cleanUps.reduce((text, [from, to]) => text.replaceAll(from, to), piece)
}

/** The suffix of a word becomes a space, except in the last token; what follows it waits for the next one. */
function wordEnds(suffix: string): DecodeStep {
  if (suffix === "") return mapped((piece) => piece)
  let waiting = ""
  return {
    push(piece, out) {
      if (waiting !== "") out.push(waiting.replaceAll(suffix, " "))
      const place = piece.indexOf(suffix)
      out.push(place < 0 ? piece : piece.slice(0, place))
      waiting = place < 0 ? "" : piece.slice(place)
    },
    end(out) {
      if (waiting !== "") out.push(waiting.replaceAll(suffix, ""))
    },
  }
}

function withoutRepeats(step: Extract<Decoder, { type: "CTC" }>): DecodeStep {
  let previous: string | null = null
  return {
    push(piece, out) {
      if (piece === previous) return
      previous = piece
      const text = step.pad_token === "" ? piece : piece.replaceAll(step.pad_token, "")
      out.push(step.cleanup ? cleanedUp(text).replaceAll(step.word_delimiter_token, () => " ") : text)
    },
    end() {},
  }
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

function stripStart(content: string, count: number): DecodeStep {
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
