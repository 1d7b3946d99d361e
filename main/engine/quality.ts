// How much formats change a model, measured on a text: perplexity, and KL divergence and most likely token against the original. All run
// side by side, layer by layer, so that no more than one layer's weights are in memory.
import { basename } from "node:path"
import type { z } from "zod"
import type { QualityOptions, QualityProgress } from "../../shared/contract/engine.ts"
import type { CallContext } from "../../shared/rpc.ts"
import type { QualityFigures, QualityReport } from "../../shared/schema/quality.ts"
import type { EngineAddon, NativeModelFigures } from "./addon-types.ts"
import type { Arrivals } from "./arrivals.ts"
import { chooseCompute } from "./load.ts"
import { least, measureSecondsPerToken, most, tokensWithin } from "./quality-length.ts"
import { type ComparedModel, openComparison } from "./quality-models.ts"
import { type EvaluationWork, runEvaluation, stepsArrived } from "./quality-steps.ts"
import { cutWindows, readTextFile } from "./quality-windows.ts"
import { openText } from "./text.ts"

export async function measureQuality(
  addon: EngineAddon,
  arrivals: Arrivals,
  options: z.output<typeof QualityOptions>,
  context: CallContext<z.output<typeof QualityProgress>>,
): Promise<QualityReport> {
  const started = performance.now()
  const { textFile, maxTokens, threads, compute, isArriving } = options
  const text = textFile === undefined ? (await import("./quality-text.ts")).qualityText : await readTextFile(textFile)
  const { reader, models } = await openComparison(options)
  context.signal.throwIfAborted()
  const window = Math.min(options.window, ...models.map(({ native }) => native.source.decoder.maxContext))
  const tokenizer = (await openText(reader)).tokenizer()
  const windows = (limit: number) => cutWindows(tokenizer, text, { window, maxTokens: limit }).map((tokens) => ({ tokens }))
  const work: EvaluationWork = {
    ...{ ...context, addon, arrivals: isArriving ? arrivals : undefined },
    options: {
      models: models.map(({ native }) => native),
      windows: windows(maxTokens ?? most),
      compute: chooseCompute(addon, { compute, backend: "auto" }),
      ...{ threads, backend: "auto", memoryLimitBytes: 0 },
    },
  }
  if (maxTokens === undefined) work.options.windows = windows(await usualTokens(work))
  const { positions, figures } = await runEvaluation(work)
  const [first, ...others] = models.map((model, i) => named(model, figures[i] as NativeModelFigures)) as [
    QualityFigures,
    ...QualityFigures[],
  ]
  return {
    text: textFile === undefined ? "bundled" : basename(textFile),
    ...{ tokens: positions, window, original: first, formats: others },
    seconds: (performance.now() - started) / 1000,
    measuredAt: Date.now(),
  }
}

/** Of a text that is shorter, all are taken. */
async function usualTokens({ addon, options, arrivals, signal, emit }: EvaluationWork): Promise<number> {
  if (options.windows.reduce((sum, { tokens }) => sum + tokens.length, 0) <= least) return most
  await emit({ fraction: 0, item: "", ...(arrivals ? { filesDone: [] } : {}) })
  if (arrivals) await stepsArrived(arrivals, options, 2, signal)
  return tokensWithin(await measureSecondsPerToken(addon, options, signal))
}

function named({ format }: ComparedModel, figures: NativeModelFigures): QualityFigures {
  return { format, ...figures }
}
