// What formats typically keep of a model: the share of next tokens that stay those of the 16-bit model. Shown until it is measured.
//
// Where the figures are from:
//  (a) llama.cpp, tools/perplexity/README.md, "same top p" against f16 on Wikitext-2: Llama 3 8B 97.7 % in Q8_0, 91.9 % in Q4_K_M; Llama 2 7B
//      98.8 % and 94.7 %. Its KL divergences put IQ4_NL, a code book for blocks like NF4, at 0.036 and Q4_0 at 0.072: about 91 % and 88 %.
//  (b) LLM.int8() (arXiv 2208.07339, table 1): perplexity on C4 as in 32 bits from 2.7 to 13 billion parameters.
//  (c) QLoRA (arXiv 2305.14314, table 2): mean perplexity 27.41 for NF4 with double quantization, 31.07 for FP4, 34.34 for Int4 over models
//      of 125 million to 13 billion parameters; double quantization costs nothing that they could measure.
//  (d) `nibble eval` on SmolLM2-135M-Instruct, 1497 tokens of the bundled text: 91.5 % in INT8, 68.9 % in NF4, 61.3 % in FP4.
//  (e) llama.cpp as in (a), Llama 2 70B: the perplexity of Q4_0 grows by 3.6 %, half of what it grows by at 8 billion (7.5 %).
// Models between the sizes of (d) and (a) have figures between theirs.
import type { Format } from "../../shared/schema/format.ts"
import type { QualityEstimate } from "../../shared/schema/plan.ts"

interface SizeClass {
  /** Parameters below which it counts. */
  below: number
  int8: number
  nf4: number
  fp4: number
}

const classes: readonly SizeClass[] = [
  { below: 3e8, int8: 0.915, nf4: 0.69, fp4: 0.61 }, // (d)
  { below: 2e9, int8: 0.955, nf4: 0.83, fp4: 0.78 }, // between
  { below: 2e10, int8: 0.975, nf4: 0.905, fp4: 0.875 }, // (a), (b), (c)
  { below: Number.POSITIVE_INFINITY, int8: 0.985, nf4: 0.94, fp4: 0.915 }, // (a), (e)
]

/** What scales of 8 bits lose of the share, at most. */
const nested_loss = 0.002

/** Larger is better; formats of one value keep the same. Of the plain ones the one that a model is stored in is the reference. */
export function typicalQuality(format: Format, parameters: number): QualityEstimate {
  const size = classes.find(({ below }) => parameters < below)
  const kind = format === "int8" ? "int8" : format.startsWith("nf4") ? "nf4" : format.startsWith("fp4") ? "fp4" : null
  if (!size || kind === null) return { sameTopToken: 1, basis: "reference" }
  return { sameTopToken: size[kind] - (format.endsWith("-dq") ? nested_loss : 0), basis: "typical" }
}

/** What was measured of a format of the model at hand; null: nothing. */
export type MeasuredShare = (format: Format) => number | null

export function qualityOf(format: Format, parameters: number, measured: MeasuredShare): QualityEstimate {
  const typical = typicalQuality(format, parameters)
  if (typical.basis === "reference") return typical
  const share = measured(format)
  return share === null ? typical : { sameTopToken: share, basis: "measured" }
}

/** The best first. */
export const byQuality: readonly Format[] = ["fp32", "bf16", "fp16", "int8", "nf4", "nf4-dq", "fp4", "fp4-dq"]
