// nibble inspect: what a model is, from its headers alone.
import type { ModelInspection } from "../../shared/schema/model.ts"
import { bytes } from "../sizes.ts"
import { defineCommand } from "./command.ts"
import { chooseModel } from "./model-path.ts"
import { columns, parameters } from "./quantities.ts"

export const inspect = defineCommand({
  name: "inspect",
  summary: "What a model is, without loading its weights",
  positionals: ["MODEL"],
  options: {
    tensors: { type: "flag", help: "List the tensors too" },
  },
  examples: ["inspect ./SmolLM2-135M-Instruct", "inspect model.gguf --tensors --json"],
  notes: ["MODEL is a folder (one that holds only config.json will do), a GGUF file, or the name of an installed model."],
  async run(values, [reference = ""], { output }) {
    const [{ path }, { inspectModel }] = await Promise.all([chooseModel(reference), import("../models/inspect.ts")])
    const inspection = await inspectModel(path, { withTensors: values.tensors })
    output.line(inspectionText(inspection))
    if (inspection.tensors) output.line(`\n${tensorTable(inspection.tensors)}`)
    return inspection
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
