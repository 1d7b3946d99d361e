// What memory a model will take, before anything is loaded: computed by the code that allocates, run dry.
import { z } from "zod"
import { BlockSize, ComputeType, Format, QuantizedFormat } from "./format.ts"

/** Who owns memory, in the order in which bars and tables show it. `context` is what the process or the driver takes by itself. */
export const memoryOwners = [
  "weights",
  "scales",
  "unquantized",
  "kv",
  "activations",
  "logits",
  "lora",
  "gradients",
  "optimizer",
  "scratch",
  "context",
] as const
export type MemoryOwner = (typeof memoryOwners)[number]

/** Bytes by owner. Owners that a mode does not have are 0. */
export const MemoryParts = z.object(
  Object.fromEntries(memoryOwners.map((owner) => [owner, z.number()])) as Record<MemoryOwner, z.ZodNumber>,
)
export type MemoryParts = z.infer<typeof MemoryParts>

/** A place that layers can lie in. Names are those of Accelerate: "0" is the first GPU, "cpu", "disk". */
export const PlanDevice = z.object({
  name: z.string(),
  kind: z.enum(["gpu", "cpu", "disk"]),
  /** As people know it: "RTX 3060". */
  label: z.string(),
  totalBytes: z.number(),
  /** What Nibble may use of it: free now, what the loaded model would give back added, the reserve taken off. */
  usableBytes: z.number(),
  /** Bytes per second that decoding can read from it; 0: not known. */
  bandwidth: z.number(),
})
export type PlanDevice = z.infer<typeof PlanDevice>

/** A computer that can be planned for without being here. */
export const PlanComputer = z.object({
  /** For `computer` of a request. */
  id: z.string(),
  /** As people know it: "RTX 3060 12 GB, 32 GB of memory". */
  label: z.string(),
  devices: z.array(PlanDevice),
})
export type PlanComputer = z.infer<typeof PlanComputer>

/** The names that bitsandbytes and the Trainer have for them. Bits of a state and number of states follow from the name. */
export const PlanOptimizer = z.enum(["adamw", "adamw8bit", "paged-adamw", "paged-adamw8bit", "lion", "lion8bit", "sgd"])
export type PlanOptimizer = z.infer<typeof PlanOptimizer>

/** A training run as far as its memory depends on it. Defaults: peers.md 6.3. */
export const TrainPlan = z.object({
  rank: z.int().min(1).max(1024).default(16),
  /** "all-linear", or the last parts of module names as PEFT takes them. */
  targets: z.union([z.literal("all-linear"), z.array(z.string().min(1)).min(1)]).default("all-linear"),
  sequenceLength: z.int().min(1).max(1_048_576).default(1024),
  batchSize: z.int().min(1).max(1024).default(1),
  optimizer: PlanOptimizer.default("adamw8bit"),
  gradientCheckpointing: z.boolean().default(true),
})
export type TrainPlan = z.infer<typeof TrainPlan>

export const PlanRequest = z.object({
  /** A folder with weights, with their headers only (a model on the hub), or with config.json alone; or a GGUF file. */
  path: z.string().min(1),
  /** Absent: the format it has, and where it can be quantized, all. */
  formats: z.array(Format).min(1).optional(),
  mode: z.enum(["chat", "train"]).default("chat"),
  /** 0 = what the model can do, at most 8192. */
  context: z.int().nonnegative().default(0),
  /** Tokens of the context that are in use; 0 = all of it. */
  usedTokens: z.int().nonnegative().default(0),
  compute: ComputeType.optional(),
  threads: z.int().min(0).max(256).default(0),
  blockSize: BlockSize.default(64),
  skipModules: z.array(z.string()).optional(),
  embeddings: QuantizedFormat.optional(),
  experts: QuantizedFormat.optional(),
  train: TrainPlan.prefault({}),
  /** "auto": GPU first, then RAM, then disk. Else where each module goes: the names and devices of Accelerate's device_map. */
  deviceMap: z.union([z.literal("auto"), z.record(z.string(), z.string())]).default("auto"),
  /** Bytes that may be used of each device, by its name; others as they are. */
  maxMemory: z.record(z.string(), z.number().nonnegative()).default({}),
  /** A computer of the list `planComputers`, to plan for one that is not here; absent: this one. */
  computer: z.string().optional(),
})
export type PlanRequest = z.infer<typeof PlanRequest>

