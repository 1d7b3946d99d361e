// Adding a model: what the wizard's five steps leave behind. One record from the choice to the finished model; it survives restarts.
import { z } from "zod"
import { ErrorData } from "./error.ts"
import { BlockSize, ComputeType, QuantizedFormat } from "./format.ts"
import { JobProgress } from "./job.ts"
import { OutlierThreshold } from "./outliers.ts"
import { QualityReport } from "./quality.ts"

export const AdditionSource = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("hub"),
    name: z.string(),
    revision: z.string(),
    /** A GGUF file of the repository; null: the safetensors model. */
    variant: z.string().nullable(),
  }),
  /** A folder or GGUF file on this computer; nothing is downloaded, and it stays where it is. */
  z.object({ kind: z.literal("local"), path: z.string() }),
])
export type AdditionSource = z.infer<typeof AdditionSource>

export const AdditionOptions = z.object({
  /** "stored": as it is, without quantizing. */
  format: z.union([QuantizedFormat, z.literal("stored")]).default("nf4-dq"),
  /** The context that it was planned for; also used when it is loaded. 0 = usual. */
  context: z.int().nonnegative().default(0),
  blockSize: BlockSize.default(64),
  skipModules: z.array(z.string()).optional(),
  embeddings: QuantizedFormat.optional(),
  experts: QuantizedFormat.optional(),
  computeDtype: ComputeType.optional(),
  threshold: OutlierThreshold.default(6),
  /** The 16-bit files stay as a model of their own: needed to quantize again and to merge adapters. */
  keepOriginals: z.boolean().default(false),
  /** Measure the quality, of these formats beside the chosen one (at most two). */
  check: z.boolean().default(true),
  compareWith: z.array(QuantizedFormat).max(2).default([]),
  /** The user's own text file for the check; absent: the bundled text. */
  checkText: z.string().optional(),
})
export type AdditionOptions = z.infer<typeof AdditionOptions>

export const AdditionStep = z.enum(["plan", "download", "quantize", "done"])
export type AdditionStep = z.infer<typeof AdditionStep>

export const AdditionFile = z.object({
  name: z.string(),
  bytes: z.number(),
  done: z.number(),
  /** "waiting" in the queue, "retrying" until `retryAt`, "used": quantized and deleted again, "cached": read from the Hugging Face cache. */
  state: z.enum(["waiting", "running", "retrying", "verifying", "verified", "cached", "used", "failed"]),
  /** Of the last failed attempt; with "retrying" it says what it waits for. */
  error: ErrorData.nullable(),
  /** Milliseconds since 1970. */
  retryAt: z.number().nullable(),
  attempts: z.int(),
})
export type AdditionFile = z.infer<typeof AdditionFile>

export const Addition = z.object({
  id: z.string(),
  source: AdditionSource,
  name: z.string(),
  step: AdditionStep,
  /** "draft": nothing was started. "waiting": others come first. "paused" by the user. "failed": `error` says why, and it can go on. */
  state: z.enum(["draft", "waiting", "running", "paused", "failed", "done"]),
  options: AdditionOptions,
  /** For `plan.rows`, `models.inspect`: headers (hub) or the model itself (local). */
  path: z.string(),
  license: z.string().nullable(),
  files: z.array(AdditionFile),
  download: JobProgress.nullable(),
  quantize: JobProgress.nullable(),
  /** What stayed in 16 bits, and why. */
  kept: z.array(z.object({ reason: z.string(), tensors: z.int(), bytes: z.number(), examples: z.array(z.string()) })),
  check: z.discriminatedUnion("state", [
    z.object({ state: z.literal("waiting") }),
    z.object({ state: z.literal("running"), progress: JobProgress }),
    z.object({ state: z.literal("done"), report: QualityReport }),
    /** It is no failure of the addition: the model is made all the same. */
    z.object({ state: z.literal("skipped"), reason: z.string() }),
  ]),
  /** Installed model that it made. */
  modelId: z.string().nullable(),
  error: ErrorData.nullable(),
  /** The page where the license is accepted, for 401 and 403. */
  helpUrl: z.string().nullable(),
  createdAt: z.number(),
  updatedAt: z.number(),
})
export type Addition = z.infer<typeof Addition>

/** Relative error of each quantized tensor, for the map: |W - W'| / |W| (Frobenius). null: not yet. */
export const TensorError = z.object({ name: z.string(), error: z.number().nullable() })
export type TensorError = z.infer<typeof TensorError>
