#include "model/layer_room.h"

#include <algorithm>

namespace nibble {

namespace {

int64_t fused_width(const DecoderDescription& d, const LayerWidths& widths) {
  const auto is_fused = [](FfnLayout layout) { return layout == FfnLayout::gated_stacked || layout == FfnLayout::gated_pairs; };
  int64_t most = 0;
  if (d.qkv != QkvLayout::separate && d.qkv != QkvLayout::latent) most = widths.q + widths.k + widths.v;
  if (d.qkv == QkvLayout::latent) most = int64_t{d.n_heads} * (d.head_dim - d.ropes[0].rotary_dim + d.value_dim);
  if (is_fused(d.ffn)) most = std::max({most, int64_t{2} * d.ffn_width, int64_t{2} * d.experts.shared_width});
  if (is_fused(d.experts.layout)) most = std::max(most, int64_t{2} * d.experts.ffn_width);
  return most;
}

}  // namespace

LayerWidths::LayerWidths(const DecoderDescription& d)
    : q(int64_t{d.n_heads} * d.head_dim),
      k(int64_t{d.n_kv_heads} * d.head_dim),
      v(int64_t{d.n_kv_heads} * d.value_dim),
      attended(int64_t{d.n_heads} * d.value_dim),
      fused(0),
      hidden(std::max({d.ffn_width, d.experts.ffn_width, d.experts.shared_width})) {
  fused = fused_width(d, *this);
}

LayerRoom LayerRoom::place(Arena& arena, const DecoderDescription& d, int64_t n_tokens) {
  const LayerWidths widths(d);
  const auto take = [&](int64_t row) { return arena.take<float>(Owner::activations, n_tokens * row); };
  LayerRoom room;
  room.q = take(widths.q);
  room.k = take(widths.k);
  room.v = take(widths.v);
  room.attended = take(widths.attended);
  if (widths.fused > 0) room.fused = take(widths.fused);
  room.gate = take(widths.hidden);
  room.up = take(widths.hidden);
  if (d.qkv == QkvLayout::latent) {
    room.latent_q = take(d.latent.q_rank);
    room.latent_kv = take(d.latent.kv_rank + d.ropes[0].rotary_dim);
    room.latent = take(d.latent.kv_rank);
  }
  if (d.experts.n_experts > 0) {
    room.router = take(d.experts.n_experts);
    room.chosen = arena.take<int32_t>(Owner::activations, n_tokens * d.experts.n_chosen);
    room.chosen_weights = take(d.experts.n_chosen);
    room.expert_in = take(d.width);
    room.expert_out = take(d.width);
    room.shared_gates = take(1);
  }
  return room;
}

}  // namespace nibble
