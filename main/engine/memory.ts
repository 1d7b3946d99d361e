// What a loaded model takes of the process's memory, beside what its plan says for as many tokens as the cache has held.
import type { ModelMemory } from "../../shared/contract/engine.ts"
import type { MemoryPlan } from "../../shared/schema/model.ts"
import type { MemoryParts } from "../../shared/schema/plan.ts"
import type { EngineAddon } from "./addon-types.ts"
import type { HeldModel, MemoryBase } from "./model-slot.ts"

/** From here on the peak is that of what comes next. */
export function beginMeasuring(addon: EngineAddon): MemoryBase {
  addon.resetPeakResident()
  return { residentBytes: addon.info().residentBytes, scriptBytes: scriptBytes() }
}

/** What the process takes without the model, now or before it was loaded. */
export function baseBytes(addon: EngineAddon, held: HeldModel | null): number {
  return held ? held.base.residentBytes : addon.info().residentBytes
}

export function modelMemory(addon: EngineAddon, { base, shown, mostTokens }: HeldModel): ModelMemory {
  const { residentBytes, peakResidentBytes } = addon.info()
  // The tokenizer and the headers are JavaScript's: it counts them itself.
  const context = base.residentBytes + Math.max(0, scriptBytes() - base.scriptBytes)
  const predicted = { ...usedOf(shown.plan, mostTokens, shown.context), context }
  return {
    tokens: mostTokens,
    predicted,
    predictedBytes: Object.values(predicted).reduce((sum, bytes) => sum + bytes, 0),
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

function scriptBytes(): number {
  const { heapTotal, external } = process.memoryUsage()
  return heapTotal + external
}
