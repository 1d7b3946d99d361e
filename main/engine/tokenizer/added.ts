// Finds the added tokens (special ones among them) in a text: the longest at each place, from left to right, as Hugging Face's
// tokenizers do. What lies between them is encoded on its own.
import type { AddedToken } from "./json.ts"

export interface TextPart {
  /** The added token that this part is, or null. */
  id: number | null
  text: string
}

interface Node {
  next: Map<number, Node>
  token: AddedToken | null
}

const newNode = (): Node => ({ next: new Map(), token: null })

// White space as Rust has it: JavaScript's \s lacks U+0085 and has U+FEFF. All of it lies below U+10000.
const isSpace = /^\p{White_Space}$/u

/** Where the white space before `end` begins, at `floor` at the earliest. */
export function spaceStart(text: string, end: number, floor = 0): number {
  let start = end
  while (start > floor && isSpace.test(text[start - 1]!)) start--
  return start
}

/** Where the white space from `start` on ends. */
export function spaceEnd(text: string, start: number): number {
  let end = start
  while (end < text.length && isSpace.test(text[end]!)) end++
  return end
}

const wordAtEnd = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]$/u
const wordAtStart = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]/u

/** `written` gives how a token appears in the text that is searched (after normalization, where that applies). */
export function createAddedTokenFinder(tokens: AddedToken[], written: (content: string) => string): (text: string) => TextPart[] {
  const root = newNode()
  for (const token of tokens) {
    let node = root
    const content = written(token.content)
    for (let i = 0; i < content.length; i++) {
      const code = content.charCodeAt(i)
      const next = node.next.get(code) ?? newNode()
      node.next.set(code, next)
      node = next
    }
    if (node !== root) node.token = token
  }

  function longestAt(text: string, start: number): { token: AddedToken; end: number } | null {
    let found: { token: AddedToken; end: number } | null = null
    let node: Node | undefined = root
    for (let i = start; i < text.length; i++) {
      node = node.next.get(text.charCodeAt(i))
      if (!node) break
      if (node.token) found = { token: node.token, end: i + 1 }
    }
    return found
  }

  return (text) => {
    const parts: TextPart[] = []
    let done = 0
    for (let i = 0; i < text.length; ) {
      const match = root.next.has(text.charCodeAt(i)) ? longestAt(text, i) : null
      if (!match) {
        i++
        continue
      }
      const { token } = match
      let start = i
      let end = match.end
      i = end
      if (token.single_word && (wordAtEnd.test(text.slice(Math.max(0, start - 2), start)) || wordAtStart.test(text.slice(end, end + 2))))
        continue
      if (token.lstrip) start = spaceStart(text, start, done)
      if (token.rstrip) end = spaceEnd(text, end)
      if (start > done) parts.push({ id: null, text: text.slice(done, start) })
      parts.push({ id: token.id, text: text.slice(start, end) })
      done = end
      i = end
    }
    if (done < text.length) parts.push({ id: null, text: text.slice(done) })
    return parts
  }
}
