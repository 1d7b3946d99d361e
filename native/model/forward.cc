#include "model/forward.h"

#include <algorithm>

#include "core/text.h"

namespace nibble {

namespace {

// y = x W^T + bias for weights that read the same x. Weights of one format share a call (x is prepared once and the threads
// meet once); a model may mix formats, then each format has its own.
void project(Exec& exec, const OpTable& table, Compute compute, const float* x, int64_t m,
             std::initializer_list<std::pair<const Linear*, float*>> outputs) {
  for (auto first = outputs.begin(); first != outputs.end();) {
    const WeightView& weight = first->first->weight;
    MatmulArgs args;
    args.x = x;
    args.m = m;
    args.k = weight.cols;
    args.compute = compute;
    for (; first != outputs.end() && first->first->weight.format == weight.format; ++first) {
      args.outputs[args.n_outputs++] = {&first->first->weight, first->first->bias, first->second};
    }
    table.matmul[static_cast<size_t>(weight.format)](exec, args);
  }
}

}  // namespace

Forward::Forward(const DecoderDescription& decoder, const Weights& weights, const KvCache& cache, const OpTable& table, Compute compute)
    : decoder_(decoder),
      weights_(weights),
      cache_(cache),
      table_(table),
      compute_(compute),
      max_tokens_(std::min(kMaxTokens, cache.capacity())),
      q_width_(int64_t{decoder.n_heads} * decoder.head_dim),
      kv_width_(int64_t{decoder.n_kv_heads} * decoder.head_dim) {}

void Forward::place(Arena& arena, const Exec& exec) {
  const int64_t t = max_tokens_;
  ids_ = arena.take<int32_t>(Owner::activations, t);
  inv_freq_ = arena.take<float>(Owner::activations, static_cast<int64_t>(decoder_.rope.inv_freq.size()));
  x_ = arena.take<float>(Owner::activations, t * decoder_.width);
  normed_ = arena.take<float>(Owner::activations, t * decoder_.width);
  q_ = arena.take<float>(Owner::activations, t * q_width_);
  k_ = arena.take<float>(Owner::activations, t * kv_width_);
  v_ = arena.take<float>(Owner::activations, t * kv_width_);
  attended_ = arena.take<float>(Owner::activations, t * q_width_);
  gate_ = arena.take<float>(Owner::activations, t * decoder_.ffn_width);
  up_ = arena.take<float>(Owner::activations, t * decoder_.ffn_width);
  logits_ = arena.take<float>(Owner::logits, kMaxLogitRows * decoder_.vocab_size);
  scratch_size_ = scratch_bytes(exec);
  scratch_ = arena.take<uint8_t>(Owner::scratch, static_cast<int64_t>(scratch_size_));
}

// The most that any op of a chunk asks for.
size_t Forward::scratch_bytes(const Exec& exec) const {
  size_t most = table_.attention_scratch(exec, attention_args(max_tokens_, cache_.capacity() - max_tokens_));
  for (const int64_t k : {int64_t{decoder_.width}, q_width_, int64_t{decoder_.ffn_width}}) {
    most = std::max(most, table_.matmul_scratch(exec, std::max(max_tokens_, kMaxLogitRows), k, compute_));
  }
  return most;
}

void Forward::prepare(Exec& exec) const {
  const std::vector<float>& inv_freq = decoder_.rope.inv_freq;
  table_.copy_in(exec, inv_freq_, inv_freq.data(), inv_freq.size() * sizeof(float));
}

AttentionArgs Forward::attention_args(int64_t n_tokens, int64_t n_past) const {
  AttentionArgs args;
  args.q = q_;
  args.out = attended_;
  args.n_tokens = n_tokens;
  args.n_past = n_past;
  args.capacity = cache_.capacity();
  args.n_heads = decoder_.n_heads;
  args.n_kv_heads = decoder_.n_kv_heads;
  args.head_dim = decoder_.head_dim;
  args.value_dim = decoder_.head_dim;
  args.scale = decoder_.attention_scale;
  args.window = decoder_.sliding_window;
  return args;
}

void Forward::run(Exec& exec, std::span<const int32_t> tokens, int64_t n_past, const Cancel& cancel) {
  exec.scratch = scratch_;
  exec.scratch_bytes = scratch_size_;
  const auto n_tokens = static_cast<int64_t>(tokens.size());
  table_.copy_in(exec, ids_, tokens.data(), tokens.size_bytes());
  const WeightView& embed = weights_.embed();
  table_.embed[static_cast<size_t>(embed.format)](exec, x_, embed, ids_, n_tokens);
  if (observer) observer("embed", x_, n_tokens * decoder_.width);
  for (size_t layer = 0; layer < weights_.layers().size(); ++layer) {
    cancel.check();
    attention_block(exec, layer, n_tokens, n_past);
    cancel.check();
    mlp_block(exec, layer, n_tokens);
  }
}

void Forward::attention_block(Exec& exec, size_t layer, int64_t n_tokens, int64_t n_past) {
  const DecoderDescription& d = decoder_;
  const LayerWeights& w = weights_.layers()[layer];
  const KvCache::Layer& cache = cache_.layer(layer);
  table_.rmsnorm(exec, {.out = normed_, .x = x_, .weight = w.attn_norm, .rows = n_tokens, .width = d.width, .eps = d.norm_eps});
  project(exec, table_, compute_, normed_, n_tokens, {{&w.q, q_}, {&w.k, k_}, {&w.v, v_}});
  if (d.rope.rotary_dim > 0) {
    table_.rope(exec, {q_, inv_freq_, n_tokens, n_past, d.n_heads, d.head_dim, d.rope.rotary_dim, d.rope.mscale});
    table_.rope(exec, {k_, inv_freq_, n_tokens, n_past, d.n_kv_heads, d.head_dim, d.rope.rotary_dim, d.rope.mscale});
  }
  observe("q", layer, q_, n_tokens * q_width_);
  observe("k", layer, k_, n_tokens * kv_width_);
  observe("v", layer, v_, n_tokens * kv_width_);
  table_.kv_store(exec, cache.keys, k_, n_tokens, n_past, cache_.capacity(), d.n_kv_heads, d.head_dim);
  table_.kv_store(exec, cache.values, v_, n_tokens, n_past, cache_.capacity(), d.n_kv_heads, d.head_dim);
  AttentionArgs args = attention_args(n_tokens, n_past);
  args.k_cache = cache.keys;
  args.v_cache = cache.values;
  table_.attention(exec, args);
  observe("attention", layer, attended_, n_tokens * q_width_);
  project(exec, table_, compute_, attended_, n_tokens, {{&w.o, normed_}});
  table_.add(exec, x_, normed_, 1, n_tokens * d.width);
  observe("after_attention", layer, x_, n_tokens * d.width);
}

void Forward::mlp_block(Exec& exec, size_t layer, int64_t n_tokens) {
  const DecoderDescription& d = decoder_;
  const LayerWeights& w = weights_.layers()[layer];
  table_.rmsnorm(exec, {.out = normed_, .x = x_, .weight = w.mlp_norm, .rows = n_tokens, .width = d.width, .eps = d.norm_eps});
  project(exec, table_, compute_, normed_, n_tokens, {{&w.gate, gate_}, {&w.up, up_}});
  table_.gate(exec, {.out = gate_, .gate = gate_, .up = up_, .n_tokens = n_tokens, .width = d.ffn_width, .stride = d.ffn_width});
  observe("gated", layer, gate_, n_tokens * d.ffn_width);
  project(exec, table_, compute_, gate_, n_tokens, {{&w.down, normed_}});
  table_.add(exec, x_, normed_, 1, n_tokens * d.width);
  observe("after_mlp", layer, x_, n_tokens * d.width);
}

const float* Forward::logits(Exec& exec, int64_t first, int64_t n) {
  exec.scratch = scratch_;
  exec.scratch_bytes = scratch_size_;
  table_.rmsnorm(exec, {.out = normed_,
                        .x = x_ + first * decoder_.width,
                        .weight = weights_.final_norm(),
                        .rows = n,
                        .width = decoder_.width,
                        .eps = decoder_.norm_eps});
  project(exec, table_, compute_, normed_, n, {{&weights_.head(), logits_}});
  if (observer) observer("logits", logits_, n * decoder_.vocab_size);
  return logits_;
}

void Forward::observe(const char* part, size_t layer, const float* values, int64_t n) const {
  if (observer) observer(text("layers.", layer, ".", part), values, n);
}

}  // namespace nibble
