// What Python makes of a few thousand mixed lines, family by family, as checksums of blocks of lines.
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { expect } from "vitest"
import type { Tokenizer } from "../../../../main/engine/tokenizer/tokenizer.ts"

const blockLines = 50
export const folder = "test/golden/tokenizers"

export interface IdChecks {
  first: number[][]
  ids: string[]
}
export interface Expected extends IdChecks {
  before: number[]
  after: number[]
  tokens: string[]
  decoded: string[]
  plain: string[]
}
export interface Family extends Partial<Expected> {
  name: string
  file?: string
  folder?: string
  config?: Record<string, unknown>
  sentencepiece?: IdChecks & { without: string[]; except: number[] }
}

const read = (name: string) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"))
export const families: Family[] = read("families.json")
export const mixedLines: string[] = read("mixed-lines.json")

/** Of every block the start of the SHA-256 of length, colon and text of every text in it. */
function checksums(lines: string[][]): string[] {
  const sums: string[] = []
  for (let i = 0; i < lines.length; i += blockLines) {
    const hash = createHash("sha256")
    for (const text of lines.slice(i, i + blockLines).flat()) hash.update(`${Buffer.byteLength(text)}:${text}`)
    sums.push(hash.digest("hex").slice(0, 16))
  }
  return sums
}

/** Numbered from 0: the lines of block n are the lines from n * 50 on. */
function differingBlocks(found: string[][], expected: string[]): number[] {
  const sums = checksums(found)
  expect(sums.length).toBe(expected.length)
  return [...sums.keys()].filter((i) => sums[i] !== expected[i])
}

export function expectIds(tokenizer: Tokenizer, lines: string[], expected: IdChecks): number[][] {
  const ids = lines.map((line) => tokenizer.encode(line))
  expect(ids.slice(0, expected.first.length)).toEqual(expected.first)
  const text = ids.map((line) => [line.join(",")])
  expect(differingBlocks(text, expected.ids), "blocks with other ids").toEqual([])
  return ids
}

export function expectAgreement(tokenizer: Tokenizer, expected: Expected): void {
  const ids = expectIds(tokenizer, mixedLines, expected)
  const texts = (make: (line: number[]) => string[]) => ids.map(make)
  const blocks = {
    tokens: differingBlocks(
      texts((line) => line.map(tokenizer.tokenText)),
      expected.tokens,
    ),
    decoded: differingBlocks(
      texts((line) => [tokenizer.decode(line)]),
      expected.decoded,
    ),
    plain: differingBlocks(
      texts((line) => [tokenizer.decode(line, { skipSpecial: true })]),
      expected.plain,
    ),
  }
  expect(blocks, "blocks that differ").toEqual({ tokens: [], decoded: [], plain: [] })
  const whole = [...expected.before, ...tokenizer.encode("Hello"), ...expected.after]
  expect(tokenizer.encode("Hello", { addSpecial: true })).toEqual(whole)
}

/** Token by token the text grows to what decoding the whole gives, and no character comes in halves. */
export function expectStreams(tokenizer: Tokenizer): void {
  for (let i = 0; i < mixedLines.length; i += 5) {
    const ids = tokenizer.encode(mixedLines[i]!)
    const whole = tokenizer.decode(ids)
    const stream = tokenizer.stream()
    const parts = [...ids.map((id) => stream.push([id])), stream.end()]
    expect(parts.join(""), `line ${i}`).toBe(whole)
    expect(parts.every((part) => part.isWellFormed() && (!part.includes("\ufffd") || whole.includes("\ufffd")))).toBe(true)
  }
}
