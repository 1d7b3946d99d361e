// main <-> engine host. One model at a time.
import { z } from "zod"
import { method, stream } from "../rpc.ts"
import { ChatTurn, Overflow, Sampling, StopReason } from "../schema/chat.ts"
import { BlockSize, ComputeType, Format, QuantizedFormat } from "../schema/format.ts"
import { LoadedModel, LoadOptions, MemoryPlan } from "../schema/model.ts"
import { OutlierReport, OutlierThreshold } from "../schema/outliers.ts"
import { MemoryParts, PlanDevice, PlanRequest, PlanRow, SpeedProfile } from "../schema/plan.ts"
import { QualityReport } from "../schema/quality.ts"
import { EngineInfo } from "../schema/system.ts"

export const Prompt = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("text"), text: z.string() }),
  z.object({ kind: z.literal("tokens"), tokens: z.array(z.int().nonnegative()).min(1) }),
  /** Rendered with the model's chat template, generation prompt added. */
  z.object({ kind: z.literal("chat"), turns: z.array(ChatTurn).min(1), overflow: Overflow.default("stop") }),
])

export const GenerateOptions = z.object({ prompt: Prompt, sampling: Sampling, stop: z.array(z.string().min(1)).max(16).default([]) })
/** New text since the last event; never a part of a character, never a part of a stop string. */
export const GenerateEvent = z.object({ text: z.string(), tokens: z.int() })
export const GenerateResult = z.object({
  text: z.string(),
  tokens: z.array(z.int()),
  stopReason: StopReason,
  promptTokens: z.int(),
  cachedTokens: z.int(),
  prefillTokensPerS: z.number(),
  decodeTokensPerS: z.number(),
  timeToFirstTokenMs: z.number(),
  seed: z.number(),
  droppedMessages: z.int(),
})
export type GenerateResult = z.infer<typeof GenerateResult>

export const QuantizeOptions = z.object({
  path: z.string().min(1),
  /** Folder to make; must not exist or be empty. */
  out: z.string().min(1),
  format: QuantizedFormat,
  blockSize: BlockSize.default(64),
  /** Replaces the default list (bitsandbytes.md 3.4) when given. */
  skipModules: z.array(z.string()).optional(),
  /** Of the token embedding and the output head; absent: they stay in 16 bits. */
  embeddings: QuantizedFormat.optional(),
  /** Of the experts of a mixture; absent: they stay in 16 bits. */
  experts: QuantizedFormat.optional(),
  computeDtype: z.enum(["float32", "float16", "bfloat16"]).optional(),
  threshold: z.number().min(0).default(6),
  threads: z.int().min(0).default(0),
  /** A sentence for the model card, e.g. that the source was already 4-bit. */
  note: z.string().optional(),
  /**
   * The weights are still coming: each file is read when "files.arrived" names it, and one file is written for each that is read. What
   * was written before is kept when this ends, and gone on with by the next call with the same options.
   */
  isArriving: z.boolean().optional(),
  /** The relative error of each tensor is measured; takes a little longer. */
  withErrors: z.boolean().optional(),
})
export const QuantizeProgress = z.object({
  parametersDone: z.number(),
  parametersTotal: z.number(),
  bytesWritten: z.number(),
  tensor: z.string(),
  /** Names of the source files that are not needed any more, all so far. */
  filesDone: z.array(z.string()).optional(),
  /** Relative errors (Frobenius) of the tensors that were finished since the last event. */
  errors: z.array(z.object({ name: z.string(), error: z.number() })).optional(),
})
export const QuantizeReport = z.object({
  out: z.string(),
  format: QuantizedFormat,
  tensors_quantized: z.int(),
  tensors_kept: z.int(),
  /** What stayed as it was, and why: sentences without a capital and a full stop. */
  kept: z.array(z.object({ reason: z.string(), tensors: z.array(z.string()) })),
  bytes_in: z.number(),
  bytes_out: z.number(),
  seconds: z.number(),
  parameters_per_second: z.number(),
  peak_rss_bytes: z.number(),
})
export type QuantizeReport = z.infer<typeof QuantizeReport>

/** What a loaded model took of the process's memory, beside what the plan said. */
export const ModelMemory = z.object({
  /** Tokens that the cache held at most. */
  tokens: z.int(),
  /** At the peak since the load began, as it could be known before. `predictedBytes` is the sum. */
  predicted: MemoryParts,
  predictedBytes: z.number(),
  /** Now, by the same reckoning: the peak is past. */
  inUse: MemoryParts,
  /** Of the process since the load began, with what it held before. */
  peakBytes: z.number(),
  residentBytes: z.number(),
})
export type ModelMemory = z.infer<typeof ModelMemory>

