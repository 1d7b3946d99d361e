// Setting up, ends and blocks; forward_attention.cc and forward_ffn.cc have what stands inside a block.
#include "model/forward.h"

#include <algorithm>

#include "core/text.h"
#include "model/outliers.h"
#include "model/parts.h"

namespace nibble {

Forward::Forward(const DecoderDescription& decoder, const Weights& weights, const KvCache& cache, const OpTable& table, Compute compute,
                 Int8Products int8)
    : decoder_(decoder),
      weights_(weights),
      cache_(cache),
      table_(table),
      compute_(compute),
      int8_(int8),
      max_tokens_(std::min(kMaxTokens, cache.capacity())),
      widths_(decoder) {}

void Forward::limit(int64_t tokens, int64_t logit_rows) {
  max_tokens_ = std::min(max_tokens_, tokens);
  max_logit_rows_ = std::min(max_logit_rows_, logit_rows);
}

void Forward::place(Arena& arena, const Exec& exec) {
  arena.enter(kWorkPart);
  const DecoderDescription& d = decoder_;
  const int64_t t = max_tokens_;
  // Buffers that the description has no use for take no room.
  const auto take = [&](int64_t row, bool is_used = true) { return is_used ? arena.take<float>(Owner::activations, t * row) : nullptr; };
  ids_ = arena.take<int32_t>(Owner::activations, t);
  inv_freq_.clear();
  for (const RopeDescription& rope : d.ropes) inv_freq_.push_back(arena.take<float>(Owner::activations, rope.rotary_dim / 2));
  slopes_ = arena.take<float>(Owner::activations, static_cast<int64_t>(d.alibi_slopes.size()));
  x_ = take(d.width);
  normed_ = take(d.width);
  out_ = take(d.width);
  mlp_out_ = take(d.width, d.is_parallel);
  embedded_ = take(d.embed_width, d.embed_width != d.width);
  room_ = LayerRoom::place(arena, d, t);
  logits_ = arena.take<float>(Owner::logits, max_logit_rows_ * d.vocab_size);
  scratch_size_ = scratch_bytes(exec);
  scratch_ = arena.take<uint8_t>(Owner::scratch, static_cast<int64_t>(scratch_size_));
}

// The most that any op of a chunk asks for.
size_t Forward::scratch_bytes(const Exec& exec) const {
  const DecoderDescription& d = decoder_;
  size_t most = table_.attention_scratch(exec, attention_args(max_tokens_, cache_.capacity() - max_tokens_, 0));
  for (const int64_t k : {int64_t{d.width}, int64_t{d.embed_width}, widths_.attended, int64_t{d.ffn_width}, int64_t{d.experts.ffn_width},
                          int64_t{d.experts.shared_width}, int64_t{d.latent.q_rank}, int64_t{d.latent.kv_rank}}) {
    if (k == 0) continue;
    const int64_t rows = std::max(max_tokens_, max_logit_rows_);
    most = std::max({most, table_.matmul_scratch(exec, rows, k, compute_), table_.matmul_int8_scratch(exec, rows, k)});
  }
  return most;
}

void Forward::prepare(Exec& exec) const {
  for (size_t i = 0; i < decoder_.ropes.size(); ++i) {
    const RopeDescription& rope = decoder_.ropes[i];
    const bool is_long = !rope.inv_freq_long.empty() && cache_.capacity() > rope.long_above;
    const std::vector<float>& inv_freq = is_long ? rope.inv_freq_long : rope.inv_freq;
    table_.copy_in(exec, inv_freq_[i], inv_freq.data(), inv_freq.size() * sizeof(float));
  }
  table_.copy_in(exec, slopes_, decoder_.alibi_slopes.data(), decoder_.alibi_slopes.size() * sizeof(float));
}

// y = x W^T + bias for weights that read the same x. Weights of one format share a call (x is prepared once and the threads
// meet once); a model may mix formats, then each format has its own.
void Forward::project(Exec& exec, const float* x, int64_t m, std::initializer_list<std::pair<const Linear*, float*>> outputs) const {
  if (outliers != nullptr) {
    std::vector<std::string> roles;
    for (const auto& output : outputs) roles.push_back(output.first->role);
    outliers->look(exec, x, m, outputs.begin()->first->weight.cols, roles);
  }
  for (auto first = outputs.begin(); first != outputs.end();) {
    const WeightView& weight = first->first->weight;
    MatmulArgs args;
    args.x = x;
    args.m = m;
    args.k = weight.cols;
    args.compute = compute_;
    args.threshold = int8_.threshold;
    for (; first != outputs.end() && first->first->weight.format == weight.format; ++first) {
      args.outputs[args.n_outputs++] = {&first->first->weight, first->first->bias, first->second};
    }
    const bool is_int8 = weight.format == FormatId::Int8 && !int8_.is_exact;
    (is_int8 ? table_.matmul_int8 : table_.matmul)[static_cast<size_t>(weight.format)](exec, args);
  }
}

void Forward::norm(Exec& exec, NormKind kind, const NormArgs& args) const {
  (kind == NormKind::rms ? table_.rmsnorm : table_.layernorm)(exec, args);
}

void Forward::norm_rows(Exec& exec, const Norm& norm, float* out, const float* x, int64_t rows) const {
  this->norm(
      exec, decoder_.norm,
      {.out = out, .x = x, .weight = norm.weight, .bias = norm.bias, .rows = rows, .width = decoder_.width, .eps = decoder_.norm_eps});
}

void Forward::run(Exec& exec, std::span<const int32_t> tokens, int64_t n_past, const Cancel& cancel) {
  begin(exec);
  const Chunk chunk{exec, static_cast<int64_t>(tokens.size()), n_past, cancel};
  used_.tokens = std::max(used_.tokens, n_past + chunk.n);
  used_.chunk = std::max(used_.chunk, chunk.n);
  embed(chunk, tokens);
  run_layers(chunk);
}

void Forward::embed(Exec& exec, std::span<const int32_t> tokens, int64_t n_past, const Cancel& cancel) {
  begin(exec);
  embed({exec, static_cast<int64_t>(tokens.size()), n_past, cancel}, tokens);
}

void Forward::run_layers(Exec& exec, int64_t n_tokens, int64_t n_past, const Cancel& cancel) {
  begin(exec);
  run_layers({exec, n_tokens, n_past, cancel});
}

void Forward::begin(Exec& exec) const {
  exec.scratch = scratch_;
  exec.scratch_bytes = scratch_size_;
}

void Forward::run_layers(const Chunk& chunk) {
  for (size_t layer = 0; layer < weights_.layers().size(); ++layer) {
    if (decoder_.is_parallel) {
      parallel_block(chunk, layer);
    } else {
      block(chunk, layer);
    }
  }
}

void Forward::embed(const Chunk& chunk, std::span<const int32_t> tokens) {
  Exec& exec = chunk.exec;
  const int64_t size = chunk.n * decoder_.width;
  const auto look_up = [&](const WeightView& table, std::span<const int32_t> ids, float* out) {
    table_.copy_in(exec, ids_, ids.data(), ids.size_bytes());
    table_.embed[static_cast<size_t>(table.format)](exec, out, table, ids_, chunk.n);
  };
  look_up(weights_.embed(), tokens, embedded_ == nullptr ? x_ : embedded_);
  if (embedded_ != nullptr) project(exec, embedded_, chunk.n, {{&weights_.embed_in(), x_}});
  if (decoder_.embed_scale != 1) table_.scale(exec, x_, decoder_.embed_scale, size);
  if (decoder_.n_positions > 0) {
    std::vector<int32_t> positions(tokens.size());
    for (size_t i = 0; i < positions.size(); ++i)
      positions[i] = static_cast<int32_t>(decoder_.first_position + chunk.n_past + static_cast<int64_t>(i));
    look_up(weights_.positions(), positions, out_);
    table_.add(exec, x_, out_, 1, size);
  }
  if (decoder_.has_embed_norm) norm_rows(exec, weights_.embed_norm(), x_, x_, chunk.n);
  if (observer) observer("embed", x_, size);
}

void Forward::block(const Chunk& chunk, size_t layer) {
  const LayerWeights& w = weights_.layers()[layer];
  chunk.cancel.check();
  attention(chunk, layer, branch_input(chunk, w.attn_norm));
  add_branch(chunk, w.attn_norm, w.attn_post_norm);
  observe("after_attention", layer, x_, chunk.n * decoder_.width);
  chunk.cancel.check();
  feed_forward(chunk, layer, branch_input(chunk, w.mlp_norm), out_);
  add_branch(chunk, w.mlp_norm, w.mlp_post_norm);
  observe("after_mlp", layer, x_, chunk.n * decoder_.width);
}

const float* Forward::branch_input(const Chunk& chunk, const Norm& norm) const {
  if (decoder_.norm_place == NormPlace::after || decoder_.norm_place == NormPlace::on_residual) return x_;
  norm_rows(chunk.exec, norm, normed_, x_, chunk.n);
  return normed_;
}

// Adds what a branch left in out_ to the residual stream.
void Forward::add_branch(const Chunk& chunk, const Norm& norm, const Norm& post_norm) const {
  const int64_t size = chunk.n * decoder_.width;
  const NormPlace place = decoder_.norm_place;
  if (place == NormPlace::after || place == NormPlace::around) norm_rows(chunk.exec, post_norm, out_, out_, chunk.n);
  if (decoder_.is_residual_normed) table_.copy(chunk.exec, x_, normed_, static_cast<size_t>(size) * sizeof(float));
  table_.add(chunk.exec, x_, out_, decoder_.residual_scale, size);
  if (place == NormPlace::on_residual) norm_rows(chunk.exec, norm, x_, x_, chunk.n);
}

void Forward::parallel_block(const Chunk& chunk, size_t layer) {
  const LayerWeights& w = weights_.layers()[layer];
  const int64_t size = chunk.n * decoder_.width;
  chunk.cancel.check();
  norm_rows(chunk.exec, w.attn_norm, normed_, x_, chunk.n);
  attention(chunk, layer, normed_);
  chunk.cancel.check();
  if (!decoder_.has_shared_norm) norm_rows(chunk.exec, w.mlp_norm, normed_, x_, chunk.n);
  feed_forward(chunk, layer, normed_, mlp_out_);
  table_.add(chunk.exec, x_, out_, decoder_.residual_scale, size);
  table_.add(chunk.exec, x_, mlp_out_, decoder_.residual_scale, size);
  observe("after_mlp", layer, x_, size);
}

const float* Forward::logits(Exec& exec, int64_t first, int64_t n) {
  begin(exec);
  used_.logit_rows = std::max(used_.logit_rows, n);
  const float* rows = x_ + first * decoder_.width;
  if (decoder_.has_final_norm) {
    norm_rows(exec, weights_.final_norm(), normed_, rows, n);
    rows = normed_;
  }
  if (embedded_ != nullptr) {
    project(exec, rows, n, {{&weights_.embed_out(), embedded_}});
    rows = embedded_;
  }
  project(exec, rows, n, {{&weights_.head(), logits_}});
  const int64_t size = n * decoder_.vocab_size;
  if (decoder_.logit_scale != 1) table_.scale(exec, logits_, decoder_.logit_scale, size);
  if (decoder_.logit_softcap > 0) table_.softcap(exec, logits_, decoder_.logit_softcap, size);
  if (observer) observer("logits", logits_, size);
  return logits_;
}

void Forward::observe(const char* part, size_t layer, const float* values, int64_t n) const {
  if (observer) observer(text("layers.", layer, ".", part), values, n);
}

}  // namespace nibble
