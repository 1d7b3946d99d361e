#include "model/decoder.h"

#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace nibble {

namespace {

// Far above any model; keeps every product of dimensions inside 63 bits.
constexpr int64_t kMaxDimension = int64_t{1} << 24;
constexpr int64_t kMaxLayers = 4096;

template <class... Parts>
[[noreturn]] void refuse(const Parts&... parts) {
  throw Error(ErrorCode::bad_input, text(parts...));
}

void check_between(const char* name, int64_t value, int64_t min, int64_t max) {
  if (value < min || value > max) refuse("The model's ", name, " is ", value, "; it must be between ", min, " and ", max, ".");
}

void check_dimension(const char* name, int64_t value, int64_t max = kMaxDimension) { check_between(name, value, 1, max); }

void check_number(const char* name, float value) {
  if (!std::isfinite(value)) refuse("The model's ", name, " is ", value, ", which is not a usable number.");
}

void check_not_negative(const char* name, float value) {
  check_number(name, value);
  if (value < 0) refuse("The model's ", name, " is ", value, "; it must not be negative.");
}

void check_rope(const RopeDescription& rope, const DecoderDescription& d) {
  const auto fits = [&](const std::vector<float>& inv_freq) { return inv_freq.size() == static_cast<size_t>(rope.rotary_dim / 2); };
  if (rope.rotary_dim < 0 || rope.rotary_dim % 2 != 0 || rope.rotary_dim > d.head_dim || !fits(rope.inv_freq)) {
    refuse("The rotary embedding has ", rope.inv_freq.size(), " frequencies for a rotary width of ", rope.rotary_dim,
           " and a head width of ", d.head_dim, ".");
  }
  if (!rope.inv_freq_long.empty() && !fits(rope.inv_freq_long)) {
    refuse("The rotary embedding has ", rope.inv_freq.size(), " frequencies for short texts and ", rope.inv_freq_long.size(),
           " for long ones.");
  }
  check_number("rotary scale", rope.mscale);
}

void check_layers(const DecoderDescription& d) {
  if (d.layers.size() != static_cast<size_t>(d.n_layers))
    refuse("The model has ", d.n_layers, " layers, but ", d.layers.size(), " are described.");
  for (const LayerDescription& layer : d.layers) {
    check_between("sliding window", layer.window, 0, INT32_MAX);
    check_between("index of a rotary embedding", layer.rope, -1, static_cast<int64_t>(d.ropes.size()) - 1);
    check_not_negative("attention scale of a layer", layer.attention_scale);
    if (layer.has_experts && d.experts.n_experts == 0) refuse("A layer of the model has experts, but their number is 0.");
  }
}

void check_experts(const ExpertsDescription& e) {
  if (e.n_experts == 0) return;
  check_dimension("number of experts", e.n_experts, 1 << 16);
  check_dimension("number of experts for a token", e.n_chosen, e.n_experts);
  check_dimension("experts' feed-forward width", e.ffn_width);
  check_between("shared expert's width", e.shared_width, 0, kMaxDimension);
  check_dimension("number of expert groups", e.n_groups, e.n_experts);
  check_dimension("number of expert groups for a token", e.n_best_groups, e.n_groups);
  const int64_t reachable = int64_t{e.n_experts / e.n_groups} * e.n_best_groups;
  if (e.n_experts % e.n_groups != 0 || e.n_chosen > reachable || (e.is_group_by_two && e.n_experts / e.n_groups < 2)) {
    refuse("The model's ", e.n_experts, " experts in ", e.n_groups, " groups, of which ", e.n_best_groups, " are used, cannot give ",
           e.n_chosen, " for a token.");
  }
  check_number("scale of the experts", e.scale);
}

void check_attention(const DecoderDescription& d) {
  if (d.n_heads % d.n_kv_heads != 0) {
    refuse("The model has ", d.n_heads, " heads, which ", d.n_kv_heads, " key/value heads cannot share evenly.");
  }
  if (d.qkv == QkvLayout::quarters && (d.n_heads % 4 != 0 || d.n_kv_heads != d.n_heads)) {
    refuse("The model's queries, keys and values lie in quarters, which ", d.n_heads, " heads with ", d.n_kv_heads,
           " key/value heads do not have.");
  }
  if (d.qkv == QkvLayout::latent) {
    check_between("rank of the queries", d.latent.q_rank, 0, kMaxDimension);
    check_dimension("rank of keys and values", d.latent.kv_rank);
    check_not_negative("latent norm epsilon", d.latent.norm_eps);
    if (d.n_kv_heads != d.n_heads) refuse("Latent attention has ", d.n_heads, " heads, but ", d.n_kv_heads, " key/value heads.");
    // What is rotated is a part of its own, which the shapes of the weights show; it is the same in all layers.
    if (d.ropes.size() != 1 || d.ropes[0].rotary_dim < 1)
      refuse("Latent attention needs one rotary embedding; the model has ", d.ropes.size(), ".");
  }
  if (!d.alibi_slopes.empty() && d.alibi_slopes.size() != static_cast<size_t>(d.n_heads)) {
    refuse("The model has ", d.n_heads, " heads, but ", d.alibi_slopes.size(), " ALiBi slopes.");
  }
  for (const float slope : d.alibi_slopes) check_number("ALiBi slope", slope);
  check_number("attention scale", d.attention_scale);
  check_not_negative("attention soft cap", d.attention_softcap);
  check_not_negative("limit of queries, keys and values", d.qkv_clip);
}

}  // namespace

void check_decoder(const DecoderDescription& d) {
  check_dimension("number of layers", d.n_layers, kMaxLayers);
  check_dimension("width", d.width);
  check_dimension("width of the embedding", d.embed_width);
  check_dimension("number of heads", d.n_heads);
  check_dimension("number of key/value heads", d.n_kv_heads);
  check_dimension("head width", d.head_dim);
  check_dimension("head width of the values", d.value_dim);
  check_dimension("feed-forward width", d.ffn_width);
  check_dimension("vocabulary", d.vocab_size);
  check_dimension("context", d.max_context);
  check_dimension("width of all heads", int64_t{d.n_heads} * d.head_dim);
  check_dimension("width of all heads' values", int64_t{d.n_heads} * d.value_dim);
  check_not_negative("norm epsilon", d.norm_eps);
  check_number("norm weight offset", d.norm_weight_offset);
  check_attention(d);
  check_experts(d.experts);
  for (const RopeDescription& rope : d.ropes) check_rope(rope, d);
  check_layers(d);
  check_not_negative("limit of the gate", d.gate_limit);
  check_number("slope of the gate", d.gate_alpha);
  check_number("embedding scale", d.embed_scale);
  check_number("residual scale", d.residual_scale);
  check_number("logit scale", d.logit_scale);
  check_not_negative("logit soft cap", d.logit_softcap);
  check_between("number of learned positions", d.n_positions, 0, kMaxDimension);
  check_between("first learned position", d.first_position, 0, kMaxDimension);
  if (d.n_positions > 0 && int64_t{d.first_position} + d.max_context > d.n_positions) {
    refuse("The model has ", d.n_positions, " learned positions from ", d.first_position, " on, too few for a context of ", d.max_context,
           ".");
  }
}

}  // namespace nibble
