// The description of one decoder-only model: what main/models/ makes from config.json and tensor names, and what
// weights.cc, forward.cc and the planner read. Plain data; one block kind whose switches grow with the architectures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "formats/weight.h"
#include "io/encoding.h"
#include "model/encode.h"
#include "ops/ops.h"

namespace nibble {

// Companions of a 4-bit or 8-bit weight, as bitsandbytes stores them, or as the OCP Microscaling formats do.
struct QuantizedSource {
  FormatId format = FormatId::Nf4;  // Nf4, Fp4 or Int8
  // MXFP4 (gpt-oss): format Fp4 with blocks of 32, but element 2i in the low nibble, codes of E2M1, and as absmax uint8 exponents
  // [n_blocks]: w = E2M1(code) * 2^(absmax - 127).
  bool is_microscaling = false;
  int32_t block_size = 64;  // 4-bit
  FileSlice absmax;         // fp32 [n_blocks] (or uint8 when nested); Int8: SCB fp32 [rows]
  FileSlice codebook;       // fp32 [16]; bytes = 0: the format's own
  bool is_nested = false;
  FileSlice nested_absmax;  // fp32
  FileSlice nested_map;     // fp32 [256]
  float nested_offset = 0;
  int32_t nested_block_size = 256;

  bool operator==(const QuantizedSource&) const = default;
};

// One tensor, named by its role in the decoder. Matrices are [rows, cols] as for y = x W^T. N is a norm's place: its weight, where the
// description says that norms have one, and N.bias [the same], where there is one. L is a linear layer; it may have L.bias [rows].
//
//   embed [V,E]   embed_in L [C,E]   positions [P,C]   embed_norm N [C]   final_norm N [C]   embed_out L [E,C]   head L [V,E]
//   layers.<i>.   attn_norm N [C]   attn_post_norm N [C]   mlp_norm N [C]   mlp_post_norm N [C]
//                 q L [H*D,C]   k L [G*D,C]   v L [G*D_v,C]                       layout `separate`
//                 qkv L [H*D + G*D + G*D_v, C]                                    layouts `stacked`, `grouped`, `quarters`
//                 q L, or q_a L [L_q,C]   q_a_norm N [L_q]   q_b L [H*D,L_q]      layout `latent`
//                 kv_a L [L + R, C]   kv_a_norm N [L]   kv_b L [H*(D-R+D_v), L]
//                 q_norm N, k_norm N (see QkNorm)   sinks [H]   o L [C,H*D_v]
//                 gate L [F,C]   up L [F,C]   gate_up L [2F,C]   down L [C,F]     by FfnLayout
//                 router L [X,C]   router_correction [X]   shared_gate L [1,C]    layers with experts, F = the experts' width:
//                 experts.<e>.{gate, up, gate_up, down} L, or all in one: experts.{gate, up, gate_up, down} [X, rows, cols], .bias [X, rows]
//                 shared.{gate, up, gate_up, down} L              by the layout of layers without experts, F = the shared width
// A vector may come in pieces of equal size, in order: <role>.0, <role>.1, …
//
// `type` and `quantize` say what becomes of a plain tensor while it is read, as a folder made of it holds it: its values are first rounded
// to the type, and then quantized.
struct TensorSource : StoredTensor {
  std::string role;
  bool is_quantized = false;
  QuantizedSource quantized;  // if is_quantized
  bool is_linear = false;     // quantized while loading, when that is asked for
  std::optional<DType> type;
  std::optional<QuantizeSpec> quantize;  // matrices only

  bool operator==(const TensorSource&) const = default;
};

enum class NormKind : uint8_t { rms, layer };

// Where the norms of a block stand; f is attention or the feed-forward part.
enum class NormPlace : uint8_t {
  before,       // x + f(norm(x))                attn_norm, mlp_norm
  after,        // x + norm(f(x))                attn_post_norm, mlp_post_norm
  around,       // x + norm(f(norm(x)))          all four
  on_residual,  // norm(x + f(x))                attn_norm, mlp_norm
};

// Norms of queries and keys, before they are rotated.
enum class QkNorm : uint8_t {
  none,
  shared,  // over each head, one weight [D] for all
  own,     // over each head, weights [H,D] and [G,D]
  full,    // over all heads together, weights [H*D] and [G*D]
};

enum class QkvLayout : uint8_t {
  separate,
  stacked,   // rows: all queries, all keys, all values
  grouped,   // rows: for each key/value head its H/G queries, its key, its value
  quarters,  // rows: four times a quarter of the queries, as much of the values, of the keys (CodeGen); H = G
  latent,    // multi-head latent attention (DeepSeek-V2, arXiv 2405.04434); rotates only the last R of each head's D
};

enum class FfnLayout : uint8_t {
  gated,          // act(gate x) * up x
  gated_stacked,  // the same from gate_up; rows: all of gate, all of up
  gated_pairs,    // rows: gate 0, up 0, gate 1, up 1, …
  plain,          // act(up x)
};

struct RopeDescription {
  std::vector<float> inv_freq;       // [rotary_dim / 2], scaling already applied by main/models/rope.ts
  std::vector<float> inv_freq_long;  // used instead where the cache holds more than long_above positions; empty: there is none
  int32_t long_above = 0;
  int32_t rotary_dim = 0;  // 0 = nothing is rotated
  float mscale = 1;
  bool is_interleaved = false;

