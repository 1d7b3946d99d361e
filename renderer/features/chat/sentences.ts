// What a screen reader is told of a growing reply: whole sentences, not tokens.

const end = /[.!?…]["')\]]?(?=\s)|[。！？]["”」』）]?|\n/g

/** Where the last complete sentence after `from` ends; `from` itself when there is none. */
export function sentenceEnd(text: string, from: number): number {
  let last = from
  end.lastIndex = from
  for (let match = end.exec(text); match; match = end.exec(text)) last = end.lastIndex
  end.lastIndex = 0
  return last
}

/** Without the marks of Markdown, which would be read aloud. */
export function spoken(text: string): string {
  return text
    .replace(/^ {0,3}(#{1,6} |[-*+] |> )/gm, "")
    .replace(/[*_`~|]+/g, "")
    .replace(/\s+/g, " ")
    .trim()
}
