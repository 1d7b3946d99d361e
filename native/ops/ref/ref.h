// The reference: plain loops, sums in double. Each file fills its part of the table; ref_table() is the whole.
#pragma once

#include <cstring>

#include "core/dtype.h"
#include "ops/ops.h"

namespace nibble::ref {

// Element i of an array of fp32, fp16 or bf16, wherever it lies.
inline float load(const void* src, DType type, int64_t i) {
  if (type == DType::f32) {
    float value;
    std::memcpy(&value, static_cast<const char*>(src) + i * 4, 4);
    return value;
  }
  uint16_t half;
  std::memcpy(&half, static_cast<const char*>(src) + i * 2, 2);
  return type == DType::f16 ? f16_to_f32(half) : bf16_to_f32(half);
}

inline float round_to(Compute compute, float x) {
  switch (compute) {
    case Compute::f32: return x;
    case Compute::bf16: return bf16_to_f32(f32_to_bf16(x));
    case Compute::f16: return f16_to_f32(f32_to_f16(x));
  }
  return x;
}

void set_weight_ops(OpTable& table);      // matmul embed dequantize
void set_int8_ops(OpTable& table);        // matmul_int8 count_outliers
void set_norm_ops(OpTable& table);        // rmsnorm layernorm
void set_attention_ops(OpTable& table);   // rope kv_store attention
void set_activation_ops(OpTable& table);  // gate activate add scale clamp softcap copy_blocks
void set_expert_ops(OpTable& table);      // route gather_rows scatter_add_rows gate_rows
void set_encode_ops(OpTable& table);      // quantize_blocks quantize_rows convert
void set_map8_ops(OpTable& table);        // quantize_map8 dequantize_map8

const OpTable& ref_table();

}  // namespace nibble::ref
