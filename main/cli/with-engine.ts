// The engine for the length of one command, and a model in it.
import type { EngineContract } from "../../shared/contract/engine.ts"
import type { Client } from "../../shared/rpc.ts"
import type { LoadedModel } from "../../shared/schema/model.ts"
import type { CommandContext } from "./command.ts"
import type { LoadValues } from "./load-options.ts"
import { chooseModel } from "./model-path.ts"

export type EngineClient = Client<EngineContract>

export async function withEngine<T>(work: (client: EngineClient) => Promise<T>): Promise<T> {
  const [{ startEngine }, { forkHost }] = await Promise.all([import("../engine/client.ts"), import("../engine/fork.ts")])
  const engine = startEngine({ spawn: forkHost })
  try {
    return await work(engine.client)
  } finally {
    await engine.close()
  }
}

export async function withModel<T>(
  reference: string,
  values: LoadValues,
  { output, signal }: CommandContext,
  work: (client: EngineClient, model: LoadedModel) => Promise<T>,
): Promise<T> {
  const { path, installed } = await chooseModel(reference)
  return withEngine(async (client) => {
    const backend = values.backend
    const options = {
      path,
      id: installed?.id ?? null,
      quantize: values.quantize,
      blockSize: values["block-size"] === undefined ? undefined : Number(values["block-size"]),
      context: values.context ?? 0,
      compute: values["compute-dtype"],
      threshold: values.threshold,
      exact: values.exact ?? false,
      threads: values.threads ?? 0,
      backend: backend === undefined || backend === "cpu" ? "auto" : backend,
    }
    const progress = output.progress("Loading")
    try {
      const model = await client["model.load"](options, ({ fraction }) => progress.update(fraction), signal)
      progress.end()
      if (output.isVerbose)
        output.say(
          `${model.name}: ${model.format}, ${model.compute}, context ${model.context}, ${model.isa}, ${model.threads} threads, ${Math.round(model.loadMs)} ms`,
        )
      return await work(client, model)
    } finally {
      progress.end()
    }
  })
}
