// Attention of one layer: from what the branch reads to what it gives (out_).
#include "model/forward.h"

namespace nibble {

AttentionArgs Forward::attention_args(int64_t n_tokens, int64_t n_past, int64_t window) const {
  AttentionArgs args;
  args.q = room_.q;
  args.out = room_.attended;
  args.n_tokens = n_tokens;
  args.n_past = n_past;
  args.capacity = cache_.capacity();
  args.n_heads = decoder_.n_heads;
  args.n_kv_heads = decoder_.n_kv_heads;
  args.head_dim = decoder_.head_dim;
  args.value_dim = decoder_.value_dim;
  args.scale = decoder_.attention_scale;
  args.window = window;
  args.softcap = decoder_.attention_softcap;
  args.slopes = decoder_.alibi_slopes.empty() ? nullptr : slopes_;
  return args;
}

void Forward::attention(const Chunk& chunk, size_t layer, const float* input) {
  const DecoderDescription& d = decoder_;
  const LayerWeights& w = weights_.layers()[layer];
  const KvCache::Layer& cache = cache_.layer(layer);
  Exec& exec = chunk.exec;
  const RopeArgs rope = rope_args(chunk, d.layers[layer].rope);
  if (d.qkv == QkvLayout::latent) {
    latent_queries_keys_values(chunk, w, rope, input);
  } else {
    queries_keys_values(chunk, w, input);
    if (rope.rotary_dim > 0) {
      rotate(exec, rope, room_.q, d.n_heads);
      rotate(exec, rope, room_.k, d.n_kv_heads);
    }
  }
  observe("q", layer, room_.q, chunk.n * widths_.q);
  observe("k", layer, room_.k, chunk.n * widths_.k);
  observe("v", layer, room_.v, chunk.n * widths_.v);
  table_.kv_store(exec, cache.keys, room_.k, chunk.n, chunk.n_past, cache_.capacity(), d.n_kv_heads, d.head_dim);
  table_.kv_store(exec, cache.values, room_.v, chunk.n, chunk.n_past, cache_.capacity(), d.n_kv_heads, d.value_dim);
  AttentionArgs args = attention_args(chunk.n, chunk.n_past, d.layers[layer].window);
  if (d.layers[layer].attention_scale > 0) args.scale = d.layers[layer].attention_scale;
  args.k_cache = cache.keys;
  args.v_cache = cache.values;
  args.sinks = w.sinks;
  table_.attention(exec, args);
  observe("attention", layer, room_.attended, chunk.n * widths_.attended);
  project(exec, room_.attended, chunk.n, {{&w.o, out_}});
}

// Of whole heads; rotary_dim = 0 when the layer does not rotate.
RopeArgs Forward::rope_args(const Chunk& chunk, int32_t index) const {
  RopeArgs args;
  args.n_tokens = chunk.n;
  args.n_past = chunk.n_past;
  args.head_dim = decoder_.head_dim;
  if (index < 0 || decoder_.ropes.empty()) return args;
  const RopeDescription& rope = decoder_.ropes[static_cast<size_t>(index)];
  args.inv_freq = inv_freq_[static_cast<size_t>(index)];
  args.rotary_dim = rope.rotary_dim;
  args.mscale = rope.mscale;
  args.is_interleaved = rope.is_interleaved;
  return args;
}

void Forward::rotate(Exec& exec, RopeArgs args, float* x, int32_t n_heads) const {
  args.x = x;
  args.n_heads = n_heads;
  table_.rope(exec, args);
}

void Forward::queries_keys_values(const Chunk& chunk, const LayerWeights& w, const float* input) {
  Exec& exec = chunk.exec;
  const DecoderDescription& d = decoder_;
  if (d.qkv == QkvLayout::separate) {
    project(exec, input, chunk.n, {{&w.q, room_.q}, {&w.k, room_.k}, {&w.v, room_.v}});
  } else {
    project(exec, input, chunk.n, {{&w.qkv, room_.fused}});
    split_fused(chunk);
  }
  if (d.qk_norm != QkNorm::none) {
    norm_heads(chunk, w.q_norm, room_.q, d.n_heads);
    norm_heads(chunk, w.k_norm, room_.k, d.n_kv_heads);
  }
  if (d.qkv_clip == 0) return;
  table_.clamp(exec, room_.q, d.qkv_clip, chunk.n * widths_.q);
  table_.clamp(exec, room_.k, d.qkv_clip, chunk.n * widths_.k);
  table_.clamp(exec, room_.v, d.qkv_clip, chunk.n * widths_.v);
}

void Forward::norm_heads(const Chunk& chunk, const Norm& weights, float* x, int32_t n_heads) const {
  const bool is_full = decoder_.qk_norm == QkNorm::full;
  NormArgs args{.out = x, .x = x, .weight = weights.weight, .bias = weights.bias, .eps = decoder_.norm_eps};
  args.rows = is_full ? chunk.n : chunk.n * n_heads;
  args.width = is_full ? int64_t{n_heads} * decoder_.head_dim : decoder_.head_dim;
  args.weight_rows = decoder_.qk_norm == QkNorm::own ? n_heads : 1;
  norm(chunk.exec, decoder_.qk_norm_kind, args);
}

// Takes [T, q + k + v] apart. Stacked rows are one group of all heads.
void Forward::split_fused(const Chunk& chunk) {
  const bool is_value_first = decoder_.qkv == QkvLayout::quarters;
  const int64_t groups = decoder_.qkv == QkvLayout::grouped ? decoder_.n_kv_heads : decoder_.qkv == QkvLayout::quarters ? 4 : 1;
  const int64_t q = widths_.q / groups, k = widths_.k / groups, v = widths_.v / groups, group = q + k + v;
  const auto take = [&](float* out, int64_t first, int64_t block) {
    table_.copy_blocks(chunk.exec, {.out = out,
                                    .x = room_.fused + first,
                                    .n_tokens = chunk.n,
                                    .n_blocks = groups,
                                    .block = block,
                                    .out_stride = groups * block,
                                    .out_step = block,
                                    .x_stride = groups * group,
                                    .x_step = group});
  };
  take(room_.q, 0, q);
  take(room_.k, is_value_first ? q + v : q, k);
  take(room_.v, is_value_first ? q : q + k, v);
}

// Multi-head latent attention: keys and values come from a small vector per token; a part of each key is rotated and shared by all heads.
void Forward::latent_queries_keys_values(const Chunk& chunk, const LayerWeights& w, const RopeArgs& rope, const float* input) {
  Exec& exec = chunk.exec;
  const LatentDescription& latent = decoder_.latent;
  const int64_t heads = decoder_.n_heads, head = decoder_.head_dim, rotary = rope.rotary_dim, plain = head - rotary;
  const int64_t value = decoder_.value_dim, kv_row = latent.kv_rank + rotary;
  const auto norm_latent = [&](const Norm& weights, float* out, const float* x, int64_t width) {
    norm(exec, decoder_.norm,
         {.out = out, .x = x, .weight = weights.weight, .bias = weights.bias, .rows = chunk.n, .width = width, .eps = latent.norm_eps});
  };
  if (latent.q_rank == 0) {
    project(exec, input, chunk.n, {{&w.q, room_.q}, {&w.kv_a, room_.latent_kv}});
  } else {
    project(exec, input, chunk.n, {{&w.q_a, room_.latent_q}, {&w.kv_a, room_.latent_kv}});
    norm_latent(w.q_a_norm, room_.latent_q, room_.latent_q, latent.q_rank);
    project(exec, room_.latent_q, chunk.n, {{&w.q_b, room_.q}});
  }
  rotate(exec, rope, room_.q + plain, decoder_.n_heads);
  RopeArgs key = rope;
  key.head_dim = static_cast<int32_t>(kv_row);
  rotate(exec, key, room_.latent_kv + latent.kv_rank, 1);

  const auto copy = [&](float* out, int64_t out_row, int64_t out_step, const float* x, int64_t x_row, int64_t x_step, int64_t block,
                        int64_t n_blocks) {
    table_.copy_blocks(exec, {out, x, chunk.n, n_blocks, block, out_row, out_step, x_row, x_step});
  };
  copy(room_.latent, latent.kv_rank, 0, room_.latent_kv, kv_row, 0, latent.kv_rank, 1);
  norm_latent(w.kv_a_norm, room_.latent, room_.latent, latent.kv_rank);
  project(exec, room_.latent, chunk.n, {{&w.kv_b, room_.fused}});
  const int64_t fused = plain + value;
  copy(room_.k, widths_.k, head, room_.fused, heads * fused, fused, plain, heads);
  copy(room_.k + plain, widths_.k, head, room_.latent_kv + latent.kv_rank, kv_row, 0, rotary, heads);
  copy(room_.v, widths_.v, value, room_.fused + plain, heads * fused, fused, value, heads);
}

}  // namespace nibble
