// nibble inspect: what a model is, from its headers alone.
import type { ModelInspection } from "../../shared/schema/model.ts"
import { bytes } from "../sizes.ts"
import { defineCommand } from "./command.ts"
import { chooseModel } from "./model-path.ts"
import { columns, parameters } from "./quantities.ts"
import { UsageError } from "./usage-error.ts"

export const inspect = defineCommand({
  name: "inspect",
  summary: "What a model is, without loading its weights",
  positionals: ["MODEL"],
  options: {
    tensors: { type: "flag", help: "List the tensors too" },
    outliers: { type: "flag", help: "Run it over some text: what LLM.int8() would take for outliers, in each linear layer" },
    threshold: { type: "number", value: "X", min: 0, help: "With --outliers: what counts as one (default 6)" },
    text: { type: "text", value: "FILE", help: "With --outliers: the text (-: from standard input; default: a sample of many kinds)" },
    tokens: { type: "ids", value: "1,2,3", help: "With --outliers: token ids instead of a text" },
    "max-tokens": { type: "integer", value: "N", min: 1, max: 1_000_000, help: "With --outliers: how much of the text (default 4096)" },
  },
  examples: [
    "inspect ./SmolLM2-135M-Instruct",
    "inspect model.gguf --tensors --json",
    "inspect ./SmolLM2-135M-Instruct --outliers --threshold 6 --text notes.txt",
  ],
  notes: [
    "MODEL is a folder (one that holds only config.json will do), a GGUF file, or the name of an installed model.",
    "Outliers are columns that LLM.int8() multiplies in 16 or 32 bits. To count them the weights are loaded, in whatever format they are.",
  ],
  async run(values, [reference = ""], context) {
    const { output } = context
    const { outliers: wantsOutliers, threshold, text, tokens, "max-tokens": maxTokens } = values
    if (!wantsOutliers && [threshold, text, tokens, maxTokens].some((value) => value !== undefined))
      throw new UsageError("--threshold, --text, --tokens and --max-tokens go with --outliers only.")
    if (text !== undefined && tokens !== undefined) throw new UsageError("Give --text or --tokens, not both.")
    const [{ path }, { inspectModel }] = await Promise.all([chooseModel(reference), import("../models/inspect.ts")])
    const inspection = await inspectModel(path, { withTensors: values.tensors })
    output.line(inspectionText(inspection))
    if (inspection.tensors) output.line(`\n${tensorTable(inspection.tensors)}`)
    if (!wantsOutliers) return inspection
    const { countOutliers, outlierTable } = await import("./inspect-outliers.ts")
    const report = await countOutliers(reference, inspection, { threshold, text, tokens, maxTokens }, context)
    output.line(`\n${outlierTable(report)}`)
    return { ...inspection, outliers: report }
  },
})

export function inspectionText(inspection: ModelInspection): string {
  const { quantizable_parameters: linear, license, tokenizer, reason } = inspection
  const rows = [
    ["name", inspection.name],
    ["path", inspection.path],
    ["architecture", inspection.architecture],
    ["can run", inspection.supported ? "yes" : `no: ${reason}`],
    ["format", inspection.format],
    ["parameters", `${parameters(inspection.parameters)}${linear > 0 ? `, ${parameters(linear)} of them in linear layers` : ""}`],
    ["layers", String(inspection.layers)],
    ["context", `${inspection.context_length.toLocaleString("en-US")} tokens`],
    ["on disk", bytes(inspection.disk_bytes)],
    ["tokenizer", tokenizer ?? "none"],
    ["chat template", inspection.chat_template ? "yes" : "no"],
    ["license", license ?? "not stated"],
  ]
  return columns(rows)
}

function tensorTable(tensors: NonNullable<ModelInspection["tensors"]>): string {
  const rows = tensors.map(({ name, shape, dtype, format, bytes: size }) => [name, shape.join(" x "), dtype, format, bytes(size)])
  return columns([["tensor", "shape", "stored as", "format", "size"], ...rows], [4])
}
