// What JavaScript holds: what a tokenizer will take is known before it is made, and what making it left behind is given back.
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it, vi } from "vitest"
import type { EngineAddon } from "../../../main/engine/addon-types.ts"
import { contextBytes } from "../../../main/engine/memory.ts"
import { releaseGarbage, scriptBytes, scriptBytesAtStart, textBytes } from "../../../main/engine/script-memory.ts"

const mib = 2 ** 20

describe("what a tokenizer takes", () => {
  it.each([
    // By bench/tokenizer-memory.ts: at the peak, and when it was tidied up.
    [1000, 10, 10],
    [32_000, 46, 16],
    [49_152, 69, 22],
    [64_000, 69, 25],
    [128_000, 125, 43],
    [256_000, 209, 79],
  ])("of %i entries is near to what was measured", (entries, most, kept) => {
    const found = textBytes(entries)
    expect(Math.abs(found.most / mib - most)).toBeLessThan(8)
    expect(Math.abs(found.kept / mib - kept)).toBeLessThan(3)
  })

  it("comes on top of the process, less the room that JavaScript has from before", () => {
    const { most, kept } = textBytes(49_152)
    const fresh = { residentBytes: 60 * mib, scriptBytes: scriptBytesAtStart }
    expect(contextBytes(fresh, 49_152, 0)).toBe(60 * mib + most)
    const used = { residentBytes: 70 * mib, scriptBytes: scriptBytesAtStart + 10 * mib }
    expect(contextBytes(used, 49_152, 0)).toBe(60 * mib + most)
    // Keys and values of a long chat come when what making it took is gone.
    expect(contextBytes(fresh, 49_152, 20 * mib)).toBe(40 * mib + most)
    expect(contextBytes(fresh, 49_152, 200 * mib)).toBe(60 * mib + kept)
    const roomy = { residentBytes: 300 * mib, scriptBytes: scriptBytesAtStart + 200 * mib }
    expect(contextBytes(roomy, 49_152, 0)).toBe(300 * mib)
  })
})

it("gives back what is not needed any more, and the pages that malloc holds", () => {
  // As the host is started.
  setFlagsFromString("--expose-gc")
  vi.stubGlobal("gc", runInNewContext("gc"))
  const addon = { releaseFreeMemory: vi.fn<EngineAddon["releaseFreeMemory"]>() }
  let words: string[] | null = Array.from({ length: 1_500_000 }, (_, index) => `word ${index}`)
  const most = scriptBytes()
  expect(words.length).toBe(1_500_000)
  words = null
  releaseGarbage(addon)
  expect(most - scriptBytes()).toBeGreaterThan(50 * mib)
  expect(addon.releaseFreeMemory).toHaveBeenCalledOnce()
})
