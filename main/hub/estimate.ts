// What a model in a list would about take, from its number of parameters alone: enough for a badge. Its own page has the exact plan.
import type { Format } from "../../shared/schema/format.ts"
import type { PlanVerdict } from "../../shared/schema/plan.ts"
import type { Estimate } from "./model-info.ts"

/** Best quality first, with bits per weight of the linear layers, scales included (bitsandbytes.md 2). */
const formats: { format: Format; bits: number }[] = [
  { format: "bf16", bits: 16 },
  { format: "int8", bits: 8.01 },
  { format: "nf4", bits: 4.5 },
  { format: "nf4-dq", bits: 4.13 },
]

/** The engine itself, and activations. */
const engine_bytes = 96 * 2 ** 20
/**
 * Cache of 8,192 tokens. It grows slower than models: 180 MiB of SmolLM2-135M, 256 MiB of Llama-3.2-1B, 1 GiB of Llama-3.1-8B and 2.5 GiB
 * of Llama-3.1-70B are about as the square root. (Those of older models, with a key and a value for every head, are four times as large.)
 */
const cacheOf = (parameters: number) => 2 ** 30 * Math.sqrt(parameters / 8e9)

/** Less than this share left: tight. */
const spare = 0.1

/**
 * Of all parameters those that stay in 16 bits: embeddings and norms. Vocabularies grow slower than models: 28 % of Qwen2.5-0.5B, 13 % of
 * Llama-3.1-8B, 3 % of Llama-3.1-70B are about 0.2 * (10^9 / parameters)^0.4, within a third.
 */
function keptShare(parameters: number): number {
  return Math.min(0.5, 0.2 * (1e9 / parameters) ** 0.4)
}

/** `usable`: bytes that a model may take now. */
export function estimateFor(usable: () => number): Estimate {
  return ({ parameters }) => {
    const room = usable()
    const kept = keptShare(parameters)
    const bytesIn = (bits: number) => parameters * (kept * 2 + ((1 - kept) * bits) / 8) + cacheOf(parameters) + engine_bytes
    const verdictOf = (bytes: number): PlanVerdict => (bytes <= room * (1 - spare) ? "fits" : bytes <= room ? "tight" : "too_big")
    const sized = formats.map(({ format, bits }) => ({ format, bytes: Math.round(bytesIn(bits)) }))
    const best = sized.find(({ bytes }) => verdictOf(bytes) === "fits") ?? sized.find(({ bytes }) => verdictOf(bytes) === "tight")
    // Nothing fits: what the smallest would take says how much is missing.
    return best ? { best, verdict: verdictOf(best.bytes) } : { best: sized.at(-1) ?? null, verdict: "too_big" }
  }
}
