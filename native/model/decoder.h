// The description of one decoder-only model: what main/models/ makes from config.json and tensor names, and what
// weights.cc, forward.cc and the planner read. Plain data; one block kind whose switches grow with the architectures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/weight.h"
#include "io/encoding.h"

namespace nibble {

// bitsandbytes companions of a 4-bit or 8-bit weight.
struct QuantizedSource {
  FormatId format = FormatId::Nf4;  // Nf4, Fp4 or Int8
  int32_t block_size = 64;          // 4-bit
  FileSlice absmax;                 // fp32 [n_blocks] (or uint8 when nested); Int8: SCB fp32 [rows]
  FileSlice codebook;               // fp32 [16]; bytes = 0: the format's own
  bool is_nested = false;
  FileSlice nested_absmax;  // fp32
  FileSlice nested_map;     // fp32 [256]
  float nested_offset = 0;
  int32_t nested_block_size = 256;
};

// One tensor, named by its role in the decoder:
//   embed [V,C], head [V,C], final_norm [C],
//   layers.<i>.{attn_norm, mlp_norm} [C]
//   layers.<i>.{q [H*D,C], k [G*D,C], v [G*D,C], o [C,H*D], gate [F,C], up [F,C], down [C,F]} and each with ".bias" [rows]
struct TensorSource : StoredTensor {
  std::string role;
  bool is_quantized = false;
  QuantizedSource quantized;  // if is_quantized
};

struct RopeDescription {
  std::vector<float> inv_freq;  // [rotary_dim / 2], scaling already applied by the architecture file
  int32_t rotary_dim = 0;
  float mscale = 1;
};

struct DecoderDescription {
  std::string architecture;  // "LlamaForCausalLM", for messages
  int32_t n_layers = 0;
  int32_t width = 0;       // C
  int32_t n_heads = 0;     // H
  int32_t n_kv_heads = 0;  // G
  int32_t head_dim = 0;    // D
  int32_t ffn_width = 0;   // F
  int32_t vocab_size = 0;  // V
  int32_t max_context = 0;
  float norm_eps = 1e-5f;
  float attention_scale = 0;   // usually 1/sqrt(D)
  int32_t sliding_window = 0;  // 0 = none
  bool has_tied_head = false;  // the head is the embedding
  RopeDescription rope;
};

struct ModelSource {
  std::vector<std::string> files;  // absolute paths
  DecoderDescription decoder;
  std::vector<TensorSource> tensors;
};

// Throws bad_input, with the name and the numbers, when the description is impossible or its parts do not fit each other.
void check_decoder(const DecoderDescription& decoder);

}  // namespace nibble
