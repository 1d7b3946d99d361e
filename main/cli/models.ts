// nibble models list, show, rm: what is installed.
import type { InstalledModel } from "../../shared/schema/model.ts"
import type { App } from "../app.ts"
import { bytes } from "../sizes.ts"
import { defineCommand } from "./command.ts"
import { columns, parameters } from "./quantities.ts"
import { unused, withApp } from "./with-app.ts"

export const modelsList = defineCommand({
  name: "models list",
  summary: "The installed models",
  positionals: [],
  options: {},
  examples: ["models list", "models list --json"],
  async run(_, __, context) {
    const models = await withApp(context, async (app) => app.services.registry.list())
    if (models.length === 0) context.output.say("No model is installed yet. Get one with: nibble models pull starter")
    else context.output.line(modelTable(models))
    return { models }
  },
})

export const modelsShow = defineCommand({
  name: "models show",
  summary: "One installed model",
  positionals: ["NAME"],
  options: {},
  examples: ["models show SmolLM2-135M-Instruct-nf4-dq"],
  notes: ["NAME is the id, the name, name and format (name-nf4), or the name of the model's folder."],
  async run(_, [reference = ""], context) {
    const model = await withApp(context, (app) => findInstalled(app, reference))
    context.output.line(modelDetails(model))
    return model
  },
})

export const modelsRemove = defineCommand({
  name: "models rm",
  summary: "Remove a model from the list; delete its files if they are ours",
  positionals: ["NAME"],
  options: {},
  examples: ["models rm SmolLM2-135M-Instruct-nf4-dq"],
  notes: ["Files outside the data folder are never deleted."],
  async run(_, [reference = ""], context) {
    return withApp(context, async (app) => {
      const model = await findInstalled(app, reference)
      const { freedBytes } = await app.handlers["models.remove"]({ modelId: model.id }, unused)
      context.output.line(
        model.isOwned ? `${model.path} deleted, ${bytes(freedBytes)} freed` : `${model.name} removed from the list; ${model.path} stays`,
      )
      return { id: model.id, path: model.path, freed_bytes: freedBytes }
    })
  },
})

export async function findInstalled(app: App, reference: string): Promise<InstalledModel> {
  const { registry } = app.services
  const found = registry.find(reference)
  if (found) return found
  const { AppError } = await import("../../shared/schema/error.ts")
  const names = registry.list().map(({ name, format, id }) => `${name}-${format} (${id})`)
  const hint = names.length > 0 ? `There are: ${names.join(", ")}.` : "No model is installed yet. Get one with: nibble models pull starter"
  const several = registry.list().filter(({ name }) => name === reference).length > 1
  throw new AppError(
    "not_found",
    several ? `Several installed models are called "${reference}".` : `There is no installed model "${reference}".`,
    hint,
  )
}

export function modelDetails(model: InstalledModel): string {
  return columns([
    ["id", model.id],
    ["name", model.name],
    ["path", `${model.path}${model.isOwned ? "" : " (read where it lies)"}`],
    ["architecture", model.architecture],
    ["format", model.format],
    ["parameters", parameters(model.parameters)],
    ["on disk", bytes(model.disk_bytes)],
    ["context", `${model.context_length.toLocaleString("en-US")} tokens`],
    ["license", model.license ?? "not stated"],
    ["source", model.source],
    ...(model.supported ? [] : [["can run", `no: ${model.reason}`]]),
    ...(model.note ? [["note", model.note]] : []),
  ])
}

function modelTable(models: InstalledModel[]): string {
  const rows = models.map((model) => [
    model.id,
    model.name,
    model.format,
    parameters(model.parameters),
    bytes(model.disk_bytes),
    model.supported ? model.path : `${model.path} (cannot run)`,
  ])
  return columns([["id", "name", "format", "parameters", "on disk", "path"], ...rows], [3, 4])
}
