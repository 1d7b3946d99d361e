// One stage of a decoder with memory, weights and forward pass of its own: the input, one of the layers, or the output. For running a
// model whose weights are not all in memory at once.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "core/cancel.h"
#include "core/thread_pool.h"
#include "model/decoder.h"
#include "model/forward.h"
#include "model/kv_cache.h"
#include "model/weights.h"

namespace nibble {

// Input, layers, output.
inline int64_t stage_count(const DecoderDescription& decoder) { return int64_t{decoder.n_layers} + 2; }

// What of a model one stage needs: 0 the input, then the layers, then the output. A layer is the only one of its description, and its roles
// begin with "layers.0."; the others have none.
ModelSource stage_source(const ModelSource& model, int64_t stage);
Part stage_part(const DecoderDescription& decoder, int64_t stage);

class Stage {
 public:
  // source: of stage_source. n_tokens: of the longest sequence. Opens no file.
  Stage(ModelSource source, Part part, int64_t n_tokens, int64_t logit_rows, const OpTable& table, Compute compute, Int8Products int8);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // The dry run of load().
  MemoryPlan plan(const Exec& exec);
  // Called once.
  void load(Exec& exec, const std::function<void(double)>& progress, const Cancel& cancel);

  // x [T,C] on the host of a whole sequence, from its tokens.
  void run_input(Exec& exec, std::span<const int32_t> tokens, float* x, const Cancel& cancel);
  // x [T,C] on the host of a whole sequence, in place.
  void run_layer(Exec& exec, float* x, int64_t n_tokens, const Cancel& cancel);
  // out [n,V] on the host, of x [n,C] on the host; n is at most logit_rows.
  void run_output(Exec& exec, const float* x, int64_t n, float* out);

 private:
  void place(Arena& arena, const Exec& exec);
  void copy_out(Exec& exec, float* host, int64_t n);

  ModelSource source_;
  const OpTable& table_;
  Weights weights_;
  KvCache cache_;
  Forward forward_;
  void* memory_ = nullptr;
};

}  // namespace nibble