export const PlanVerdict = z.enum(["fits", "tight", "partly", "too_big"])
export type PlanVerdict = z.infer<typeof PlanVerdict>

export const PlanRow = z.object({
  format: Format,
  /** Of the files that the quantizer would write, headers and tokenizer included. */
  disk_bytes: z.number(),
  /** As transformers' get_memory_footprint() counts: parameters and buffers, no scales of 4-bit weights. */
  footprint_bytes: z.number(),
  parts: MemoryParts,
  /** Sum of the parts. */
  total_bytes: z.number(),
  /** Of weights, scales and unquantized: mapped from files, so that the system can take it back when it must. */
  mapped_bytes: z.number(),
  devices: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(["gpu", "cpu", "disk"]),
      used_bytes: z.number(),
      free_bytes: z.number(),
      parts: MemoryParts,
    }),
  ),
  fits: z.boolean(),
  verdict: PlanVerdict,
  /** Modules as Accelerate names them ("model.embed_tokens", "model.layers.0", "lm_head") to devices. */
  device_map: z.record(z.string(), z.string()),
  kv_bytes_per_token: z.number(),
  context: z.int(),
  /** What of the model is read for one new token; with `bandwidth` of the devices, the speed. */
  weight_bytes_per_token: z.number(),
  /** 0 in chat. */
  trainable_parameters: z.number(),
  tensors_quantized: z.int(),
})
export type PlanRow = z.infer<typeof PlanRow>

/** Tokens per second: from the benchmark of this computer, scaled by bytes; null where it has not been run, or for another computer, only the bandwidth counts. */
export const SpeedEstimate = z.object({ tokensPerS: z.number(), basis: z.enum(["measured", "bandwidth"]) })
export type SpeedEstimate = z.infer<typeof SpeedEstimate>

/** Share of next tokens that stay those of the 16-bit model, 0 .. 1. */
export const QualityEstimate = z.object({ sameTopToken: z.number(), basis: z.enum(["reference", "typical", "measured"]) })
export type QualityEstimate = z.infer<typeof QualityEstimate>

export const PlanChoice = PlanRow.extend({
  speed: SpeedEstimate.nullable(),
  quality: QualityEstimate.nullable(),
  train: z.object({ total_bytes: z.number(), verdict: PlanVerdict }).nullable(),
})
export type PlanChoice = z.infer<typeof PlanChoice>

/** Why one row is recommended; the page has the sentence. Bytes and tokens are those that the sentence names. */
export const Recommendation = z.object({
  format: Format,
  reason: z.enum(["best_that_fits", "room_to_train", "only_one_that_fits", "smallest", "nothing_fits"]),
  spareBytes: z.number(),
  context: z.int(),
})
export type Recommendation = z.infer<typeof Recommendation>

export const PlanReport = z.object({
  rows: z.array(PlanChoice),
  recommendation: Recommendation,
  devices: z.array(PlanDevice),
  contextLimit: z.int(),
  layers: z.int(),
  parameters: z.number(),
  /** As in plan.rows of the engine. */
  storedAs: z.string(),
})
export type PlanReport = z.infer<typeof PlanReport>

