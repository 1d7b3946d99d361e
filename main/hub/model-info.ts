// What the hub says of a model, in lists and on its own, and what follows from it: whether it can be used here, and why not.
import { z } from "zod"
import type { HubModelSummary } from "../../shared/schema/hub.ts"
import { architectures } from "../models/architectures/registry.ts"
import { methodName } from "../models/foreign-quantization.ts"
import { isObject } from "../models/json.ts"

const text = z.string().max(500)
const count = z.number().nonnegative()

/** Fields that the hub leaves out, or fills with something else than is known here, count as absent. */
export const HubModelInfo = z.object({
  id: z.string().regex(/^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/),
  sha: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .optional()
    .catch(undefined),
  private: z.boolean().optional().catch(undefined),
  gated: z.union([z.boolean(), text]).optional().catch(undefined),
  downloads: count.optional().catch(undefined),
  likes: count.optional().catch(undefined),
  lastModified: text.optional().catch(undefined),
  tags: z.array(text).max(1000).optional().catch(undefined),
  cardData: z
    .object({ license: text.optional().catch(undefined), license_link: text.optional().catch(undefined) })
    .optional()
    .catch(undefined),
  config: z.record(z.string(), z.unknown()).optional().catch(undefined),
  safetensors: z.object({ total: count }).optional().catch(undefined),
  gguf: z.object({ total: count.optional(), architecture: text.optional(), context_length: count.optional() }).optional().catch(undefined),
  siblings: z
    .array(z.object({ rfilename: text }))
    .max(20_000)
    .optional()
    .catch(undefined),
})
export type HubModelInfo = z.infer<typeof HubModelInfo>

/** Memory of the best format that fits this computer. `parameters` is all that lists tell. */
export type Estimate = (model: { parameters: number }) => Pick<HubModelSummary, "best" | "verdict">

/** A model's line in a list. Where the hub does not say what is needed to judge, the model counts as usable: its page will tell. */
export function summaryOf(info: HubModelInfo, estimate: Estimate): HubModelSummary {
  const files = info.siblings?.map(({ rfilename }) => rfilename) ?? null
  const kind = kindOf(info, files)
  const reason = reasonOf(info, files, kind)
  const parameters = info.safetensors?.total ?? info.gguf?.total ?? null
  const isKnown = reason === null && parameters !== null && parameters > 0
  return {
    name: info.id,
    parameters,
    context: contextOf(info),
    architecture: architectureOf(info.config) ?? info.gguf?.architecture ?? null,
    license: info.cardData?.license ?? info.tags?.find((tag) => tag.startsWith("license:"))?.slice("license:".length) ?? null,
    access: info.private ? "private" : info.gated ? "gated" : "open",
    updatedAt: info.lastModified ?? null,
    downloads: info.downloads ?? 0,
    likes: info.likes ?? 0,
    kind,
    supported: reason === null,
    reason,
    ...(isKnown ? estimate({ parameters }) : { best: null, verdict: null }),
  }
}

function kindOf({ tags, safetensors, gguf }: HubModelInfo, files: string[] | null): HubModelSummary["kind"] {
  const has = (ending: string, tag: string) => files?.some((file) => file.endsWith(ending)) ?? tags?.includes(tag) ?? false
  if (safetensors || has(".safetensors", "safetensors")) return "safetensors"
  return gguf || has(".gguf", "gguf") ? "gguf" : "other"
}

function contextOf({ config, gguf }: HubModelInfo): number | null {
  const context = config?.max_position_embeddings ?? gguf?.context_length
  return typeof context === "number" && Number.isSafeInteger(context) && context > 0 ? context : null
}

function architectureOf(config: HubModelInfo["config"]): string | null {
  const first = Array.isArray(config?.architectures) ? config.architectures[0] : undefined
  return typeof first === "string" ? first.slice(0, 100) : null
}

function reasonOf({ config }: HubModelInfo, files: string[] | null, kind: HubModelSummary["kind"]): string | null {
  if (kind === "other" && files) {
    const isPickled = files.some((file) => /\.(bin|pt|pth|ckpt)$/.test(file))
    return isPickled ? "Only pickled .bin weights: refused, they can run code." : "It has no weights in safetensors or GGUF."
  }
  if (kind === "gguf") return null
  const { quantization_config: quantization } = config ?? {}
  const method = isObject(quantization) ? quantization.quant_method : undefined
  if (typeof method === "string" && method !== "bitsandbytes" && method !== "mxfp4")
    return `It was quantized by ${methodName(method)}, which is not read here.`
  const architecture = architectureOf(config)
  if (architecture !== null && !architectures.some(({ name }) => name === architecture))
    return `Architecture \`${architecture}\` is not supported yet.`
  if (files && !files.some((file) => /^(tokenizer\.json|tokenizer\.model|vocab\.json)$/.test(file)))
    return "It has no tokenizer that can be read here: no tokenizer.json, tokenizer.model or vocab.json."
  return null
}
