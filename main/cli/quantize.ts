// nibble quantize: a bitsandbytes folder from a 16/32-bit model or a GGUF file.
import { resolve } from "node:path"
import type { EngineContract, QuantizeReport } from "../../shared/contract/engine.ts"
import type { Client } from "../../shared/rpc.ts"
import { QuantizedFormat } from "../../shared/schema/format.ts"
import { bytes } from "../sizes.ts"
import { defineCommand } from "./command.ts"
import { blockSizes } from "./load-options.ts"
import { chooseModel } from "./model-path.ts"
import { duration, parameters } from "./quantities.ts"
import { withEngine } from "./with-engine.ts"

type QuantizeInput = Parameters<Client<EngineContract>["quantize.run"]>[0]

const computeTypes = { bf16: "bfloat16", fp16: "float16", fp32: "float32" } as const

export const quantize = defineCommand({
  name: "quantize",
  summary: "Write a bitsandbytes folder that this program, transformers and vLLM load",
  positionals: ["MODEL"],
  options: {
    out: { type: "text", value: "DIR", isRequired: true, help: "Folder to make; it must not be there, or be empty" },
    format: {
      type: "choice",
      value: "FORMAT",
      isRequired: true,
      choices: QuantizedFormat.options,
      help: "-dq: with double quantization of the scales",
    },
    "skip-modules": { type: "words", value: "A,B", help: "Modules to leave as they are, instead of the output head" },
    embeddings: {
      type: "choice",
      value: "FORMAT",
      choices: QuantizedFormat.options,
      help: "Format of the embedding and the output head, which otherwise stay in 16 bits",
    },
    experts: {
      type: "choice",
      value: "FORMAT",
      choices: QuantizedFormat.options,
      help: "Format of the experts of a mixture, which otherwise stay in 16 bits",
    },
    threshold: { type: "number", value: "X", min: 0, help: "Outlier threshold that is written for int8 (default 6)" },
    "compute-dtype": {
      type: "choice",
      value: "TYPE",
      choices: ["bf16", "fp16", "fp32"],
      help: "What readers are told to compute 4-bit weights in",
    },
    "block-size": {
      type: "choice",
      value: "N",
      choices: blockSizes,
      help: "Weights that share one scale (4-bit formats; default 64, all that transformers reads)",
    },
    threads: { type: "integer", value: "N", min: 1, max: 256, help: "Threads to use (default: one per core)" },
  },
  examples: [
    "quantize ./SmolLM2-135M-Instruct --out ./SmolLM2-nf4 --format nf4-dq",
    "quantize model.gguf --out ./model-int8 --format int8 --json",
  ],
  notes: [
    "Exactly those modules are converted that transformers would convert, of any model in safetensors, also one that cannot run here. --verbose names what is kept, and why.",
    "With --embeddings or --experts the folder loads here, not in transformers.",
    "The folder appears when it is complete; a cancelled or failed run leaves nothing.",
  ],
  async run(values, [reference = ""], { output, signal }) {
    const [{ path, installed }, { inspectModel }, { noteFor }] = await Promise.all([
      chooseModel(reference),
      import("../models/inspect.ts"),
      import("../services/quantize.ts"),
    ])
    const { name, format } = await inspectModel(path)
    const computeDtype = values["compute-dtype"] && computeTypes[values["compute-dtype"]]
    const note = installed?.note ?? noteFor(format)
    const input = {
      path,
      // The engine host has a working directory of its own.
      out: resolve(values.out ?? ""),
      format: values.format ?? "nf4-dq",
      ...(values["block-size"] ? { blockSize: Number(values["block-size"]) as QuantizeInput["blockSize"] } : {}),
      ...(values["skip-modules"] ? { skipModules: values["skip-modules"] } : {}),
      ...(values.embeddings ? { embeddings: values.embeddings } : {}),
      ...(values.experts ? { experts: values.experts } : {}),
      ...(values.threshold === undefined ? {} : { threshold: values.threshold }),
      ...(computeDtype ? { computeDtype } : {}),
      ...(values.threads ? { threads: values.threads } : {}),
      ...(note ? { note } : {}),
    } satisfies QuantizeInput
    const progress = output.progress(`Quantizing ${name}`)
    try {
      const report = await withEngine((client) =>
        client["quantize.run"](
          input,
          ({ parametersDone, parametersTotal, bytesWritten, tensor }) =>
            progress.update(parametersTotal > 0 ? parametersDone / parametersTotal : null, `${bytes(bytesWritten)} · ${tensor}`),
          signal,
        ),
      )
      progress.end()
      if (note) output.say(note)
      output.line(reportText(report))
      if (output.isVerbose) output.line(keptText(report))
      return report
    } finally {
      progress.end()
    }
  },
})

function reportText(report: QuantizeReport): string {
  const { out, format, tensors_quantized: quantized, tensors_kept: kept, bytes_in: before, bytes_out: after } = report
  return `${out}
${quantized} tensors in ${format}, ${kept} as they were · ${bytes(before)} to ${bytes(after)} · ${duration(report.seconds)}, ${parameters(report.parameters_per_second)} parameters/s · at most ${bytes(report.peak_rss_bytes)} of memory`
}

/** One line for each reason, then the tensors. */
function keptText({ kept }: QuantizeReport): string {
  return kept.map(({ reason, tensors }) => `Kept (${reason}):\n${tensors.map((name) => `  ${name}`).join("\n")}`).join("\n")
}
