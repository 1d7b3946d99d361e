// The dtype of a model's 16/32-bit weights, as transformers would load them.
import { isObject } from "./json.ts"
import type { ModelTensor } from "./tensors.ts"

export type ModelDtype = "f32" | "f16" | "bf16"

const byName: Record<string, ModelDtype> = { float32: "f32", float16: "f16", bfloat16: "bf16" }
const formatNames: Record<ModelDtype, string> = { f32: "fp32", f16: "fp16", bf16: "bf16" }

/** "dtype" (transformers 5) or "torch_dtype" (4); where neither says it, the type of the first weights. */
export function modelDtype(config: Record<string, unknown>, tensors: ModelTensor[] | null): ModelDtype {
  const named = config.dtype ?? config.torch_dtype
  const known = typeof named === "string" ? byName[named.replace("torch.", "")] : undefined
  if (known) return known
  const first = tensors?.find(({ encoding }) => encoding === "f32" || encoding === "f16" || encoding === "bf16")
  return (first?.encoding as ModelDtype | undefined) ?? "f32"
}

/** Outlier threshold of LLM.int8() as transformers reads it: what config.json says, else 6. */
export function configuredThreshold({ quantization_config: quantization }: Record<string, unknown>): number {
  const threshold = isObject(quantization) ? quantization.llm_int8_threshold : undefined
  return typeof threshold === "number" && Number.isFinite(threshold) && threshold >= 0 ? threshold : 6
}

/** The format of the linear layers that config.json alone gives away. */
export function configuredFormat(config: Record<string, unknown>): string {
  const { quantization_config: quantization } = config
  if (!isObject(quantization)) return formatNames[modelDtype(config, null)]
  if (quantization.load_in_8bit === true) return "int8"
  if (quantization.load_in_4bit !== true) return String(quantization.quant_method ?? "unknown").slice(0, 40)
  const type = quantization.bnb_4bit_quant_type === "nf4" ? "nf4" : "fp4"
  return quantization.bnb_4bit_use_double_quant === true ? `${type}-dq` : type
}
