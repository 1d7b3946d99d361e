// nibble models pull: from the hub, or the starter model from wherever it can be had.
import { QuantizedFormat } from "../../shared/schema/format.ts"
import type { InstalledModel } from "../../shared/schema/model.ts"
import { type CommandContext, defineCommand } from "./command.ts"
import { hubName } from "./hub-model.ts"
import { modelDetails } from "./models.ts"
import { UsageError } from "./usage-error.ts"
import { followJob, unused, withApp } from "./with-app.ts"

const starterNames = ["starter", "HuggingFaceTB/SmolLM2-135M-Instruct"]

export const modelsPull = defineCommand({
  name: "models pull",
  summary: "Get a model from the hub, as it is or quantized while it arrives",
  positionals: ["NAME"],
  options: {
    format: {
      type: "choice",
      value: "FORMAT",
      choices: [...QuantizedFormat.options, "stored"] as const,
      help: "Quantize to it, file by file as they arrive (default: the starter nf4-dq, others stored: as they are)",
    },
    variant: { type: "text", value: "NAME", help: "Of a repository of GGUF files, this one (default: its Q4_K_M, or the largest)" },
    "keep-originals": { type: "flag", help: "With --format: install the model as it was, too" },
  },
  examples: [
    "models pull starter",
    "models pull starter --format int8",
    "models pull Qwen/Qwen2-0.5B-Instruct@main",
    "models pull Qwen/Qwen2-7B-Instruct --format nf4-dq",
    "models pull bartowski/SmolLM2-135M-Instruct-GGUF --variant SmolLM2-135M-Instruct-Q8_0.gguf",
  ],
  notes: [
    `NAME is \`starter\` (also ${starterNames[1]}), organization/name or organization/name@revision on the hub, or the address of its page.`,
    "It has safetensors or GGUF weights. HF_ENDPOINT, HF_TOKEN and HF_HOME count.",
    "Quantized while it arrives, a model needs room for the quantized weights and one of its files. --keep-originals needs room for both.",
    "Ctrl+C pauses: the same command, or the page, goes on. nibble eval measures what quantizing cost.",
    "The starter model comes from the hub; where that cannot be reached, from the Python package index, and then it was 4-bit before.",
  ],
  async run(values, [reference = ""], context) {
    const isStarter = starterNames.includes(reference)
    if (!isStarter && !hubName.test(reference))
      throw new UsageError(`"${reference}" is no name of a model to get.`, "Write starter, or organization/name as on the hub.")
    if (isStarter) return pullStarter(values, context)
    const format = values.format ?? "stored"
    const keepOriginals = values["keep-originals"] ?? false
    if (keepOriginals && format === "stored")
      throw new UsageError("--keep-originals goes with --format.", "Without it the model stays as it is.")
    return withApp(context, async (app) => {
      const { pullFromHub } = await import("./hub-pull.ts")
      const model = await pullFromHub(app, { reference, variant: values.variant, format, keepOriginals }, context)
      context.output.line(modelDetails(model))
      return model
    })
  },
})

function pullStarter(
  values: { format?: string; variant?: string; "keep-originals"?: boolean },
  context: CommandContext,
): Promise<InstalledModel> {
  if (values.variant !== undefined || values["keep-originals"] || values.format === "stored")
    throw new UsageError(
      "The starter model takes only --format, and is always quantized; its original stays.",
      "See: nibble help models pull",
    )
  const format = QuantizedFormat.parse(values.format ?? "nf4-dq")
  return withApp(context, async (app) => {
    const job = await app.handlers["models.setUpStarter"]({ format }, unused)
    const model = app.services.registry.get(await followJob(app, job, context))
    context.output.line(modelDetails(model))
    return model
  })
}
