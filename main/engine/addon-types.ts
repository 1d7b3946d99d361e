// Types of what engine.node exports: the one description of the native edge. Filled by native/binding, loaded by addon.ts.
// Numbers that count bytes or elements are JavaScript numbers (exact to 2^53). Every function checks its argument and throws
// an Error with `code` (see shared/schema/error.ts) before any work begins; tasks reject with such an Error.
import type { GgmlEncoding } from "../models/ggml-types.ts"
import type { NativeDecoder } from "./native-decoder.ts"

/**
 * A native job off the JavaScript thread. `cancel` makes the promise reject with code "cancelled" soon, or resolve where the job
 * says that it keeps what it made; calling it late is harmless.
 */
export interface Task<Result> {
  promise: Promise<Result>
  cancel(): void
}

export type NativeFormat = "fp32" | "fp16" | "bf16" | "int8" | "nf4" | "fp4"
/** native/io/encodings.def. */
export type NativeEncoding = GgmlEncoding | "i8" | "u8"
export type PlainDtype = "f32" | "f16" | "bf16"
export type NativeCompute = "f32" | "bf16" | "f16"

export interface NativeFileSlice {
  file: number
  offset: number
  bytes: number
}

export interface NativeQuantizedSource {
  format: "int8" | "nf4" | "fp4"
  blockSize: number
  absmax: NativeFileSlice
  /** MXFP4: fp4 with codes and scales of another kind. */
  isMicroscaling?: boolean
  codebook?: NativeFileSlice
  nested?: { absmax: NativeFileSlice; map: NativeFileSlice; offset: number; blockSize: number }
}

/** One tensor by role; native/model/decoder.h lists the roles. */
export interface NativeTensor {
  role: string
  name: string
  data: NativeFileSlice
  encoding: NativeEncoding
  shape: number[]
  quantized?: NativeQuantizedSource
  unpermuteHeads?: number
  /** Added to each value; fp32 only. */
  valueOffset?: number
  /** The file holds the last two dimensions the other way round (Conv1D). */
  isTransposed?: boolean
  /** Quantized while loading, when that is asked for. */
  isLinear?: boolean
  /** What becomes of plain values while they are read, as a folder made of the model holds them: they are rounded to `dtype` … */
  dtype?: PlainDtype
  /** … and then, in a matrix, quantized. */
  quantize?: NativeQuantizeSpec
}

export interface NativeModelSource {
  files: string[]
  decoder: NativeDecoder
  tensors: NativeTensor[]
}

/** How linear layers (`isLinear`) are quantized while loading, as transformers would do it. */
export interface NativeQuantizeSpec {
  format: "int8" | "nf4" | "fp4"
  blockSize: number
  isNested: boolean
}

export interface NativeLoadOptions {
  source: NativeModelSource
  /** Quantize 16/32-bit linear layers while loading; absent: as stored. */
  quantize?: NativeQuantizeSpec
  /** Positions the KV cache holds. 1 .. decoder.maxContext. */
  context: number
  compute: NativeCompute
  /** Outlier threshold of LLM.int8(), for int8 weights; absent: 6. 0 = no outliers. */
  threshold?: number
  /** int8 weights are multiplied with activations as they are, instead of LLM.int8(). */
  isExact?: boolean
  /** 0 = one per core that this process may use. */
  threads: number
  /** "auto" or a name of info().backends. */
  backend: string
  /** Refuse with out_of_memory, before allocating, when the plan exceeds this. 0 = what the system has available. */
  memoryLimitBytes: number
}

/** The arena plan: what loading reserves or maps, by owner (bytes). */
export interface NativePlan {
  weights: number
  scales: number
  unquantized: number
  kv: number
  activations: number
  logits: number
  scratch: number
  /** Part of weights + scales + unquantized that is mapped from files, not allocated. */
  mapped: number
  total: number
}

/** Bytes by owner, those of training too. */
export interface NativeMemory extends NativePlan {
  lora: number
  gradients: number
  optimizer: number
}

export interface NativePlanOptions {
  /** As in NativeLoadOptions. */
  context: number
  compute: NativeCompute
  threads: number
  backend: string
  /** What is in use of the memory that is reserved: no chunk of tokens was longer, no more rows of logits were asked for. Absent: all. */
  chunk?: number
  logitRows?: number
}

export interface NativePlaceOptions extends NativePlanOptions {
  /** In the order in which they are filled. */
  devices: { name: string; kind: "gpu" | "cpu" | "disk"; usableBytes: number }[]
  /** Names in the checkpoint of the parts that native/model/parts.h lists. */
  modules: { part: string; name: string }[]
  /** Of the program itself; lies on the CPU, or where there is none on the first device. */
  baseBytes: number
  /** Where modules go; absent: as they fit. */
  deviceMap?: { module: string; device: string }[]
  /** A training run instead of a chat; `context` does not count then. */
  train?: NativeTrainPlan
}

