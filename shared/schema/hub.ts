// Models on the hub, as search and the model's page show them.
import { z } from "zod"
import { Format } from "./format.ts"
import { ModelInspection } from "./model.ts"
import { PlanVerdict } from "./plan.ts"

export const HubSort = z.enum(["downloads", "likes", "updated", "trending"])

export const HubQuery = z.object({
  text: z.string().max(200).default(""),
  /** Only what the engine can run, or quantize. */
  isSupportedOnly: z.boolean().default(false),
  /** Only what has a format that fits this computer. */
  isFittingOnly: z.boolean().default(false),
  /** As the hub names it: "apache-2.0", "mit"; absent: any. */
  license: z.string().optional(),
  /** Parameters at least and at most; 0 = no bound. */
  minParameters: z.number().nonnegative().default(0),
  maxParameters: z.number().nonnegative().default(0),
  sort: HubSort.default("downloads"),
  /** Of the page before; absent: the first page. */
  cursor: z.string().optional(),
})
export type HubQuery = z.infer<typeof HubQuery>

/** Whether it can be fetched with the token that is set. */
export const HubAccess = z.enum(["open", "gated", "private"])

export const HubModelSummary = z.object({
  /** "org/name" */
  name: z.string(),
  /** null: the hub does not say. */
  parameters: z.number().nullable(),
  context: z.int().nullable(),
  /** First of config.json's architectures; null: the hub does not say. */
  architecture: z.string().nullable(),
  license: z.string().nullable(),
  access: HubAccess,
  /** ISO 8601. */
  updatedAt: z.string().nullable(),
  downloads: z.number(),
  likes: z.number(),
  kind: z.enum(["safetensors", "gguf", "other"]),
  supported: z.boolean(),
  /** Why it cannot be used, as a whole sentence; null when it can. */
  reason: z.string().nullable(),
  /** Format of best quality that fits this computer, with the memory that it takes; null: unknown, or none fits. From parameters alone, so about. */
  best: z.object({ format: Format, bytes: z.number() }).nullable(),
  verdict: PlanVerdict.nullable(),
})
export type HubModelSummary = z.infer<typeof HubModelSummary>

export const HubPage = z.object({
  models: z.array(HubModelSummary),
  /** For the next page; null: this was the last. */
  cursor: z.string().nullable(),
  endpoint: z.string(),
})
export type HubPage = z.infer<typeof HubPage>

export const HubFileInfo = z.object({
  name: z.string(),
  bytes: z.number(),
  /** "sha256" of large files, "git-sha1" of small ones. */
  algorithm: z.enum(["sha256", "git-sha1"]),
  digest: z.string(),
  /** In the Hugging Face cache of this computer already: used in place. */
  isCached: z.boolean(),
})

/** A model of the hub with its headers read by range requests: all that planning needs. */
export const HubModel = z.object({
  summary: HubModelSummary,
  /** Commit that everything here belongs to. */
  revision: z.string(),
  /** Those that would be downloaded. Of a repository of GGUF files: those of `variant`. */
  files: z.array(HubFileInfo),
  /** GGUF files of the repository, one (or one set of parts) each; empty for a safetensors model. */
  variants: z.array(z.object({ name: z.string(), bytes: z.number() })),
  variant: z.string().nullable(),
  /** Folder (or GGUF file) with config, tokenizer and the headers of the weights: a path for `plan.rows`. null where the access is refused. */
  headers: z.string().nullable(),
  inspection: ModelInspection.nullable(),
  /** Model card as Markdown without its front matter; shown sanitized, without remote images. */
  card: z.string(),
  /** Where the license is read and accepted. */
  pageUrl: z.string(),
  licenseUrl: z.string().nullable(),
})
export type HubModel = z.infer<typeof HubModel>

/** Who the token belongs to. The token itself never leaves main. */
export const HubAccount = z.object({
  endpoint: z.string(),
  /** Where it stands: "keychain", "file", "environment" (HF_TOKEN); null: there is none. */
  token: z.enum(["keychain", "file", "environment"]).nullable(),
  /** Name of the account when the hub confirmed it. */
  name: z.string().nullable(),
})
export type HubAccount = z.infer<typeof HubAccount>
