// main <-> engine host. One model at a time.
import { z } from "zod"
import { method, stream } from "../rpc.ts"
import { ChatTurn, Overflow, Sampling, StopReason } from "../schema/chat.ts"
import { BlockSize, QuantizedFormat } from "../schema/format.ts"
import { LoadedModel, LoadOptions, MemoryPlan } from "../schema/model.ts"
import { OutlierReport, OutlierThreshold } from "../schema/outliers.ts"
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
})
export const QuantizeProgress = z.object({
  parametersDone: z.number(),
  parametersTotal: z.number(),
  bytesWritten: z.number(),
  tensor: z.string(),
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

export const engine = {
  "engine.info": method(z.void(), EngineInfo),
  /** null = passed; otherwise what differed. */
  "engine.selfTest": method(z.object({ backend: z.string() }), z.string().nullable()),
  "engine.bandwidth": method(z.object({ bytes: z.int().positive(), threads: z.int().min(0) }), z.number()),

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

  "quantize.run": stream(QuantizeOptions, QuantizeProgress, QuantizeReport),
}
export type EngineContract = typeof engine
