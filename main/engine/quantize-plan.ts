// What becomes of each tensor of a model that is quantized, and why.
import type { z } from "zod"
import type { QuantizeOptions } from "../../shared/contract/engine.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { QuantizedFormat } from "../../shared/schema/format.ts"
import type { QuantizeSource, SourceTensor } from "../models/quantize-source.ts"
import type { NativeQuantizeSpec, PlainDtype } from "./addon-types.ts"
import { type PlannedTensor, planTensor } from "./checkpoint-layout.ts"
import { createSkipRule } from "./skip-modules.ts"

type Options = z.output<typeof QuantizeOptions>

/** Tensors that stay as they are, for one reason. */
export interface Kept {
  reason: string
  tensors: string[]
}

export interface QuantizePlan {
  /** Sorted by name. */
  tensors: PlannedTensor[]
  kept: Kept[]
}

export function planQuantization(source: QuantizeSource, options: Options): QuantizePlan {
  const chooser = new Chooser(source, options)
  const kept = new Map<string, string[]>()
  const tensors = source.tensors.map((tensor) => {
    const choice = chooser.choose(tensor)
    if ("reason" in choice) kept.set(choice.reason, [...(kept.get(choice.reason) ?? []), tensor.name])
    const isTransposed = (tensor.part.kind === "linear" || tensor.part.kind === "experts") && tensor.part.isTransposed
    return "format" in choice
      ? planTensor(tensor, { kind: "quantize", spec: specOf(choice.format, options), isTransposed }, source.dtype)
      : planTensor(tensor, copyOf(tensor, source.dtype), source.dtype)
  })
  return { tensors, kept: [...kept].map(([reason, names]) => ({ reason, tensors: names })) }
}

/** A head that shares the embedding's weight is in no file. */
export function hasTiedHead({ tensors }: QuantizeSource): boolean {
  return !tensors.some(({ part }) => part.kind === "head")
}

function specOf(format: QuantizedFormat, { blockSize }: Options): NativeQuantizeSpec {
  const [kind, nested] = format.split("-")
  return { format: kind, blockSize, isNested: nested === "dq" } as NativeQuantizeSpec
}

class Chooser {
  readonly #options: Options
  readonly #isSkipped: (moduleName: string) => boolean

  constructor({ name, tensors }: QuantizeSource, options: Options) {
    this.#options = options
    this.#isSkipped = createSkipRule(options.skipModules ?? [])
    const has = (kind: string) => tensors.some(({ part }) => part.kind === kind)
    if (options.experts && !has("experts")) throw new AppError("bad_input", `${name} has no experts to quantize.`, "Leave out --experts.")
    if (options.embeddings && !has("embedding"))
      throw new AppError("bad_input", `${name} has no embedding to quantize that is known by its name.`)
  }

  choose(tensor: SourceTensor): { format: QuantizedFormat } | { reason: string } {
    const { part, name } = tensor
    if (part.kind === "other") return part
    const format = this.#wanted(part.kind)
    if (!format) return { reason: defaults[part.kind] }
    if (this.#isSkipped(name.replace(/\.weight$/, ""))) return { reason: "left out by the list of modules to skip" }
    requireValues(tensor)
    return { format }
  }

  #wanted(kind: "linear" | "experts" | "embedding" | "head"): QuantizedFormat | undefined {
    const { format, embeddings, experts, skipModules } = this.#options
    if (kind === "linear") return format
    if (kind === "experts") return experts
    // A list of modules to skip takes the place of the default one, which names the head.
    return kind === "head" && skipModules ? (embeddings ?? format) : embeddings
  }
}

const defaults = {
  linear: "",
  experts: "experts, which transformers holds in 16 bits",
  embedding: "the embedding",
  head: "the output head",
}

function requireValues({ name, dtype, encoding }: SourceTensor): void {
  if (encoding !== null && encoding !== "i8" && encoding !== "u8") return
  throw new AppError(
    "unsupported",
    `Tensor ${name} is stored as ${dtype}, from which nothing can be quantized: weights must be in 16 or 32 bits, or in a GGUF type that is read here.`,
    "Choose the 16-bit model that it was made from.",
  )
}

/** What transformers keeps in 32 bits beside 16-bit weights. */
export const keepsFullPrecision = (name: string): boolean => /(^|\.)e_score_correction_bias$/.test(name)

function copyOf({ name, encoding }: SourceTensor, dtype: PlainDtype) {
  if (encoding === null || encoding === "i8" || encoding === "u8") return { kind: "bytes" } as const
  return { kind: "copy", dtype: keepsFullPrecision(name) ? ("f32" as const) : dtype } as const
}
