// What the linear layers of a model read, and how much of it LLM.int8() takes for outliers.
import { z } from "zod"

/** What is compared with the size of activations: 0 = no outliers. bitsandbytes takes 6. */
export const OutlierThreshold = z.number().min(0).max(3e38)

export const LayerOutliers = z.object({
  /** As in the checkpoint, without ".weight". */
  name: z.string(),
  /** Width of what the layer reads. */
  columns: z.int(),
  tokens: z.int(),
  /** Columns that held an outlier in any token, and their share. */
  outlier_columns: z.int(),
  outlier_column_share: z.number(),
  /** Share of all values (tokens x columns) that are outliers. */
  outlier_value_share: z.number(),
  /** Largest magnitude that the layer read. */
  largest: z.number(),
  /** Share of the sum of squares that the outlier columns hold. */
  outlier_square_share: z.number(),
  /** At most 16, with the number of tokens in which each held an outlier, most first. */
  most_frequent: z.array(z.object({ column: z.int(), tokens: z.int() })),
})
export type LayerOutliers = z.infer<typeof LayerOutliers>

export const OutlierReport = z.object({ threshold: z.number(), tokens: z.int(), layers: z.array(LayerOutliers) })
export type OutlierReport = z.infer<typeof OutlierReport>
