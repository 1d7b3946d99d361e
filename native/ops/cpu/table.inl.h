// The filled op table of one instruction set. Included by isa_<set>.cc only.
#pragma once

#include "ops/cpu/activations.inl.h"
#include "ops/cpu/attention.inl.h"
#include "ops/cpu/encode.inl.h"
#include "ops/cpu/experts.inl.h"
#include "ops/cpu/int8.inl.h"
#include "ops/cpu/map8.inl.h"
#include "ops/cpu/matmul.inl.h"
#include "ops/cpu/norms.inl.h"
#include "ops/cpu/rope.inl.h"

namespace nibble::cpu {

// Starts from `base` (the reference), whose memory calls it keeps.
template <class V>
OpTable make_table(const char* name, const OpTable& base) {
  OpTable table = base;
  table.name = name;
  table.matmul_scratch = matmul_scratch<V>;
  table.attention_scratch = attention_scratch<V>;
  table.attention = attention<V>;
  table.rmsnorm = rmsnorm<V>;
  table.layernorm = layernorm<V>;
  table.rope = rope<V>;
  table.kv_store = kv_store<V>;
  table.gate = gate<V>;
  table.activate = activate<V>;
  table.add = add<V>;
  table.scale = scale<V>;
  table.clamp = clamp<V>;
  table.softcap = softcap<V>;
  table.copy_blocks = copy_blocks<V>;
  table.route = route<V>;
  table.gather_rows = gather_rows<V>;
  table.scatter_add_rows = scatter_add_rows<V>;
  table.gate_rows = gate_rows<V>;
  table.quantize_rows = quantize_rows<V>;
  table.convert = convert<V>;
  table.quantize_map8 = quantize_map8<V>;
  table.dequantize_map8 = dequantize_map8<V>;
#define FORMAT(format, number)              \
  table.matmul[number] = matmul<V, format>; \
  table.embed[number] = embed<V, format>;   \
  table.dequantize[number] = dequantize<V, format>;
#include "formats/formats.def"
#undef FORMAT
  table.matmul_int8_scratch = matmul_int8_scratch<V>;
  table.matmul_int8[static_cast<int>(FormatId::Int8)] = matmul_int8<V, Int8>;
  table.matmul_int8[static_cast<int>(FormatId::Fp32)] = matmul_int8<V, Fp32>;
  table.matmul_int8[static_cast<int>(FormatId::Fp16)] = matmul_int8<V, Fp16>;
  table.matmul_int8[static_cast<int>(FormatId::Bf16)] = matmul_int8<V, Bf16>;
  table.quantize_blocks[static_cast<int>(FormatId::Nf4)] = quantize_blocks<V, Nf4>;
  table.quantize_blocks[static_cast<int>(FormatId::Fp4)] = quantize_blocks<V, Fp4>;
  return table;
}

}  // namespace nibble::cpu
