// nibble models pull: from the hub, or the starter model from wherever it can be had.
import { QuantizedFormat } from "../../shared/schema/format.ts"
import { defineCommand } from "./command.ts"
import { modelDetails } from "./models.ts"
import { UsageError } from "./usage-error.ts"
import { followJob, unused, withApp } from "./with-app.ts"

const starterNames = ["starter", "HuggingFaceTB/SmolLM2-135M-Instruct"]
const repositoryName = /^([A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)(?:@([\w./-]+))?$/

export const modelsPull = defineCommand({
  name: "models pull",
  summary: "Get a model from the hub; `starter` is the starter model, quantized",
  positionals: ["NAME"],
  options: {
    format: {
      type: "choice",
      value: "FORMAT",
      choices: QuantizedFormat.options,
      help: "What the starter model is quantized to (default nf4-dq)",
    },
  },
  examples: ["models pull starter", "models pull starter --format int8", "models pull Qwen/Qwen2-0.5B-Instruct@main"],
  notes: [
    `NAME is \`starter\` (also ${starterNames[1]}), or the name of a repository on the hub, organization/name or organization/name@revision, with safetensors weights. HF_ENDPOINT and HF_TOKEN count.`,
    "The starter model comes from the hub; where that cannot be reached, from the Python package index, and then it was 4-bit before. Other models come as they are: see nibble quantize.",
  ],
  async run(values, [reference = ""], context) {
    const isStarter = starterNames.includes(reference)
    const [, name = "", revision = "main"] = repositoryName.exec(reference) ?? []
    if (!isStarter && !name)
      throw new UsageError(`"${reference}" is no name of a model to get.`, "Write starter, or organization/name as on the hub.")
    if (!isStarter && values.format)
      throw new UsageError("--format goes with the starter model only.", "Quantize others with: nibble quantize")
    return withApp(context, async (app) => {
      const format = values.format ?? "nf4-dq"
      const job = isStarter
        ? await app.handlers["models.setUpStarter"]({ format }, unused)
        : (await import("./hub-pull.ts")).pullFromHub(app, name, revision)
      const model = app.services.registry.get(await followJob(app, job, context))
      context.output.line(modelDetails(model))
      return model
    })
  },
})
