import { describe, expect, test } from "vitest"
import { createTokenizer, type Tokenizer } from "../../../../main/engine/tokenizer/tokenizer.ts"
import { changed, folderOf, golden, sourceOf } from "./golden-tokenizers.ts"

function streamed(tokenizer: Tokenizer, ids: number[], skipSpecial: boolean): string[] {
  const stream = tokenizer.stream({ skipSpecial })
  return [...ids.map((id) => stream.push([id])), stream.end()]
}

describe.each(golden.tokenizers)("$kind agrees with Python's tokenizers", ({ folder, ids, decoded, decoded_plain, with_special }) => {
  const tokenizer = createTokenizer(sourceOf(folder))
  const cases = golden.texts.map((text, i) => {
    const whole = decoded[i] ?? text
    return { text, ids: ids[i]!, whole, plain: decoded_plain[i] ?? whole }
  })

  test("text to ids", () => {
    for (const each of cases) expect(tokenizer.encode(each.text), JSON.stringify(each.text)).toEqual(each.ids)
  })

  test("ids to text", () => {
    for (const each of cases) {
      expect(tokenizer.decode(each.ids), JSON.stringify(each.text)).toBe(each.whole)
      expect(tokenizer.decode(each.ids, { skipSpecial: true }), JSON.stringify(each.text)).toBe(each.plain)
    }
  })

  test("the tokens that the model wants around a text", () => {
    const around = [...with_special.before, ...tokenizer.encode("Hello"), ...with_special.after]
    expect(tokenizer.encode("Hello", { addSpecial: true })).toEqual(around)
  })

  test("one token at a time gives the same text, never half a character", () => {
    for (const { ids, whole, plain } of cases) {
      for (const [skipSpecial, expected] of [
        [false, whole],
        [true, plain],
      ] as const) {
        const parts = streamed(tokenizer, ids, skipSpecial)
        expect(parts.join("")).toBe(expected)
        expect(parts.every((part) => part.isWellFormed())).toBe(true)
        if (!expected.includes("\ufffd")) expect(parts.some((part) => part.includes("\ufffd"))).toBe(false)
      }
    }
  })
})

describe("the starter model's pre-tokenizer and merges", () => {
  test("names and special tokens", () => {
    const tokenizer = createTokenizer(sourceOf(folderOf("smollm")))
    expect(tokenizer.vocabSize).toBe(320)
    expect(tokenizer.idOf("<|im_end|>")).toBe(2)
    expect(tokenizer.tokenText(2)).toBe("<|im_end|>")
    expect(tokenizer.isSpecial(2)).toBe(true)
    expect(tokenizer.isSpecial(tokenizer.idOf("a")!)).toBe(false)
    expect(tokenizer.idOf("no such token")).toBeUndefined()
    expect(tokenizer.tokenText(100_000)).toBe("")
  })

  test("ids that no token has, and none at all, give no text", () => {
    const tokenizer = createTokenizer(sourceOf(folderOf("smollm")))
    expect(tokenizer.decode([])).toBe("")
    expect(tokenizer.decode([-1, 320, 1e9, 0.5, Number.NaN])).toBe("")
  })

  test("half a surrogate pair is encoded as the replacement character", () => {
    const tokenizer = createTokenizer(sourceOf(folderOf("smollm")))
    expect(tokenizer.encode("a\ud83d")).toEqual(tokenizer.encode("a\ufffd"))
  })
})

