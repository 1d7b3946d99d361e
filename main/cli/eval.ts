// nibble eval: perplexity on a text, and the distance from a baseline.
import { resolve } from "node:path"
import type { EngineContract } from "../../shared/contract/engine.ts"
import type { Client } from "../../shared/rpc.ts"
import { ComputeType, QuantizedFormat } from "../../shared/schema/format.ts"
import type { QualityFigures, QualityReport } from "../../shared/schema/quality.ts"
import { defineCommand } from "./command.ts"
import { blockSizes } from "./load-options.ts"
import { chooseModel } from "./model-path.ts"
import { columns, duration } from "./quantities.ts"
import { UsageError } from "./usage-error.ts"
import { withEngine } from "./with-engine.ts"

type QualityInput = Parameters<Client<EngineContract>["quality.run"]>[0]

const mostFormats = 3

export const evaluate = defineCommand({
  name: "eval",
  summary: "How well a model predicts a text, and how far a format of it is from the original",
  positionals: ["MODEL"],
  options: {
    text: { type: "text", value: "FILE", help: "A text in UTF-8 (default: the text that comes with Nibble)" },
    quantize: {
      type: "words",
      value: "F,F",
      help: `Of the model in this format, compared with the model as it is; up to ${mostFormats} side by side, of: ${QuantizedFormat.options.join(", ")}`,
    },
    baseline: { type: "text", value: "MODEL", help: "Compare with this model instead" },
    window: { type: "integer", value: "N", min: 2, max: 2 ** 20, help: "Tokens that are seen together (default 512)" },
    "max-tokens": {
      type: "integer",
      value: "N",
      min: 2,
      max: 2 ** 30,
      help: "At most so many tokens of the text (default: of one's own all, of the other about a minute's)",
    },
    "skip-modules": { type: "words", value: "A,B", help: "As in quantize" },
    embeddings: { type: "choice", value: "FORMAT", choices: QuantizedFormat.options, help: "As in quantize" },
    experts: { type: "choice", value: "FORMAT", choices: QuantizedFormat.options, help: "As in quantize" },
    "block-size": { type: "choice", value: "N", choices: blockSizes, help: "As in quantize" },
    threshold: { type: "number", value: "X", min: 0, help: "Outliers of LLM.int8(), 0: none (default 6)" },
    "compute-dtype": {
      type: "choice",
      value: "TYPE",
      choices: ComputeType.options,
      help: "What products are computed in (default: what this processor does fast)",
    },
    threads: { type: "integer", value: "N", min: 1, max: 256, help: "Threads to use (default: one per core)" },
  },
  examples: [
    "eval ./SmolLM2-135M-Instruct --quantize nf4,nf4-dq,int8",
    "eval ./SmolLM2-nf4 --baseline ./SmolLM2-135M-Instruct --text notes.txt --json",
  ],
  notes: [
    "The text is cut into windows. Each begins afresh, with the token that begins a text where the model has one; its first token is not predicted.",
    "All models run side by side, layer by layer: no more than one layer's weights are in memory, so that the original need not fit.",
    "kl_mean and kl_max are KL(baseline || model) in nats per token, same_top_token the share of tokens where both find the same one most likely.",
  ],
  async run(values, [reference = ""], { output, signal }) {
    const formats = chosenFormats(values.quantize)
    const [model, baseline] = await Promise.all([
      chooseModel(reference),
      values.baseline === undefined ? null : chooseModel(values.baseline),
    ])
    const input = {
      ...(baseline ? { path: baseline.path, other: model.path } : { path: model.path }),
      formats,
      ...(values.text === undefined ? {} : { textFile: resolve(values.text) }),
      ...(values.window ? { window: values.window } : {}),
      // Of one's own text all is meant.
      ...(values["max-tokens"] || values.text !== undefined ? { maxTokens: values["max-tokens"] ?? 0 } : {}),
      ...(values["skip-modules"] ? { skipModules: values["skip-modules"] } : {}),
      ...(values.embeddings ? { embeddings: values.embeddings } : {}),
      ...(values.experts ? { experts: values.experts } : {}),
      ...(values["block-size"] ? { blockSize: Number(values["block-size"]) as QualityInput["blockSize"] } : {}),
      ...(values.threshold === undefined ? {} : { threshold: values.threshold }),
      ...(values["compute-dtype"] ? { compute: values["compute-dtype"] } : {}),
      ...(values.threads ? { threads: values.threads } : {}),
    } satisfies QualityInput
    const progress = output.progress("Evaluating")
    try {
      const onProgress = ({ fraction, item }: { fraction: number; item: string }) => progress.update(fraction, item)
      const report = await withEngine((client) => client["quality.run"](input, onProgress, signal))
      progress.end()
      output.line(reportText(report))
      return resultOf(report)
    } finally {
      progress.end()
    }
  },
})

function chosenFormats(words: string[] = []): QuantizedFormat[] {
  const formats = words.map((word) => {
    const format = QuantizedFormat.safeParse(word)
    if (format.success) return format.data
    throw new UsageError(`--quantize does not know ${word}.`, `Choose of ${QuantizedFormat.options.join(", ")}.`)
  })
  if (formats.length <= mostFormats && new Set(formats).size === formats.length) return formats
  throw new UsageError(`--quantize takes up to ${mostFormats} formats, each once.`)
}

const named = ({ format, perplexity, klMean, klMax, sameTopToken }: QualityFigures) => ({
  ...{ format, perplexity, kl_mean: klMean, kl_max: klMax, same_top_token: sameTopToken },
})

/** The figures of the model, or of the first format of it; without a baseline there is nothing to be far from. */
function resultOf({ original, formats, tokens, window, text, seconds }: QualityReport): object {
  const about = { tokens, window, text, seconds }
  const [first] = formats
  if (!first) return { format: original.format, perplexity: original.perplexity, ...about }
  return { ...named(first), ...about, baseline: { format: original.format, perplexity: original.perplexity }, formats: formats.map(named) }
}

function reportText({ original, formats, tokens, window, text, seconds }: QualityReport): string {
  const rows = [original, ...formats].map(({ format, perplexity, klMean, klMax, sameTopToken }, i) => [
    ...[i === 0 && formats.length > 0 ? `${format} (baseline)` : format, perplexity.toFixed(3)],
    ...(formats.length > 0 ? [klMean.toFixed(4), klMax.toFixed(3), `${(sameTopToken * 100).toFixed(1)} %`] : []),
  ])
  const head = ["format", "perplexity", ...(formats.length > 0 ? ["mean KL", "largest KL", "same top token"] : [])]
  const where = text === "bundled" ? "the bundled text" : text
  return `${tokens} tokens of ${where} in windows of ${window} · ${duration(seconds)}\n${columns([head, ...rows], [1, 2, 3, 4])}`
}