export const QualityOptions = z.object({
  /** The 16-bit model: a folder or GGUF file. */
  path: z.string().min(1),
  /** Each is made in memory, layer by layer, exactly as quantize.run would write it: of `other`, where that is given. */
  formats: z.array(Format).max(3).default([]),
  /** A model to compare with `path`, e.g. a quantized folder of it; of the same vocabulary. */
  other: z.string().optional(),
  blockSize: BlockSize.default(64),
  skipModules: z.array(z.string()).optional(),
  embeddings: QuantizedFormat.optional(),
  experts: QuantizedFormat.optional(),
  threshold: OutlierThreshold.default(6),
  /** What products are computed in; absent: what this processor does fast. */
  compute: ComputeType.optional(),
  /** A text file in UTF-8; absent: the bundled text. */
  textFile: z.string().optional(),
  /** Tokens; at most what the model was made for. How the text is cut: main/engine/quality-windows.ts. */
  window: z.int().min(2).max(1_048_576).default(512),
  /** At most so many tokens of the text; 0 = all; absent: as many as take about a minute here, 2048 at least. */
  maxTokens: z.int().nonnegative().optional(),
  threads: z.int().min(0).max(256).default(0),
  /** As in quantize.run. */
  isArriving: z.boolean().optional(),
})
export const QualityProgress = z.object({ fraction: z.number(), item: z.string(), filesDone: z.array(z.string()).optional() })

export const engine = {
  "engine.info": method(z.void(), EngineInfo),
  /** null = passed; otherwise what differed. */
  "engine.selfTest": method(z.object({ backend: z.string() }), z.string().nullable()),
  "engine.bandwidth": method(z.object({ bytes: z.int().positive(), threads: z.int().min(0) }), z.number()),

  /** Rows of a plan, for the devices given. Opens no weights; a folder with headers or config.json alone will do. */
  "plan.rows": method(
    PlanRequest.omit({ maxMemory: true, computer: true }).extend({ devices: z.array(PlanDevice).min(1) }),
    z.object({
      rows: z.array(PlanRow),
      contextLimit: z.int(),
      layers: z.int(),
      parameters: z.number(),
      /** What the files hold, as `inspect` says it: of GGUF another format than that of the row, since the engine decodes it. */
      storedAs: z.string(),
    }),
  ),
  /** Times the products of every format; about ten seconds. */
  "engine.speed": stream(z.object({ threads: z.int().min(0).default(0) }), z.object({ fraction: z.number() }), SpeedProfile),

  "model.plan": method(LoadOptions, MemoryPlan),
  "model.load": stream(LoadOptions, z.object({ fraction: z.number() }), LoadedModel),
  "model.unload": method(z.void(), z.object({ freedBytes: z.number() })),
  "model.generate": stream(GenerateOptions, GenerateEvent, GenerateResult),
  /** Exact number of tokens the prompt would have. */
  "model.count": method(z.object({ prompt: Prompt }), z.object({ tokens: z.int(), limit: z.int() })),
  "model.tokenize": method(
    z.object({ text: z.string().optional(), decode: z.array(z.int().nonnegative()).optional() }),
    z.object({ ids: z.array(z.int()), tokens: z.array(z.string()), text: z.string() }),
  ),
  /** Writes a safetensors file with tensor "logits" [T, V] fp32. */
  "model.logits": method(
    z.object({ tokens: z.array(z.int().nonnegative()).min(1), out: z.string().min(1) }),
    z.object({ out: z.string(), shape: z.array(z.int()) }),
  ),
  /** Runs `tokens`, or `text`, or the program's own sample through the model: what LLM.int8() would take for outliers, layer by layer. */
  "model.outliers": method(
    z.object({
      tokens: z.array(z.int().nonnegative()).min(1).optional(),
      text: z.string().optional(),
      threshold: OutlierThreshold.default(6),
      maxTokens: z.int().positive().default(4096),
    }),
    OutlierReport,
  ),
  "model.bench": method(
    z.object({ promptTokens: z.int().positive(), newTokens: z.int().positive() }),
    z.object({ prefillMs: z.number(), decodeMs: z.number(), weightBytesPerToken: z.number() }),
  ),

  /** Not found while no model is loaded. */
  "model.memory": method(z.void(), ModelMemory),

  /** Perplexity and distance from the 16-bit model, layer by layer: never more than one layer's weights are in memory. */
  "quality.run": stream(QualityOptions, QualityProgress, QualityReport),

  /** A file of `folder` is complete and verified: what waits for it goes on. */
  "files.arrived": method(z.object({ folder: z.string(), name: z.string() }), z.void()),

  "quantize.run": stream(QuantizeOptions, QuantizeProgress, QuantizeReport),
}
export type EngineContract = typeof engine
