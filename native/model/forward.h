// The forward pass of the decoder, for a chunk of new tokens of one sequence. Knows only the op table.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "core/arena.h"
#include "core/cancel.h"
#include "model/kv_cache.h"
#include "model/weights.h"
#include "ops/ops.h"

namespace nibble {

// Sees the activations after each step, for tools: stage ("layers.3.attention"), values in op memory, their number.
using Observer = std::function<void(const std::string& stage, const float* values, int64_t n)>;

class Forward {
 public:
  // Tokens of one chunk: enough for the matrix products to be bound by arithmetic, few enough to keep the activations small.
  static constexpr int64_t kMaxTokens = 512;
  // Rows of logits computed at once.
  static constexpr int64_t kMaxLogitRows = 16;

  Forward(const DecoderDescription& decoder, const Weights& weights, const KvCache& cache, const OpTable& table, Compute compute);

  // Takes room for activations, logits and scratch: once dry, once for real. exec: the one that run() will get.
  void place(Arena& arena, const Exec& exec);
  // Copies what never changes (the rotary frequencies) into the room taken.
  void prepare(Exec& exec) const;

  // Runs 1 .. kMaxTokens tokens whose positions follow n_past; their keys and values are in the cache afterwards.
  // n_past + tokens.size() <= cache capacity; ids are inside the vocabulary (the caller checked).
  void run(Exec& exec, std::span<const int32_t> tokens, int64_t n_past, const Cancel& cancel);

  // Logits of rows [first, first + n) of the last chunk, n <= kMaxLogitRows: [n, V] in op memory, until the next call.
  const float* logits(Exec& exec, int64_t first, int64_t n);

  Observer observer;  // empty: nobody looks

 private:
  void attention_block(Exec& exec, size_t layer, int64_t n_tokens, int64_t n_past);
  void mlp_block(Exec& exec, size_t layer, int64_t n_tokens);
  void observe(const char* part, size_t layer, const float* values, int64_t n) const;
  AttentionArgs attention_args(int64_t n_tokens, int64_t n_past) const;
  size_t scratch_bytes(const Exec& exec) const;

  const DecoderDescription& decoder_;
  const Weights& weights_;
  const KvCache& cache_;
  const OpTable& table_;
  Compute compute_;
  int64_t max_tokens_;  // a chunk is never longer than the cache
  int64_t q_width_, kv_width_;

  int32_t* ids_ = nullptr;     // [T]
  float* inv_freq_ = nullptr;  // [rotary_dim / 2]
  float* x_ = nullptr;         // [T,C] the residual stream
  float* normed_ = nullptr;    // [T,C]
  float* q_ = nullptr;         // [T,H,D]
  float* k_ = nullptr;         // [T,G,D]
  float* v_ = nullptr;         // [T,G,D]
  float* attended_ = nullptr;  // [T,H,D]
  float* gate_ = nullptr;      // [T,F]
  float* up_ = nullptr;        // [T,F]
  float* logits_ = nullptr;    // [kMaxLogitRows, V]
  void* scratch_ = nullptr;
  size_t scratch_size_ = 0;
};

}  // namespace nibble
