// Plans of one model, over and over: for another context, another number of threads, other devices. Its tensors are looked at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/forward.h"
#include "model/model.h"
#include "model/parts.h"
#include "model/weights.h"
#include "plan/placement.h"
#include "train/training_memory.h"

namespace nibble {

struct PlanOptions {
  int64_t context = 0;  // as LoadOptions
  Compute compute = Compute::bf16;
  int threads = 0;
  std::string backend = "auto";
  // What is in use of the room that is reserved: no chunk was longer, no more rows of logits were asked for. See Forward::limit.
  int64_t chunk = Forward::kMaxTokens;
  int64_t logit_rows = Forward::kMaxLogitRows;
};

struct ModelPlan {
  MemoryPlan all;
  MemoryPlan work;                // of `all`: lies wherever something is computed
  std::vector<MemoryPlan> parts;  // the rest, as parts_in_order
};

class Planner {
 public:
  // Throws what Weights throws. Opens no file.
  Planner(ModelSource source, std::optional<QuantizeSpec> quantize);

  const DecoderDescription& decoder() const { return source_.decoder; }
  int64_t bytes_per_token() const { return weights_.bytes_per_token(); }
  // Of the cache, in all layers.
  int64_t kv_bytes_per_token() const;

  // Throws bad_input as Model does.
  ModelPlan plan(const PlanOptions& options);
  // Of a training run instead of a chat: no cache, and the context does not matter. Throws what TrainingMemory throws.
  ModelPlan plan_training(const PlanOptions& options, const TrainingOptions& training);
  int64_t trainable_parameters(const TrainingOptions& training) const;

 private:
  ModelSource source_;
  std::optional<QuantizeSpec> quantize_;
  Weights weights_;
};

}  // namespace nibble
