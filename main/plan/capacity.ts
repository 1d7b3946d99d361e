// "What can this computer run?": models of the catalog in each format, planned from their config.json alone.
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { EngineContract } from "../../shared/contract/engine.ts"
import type { Client } from "../../shared/rpc.ts"
import type { Format } from "../../shared/schema/format.ts"
import type { CapacityTable, PlanDevice, SpeedProfile } from "../../shared/schema/plan.ts"
import { type CatalogModel, catalog } from "./catalog.ts"
import { estimateSpeed } from "./speed-estimate.ts"

/** FP4 takes what NF4 takes. */
const formats: Format[] = ["bf16", "int8", "nf4", "nf4-dq"]

export interface CapacityWish {
  computer: string
  context: number
  devices: PlanDevice[]
  profile: SpeedProfile | null
  threads: number
  /** Where the config.json of each model is kept. */
  folder: string
}

export async function capacityTable(client: Pick<Client<EngineContract>, "plan.rows">, wish: CapacityWish): Promise<CapacityTable> {
  const { computer, context, devices, profile, threads } = wish
  const models: CapacityTable["models"] = []
  for (const model of catalog) {
    const limit = Number(model.config.max_position_embeddings)
    const path = await configFolder(wish.folder, model)
    const request = { path, formats, context: Math.min(context, limit), threads, devices }
    const { rows, layers, parameters } = await client["plan.rows"](request)
    const cells = rows.map((row) => ({
      total_bytes: row.total_bytes,
      verdict: row.verdict,
      tokensPerS: estimateSpeed(row, { devices, layers, profile, plainFormat: "bf16" })?.tokensPerS ?? null,
    }))
    models.push({ name: model.name, parameters, cells })
  }
  return { computer, context, formats, models }
}

/** The engine reads models from folders; this one holds nothing but config.json. Written only when it is not there or is another. */
async function configFolder(folder: string, { id, config }: CatalogModel): Promise<string> {
  const path = join(folder, id)
  const file = join(path, "config.json")
  const text = `${JSON.stringify(config, null, 2)}\n`
  if ((await readFile(file, "utf8").catch(() => null)) === text) return path
  await mkdir(path, { recursive: true })
  await writeFile(file, text)
  return path
}
