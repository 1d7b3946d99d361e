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
import { type ComparedModel, openComparison } from "./quality-models.ts"
import { runEvaluation } from "./quality-steps.ts"
import { cutWindows, readTextFile } from "./quality-windows.ts"
import { openText } from "./text.ts"

export async function measureQuality(
  addon: EngineAddon,
  arrivals: Arrivals,
  options: z.output<typeof QualityOptions>,
  context: CallContext<z.output<typeof QualityProgress>>,
): Promise<QualityReport> {
  const started = performance.now()
  const { textFile, maxTokens, threads, compute } = options
  const text = textFile === undefined ? (await import("./quality-text.ts")).qualityText : await readTextFile(textFile)
  const { reader, models } = await openComparison(options)
  context.signal.throwIfAborted()
  const window = Math.min(options.window, ...models.map(({ native }) => native.source.decoder.maxContext))
  const windows = cutWindows((await openText(reader)).tokenizer(), text, { window, maxTokens })
  const { positions, figures } = await runEvaluation({
    ...{ ...context, addon, arrivals: options.isArriving ? arrivals : undefined },
    options: {
      models: models.map(({ native }) => native),
      windows: windows.map((tokens) => ({ tokens })),
      compute: chooseCompute(addon, { compute, backend: "auto" }),
      ...{ threads, backend: "auto", memoryLimitBytes: 0 },
    },
  })
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

function named({ format }: ComparedModel, figures: NativeModelFigures): QualityFigures {
  return { format, ...figures }
}
