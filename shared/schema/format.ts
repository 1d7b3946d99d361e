// Weight formats as users name them. "-dq" is double quantization of the scales.
import { z } from "zod"

export const Format = z.enum(["fp32", "fp16", "bf16", "int8", "nf4", "nf4-dq", "fp4", "fp4-dq"])
export type Format = z.infer<typeof Format>

/** Those that the quantizer writes. */
export const QuantizedFormat = z.enum(["int8", "nf4", "nf4-dq", "fp4", "fp4-dq"])
export type QuantizedFormat = z.infer<typeof QuantizedFormat>

export const BlockSize = z.literal([32, 64, 128, 256, 512, 1024, 2048, 4096])
export const ComputeType = z.enum(["fp32", "fp16", "bf16"])
export type ComputeType = z.infer<typeof ComputeType>
