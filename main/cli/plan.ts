// nibble plan: what a model takes of the memory, part by part and device by device, before anything is loaded or downloaded.
import { basename, resolve } from "node:path"
import { AppError } from "../../shared/schema/error.ts"
import type { App } from "../app.ts"
import { type CommandContext, defineCommand } from "./command.ts"
import { hubName, readHubModel } from "./hub-model.ts"
import { chooseModel } from "./model-path.ts"
import { planOptions, planRequest, requirePlannable } from "./plan-options.ts"
import { chosenFormat, planText } from "./plan-text.ts"
import { unused, withApp } from "./with-app.ts"

export const plan = defineCommand({
  name: "plan",
  summary: "What memory a model takes in each format, part by part, before it is loaded",
  positionals: ["MODEL"],
  options: planOptions,
  examples: [
    "plan ./SmolLM2-135M-Instruct",
    "plan Qwen/Qwen2.5-7B-Instruct --computer rtx-3060-12 --context 16384",
    "plan ./Llama-3.1-8B --mode train --format nf4-dq --rank 16 --sequence-length 2048 --max-memory cpu=12GiB --json",
  ],
  notes: [
    "MODEL is a folder (one that holds only config.json will do), a GGUF file, the name of an installed model, or organization/name on the hub, of which only headers are fetched.",
    "Figures come from a dry run of the code that loads and trains. Devices are named as Accelerate does: 0 is the first GPU (gpu0 in --max-memory). Without --computer it is this computer as it is now.",
    "Speeds come from this computer's benchmark; with < they are what the bandwidth of the memory allows at most.",
  ],
  async run(values, [reference = ""], context) {
    requirePlannable(values)
    if (values.kv === "int8") {
      throw new AppError(
        "unsupported",
        "Keys and values cannot be planned in int8: this engine keeps them in 16 bits.",
        "Leave out --kv; a shorter --context takes less.",
      )
    }
    return withApp(context, async (app) => {
      if (values.disk !== undefined) app.services.plan.chooseDisk(resolve(values.disk))
      const { path, name } = await findModel(app, reference, values.variant, context)
      const request = planRequest(path, values)
      const call = { ...unused, signal: context.signal }
      if (values.benchmark) await measure(app, context)
      const report = await app.handlers["plan.rows"](request, call)
      const row = chosenFormat(report, request.formats?.length === 1 ? request.formats[0] : undefined)
      const about = { ...request, format: row.format }
      const [fit, advice] = await Promise.all([app.handlers["plan.fit"](about, call), app.handlers["plan.advice"](about, call)])
      const { mode, train } = request
      context.output.line(planText({ name, mode, report, row, fit, advice, sequenceLength: train.sequenceLength }))
      return { model: name, path, mode, ...report, fit, advice }
    })
  },
})

async function measure(app: App, { output, signal }: CommandContext): Promise<void> {
  const progress = output.progress("Measuring this computer")
  try {
    const emit = async ({ fraction }: { fraction: number }) => progress.update(fraction)
    await app.handlers["plan.benchmark"](undefined, { signal, emit })
  } finally {
    progress.end()
  }
}

/** A path or an installed model first; else the hub, where the name can be one of it. */
async function findModel(app: App, reference: string, variant: string | undefined, context: CommandContext) {
  try {
    const { path, installed } = await chooseModel(reference)
    return { path, name: installed?.name ?? basename(path) }
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "not_found" || !hubName.test(reference)) throw thrown
  }
  const { headers, summary } = await readHubModel(app, { name: reference, variant }, context)
  return { path: headers, name: summary.name }
}
