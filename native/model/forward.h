// The forward pass of the decoder, for a chunk of new tokens of one sequence. Knows only the op table.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/arena.h"
#include "core/cancel.h"
#include "model/kv_cache.h"
#include "model/layer_room.h"
#include "model/weights.h"
#include "ops/ops.h"

namespace nibble {

// Sees the activations after each step, for tools: stage ("layers.3.attention"), values in op memory, their number.
using Observer = std::function<void(const std::string& stage, const float* values, int64_t n)>;

// How int8 weights are multiplied: by LLM.int8(), or, when exact, with x as it is.
struct Int8Products {
  bool is_exact = false;
  float threshold = 6;
};

class OutlierRecorder;

class Forward {
 public:
  // Tokens of one chunk: enough for the matrix products to be bound by arithmetic, few enough to keep the activations small.
  static constexpr int64_t kMaxTokens = 512;
  // Rows of logits computed at once.
  static constexpr int64_t kMaxLogitRows = 16;

  Forward(const DecoderDescription& decoder, const Weights& weights, const KvCache& cache, const OpTable& table, Compute compute,
          Int8Products int8 = {});

  // Rows that logits() may be asked for instead of kMaxLogitRows, at most a chunk of them. Before place().
  void allow_logit_rows(int64_t n) { max_logit_rows_ = std::min(n, max_tokens_); }
  // Room for chunks of so many tokens instead of kMaxTokens, for training, whose chunks are whole sequences. Before place().
  void allow_tokens(int64_t n) { max_tokens_ = std::min(n, cache_.capacity()); }

  // How much of the room is ever written to where no chunk is longer than `tokens` and no more rows of logits are asked for: what a
  // plan of the memory in use is made with. Before place().
  void limit(int64_t tokens, int64_t logit_rows);

  // Takes room for activations, logits and scratch: once dry, once for real. exec: the one that run() will get.
  void place(Arena& arena, const Exec& exec);
  // Copies what never changes (rotary frequencies, slopes) into the room taken.
  void prepare(Exec& exec) const;

  // The most that was asked of it so far: what of the room has been written to.
  struct Used {
    int64_t tokens = 0;  // in the cache
    int64_t chunk = 0;
    int64_t logit_rows = 0;
  };
  const Used& used() const { return used_; }

  // Runs 1 .. kMaxTokens tokens whose positions follow n_past; their keys and values are in the cache afterwards.
  // n_past + tokens.size() <= cache capacity; ids are inside the vocabulary (the caller checked).
  void run(Exec& exec, std::span<const int32_t> tokens, int64_t n_past, const Cancel& cancel);

  // The same in three steps, for who has not all of the weights at once: tokens to the residual stream, through the layers, and
  // logits(). Between them the stream x [T,C] may be taken out and put back.
  void embed(Exec& exec, std::span<const int32_t> tokens, int64_t n_past, const Cancel& cancel);
  void run_layers(Exec& exec, int64_t n_tokens, int64_t n_past, const Cancel& cancel);
  float* stream() const { return x_; }

  // Logits of rows [first, first + n) of the last chunk, n <= kMaxLogitRows, or what was allowed: [n, V] in op memory, until the next call.
  const float* logits(Exec& exec, int64_t first, int64_t n);

  Observer observer;                    // empty: nobody looks
  OutlierRecorder* outliers = nullptr;  // not owned; null: nobody counts

 private:
  // The tokens of the chunk that runs.
  struct Chunk {
    Exec& exec;
    int64_t n;
    int64_t n_past;
    const Cancel& cancel;
  };
  size_t scratch_bytes(const Exec& exec) const;

  void begin(Exec& exec) const;
  void embed(const Chunk& chunk, std::span<const int32_t> tokens);
  void run_layers(const Chunk& chunk);
  void block(const Chunk& chunk, size_t layer);
  void parallel_block(const Chunk& chunk, size_t layer);
  const float* branch_input(const Chunk& chunk, const Norm& norm) const;
  void add_branch(const Chunk& chunk, const Norm& norm, const Norm& post_norm) const;

  void attention(const Chunk& chunk, size_t layer, const float* input);  // to out_
  void queries_keys_values(const Chunk& chunk, const LayerWeights& w, const float* input);
  void latent_queries_keys_values(const Chunk& chunk, const LayerWeights& w, const RopeArgs& rope, const float* input);
  void split_fused(const Chunk& chunk);
  void norm_heads(const Chunk& chunk, const Norm& weights, float* x, int32_t n_heads) const;
  AttentionArgs attention_args(int64_t n_tokens, int64_t n_past, int64_t window) const;
  RopeArgs rope_args(const Chunk& chunk, int32_t index) const;
  void rotate(Exec& exec, RopeArgs args, float* x, int32_t n_heads) const;

  void feed_forward(const Chunk& chunk, size_t layer, const float* input, float* out);
  void ffn(Exec& exec, const FfnWeights& w, FfnLayout layout, int64_t width, const float* input, int64_t n, float* out);
  void experts(const Chunk& chunk, const ExpertWeights& w, const float* input, float* out);
  void sort_by_expert(const Chunk& chunk);
  void shared_expert(const Chunk& chunk, const ExpertWeights& w, const float* input, float* out);

  void project(Exec& exec, const float* x, int64_t m, std::initializer_list<std::pair<const Linear*, float*>> outputs) const;
  void norm(Exec& exec, NormKind kind, const NormArgs& args) const;
  void norm_rows(Exec& exec, const Norm& norm, float* out, const float* x, int64_t rows) const;
  void observe(const char* part, size_t layer, const float* values, int64_t n) const;

  const DecoderDescription& decoder_;
  const Weights& weights_;
  const KvCache& cache_;
  const OpTable& table_;
  Compute compute_;
  Int8Products int8_;
  int64_t max_tokens_;  // a chunk is never longer than the cache
  int64_t max_logit_rows_ = kMaxLogitRows;
  Used used_;
  LayerWidths widths_;

  int32_t* ids_ = nullptr;        // [T] tokens, then positions
  std::vector<float*> inv_freq_;  // of each rope
  float* slopes_ = nullptr;       // [H]
  float* x_ = nullptr;            // [T,C] the residual stream
  float* normed_ = nullptr;       // [T,C] what a branch reads
  float* out_ = nullptr;          // [T,C] what a branch gives
  float* mlp_out_ = nullptr;      // [T,C] of parallel blocks
  float* embedded_ = nullptr;     // [T,E] where it differs from C
  LayerRoom room_;
  float* logits_ = nullptr;  // [kMaxLogitRows, V]
  void* scratch_ = nullptr;
  size_t scratch_size_ = 0;

  // Which token goes to which expert, on the host.
  struct Routing {
    std::vector<int32_t> experts, tokens;
    std::vector<float> weights, sorted_weights;
    std::vector<int64_t> first;  // [X + 1]
  };
  Routing routing_;
};

}  // namespace nibble
