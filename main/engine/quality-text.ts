// The text that quality is measured on where none is given: what models read and write, in many kinds. All of it was written for this program
// but for three short passages that are in the public domain; none of it is from the sets that models are usually trained or tested on.
import { code } from "./quality-text/code.ts"
import { knowledge } from "./quality-text/knowledge.ts"
import { languages } from "./quality-text/languages.ts"
import { stories } from "./quality-text/stories.ts"

/** In an order in which the first few thousand tokens have something of each. */
export const qualityText = interleave([stories, knowledge, code, languages].map((text) => text.split(/\n(?=\n)/)))

/** Paragraphs of each text in turn, so many of it at once as its length asks for; each text keeps its own order. */
function interleave(texts: string[][]): string {
  const rounds = 4
  const pieces = Array.from({ length: rounds }, (_, round) =>
    texts.map((paragraphs) => {
      const at = (n: number) => Math.round((n * paragraphs.length) / rounds)
      return paragraphs
        .slice(at(round), at(round + 1))
        .map(unwrapped)
        .join("\n")
    }),
  )
  return `${pieces.flat().filter(Boolean).join("\n").trim()}\n`
}

/** Prose stands in lines here because source text does; where each line but the last is about full, the breaks are no part of it. */
function unwrapped(paragraph: string): string {
  const lines = paragraph.replace(/^\n/, "").split("\n")
  const isWrapped = lines.length > 1 && lines.slice(0, -1).every((line) => line.length > 115 && !/[|{};]$/.test(line))
  return `\n${lines.join(isWrapped ? " " : "\n")}`
}