describe("streaming", () => {
  /** mulberry32 */
  function random(seed: number): () => number {
    let state = seed
    return () => {
      state = (state + 0x6d2b79f5) | 0
      let t = Math.imul(state ^ (state >>> 15), 1 | state)
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
    }
  }

  test.each(golden.tokenizers)("$kind: random ids in random portions add up to decode", ({ folder }) => {
    const tokenizer = createTokenizer(sourceOf(folder))
    const next = random(7)
    for (let run = 0; run < 200; run++) {
      // The first 260 tokens hold most of the single bytes: many broken characters.
      const ids = Array.from({ length: 40 }, () => Math.floor(next() * (run % 2 ? 260 : tokenizer.vocabSize)))
      const skipSpecial = next() < 0.5
      const stream = tokenizer.stream({ skipSpecial })
      let text = ""
      for (let i = 0; i < ids.length; ) {
        const portion = ids.slice(i, i + 1 + Math.floor(next() * 4))
        i += portion.length
        text += stream.push(portion)
      }
      expect(text + stream.end(), `seed 7, run ${run}`).toBe(tokenizer.decode(ids, { skipSpecial }))
    }
  })

  test("a character of four byte tokens comes whole, with the fourth", () => {
    for (const kind of ["smollm", "spm"]) {
      const tokenizer = createTokenizer(sourceOf(folderOf(kind)))
      const parts = streamed(tokenizer, tokenizer.encode("😀").slice(-4), false)
      expect(parts).toEqual(["", "", "", "😀", ""])
    }
  })

  test("what is cut off in the middle of a character becomes one replacement character", () => {
    const tokenizer = createTokenizer(sourceOf(folderOf("spm")))
    expect(tokenizer.decode(tokenizer.encode("x😀").slice(0, -1))).toBe("x\ufffd")
  })

  test("the work per token does not grow with the text", () => {
    const tokenizer = createTokenizer(sourceOf(folderOf("spm")))
    const id = tokenizer.idOf("a")!
    const stream = tokenizer.stream()
    const start = performance.now()
    for (let i = 0; i < 200_000; i++) stream.push([id])
    expect(stream.end()).toBe("")
    expect(performance.now() - start).toBeLessThan(5000)
  })
})

describe("added tokens", () => {
  const added = (id: number, content: string, more: object = {}) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: false,
    ...more,
  })

  test("the longest wins, white space around is taken along where the token says so", () => {
    const tokenizer = changed("smollm", (json) => {
      json.added_tokens.push(
        added(320, "<x>"),
        added(321, "<x><y>"),
        added(322, "<l>", { lstrip: true }),
        added(323, "<r>", { rstrip: true }),
      )
    })
    expect(tokenizer.encode("<x><y><x>")).toEqual([321, 320])
    expect(tokenizer.encode("  <l><r> \n\u0085a")).toEqual([322, 323, ...tokenizer.encode("a")])
    expect(tokenizer.encode("\ufeff<l>")).toEqual([...tokenizer.encode("\ufeff"), 322])
  })

  test("a single word is not found inside another", () => {
    const tokenizer = changed("smollm", (json) => json.added_tokens.push(added(320, "zap", { single_word: true })))
    expect(tokenizer.encode("zap zap!")).toContain(320)
    expect(tokenizer.encode("zapper unzap éżzap")).not.toContain(320)
  })

  test("a normalized one is found in the normalized text", () => {
    const tokenizer = changed("qwen2", (json) => json.added_tokens.push(added(320, "é!", { normalized: true })))
    expect(tokenizer.encode("e\u0301!")).toEqual([320])
  })

  test("those that only tokenizer_config.json declares are recognized", () => {
    const tokenizer = changed(
      "smollm",
      (json) => {
        json.added_tokens = json.added_tokens.filter((token) => token.id !== 2)
      },
      { eos_token: { content: "<|im_end|>" }, added_tokens_decoder: { "999": { content: "nowhere" } } },
    )
    expect(tokenizer.encode("<|im_end|>")).toEqual([2])
    expect(tokenizer.isSpecial(2)).toBe(true)
  })
})

test("a text of 200 kB takes seconds at most, in one piece or in many", () => {
  const text = "The quick brown fox jumps over 12 lazy dogs; été 你好. ".repeat(4000)
  for (const kind of ["qwen2", "spm"]) {
    const tokenizer = createTokenizer(sourceOf(folderOf(kind)))
    const start = performance.now()
    const ids = tokenizer.encode(text)
    expect(performance.now() - start, kind).toBeLessThan(10_000)
    expect(tokenizer.decode(ids)).toBe(text)
  }
})
