// config.json and the card of a quantized model.
import type { z } from "zod"
import type { QuantizeOptions } from "../../shared/contract/engine.ts"
import { isObject } from "../models/json.ts"
import type { QuantizeSource } from "../models/quantize-source.ts"
import { plainDtypes } from "./checkpoint-layout.ts"
import { pythonFloat } from "./quant-state.ts"
import { hasTiedHead } from "./quantize-plan.ts"

type Options = z.output<typeof QuantizeOptions>

/** TypeScript does not know these two of ES2025 yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
const parseJson = JSON.parse as (text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown) => unknown

/** `text` is config.json of the source: its numbers are kept as they are written there, since Python tells 1e4 from 10000. */
export function quantizedConfig(text: string, source: QuantizeSource, options: Options): string {
  const config = parseJson(text, (_, value, { source }) => (typeof value === "number" && source ? rawJSON(source) : value)) as Record<
    string,
    unknown
  >
  const { quantization_config: _, ...rest } = config
  const dtype = plainDtypes[source.dtype].torch
  // The configurations of the parts of a model (text_config, vision_config) say it too.
  const parts = Object.entries(rest).map(([key, value]) => [
    key,
    isObject(value) && "model_type" in value ? withDtype(value, dtype) : value,
  ])
  return pythonJson({ ...withDtype(Object.fromEntries(parts), dtype), quantization_config: quantizationConfig(source, options) })
}

/** `torch_dtype` is the older name. */
function withDtype({ torch_dtype: _, ...config }: Record<string, unknown>, dtype: string): Record<string, unknown> {
  return { ...config, dtype }
}

function quantizationConfig(source: QuantizeSource, options: Options): Record<string, unknown> {
  const is8bit = options.format === "int8"
  const [kind, nested] = options.format.split("-")
  return {
    _load_in_4bit: !is8bit,
    _load_in_8bit: is8bit,
    // What transformers has where nothing is said is float32, which is slow; of 8-bit the field has no meaning and keeps that.
    bnb_4bit_compute_dtype: is8bit ? "float32" : (options.computeDtype ?? plainDtypes[source.dtype].torch),
    bnb_4bit_quant_storage: "uint8",
    bnb_4bit_quant_type: is8bit ? "fp4" : kind,
    bnb_4bit_use_double_quant: nested === "dq",
    llm_int8_enable_fp32_cpu_offload: false,
    llm_int8_has_fp16_weight: false,
    llm_int8_skip_modules: skipList(source, options),
    llm_int8_threshold: rawJSON(pythonFloat(options.threshold)),
    load_in_4bit: !is8bit,
    load_in_8bit: is8bit,
    quant_method: "bitsandbytes",
  }
}

/** A list replaces the default of the reader, and a head that shares the embedding's weight is never converted. */
function skipList(source: QuantizeSource, { skipModules, embeddings }: Options): string[] | null {
  const isTied = hasTiedHead(source)
  // The default names the head: an empty list says that it is quantized.
  if (!skipModules) return embeddings && !isTied ? [] : null
  return isTied && !skipModules.includes("lm_head") ? [...skipModules, "lm_head"] : skipModules
}

/** As json.dumps(value, indent=2, sort_keys=True) and a line end. */
export function pythonJson(value: unknown): string {
  const text = JSON.stringify(sorted(value), null, 2)
  const ascii = text.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
  return `${ascii}\n`
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  // A number kept as its text has no prototype.
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, sorted(inner)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
