// nibble models import: a folder or file that is here already.
import { resolve } from "node:path"
import { defineCommand } from "./command.ts"
import { modelDetails } from "./models.ts"
import { followJob, unused, withApp } from "./with-app.ts"

export const modelsImport = defineCommand({
  name: "models import",
  summary: "Add a model folder or GGUF file, where it lies or as a copy",
  positionals: ["PATH"],
  options: {
    copy: { type: "flag", help: "Copy it into the data folder; without it is read where it lies" },
  },
  examples: ["models import ./SmolLM2-135M-Instruct", "models import ~/Downloads/model.gguf --copy"],
  async run(values, [path = ""], context) {
    return withApp(context, async (app) => {
      const job = await app.handlers["models.import"]({ path: resolve(path), copy: values.copy }, unused)
      const model = app.services.registry.get(await followJob(app, job, context))
      context.output.line(modelDetails(model))
      return model
    })
  },
})