export interface NativeTrainPlan {
  rank: number
  /** Roles of the layers with an adapter; absent: all linear layers. */
  targets?: string[]
  sequenceLength: number
  batchSize: number
  optimizer: "adamw" | "adamw8bit" | "paged-adamw" | "paged-adamw8bit" | "lion" | "lion8bit" | "sgd"
  gradientCheckpointing: boolean
}

export interface NativePlacement {
  plan: NativeMemory
  verdict: "fits" | "tight" | "partly" | "too_big"
  /** Module names to device names. */
  deviceMap: Record<string, string>
  /** 0 in a chat. */
  trainableParameters: number
  /** Of each device, baseBytes not counted. */
  used: NativeMemory[]
  /** The device that baseBytes count on. */
  home: number
}

/** A model whose memory is planned again and again; its tensors are looked at once. */
export interface NativePlanner {
  readonly weightBytesPerToken: number
  readonly kvBytesPerToken: number
  plan(options: NativePlanOptions): NativeMemory
  place(options: NativePlaceOptions): NativePlacement
}

export interface NativeSampling {
  /** 0 = greedy. */
  temperature: number
  /** 0 = off. */
  topK: number
  /** 1 = off. */
  topP: number
  /** 0 = off. */
  minP: number
  /** 1 = off; divides positive and multiplies negative logits of tokens seen (CTRL, arXiv 1909.05858). */
  repeatPenalty: number
  /** 0 .. 2^53 - 1. */
  seed: number
}

export interface NativeGenerateOptions {
  /** The whole prompt; the longest prefix equal to what the cache holds is not computed again. */
  tokens: number[]
  maxNewTokens: number
  sampling: NativeSampling
  /** End-of-text ids: generation ends when one is drawn; it is reported in tokens. */
  stopTokens: number[]
}

export interface NativeGenerateResult {
  tokens: number[]
  stopReason: "stop_token" | "max_new_tokens" | "context_full" | "cancelled"
  promptTokens: number
  /** Prompt tokens taken from the cache. */
  cachedTokens: number
  /** 0 when it was cancelled before the whole prompt was computed. */
  prefillMs: number
  decodeMs: number
  timeToFirstTokenMs: number
}

/** What one linear layer read: see native/model/outliers.h. */
export interface NativeLayerOutliers {
  role: string
  cols: number
  tokens: number
  outlierColumns: number
  outlierValues: number
  largest: number
  /** Of all squares, what the outlier columns hold. */
  squareShare: number
  mostFrequent: { column: number; tokens: number }[]
}

export interface NativeModel {
  readonly plan: NativePlan
  /**
   * Generates; one job at a time per model (code "busy" otherwise). `onTokens` gets batches of new ids as they come. It may return
   * a promise-free `false` to ask for a stop (the result then says "stop_token" and holds what was made so far). Cancelled, it
   * resolves with what was made and measured by then.
   */
  generate(options: NativeGenerateOptions, onTokens: (tokens: number[]) => boolean | undefined): Task<NativeGenerateResult>
  /** Logits of every position of a fresh sequence: fp32 [T, V] written raw (little-endian) to `path` at byte `offset` (the file exists). */
  logits(options: { tokens: number[]; path: string; offset: number }): Task<{ rows: number; cols: number }>
  /** Times `promptTokens` of prefill and `newTokens` of greedy decoding of fixed token ids, without a tokenizer. */
  bench(options: { promptTokens: number; newTokens: number }): Task<{ prefillMs: number; decodeMs: number; weightBytesPerToken: number }>
  /** Runs the sequences, each afresh, and counts what every linear layer read. Layers in the order in which they run. */
  outliers(options: { sequences: { tokens: number[] }[]; threshold: number }): Task<NativeLayerOutliers[]>
  /** The most that was asked of the model so far. Throws code "busy" while a task runs. */
  used(): { tokens: number; chunk: number; logitRows: number }
  /** Frees the memory. Throws code "busy" while a task runs; calling it twice is harmless. */
  dispose(): void
}

/** One tensor to write. Output bytes are appended in the order of the list, where `place` does not say otherwise. */
export interface NativeQuantizeTensor {
  name: string
  data: NativeFileSlice
  encoding: NativeEncoding
  shape: number[]
  unpermuteHeads?: number
  /** Added to each value; fp32 only. */
  valueOffset?: number
  isTransposed?: boolean
  /** "copy" converts to `dtype` where that differs. */
  action:
    | { kind: "copy"; dtype: PlainDtype }
    | { kind: "quantize"; spec: NativeQuantizeSpec /* weight dtype before quantizing */; dtype: PlainDtype }
  /** Offsets in the output file of its data, its absmax or SCB, and its nested absmax; absent: behind the range before. */
  place?: { data?: number; scales?: number; nested?: number }
}

export interface NativeQuantizeOptions {
  files: string[]
  tensors: NativeQuantizeTensor[]
  /** Exists; bytes are written from `offset` on. Never read. */
  outPath: string
  outOffset: number
  threads: number
  /** The relative error of each quantized tensor is measured (native/quant/weight_error.h). */
  withErrors?: boolean
}

