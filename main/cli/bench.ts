// nibble bench: speed and memory of one model on this computer.
import { cpus } from "node:os"
import { bytes } from "../sizes.ts"
import { defineCommand } from "./command.ts"
import { loadOptions } from "./load-options.ts"
import { columns, duration, rate } from "./quantities.ts"
import { withModel } from "./with-engine.ts"

interface Spread {
  min: number
  median: number
  max: number
}

export function spreadOf(values: number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const median = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2
  return { min: sorted[0] ?? 0, median, max: sorted.at(-1) ?? 0 }
}

export const bench = defineCommand({
  name: "bench",
  summary: "Speed and memory, median and spread",
  positionals: ["MODEL"],
  options: {
    prompt: { type: "integer", value: "N", min: 1, max: 1_000_000, help: "Tokens of the prompt (default 512)" },
    generate: { type: "integer", value: "N", min: 1, max: 1_000_000, help: "Tokens to generate (default 128)" },
    repeat: { type: "integer", value: "N", min: 1, max: 1000, help: "Runs to take the median of (default 3)" },
    ...loadOptions,
  },
  examples: ["bench SmolLM2-135M-Instruct-nf4-dq", "bench ./SmolLM2-135M-Instruct --quantize nf4 --threads 2 --repeat 5 --json"],
  async run(values, [reference = ""], context) {
    const { prompt: promptTokens = 512, generate: newTokens = 128, repeat = 3 } = values
    const { output, signal } = context
    const load = { ...values, context: promptTokens + newTokens }
    return withModel(reference, load, context, async (client, model) => {
      const runs = []
      const progress = output.progress("Measuring")
      try {
        for (let i = 0; i < repeat; i++) {
          progress.update(i / repeat, `run ${i + 1} of ${repeat}`)
          runs.push(await client["model.bench"]({ promptTokens, newTokens }, signal))
        }
      } finally {
        progress.end()
      }
      const { peakResidentBytes } = await client["engine.info"](undefined)
      const prefill = spreadOf(runs.map(({ prefillMs }) => (promptTokens * 1000) / prefillMs))
      const decode = spreadOf(runs.map(({ decodeMs }) => (newTokens * 1000) / decodeMs))
      const weightBytes = runs[0]?.weightBytesPerToken ?? 0
      const device = cpus()[0]?.model.trim() ?? "processor"
      const show = ({ min, median, max }: Spread) => [rate(median), `${rate(min)} to ${rate(max)}`]
      output.line(`${model.name}, ${model.format}, ${model.compute}, ${model.isa}, ${model.threads} threads, ${device}`)
      output.line(
        columns(
          [
            ["", "median", "spread"],
            [`prefill ${promptTokens}, tokens/s`, ...show(prefill)],
            [`decode ${newTokens}, tokens/s`, ...show(decode)],
            ["load", duration(model.loadMs / 1000), ""],
            ["weights read per token", bytes(weightBytes), ""],
            ["memory at most", bytes(peakResidentBytes), ""],
          ],
          [1],
        ),
      )
      return {
        model: model.name,
        format: model.format,
        compute_dtype: model.compute,
        prompt: promptTokens,
        generate: newTokens,
        repeat,
        load_ms: model.loadMs,
        prefill_tokens_per_s: prefill.median,
        prefill_tokens_per_s_min: prefill.min,
        prefill_tokens_per_s_max: prefill.max,
        decode_tokens_per_s: decode.median,
        decode_tokens_per_s_min: decode.min,
        decode_tokens_per_s_max: decode.max,
        weight_bytes_read_per_token: weightBytes,
        peak_rss_bytes: peakResidentBytes,
        isa: model.isa,
        threads: model.threads,
        device,
      }
    })
  },
})
