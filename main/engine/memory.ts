// What a loaded model takes of the process's memory, beside what its plan says for as many tokens as the cache has held.
import type { ModelMemory } from "../../shared/contract/engine.ts"
import type { MemoryPlan } from "../../shared/schema/model.ts"
import type { MemoryParts } from "../../shared/schema/plan.ts"
import type { EngineAddon } from "./addon-types.ts"
import type { HeldModel, MemoryBase } from "./model-slot.ts"
import { scriptBytes, scriptBytesAtStart, textBytes } from "./script-memory.ts"

/** From here on the peak is that of what comes next. */
export function beginMeasuring(addon: EngineAddon): MemoryBase {
  addon.resetPeakResident()
  return memoryBase(addon, null)
}

/** The process without the model: now, or as it was before it was loaded. */
export function memoryBase(addon: EngineAddon, held: HeldModel | null): MemoryBase {
  return held ? held.base : { residentBytes: addon.info().residentBytes, scriptBytes: scriptBytes() }
}

/**
 * What the process will take at its peak beside the model itself. Making the tokenizer takes the most, but then `later` bytes (of keys and
 * values) are not there yet. Room that JavaScript has from before is used again.
 */
export function contextBytes(base: MemoryBase, vocabularySize: number, later: number): number {
  const { most, kept } = textBytes(vocabularySize)
  const room = Math.max(0, base.scriptBytes - scriptBytesAtStart)
  return base.residentBytes + Math.max(0, Math.max(kept, most - later) - room)
}

export function modelMemory(addon: EngineAddon, { base, opened, shown, mostTokens }: HeldModel): ModelMemory {
  const { residentBytes, peakResidentBytes } = addon.info()
  const used = usedOf(shown.plan, mostTokens, shown.context)
  const context = (later: number) => contextBytes(base, opened.decoder.vocabSize, later)
  const predicted = { ...used, context: context(used.kv) }
  return {
    tokens: mostTokens,
    predicted,
    predictedBytes: Object.values(predicted).reduce((sum, bytes) => sum + bytes, 0),
    inUse: { ...used, context: context(Number.POSITIVE_INFINITY) },
    peakBytes: peakResidentBytes,
    residentBytes,
  }
}

/** Forward::kMaxTokens and kMaxLogitRows of native/model/forward.h: tokens of one chunk, rows of logits; a reply needs one. */
const chunkTokens = 512
const logitRows = 16

/** Pages that were never written to are in no memory: of the cache those of tokens to come, of the rooms those of longer chunks. */
function usedOf(plan: MemoryPlan, tokens: number, context: number): MemoryParts {
  const { weights, scales, unquantized, kv, activations, logits, scratch } = plan
  const ofChunk = Math.min(1, tokens / Math.min(chunkTokens, context))
  return {
    ...{ weights, scales, unquantized },
    kv: (kv * Math.min(tokens, context)) / context,
    activations: activations * ofChunk,
    logits: tokens > 0 ? logits / logitRows : 0,
    scratch: scratch * ofChunk,
    ...{ lora: 0, gradients: 0, optimizer: 0, context: 0 },
  }
}
