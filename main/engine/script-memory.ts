// What JavaScript holds in the engine's process. Imported as the host starts, so that it knows how that was.
import type { EngineAddon } from "./addon-types.ts"

/** Its heap, and what it holds outside. */
export function scriptBytes(): number {
  const { heapTotal, external } = process.memoryUsage()
  return heapTotal + external
}

export const scriptBytesAtStart = scriptBytes()

const mib = 2 ** 20

/**
 * What a tokenizer and the readers of a model add to a fresh process: at most while they are made, and after releaseGarbage. Fits to
 * vocabularies of 1,000 to 256,000 entries, within 10 and 7 MiB (bench/tokenizer-memory.ts).
 */
export function textBytes(vocabularySize: number): { most: number; kept: number } {
  return {
    most: Math.round(14 * mib + 48 * mib * (vocabularySize / 49_152) ** 0.83),
    kept: Math.round(9 * mib + 290 * vocabularySize),
  }
}

/** After the last collection. */
let left = scriptBytesAtStart

/** Worth the time that it takes, 50 to 160 ms. */
const worthwhile_bytes = 24 * mib

/**
 * Gives back what making a tokenizer, or plans, have left behind: of a tokenizer four fifths of what it took, 40 to 120 MiB. V8 would keep
 * it, for it does not know that weights want the memory.
 */
export function releaseGarbage(addon: Pick<EngineAddon, "releaseFreeMemory">): void {
  if (scriptBytes() - left < worthwhile_bytes) return
  // As the host is started; without it V8 does as it likes.
  globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" })
  addon.releaseFreeMemory()
  left = scriptBytes()
}
