// The filled op table of one instruction set. Included by isa_<set>.cc only.
#pragma once

#include "ops/cpu/activations.inl.h"
#include "ops/cpu/attention.inl.h"
#include "ops/cpu/encode.inl.h"
#include "ops/cpu/matmul.inl.h"

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
  table.rope = rope<V>;
  table.kv_store = kv_store<V>;
  table.silu_mul = silu_mul<V>;
  table.add = add<V>;
  table.quantize_rows = quantize_rows<V>;
  table.convert = convert<V>;
#define FORMAT(format, number)              \
  table.matmul[number] = matmul<V, format>; \
  table.embed[number] = embed<V, format>;   \
  table.dequantize[number] = dequantize<V, format>;
#include "formats/formats.def"
#undef FORMAT
  table.quantize_blocks[static_cast<int>(FormatId::Nf4)] = quantize_blocks<V, Nf4>;
  table.quantize_blocks[static_cast<int>(FormatId::Fp4)] = quantize_blocks<V, Fp4>;
  return table;
}

}  // namespace nibble::cpu
