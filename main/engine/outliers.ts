// What the linear layers of the loaded model read while it runs over some text, and how much of that are outliers.
import { AppError } from "../../shared/schema/error.ts"
import type { LayerOutliers, OutlierReport } from "../../shared/schema/outliers.ts"
import type { OpenedModel } from "../models/opened-model.ts"
import type { NativeLayerOutliers } from "./addon-types.ts"
import type { HeldModel } from "./model-slot.ts"
import { sampleText } from "./outlier-sample.ts"
import { runTask } from "./run-task.ts"

export interface OutlierWish {
  /** Absent: `text`; absent too: the program's own sample. */
  tokens?: number[] | undefined
  text?: string | undefined
  threshold: number
  maxTokens: number
}

export async function measureOutliers(model: HeldModel, wish: OutlierWish, signal: AbortSignal): Promise<OutlierReport> {
  const sequences = sequencesOf(model, wish).map((tokens) => ({ tokens }))
  const layers = await runTask(model.native.outliers({ sequences, threshold: wish.threshold }), signal)
  const nameOf = layerNames(model.opened)
  return {
    threshold: wish.threshold,
    tokens: sequences.reduce((sum, { tokens }) => sum + tokens.length, 0),
    layers: layers.map((layer) => summarize(nameOf(layer.role), layer)),
  }
}

function summarize(name: string, layer: NativeLayerOutliers): LayerOutliers {
  const values = layer.tokens * layer.cols
  return {
    name,
    columns: layer.cols,
    tokens: layer.tokens,
    outlier_columns: layer.outlierColumns,
    outlier_column_share: layer.outlierColumns / layer.cols,
    outlier_value_share: values > 0 ? layer.outlierValues / values : 0,
    largest: layer.largest,
    outlier_square_share: layer.squareShare,
    most_frequent: layer.mostFrequent,
  }
}

/** Cut to what the context holds. Each part begins as a text does: models rely on their begin-of-text token. */
function sequencesOf(model: HeldModel, { tokens, text, maxTokens }: OutlierWish): number[][] {
  const { context } = model.shown
  if (tokens) return parts(tokens.slice(0, maxTokens), context)
  const tokenizer = model.text.tokenizer()
  const lead = tokenizer.encode("", { addSpecial: true })
  const ids = tokenizer.encode(text ?? sampleText, { addSpecial: true }).slice(0, maxTokens)
  if (ids.length === 0) throw new AppError("bad_input", "The text has no tokens.", "Give a text of a few hundred words.")
  const isLed = lead.length > 0 && lead.length < context && lead.every((id, i) => ids[i] === id)
  if (!isLed) return parts(ids, context)
  return parts(ids.slice(lead.length), context - lead.length).map((part) => [...lead, ...part])
}

function parts(ids: number[], size: number): number[][] {
  return Array.from({ length: Math.ceil(ids.length / size) }, (_, i) => ids.slice(i * size, (i + 1) * size))
}

/** From roles to the names of modules; one of several experts in one tensor has its number behind the tensor's name. */
function layerNames({ source }: Pick<OpenedModel, "source">): (role: string) => string {
  const byRole = new Map(source.tensors.map(({ role, name }) => [role, name.replace(/\.weight$/, "")]))
  return (role) => {
    const whole = role.replace(/\.\d+$/, "")
    const fused = byRole.get(whole)
    if (!byRole.has(role) && fused !== undefined) return `${fused}${role.slice(whole.length)}`
    return byRole.get(role) ?? (role === "head" ? "lm_head" : role)
  }
}
