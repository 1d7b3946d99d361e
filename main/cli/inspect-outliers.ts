// nibble inspect --outliers: what the linear layers read while the model runs over some text.
import { readFile } from "node:fs/promises"
import { text as readAll } from "node:stream/consumers"
import { AppError } from "../../shared/schema/error.ts"
import type { ModelInspection } from "../../shared/schema/model.ts"
import type { OutlierReport } from "../../shared/schema/outliers.ts"
import type { CommandContext } from "./command.ts"
import { columns } from "./quantities.ts"
import { withModel } from "./with-engine.ts"

interface OutlierValues {
  threshold: number | undefined
  text: string | undefined
  tokens: number[] | undefined
  maxTokens: number | undefined
}

/** Longer contexts cost memory and show nothing more. */
const usualContext = 512

export async function countOutliers(
  reference: string,
  { context_length }: ModelInspection,
  { threshold, text, tokens, maxTokens }: OutlierValues,
  context: CommandContext,
): Promise<OutlierReport> {
  const wish = { threshold, maxTokens, tokens, text: text === undefined ? undefined : await readText(text) }
  const load = { context: Math.min(usualContext, context_length || usualContext) }
  return withModel(reference, load, context, async (client) => {
    const progress = context.output.progress("Counting outliers")
    try {
      return await client["model.outliers"](wish, context.signal)
    } finally {
      progress.end()
    }
  })
}

async function readText(path: string): Promise<string> {
  if (path === "-") return readAll(process.stdin)
  try {
    return await readFile(path, "utf8")
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code !== "ENOENT" && code !== "EISDIR") throw thrown
    throw new AppError("not_found", `There is no text file ${path}.`, "Give the path of a text file, or - for standard input.")
  }
}

const percent = (share: number) => `${(share * 100).toFixed(share > 0 && share < 0.001 ? 3 : 1)} %`

export function outlierTable({ threshold, tokens, layers }: OutlierReport): string {
  const rows = layers.map((layer) => [
    layer.name,
    `${layer.outlier_columns} of ${layer.columns}`,
    percent(layer.outlier_column_share),
    percent(layer.outlier_value_share),
    percent(layer.outlier_square_share),
    layer.largest.toPrecision(3),
    layer.most_frequent
      .slice(0, 4)
      .map(({ column }) => column)
      .join(" "),
  ])
  const head = ["layer", "outlier columns", "share", "of values", "of squares", "largest", "most often in"]
  return `Magnitudes of ${threshold} and more, over ${tokens} tokens:\n${columns([head, ...rows], [1, 2, 3, 4, 5])}`
}