/** One change that frees memory; `change` goes into the request when it is applied. Least loss first. */
export const FitChange = z.object({
  kind: z.enum([
    "context",
    "format",
    "embeddings",
    "layers_to_cpu",
    "layers_to_disk",
    "optimizer",
    "checkpointing",
    "sequence_length",
    "batch_size",
    "rank",
  ]),
  from: z.string(),
  to: z.string(),
  savesBytes: z.number(),
  fitsAfter: z.boolean(),
  /** What is left of the fullest device; negative: still missing. */
  spareBytes: z.number(),
  /** What it costs; the page has the sentence. */
  cost: z.enum(["shorter_memory", "quality", "speed", "none"]),
  speedBefore: z.number().nullable(),
  speedAfter: z.number().nullable(),
  /** Replaces these fields of the request; `format` is the row to look at afterwards. */
  change: z.object({
    format: Format.optional(),
    context: z.int().optional(),
    embeddings: QuantizedFormat.optional(),
    deviceMap: z.record(z.string(), z.string()).optional(),
    train: TrainPlan.optional(),
  }),
})
export type FitChange = z.infer<typeof FitChange>

/** "What can this computer run?": model sizes against formats. */
export const CapacityTable = z.object({
  computer: z.string(),
  context: z.int(),
  formats: z.array(Format),
  models: z.array(
    z.object({
      /** "Llama 3.1 8B" */
      name: z.string(),
      parameters: z.number(),
      cells: z.array(z.object({ total_bytes: z.number(), verdict: PlanVerdict, tokensPerS: z.number().nullable() })),
    }),
  ),
})
export type CapacityTable = z.infer<typeof CapacityTable>

/** How fast this processor multiplies weights of each format: bytes of weights per second, measured. */
export const SpeedProfile = z.object({
  isa: z.string(),
  threads: z.int(),
  measuredAt: z.number(),
  /** Bytes per second of plain reading. */
  bandwidth: z.number(),
  /** What one layer takes for one token when its weights are next to nothing: calls, and threads that wait for each other. */
  layerSeconds: z.number(),
  /** What is left of the rates of `decode`, 0 .. 1, for weights that are mapped from files. */
  mappedFactor: z.number(),
  decode: z.partialRecord(Format, z.number()),
  /** Multiply-adds per second of a long prompt. */
  prefill: z.partialRecord(Format, z.number()),
})
export type SpeedProfile = z.infer<typeof SpeedProfile>

/** What to do, or what would serve better; the page has the sentences. Names with `elsewhere` are about formats of other programs. */
export const PlanAdviceCode = z.enum([
  // Out of memory.
  "smaller_format",
  "shorter_context",
  "smaller_model",
  "other_computer",
  // Too slow.
  "faster_format",
  "slow_from_disk",
  "measure_speed",
  // Not accurate enough.
  "accurate_format",
  "nf4_not_fp4",
  "finer_blocks",
  "keep_embeddings",
  "measure_quality",
  // Loading takes long.
  "load_quantized",
  // When other formats serve better.
  "full_precision",
  "gguf_elsewhere",
  "gptq_awq_elsewhere",
  "fp8_elsewhere",
])
export type PlanAdviceCode = z.infer<typeof PlanAdviceCode>

export const PlanAdvice = z.object({
  code: PlanAdviceCode,
  topic: z.enum(["memory", "speed", "accuracy", "loading", "format"]),
  /** It is about something that is wrong now, not only good to know. */
  isPressing: z.boolean(),
  /** Of Nibble, where the advice names one. */
  format: Format.nullable(),
  /** What the sentence names. Bytes where the name ends in Bytes, tokens per second in PerS, shares 0 .. 1 in Share, else counts. */
  figures: z.record(z.string(), z.number()),
})
export type PlanAdvice = z.infer<typeof PlanAdvice>

/** One prediction and what came of it. Bytes of the engine's process. */
export const Prediction = z.object({
  id: z.string(),
  at: z.number(),
  modelId: z.string().nullable(),
  modelName: z.string(),
  format: z.string(),
  kind: z.enum(["load", "chat", "train"]),
  context: z.int(),
  tokens: z.int(),
  predictedBytes: z.number(),
  peakBytes: z.number(),
  parts: MemoryParts,
})
export type Prediction = z.infer<typeof Prediction>
