// Which programs load a quantized folder, where that is not all of them.
import type { z } from "zod"
import type { QuantizeOptions } from "../../shared/contract/engine.ts"
import type { QuantizeSource } from "../models/quantize-source.ts"

/** Why transformers, and what is built on it, cannot load the folder: the end of a sentence that begins with "because". Null: it can. */
export function transformersObstacle({ config }: QuantizeSource, options: z.output<typeof QuantizeOptions>): string | null {
  if (options.embeddings) return "its embedding is quantized, which transformers cannot load"
  if (options.experts) return "its experts are quantized, which transformers holds in 16 bits only"
  if (config.model_type === "falcon") return "transformers 5 converts no layers of Falcon"
  return null
}
