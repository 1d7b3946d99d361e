// Models whose plan was asked for, kept as long as their files stay as they are: a slider asks again and again.
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import type { Format } from "../../shared/schema/format.ts"
import type { EngineAddon } from "./addon-types.ts"
import { openPlanModel, type PlanModel, type PlanSource, type QuantizeChoice } from "./plan-source.ts"

export interface PlanCache {
  model(path: string): Promise<PlanModel>
}

const maxModels = 8

export function createPlanCache(addon: () => EngineAddon): PlanCache {
  const kept = new Map<string, { signature: string; model: Promise<PlanModel> }>()
  return {
    async model(path) {
      const signature = await signatureOf(path)
      const found = kept.get(path)
      const model = found?.signature === signature ? found.model : openPlanModel(addon(), path).then(rememberFormats)
      kept.delete(path)
      kept.set(path, { signature, model })
      const [oldest] = kept.keys()
      if (kept.size > maxModels && oldest !== undefined) kept.delete(oldest)
      // What failed may be there the next time.
      model.catch(() => kept.get(path)?.model === model && kept.delete(path))
      return model
    },
  }
}

const maxSources = 16

function rememberFormats(model: PlanModel): PlanModel {
  const sources = new Map<string, Promise<PlanSource>>()
  return {
    ...model,
    open(format: Format, choice: QuantizeChoice) {
      const key = JSON.stringify([format, choice.blockSize, choice.skipModules, choice.embeddings, choice.experts])
      const source = sources.get(key) ?? model.open(format, choice)
      sources.delete(key)
      sources.set(key, source)
      const [oldest] = sources.keys()
      if (sources.size > maxSources && oldest !== undefined) sources.delete(oldest)
      source.catch(() => sources.get(key) === source && sources.delete(key))
      return source
    },
  }
}

/** Changes when a file comes, goes or is written. What cannot be looked at is left to the reader, which says so better. */
async function signatureOf(path: string): Promise<string> {
  const about = await stat(path).catch(() => null)
  if (!about?.isDirectory()) return `${about?.mtimeMs} ${about?.size}`
  const names = (await readdir(path).catch(() => [])).sort()
  const entries = await Promise.all(names.map((name) => stat(join(path, name)).catch(() => null)))
  return names.map((name, i) => `${name} ${entries[i]?.mtimeMs} ${entries[i]?.size}`).join("\n")
}
