// Predictions of memory and what came of them: kept after each load, and after replies that needed more than any before.
import { randomUUID } from "node:crypto"
import type { ModelMemory } from "../../shared/contract/engine.ts"
import { toErrorData } from "../../shared/schema/error.ts"
import type { LoadedModel } from "../../shared/schema/model.ts"
import { Prediction } from "../../shared/schema/plan.ts"
import type { Engine } from "../engine/client.ts"
import type { Database } from "../storage/database.ts"
import type { Events } from "./events.ts"
import type { Loader } from "./loading.ts"

export interface PredictionsService {
  /** The newest first. */
  list(): Prediction[]
  /** After a reply: kept when the conversation filled the context, or is much longer than what was kept of this model. */
  afterReply(): Promise<void>
  close(): void
}

const keptRecords = 50
/** A conversation of a tenth more tokens says little that is new. */
const growth = 1.5
const full = 0.9

export function createPredictions(options: {
  database: Database
  engine: Pick<Engine, "client">
  events: Events
  loader: Pick<Loader, "state">
  warn(sentence: string): void
}): PredictionsService {
  const { database, engine, events, loader, warn } = options
  /** Of the model that is loaded: tokens of the last record. */
  let lastTokens = 0
  let lastModel: LoadedModel | null = null

  function list(): Prediction[] {
    return database.all(`SELECT record FROM predictions ORDER BY at DESC, rowid DESC LIMIT ${keptRecords}`).flatMap(({ record }) => {
      const parsed = Prediction.safeParse(JSON.parse(String(record)))
      return parsed.success ? [parsed.data] : []
    })
  }

  function keep(kind: Prediction["kind"], model: LoadedModel, { tokens, predicted, predictedBytes, peakBytes }: ModelMemory): void {
    const prediction: Prediction = {
      ...{ id: randomUUID(), at: Date.now(), modelId: model.id, modelName: model.name, format: model.format, kind },
      ...{ context: model.context, tokens, predictedBytes, peakBytes, parts: predicted },
    }
    database.run("INSERT INTO predictions (id, at, record) VALUES (?, ?, ?)", prediction.id, prediction.at, JSON.stringify(prediction))
    database.run(`DELETE FROM predictions WHERE id NOT IN (SELECT id FROM predictions ORDER BY at DESC, rowid DESC LIMIT ${keptRecords})`)
    events.emit({ type: "predictions", predictions: list() })
  }

  /** What cannot be measured or kept is no reason to disturb a load or a chat. */
  async function measured(work: (memory: ModelMemory, model: LoadedModel) => void): Promise<void> {
    const state = loader.state()
    if (state.state !== "ready") return
    try {
      const memory = await engine.client["model.memory"](undefined)
      // Another model may have come meanwhile.
      if (loader.state() === state) work(memory, state.model)
    } catch (thrown) {
      const { code, message } = toErrorData(thrown)
      if (code !== "engine_lost" && code !== "not_found" && code !== "busy") warn(`A prediction of memory was not kept: ${message}`)
    }
  }

  const stop = events.subscribe((event) => {
    if (event.type !== "load" || event.load.state !== "ready" || event.load.model === lastModel) return
    lastModel = event.load.model
    lastTokens = 0
    void measured((memory, model) => keep("load", model, memory))
  })

  return {
    list,
    close: stop,
    afterReply: () =>
      measured((memory, model) => {
        const { tokens } = memory
        const isFull = tokens >= full * model.context && lastTokens < full * model.context
        if (!isFull && tokens < growth * Math.max(lastTokens, 256)) return
        lastTokens = tokens
        keep("chat", model, memory)
      }),
  }
}
