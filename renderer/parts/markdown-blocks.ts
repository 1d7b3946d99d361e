// Cuts Markdown into blocks that can be parsed apart, so that only the last one is parsed again while a reply grows. Joined, the blocks
// are the text again.

const fence = /^ {0,3}(`{3,}|~{3,})/
const listItem = /^ {0,3}([-*+]|\d{1,9}[.)])(\s|$)/
/** Definitions are meant for the whole text: a text with one stays whole. */
const definition = /^ {0,3}\[[^\]]+\]:/m

export function markdownBlocks(text: string): string[] {
  if (definition.test(text)) return [text]
  const blocks: string[] = []
  let block = ""
  let openFence: string | null = null
  let isList = false
  let isAfterBlank = false

  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const isBlank = line.trim() === ""
    // A list goes on after a blank line with another item or with what is indented under one.
    const goesOn = isList && (listItem.test(line) || /^( {2,}|\t)/.test(line))
    if (openFence === null && isAfterBlank && !isBlank && !goesOn && !/^( {4}|\t)/.test(line)) {
      blocks.push(block)
      block = ""
      isList = false
    }
    if (openFence === null && block.trim() === "" && listItem.test(line)) isList = true
    const mark = line.match(fence)?.[1]
    if (mark && openFence === null) openFence = mark
    else if (mark && openFence !== null && mark.startsWith(openFence) && line.trim() === mark) openFence = null
    block += line
    isAfterBlank = isBlank && openFence === null
  }
  if (block) blocks.push(block)
  return blocks
}
