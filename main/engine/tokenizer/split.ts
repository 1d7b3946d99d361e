// The split of a normalized text into pieces that no token crosses.
import { compilePattern, digitPattern, digitsPattern, gpt2Pattern } from "./patterns.ts"
import { splitByScript } from "./scripts.ts"
import type { Behavior, PreTokenizer } from "./steps.ts"
import { byteLevelText } from "./text.ts"

export interface Splitter {
  /** `isFirst`: the text stands at the start of the whole input. */
  split(text: string, isFirst: boolean): string[]
  /** The pieces are to be taken as UTF-8 bytes, each written as one character of the byte alphabet. */
  isByteLevel: boolean
}

export type Split = (text: string, isFirst: boolean) => string[]

/** `hasAllBytes`: every character of the byte alphabet is in the vocabulary, so that pieces may stay text until the model takes bytes. */
export function compilePreTokenizers(preTokenizers: PreTokenizer[], hasAllBytes: boolean): Splitter {
  const steps: Split[] = []
  const isByteLevel = hasAllBytes && preTokenizers.at(-1)?.type === "ByteLevel"
  for (const [i, step] of preTokenizers.entries()) {
    steps.push(...compileStep(step))
    const becomesBytes = step.type === "ByteLevel" && !(isByteLevel && i === preTokenizers.length - 1)
    if (becomesBytes) steps.push((text) => [byteLevelText(text)])
  }
  return {
    isByteLevel,
    split(text, isFirst) {
      let pieces = text === "" ? [] : [text]
      for (const step of steps) {
        if (pieces.length === 1) pieces = step(pieces[0]!, isFirst)
        else pieces = pieces.flatMap((piece, i) => step(piece, isFirst && i === 0))
      }
      return pieces
    },
  }
}

/** As Rust's regular expressions have it, which is not what Oniguruma has. */
const wordCharacter = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d]"
const punctuation = /[\p{P}$+<=>^`|~]/gu
const whiteSpace = /\p{White_Space}+/gu

function compileStep(step: PreTokenizer): Split[] {
  switch (step.type) {
    case "Split":
      return [splitBy(compilePattern(step.pattern), step.behavior, step.invert ?? false)]
    case "Digits":
      return [splitBy(compilePattern({ Regex: step.individual_digits ? digitPattern : digitsPattern }), "Isolated", false)]
    case "Punctuation":
      return [splitBy(punctuation, step.behavior, false)]
    case "Whitespace":
      return [splitBy(new RegExp(`${wordCharacter}+|(?:(?!${wordCharacter})\\P{White_Space})+`, "gu"), "Removed", true)]
    case "WhitespaceSplit":
      return [splitBy(whiteSpace, "Removed", false)]
    case "BertPreTokenizer":
      return [splitBy(whiteSpace, "Removed", false), splitBy(punctuation, "Isolated", false)]
    case "CharDelimiterSplit":
      return [splitBy(compilePattern({ String: step.delimiter }), "Removed", false)]
    case "FixedLength":
      return [(text) => fixedLength(text, step.length)]
    case "UnicodeScripts":
      return [splitByScript]
    case "ByteLevel": {
      const steps: Split[] = []
      if (step.add_prefix_space) steps.push((text) => [text.startsWith(" ") ? text : ` ${text}`])
      if (step.use_regex) steps.push(splitBy(compilePattern({ Regex: gpt2Pattern }), "Isolated", false))
      return steps
    }
    case "Metaspace":
      return metaspace(step)
  }
}

function metaspace(step: Extract<PreTokenizer, { type: "Metaspace" }>): Split[] {
  const scheme = step.prepend_scheme ?? (step.add_prefix_space === false ? "never" : "always")
  const mark: Split = (text, isFirst) => {
    const marked = text.replaceAll(" ", () => step.replacement)
    const isPrefixed = scheme === "always" || (scheme === "first" && isFirst)
    return [isPrefixed && !marked.startsWith(step.replacement) ? step.replacement + marked : marked]
  }
  if (step.split === false) return [mark]
  return [mark, splitBy(compilePattern({ String: step.replacement }), "MergedWithNext", false)]
}

function fixedLength(text: string, length: number): string[] {
  const characters = [...text]
  return Array.from({ length: Math.ceil(characters.length / length) }, (_, i) => characters.slice(i * length, (i + 1) * length).join(""))
}

/** Cuts the text into matches and what lies between them, then joins them as `behavior` says. No piece is empty. */
function splitBy(pattern: RegExp, behavior: Behavior, invert: boolean): Split {
  function segments(text: string): { text: string; isMatch: boolean }[] {
    const found: { text: string; isMatch: boolean }[] = []
    let done = 0
    pattern.lastIndex = 0
    for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
      const length = match[0].length
      if (length === 0) {
        pattern.lastIndex += (text.codePointAt(match.index) ?? 0) > 0xffff ? 2 : 1
        continue
      }
      if (match.index > done) found.push({ text: text.slice(done, match.index), isMatch: invert })
      found.push({ text: match[0], isMatch: !invert })
      done = match.index + length
    }
    if (done < text.length) found.push({ text: text.slice(done), isMatch: invert })
    return found
  }

  if (behavior === "Isolated") return (text) => segments(text).map((segment) => segment.text)
  if (behavior === "Removed") {
    return (text) => segments(text).flatMap((segment) => (segment.isMatch ? [] : [segment.text]))
  }
  return (text) => {
    const joined: { text: string; isMatch: boolean }[] = []
    for (const segment of segments(text)) {
      const previous = joined.at(-1)
      const isJoined =
        previous !== undefined &&
        (behavior === "Contiguous"
          ? previous.isMatch === segment.isMatch
          : behavior === "MergedWithPrevious"
            ? segment.isMatch && !previous.isMatch
            : previous.isMatch && !segment.isMatch)
      if (!isJoined) joined.push({ ...segment })
      else {
        previous.text += segment.text
        previous.isMatch = behavior === "Contiguous" ? previous.isMatch : behavior === "MergedWithPrevious"
      }
    }
    return joined.map((segment) => segment.text)
  }
}
