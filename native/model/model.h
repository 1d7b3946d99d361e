// A loaded decoder: description, weights, cache and forward pass, in one arena. Made by plan/load.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/arena.h"
#include "core/cancel.h"
#include "core/thread_pool.h"
#include "model/decoder.h"
#include "model/forward.h"
#include "model/kv_cache.h"
#include "model/weights.h"
#include "ops/ops.h"

namespace nibble {

struct LoadOptions {
  ModelSource source;
  std::optional<QuantizeSpec> quantize;  // of linear layers stored in plain types
  int64_t context = 0;                   // positions the cache holds, 1 .. decoder.max_context
  Compute compute = Compute::bf16;
  Int8Products int8;          // threshold: 0 or positive, finite
  int threads = 0;            // 0 = one per core that this process may use
  std::string backend;        // "auto" or a name that op_table accepts
  uint64_t memory_limit = 0;  // bytes; 0 = what the system has available
};

// Throws bad_input for an impossible decoder, a context that it was not made for, or a number of threads outside 0 .. 1024.
void check_load_sizes(const DecoderDescription& decoder, int64_t context, int threads);
// "auto" or a name that op_table accepts.
const OpTable& table_named(const std::string& backend);

class Model {
 public:
  // Checks everything that can be checked without files. Allocates no memory worth counting.
  explicit Model(LoadOptions options);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // The dry run of load().
  const MemoryPlan& plan() const { return plan_; }
  // Reserves all memory of the model and reads the weights. Called once.
  void load(const std::function<void(double)>& progress, const Cancel& cancel);

  const DecoderDescription& decoder() const { return options_.source.decoder; }
  const LoadOptions& options() const { return options_; }
  const OpTable& table() const { return table_; }
  const Weights& weights() const { return weights_; }
  int64_t context() const { return cache_.capacity(); }
  Forward& forward() { return forward_; }
  const Forward& forward() const { return forward_; }
  Exec& exec() { return exec_; }

 private:
  void place(Arena& arena);

  LoadOptions options_;
  const OpTable& table_;
  ThreadPool pool_;
  Exec exec_;
  Weights weights_;
  KvCache cache_;
  Forward forward_;
  MemoryPlan plan_;
  uint64_t arena_bytes_ = 0;
  void* memory_ = nullptr;
};

}  // namespace nibble
