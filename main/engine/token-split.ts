// What happens to a text before the model sees it: normalization, and the split into pieces that no token crosses.
import { PrecompiledNormalizer } from "@huggingface/tokenizers"
import { spaceEnd, spaceStart } from "./token-added.ts"
import type { Behavior, Normalizer, PreTokenizer } from "./token-json.ts"
import { badTokenizer } from "./token-json.ts"
import { compilePattern, digitPattern, digitsPattern, gpt2Pattern } from "./token-patterns.ts"

export type Normalize = (text: string) => string

/** A character may become so many; the longest compatibility decomposition has 18. */
const maxGrowth = 32

export function compileNormalizers(normalizers: Normalizer[]): Normalize {
  const steps = normalizers.map(compileNormalizer)
  return (text) => {
    const longest = text.length * maxGrowth + 65_536
    let value = text
    for (const step of steps) {
      value = step(value)
      if (value.length > longest) throw badTokenizer(`its normalizer makes ${value.length} characters of ${text.length}`)
    }
    return value
  }
}

function compileNormalizer(step: Normalizer): Normalize {
  switch (step.type) {
    case "Prepend":
      return (text) => (text === "" ? "" : step.prepend + text)
    case "Replace": {
      const pattern = compilePattern(step.pattern)
      return (text) => text.replace(pattern, () => step.content)
    }
    case "Strip":
      return (text) => {
        const start = step.strip_left ? spaceEnd(text, 0) : 0
        return text.slice(start, step.strip_right ? spaceStart(text, text.length, start) : undefined)
      }
    case "Lowercase":
      return (text) => text.toLowerCase()
    case "StripAccents":
      return (text) => text.replace(/\p{M}/gu, "")
    case "Precompiled": {
      const precompiled = new PrecompiledNormalizer({ type: "Precompiled", precompiled_charsmap: "" })
      return (text) => precompiled.normalize(text)
    }
    default:
      return (text) => text.normalize(step.type)
  }
}

export interface Splitter {
  /** `isFirst`: the text stands at the start of the whole input. */
  split(text: string, isFirst: boolean): string[]
  /** The pieces are to be taken as UTF-8 bytes, each written as one character of the byte alphabet. */
  isByteLevel: boolean
}

type Step = (text: string, isFirst: boolean) => string[]

export function compilePreTokenizers(preTokenizers: PreTokenizer[]): Splitter {
  const steps: Step[] = []
  for (const [i, step] of preTokenizers.entries()) {
    if (step.type === "ByteLevel" && i !== preTokenizers.length - 1) {
      throw badTokenizer("pre_tokenizer: ByteLevel is supported as the last step only")
    }
    steps.push(...compileStep(step))
  }
  return {
    isByteLevel: preTokenizers.at(-1)?.type === "ByteLevel",
    split(text, isFirst) {
      let pieces = [text]
      for (const step of steps) {
        if (pieces.length === 1) pieces = step(pieces[0]!, isFirst)
        else pieces = pieces.flatMap((piece, i) => step(piece, isFirst && i === 0))
      }
      return pieces
    },
  }
}

function compileStep(step: PreTokenizer): Step[] {
  switch (step.type) {
    case "Split":
      return [splitBy(compilePattern(step.pattern), step.behavior, step.invert ?? false)]
    case "Digits":
      return [splitBy(compilePattern({ Regex: step.individual_digits ? digitPattern : digitsPattern }), "Isolated", false)]
    case "ByteLevel": {
      const steps: Step[] = []
      if (step.add_prefix_space) steps.push((text) => [text.startsWith(" ") ? text : ` ${text}`])
      if (step.use_regex) steps.push(splitBy(compilePattern({ Regex: gpt2Pattern }), "Isolated", false))
      return steps
    }
    case "Metaspace": {
      const scheme = step.prepend_scheme ?? (step.add_prefix_space === false ? "never" : "always")
      const mark: Step = (text, isFirst) => {
        const marked = text.replaceAll(" ", () => step.replacement)
        const isPrefixed = scheme === "always" || (scheme === "first" && isFirst)
        return [isPrefixed && !marked.startsWith(step.replacement) ? step.replacement + marked : marked]
      }
      if (step.split === false) return [mark]
      return [mark, splitBy(compilePattern({ String: step.replacement }), "MergedWithNext", false)]
    }
  }
}

/** Cuts the text into matches and what lies between them, then joins them as `behavior` says. No piece is empty. */
function splitBy(pattern: RegExp, behavior: Behavior, invert: boolean): Step {
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
