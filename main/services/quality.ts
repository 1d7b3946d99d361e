// Quality of formats of installed models: measured one at a time, and remembered, so that plans can show what was measured.
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { Format } from "../../shared/schema/format.ts"
import type { QualityFigures, QualityReport } from "../../shared/schema/quality.ts"
import type { Engine } from "../engine/client.ts"
import type { Database, Row } from "../storage/database.ts"
import type { InUse } from "./models.ts"
import type { Registry } from "./registry.ts"
import type { SettingsService } from "./settings.ts"
import type { TakeTurn } from "./turns.ts"

/** Figures of one format, with the text they were measured on. */
export interface MeasuredQuality extends QualityFigures {
  text: string
  tokens: number
  originalPerplexity: number
  measuredAt: number
}

export interface QualityService {
  /**
   * What was measured last of a format of a 16-bit model, on the bundled text where it was; null: nothing yet. `model`: its id in the list
   * of models, its path, or where it is from ("hub:org/name@revision").
   */
  measured(model: string, format: Format): MeasuredQuality | null
  /** Keeps what was measured with the usual options, under each of the model's names. */
  record(models: readonly string[], report: QualityReport): void
  handlers: Pick<Handlers<AppContract>, "quality.measure">
}

export interface QualityServiceOptions {
  database: Database
  engine: Pick<Engine, "client">
  registry: Registry
  settings: Pick<SettingsService, "get">
  inUse: InUse
  /** One measurement at a time. */
  takeTurn: TakeTurn
}

export function createQuality({ database, engine, registry, settings, inUse, takeTurn }: QualityServiceOptions): QualityService {
  function record(models: readonly string[], { text, tokens, window, original, formats, measuredAt }: QualityReport): void {
    database.transaction(() => {
      for (const model of new Set(models)) {
        for (const { format, perplexity, klMean, klMax, sameTopToken } of formats) {
          database.run(
            `INSERT OR REPLACE INTO quality (model, format, text, tokens, window, original_perplexity, perplexity, kl_mean, kl_max,
              same_top_token, measured_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
            ...[model, format, text, tokens, window, original.perplexity, perplexity, klMean, klMax, sameTopToken, measuredAt],
          )
        }
      }
    })
  }

  return {
    record,
    measured(model, format) {
      const query = "SELECT * FROM quality WHERE model = ? AND format = ? ORDER BY text = 'bundled' DESC, measured_at DESC LIMIT 1"
      const row = database.get(query, model, format)
      return row ? fromRow(row, format) : null
    },
    handlers: {
      async "quality.measure"({ modelId, formats, textFile }, { signal, emit }) {
        const { name, path, source, supported, reason } = registry.get(modelId)
        if (!supported) throw new AppError("unsupported", reason ?? `${name} cannot run here, so its quality cannot be measured.`)
        const wish = {
          path,
          formats: [...new Set(formats)],
          threads: settings.get().threads,
          ...(textFile === undefined ? {} : { textFile }),
        }
        const onWait = () => void emit({ fraction: 0, item: "" })
        const report = await inUse.hold(modelId, () =>
          takeTurn(signal, onWait, () => engine.client["quality.run"](wish, ({ fraction, item }) => void emit({ fraction, item }), signal)),
        )
        record(source === "local" ? [modelId, path] : [modelId, path, source], report)
        return report
      },
    },
  }
}

function fromRow(row: Row, format: Format): MeasuredQuality {
  return {
    format,
    perplexity: Number(row.perplexity),
    klMean: Number(row.kl_mean),
    klMax: Number(row.kl_max),
    sameTopToken: Number(row.same_top_token),
    text: String(row.text),
    tokens: Number(row.tokens),
    originalPerplexity: Number(row.original_perplexity),
    measuredAt: Number(row.measured_at),
  }
}
