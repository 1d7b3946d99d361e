// How much a format changes a model: measured against the 16-bit original on a text.
import { z } from "zod"
import { Format } from "./format.ts"

export const QualityFigures = z.object({
  format: Format,
  /** exp of the mean negative log-likelihood of the next token, in nats. */
  perplexity: z.number(),
  /** KL(original || this format) of the next-token distribution, nats per token. 0 for the original. */
  klMean: z.number(),
  klMax: z.number(),
  /** Share of positions where both give the same most likely token, 0 .. 1. */
  sameTopToken: z.number(),
})
export type QualityFigures = z.infer<typeof QualityFigures>

export const QualityReport = z.object({
  /** "bundled" or the name of the user's file. */
  text: z.string(),
  /** Positions that were predicted. */
  tokens: z.int(),
  /** Tokens of one window; each begins afresh. */
  window: z.int(),
  original: QualityFigures,
  formats: z.array(QualityFigures),
  seconds: z.number(),
  measuredAt: z.number(),
})
export type QualityReport = z.infer<typeof QualityReport>
