// Checkpoints that other tools quantized: recognized by config.json or by the names and types of their tensors, and refused by the name
// of the method, with what to do instead.
import { AppError } from "../../shared/schema/error.ts"
import { isObject } from "./json.ts"
import { hasMicroscaled } from "./microscaling.ts"
import type { FileTensor } from "./tensors.ts"

/** `quant_method` of transformers 5, as people know it. */
const methodNames: Record<string, string> = {
  aqlm: "AQLM",
  "auto-round": "AutoRound",
  awq: "AWQ",
  bitnet: "BitNet",
  "compressed-tensors": "compressed-tensors",
  eetq: "EETQ",
  fbgemm_fp8: "FBGEMM FP8",
  fp8: "block-wise FP8",
  fp_quant: "FP-Quant",
  gptq: "GPTQ",
  higgs: "HIGGS",
  hqq: "HQQ",
  modelopt: "ModelOpt",
  mxfp4: "MXFP4",
  mxfp8: "MXFP8",
  nvfp4: "NVFP4",
  quanto: "Quanto",
  quark: "Quark",
  spqr: "SpQR",
  torchao: "torchao",
  vptq: "VPTQ",
}

/** What the tensors of a method are called; tools that write no config.json block are known by them. */
const marks: [pattern: RegExp, method: string][] = [
  [/\.g_idx$/, "gptq"],
  [/\.qzeros$/, "awq"],
  [/\.weight_packed$/, "compressed-tensors"],
  [/\.weight_scale_inv$/, "fp8"],
  [/\.weight_scale_2$/, "modelopt"],
  [/\.W_q$/, "hqq"],
  [/[._]_weight_qdata$/, "torchao"],
  [/\._data$/, "quanto"],
]

/** Throws "unsupported" when something quantized the model that is not read here: bitsandbytes is, and MXFP4 as gpt-oss has it. */
export function refuseForeign(config: Record<string, unknown>, tensors: FileTensor[] | null): void {
  const { quantization_config: block } = config
  const isMxfp4 = isObject(block) && block.quant_method === "mxfp4" && hasMicroscaled(tensors ?? [])
  if (isObject(block) && !isMxfp4 && !isBitsandbytes(block)) refuseMethod(String(block.quant_method ?? "unknown"), null)
  for (const [pattern, method] of marks) {
    const tensor = tensors?.find(({ name }) => pattern.test(name))
    if (tensor) refuseMethod(method, tensor.name)
  }
}

function isBitsandbytes(block: Record<string, unknown>): boolean {
  if (block.quant_method === "bitsandbytes") return true
  // Before transformers 4.33 there was no name of the method.
  return block.quant_method === undefined && (block.load_in_4bit === true || block.load_in_8bit === true)
}

/** As people know it, with what config.json says. */
export function methodName(method: string): string {
  const known = methodNames[method]
  return known ? `${known} (\`${method}\`)` : `\`${method.slice(0, 40)}\``
}

/** `tensor`: a name that shows it; null where config.json says so. */
export function refuseMethod(method: string, tensor: string | null): never {
  const name = methodName(method)
  const sign = tensor === null ? "" : ` (it has ${tensor})`
  const advice =
    method === "mxfp4"
      ? "choose a copy in 16 bits: transformers writes one when it loads the model with Mxfp4Config(dequantize=True) and saves it"
      : "choose the 16-bit model that it was made from, or a bitsandbytes or GGUF copy of that"
  throw new AppError("unsupported", `This model was quantized with ${name}${sign}, which cannot be read here: ${advice}.`)
}