export interface NativeQuantizeProgress {
  tensorsDone: number
  parametersDone: number
  bytesWritten: number
  tensor: string
  /** Of the tensors that were finished since the event before. */
  errors: { name: string; error: number }[]
}

/** A range written to the output file, relative to outOffset; `kind` says which tensor of the bitsandbytes layout it is. */
export interface NativeWrittenRange {
  tensor: number
  kind: "data" | "absmax" | "nested_absmax" | "scb"
  begin: number
  end: number
}

export interface NativeQuantizeResult {
  ranges: NativeWrittenRange[]
  /** By tensor index; present for nested 4-bit tensors. */
  nestedOffsets: Record<number, number>
  seconds: number
  parametersQuantized: number
}

export interface NativeInfo {
  version: string
  /** Name of the table in use, e.g. "avx512". */
  isa: string
  /** Processor features that matter here, e.g. ["avx2", "avx512f", "avx512_bf16"]. */
  features: string[]
  backends: string[]
  formats: NativeFormat[]
  errorCodes: string[]
  logicalCores: number
  totalMemoryBytes: number
  /** MemAvailable on Linux; free + inactive on macOS; available physical on Windows; the cgroup limit counts. */
  availableMemoryBytes: number
  /** Of this process. */
  residentBytes: number
  peakResidentBytes: number
}

export interface NativeEvaluateOptions {
  /** Of one vocabulary; all are compared with the first. `threshold`: as when loading. */
  models: { source: NativeModelSource; threshold: number }[]
  /** Each begins afresh and has two tokens or more; the first is not predicted. */
  windows: { tokens: number[] }[]
  compute: NativeCompute
  threads: number
  backend: string
  /** As when loading; what is mapped from files does not count. */
  memoryLimitBytes: number
}

/** Of one model, over all positions that were predicted; KL(first || this) in nats. */
export interface NativeModelFigures {
  perplexity: number
  klMean: number
  klMax: number
  sameTopToken: number
}

/** Models run over a text side by side, layer by layer: native/model/evaluate.h. */
export interface NativeEvaluation {
  /** The input, each layer (of the deepest model), the output. */
  readonly steps: number
  readonly positions: number
  /** Allocated at most, over all steps. */
  readonly neededBytes: number
  /** Opens only files that tensors of this step lie in. After a failure there is no further step. `onProgress` gets 0 .. 1 of it. */
  runStep(onProgress: (fraction: number) => void): Task<void>
  /** One for each model, after the last step. */
  figures(): NativeModelFigures[]
  /** Frees the memory. Throws code "busy" while a step runs; calling it twice is harmless. */
  dispose(): void
}

export interface NativeSpeed {
  /** Bytes per second of plain reading. */
  bandwidth: number
  /** What one layer takes for one token when its weights are next to nothing. */
  layerSeconds: number
  /** What of `decode` is left for weights that are mapped from files. */
  mappedFactor: number
  /** Bytes of codes and scales per second, by format. */
  decode: Record<string, number>
  /** Multiply-adds per second, by format. */
  prefill: Record<string, number>
}

export interface EngineAddon {
  info(): NativeInfo
  /** One tiny matmul per backend and format against ref; null = passed, otherwise what differed. */
  selfTest(backend: string): string | null
  /** The dry run of loadModel: same code, nothing allocated, files not opened. */
  plan(options: NativeLoadOptions): NativePlan
  /** Opens no file, and takes none of the memory that it tells. */
  openPlanner(options: Pick<NativeLoadOptions, "source" | "quantize">): NativePlanner
  /** Lets info().peakResidentBytes begin again at what is resident now; false where the system cannot. */
  resetPeakResident(): boolean
  /** Pages that malloc holds without need go back to the system, where it has a call for that (glibc, macOS). */
  releaseFreeMemory(): void
  loadModel(options: NativeLoadOptions, onProgress: (fraction: number) => void): Task<NativeModel>
  /** Throws out_of_memory before anything is allocated. Opens no file. */
  openEvaluation(options: NativeEvaluateOptions): NativeEvaluation
  quantize(options: NativeQuantizeOptions, onProgress: (progress: NativeQuantizeProgress) => void): Task<NativeQuantizeResult>
  /** Constant tensors of the file format: raw little-endian fp32. */
  codebook(format: "nf4" | "fp4"): Float32Array
  dynamicMap(): Float32Array
  /** Times the products of every format: see native/plan/speed.h. */
  measureSpeed(
    options: { threads: number; compute: NativeCompute /** Of weights. */; bytes?: number; seconds?: number },
    onProgress: (fraction: number) => void,
  ): Task<NativeSpeed>
  /** Memory bandwidth by a read of `bytes` with all threads, GB/s (median of 5). For bench. */
  measureBandwidth(bytes: number, threads: number): Task<number>
}