  bool operator==(const RopeDescription&) const = default;
};

struct LayerDescription {
  int32_t window = 0;  // 0 = every position sees all before it
  int32_t rope = 0;    // index into DecoderDescription.ropes; -1 = positions are not rotated
  bool has_experts = false;
  float attention_scale = 0;  // 0 = DecoderDescription's

  bool operator==(const LayerDescription&) const = default;
};

struct LatentDescription {
  int32_t q_rank = 0;   // L_q; 0: queries are not compressed
  int32_t kv_rank = 0;  // L
  float norm_eps = 1e-6f;

  bool operator==(const LatentDescription&) const = default;
};

struct ExpertsDescription {
  int32_t n_experts = 0;  // X; 0 = no layer has experts
  int32_t n_chosen = 0;
  int32_t ffn_width = 0;
  FfnLayout layout = FfnLayout::gated;
  int32_t shared_width = 0;  // 0 = none
  bool has_shared_gate = false;
  bool has_correction = false;
  // As RouteArgs.
  bool is_sigmoid = false, is_normalized = false, is_group_by_two = false;
  int32_t n_groups = 1, n_best_groups = 1;
  float scale = 1;

  bool operator==(const ExpertsDescription&) const = default;
};

struct DecoderDescription {
  std::string architecture;  // "LlamaForCausalLM", for messages
  int32_t n_layers = 0;
  int32_t width = 0;        // C
  int32_t embed_width = 0;  // E; differs from C where embed_in and embed_out stand between
  int32_t n_heads = 0;      // H
  int32_t n_kv_heads = 0;   // G
  int32_t head_dim = 0;     // D
  int32_t value_dim = 0;    // D_v
  int32_t ffn_width = 0;    // F
  int32_t vocab_size = 0;   // V
  int32_t max_context = 0;

  NormKind norm = NormKind::rms;
  NormPlace norm_place = NormPlace::before;
  bool has_norm_weights = true;  // false: norms only normalize
  float norm_weight_offset = 0;  // added to the weights of all norms (Gemma stores w - 1)
  float norm_eps = 1e-5f;
  bool has_final_norm = true;
  bool has_embed_norm = false;
  bool is_parallel = false;         // x + attention(norm(x)) + ffn(norm(x)), each with its norm …
  bool has_shared_norm = false;     // … or both with attn_norm
  bool is_residual_normed = false;  // the residual is what the norm gave: norm(x) + f(norm(x))

  QkvLayout qkv = QkvLayout::separate;
  QkNorm qk_norm = QkNorm::none;
  NormKind qk_norm_kind = NormKind::rms;
  LatentDescription latent;     // if qkv is latent
  float attention_scale = 0;    // usually 1/sqrt(D)
  float attention_softcap = 0;  // 0 = none
  float qkv_clip = 0;           // of queries and keys behind their norms, and of values; 0 = none
  bool has_sinks = false;
  std::vector<float> alibi_slopes;  // [H], or empty

  FfnLayout ffn = FfnLayout::gated;
  Activation activation = Activation::silu;
  float gate_limit = 0, gate_alpha = 0;  // as GateArgs
  ExpertsDescription experts;

  float embed_scale = 1;
  float residual_scale = 1;  // of what attention and the feed-forward part add
  float logit_scale = 1;
  float logit_softcap = 0;     // 0 = none
  int32_t n_positions = 0;     // P, rows of learned positions; 0 = none
  int32_t first_position = 0;  // row of position 0
  bool has_tied_head = false;  // the head is the embedding

  std::vector<RopeDescription> ropes;
  std::vector<LayerDescription> layers;  // [n_layers]

  bool operator==(const DecoderDescription&) const = default;
};

struct ModelSource {
  std::vector<std::string> files;  // absolute paths
  DecoderDescription decoder;
  std::vector<TensorSource> tensors;

  bool operator==(const ModelSource&) const = default;
};

// Throws bad_input, with the name and the numbers, when the description is impossible or its parts do not fit each other.
void check_decoder(const DecoderDescription& decoder);

}  // namespace nibble
