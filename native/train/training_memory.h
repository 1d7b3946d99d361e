// All memory of a QLoRA run beside the frozen weights: the adapter, what the forward pass leaves for the backward pass, and the room that
// both work in. Taken from an arena: dry by the planner, for real by whoever trains.
//
// A step takes a batch of B sequences of S tokens as one chunk of T = B*S. With gradient checkpointing only the input of each layer is
// kept; the backward pass computes the layer again in the one room that the forward pass works in. Without, each layer has a room. The
// loss is computed for kLossTokens tokens at a time, and the gradient of their logits takes the logits' place, so that a large vocabulary
// does not decide what fits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/arena.h"
#include "model/forward.h"
#include "model/kv_cache.h"
#include "model/layer_room.h"
#include "model/weights.h"
#include "ops/ops.h"
#include "train/adapter.h"

namespace nibble {

struct TrainingOptions {
  int32_t rank = 16;
  std::vector<std::string> targets;  // as Adapter
  int64_t sequence_length = 0;       // 1 .. decoder.max_context
  int64_t batch_size = 1;            // 1 .. 1024
  OptimizerKind optimizer = OptimizerKind::adamw8bit;
  bool has_checkpointing = true;
};

class TrainingMemory {
 public:
  static constexpr int64_t kLossTokens = 128;

  // What the backward pass needs of a layer beside its LayerRoom.
  struct LayerExtra {
    float* middle = nullptr;          // [T,C] the residual stream between attention and the feed-forward part
    float* hidden = nullptr;          // [T,F] what `down` reads
    float* attention_sums = nullptr;  // [T,H] logarithms of the softmax's denominators
    float* lora = nullptr;            // [T, R times the layer's adapters] A x
  };

  // `source` and `weights` must outlive it. Throws bad_input for impossible sizes and what Adapter throws.
  TrainingMemory(const ModelSource& source, const Weights& weights, const OpTable& table, Compute compute, const TrainingOptions& options);

  // Takes room: once dry, once for real; the weights have theirs. exec: the one that training will run with.
  void place(Arena& arena, const Exec& exec);

  const Adapter& adapter() const { return adapter_; }
  int64_t n_tokens() const { return n_tokens_; }
  // Of the layer; without checkpointing each has its own, else all have the same.
  float* input(size_t layer) const { return inputs_[layer]; }
  const LayerRoom* room(size_t layer) const { return rooms_.empty() ? nullptr : &rooms_[layer]; }
  const LayerExtra& extra(size_t layer) const { return extras_.size() == 1 ? extras_[0] : extras_[layer]; }

 private:
  LayerExtra place_extra(Arena& arena, int64_t n_adapters) const;
  int64_t adapters_of(size_t layer) const;
  void place_backward(Arena& arena);

  const DecoderDescription& decoder_;
  TrainingOptions options_;
  int64_t n_tokens_;
  int64_t largest_matrix_ = 0;  // elements
  Compute compute_;
  Adapter adapter_;
  KvCache cache_;    // of one layer, used by all in turn
  Forward forward_;  // its room is that of one layer
  std::vector<float*> inputs_;
  std::vector<LayerRoom> rooms_;      // [layers] without checkpointing
  std::vector<LayerExtra> extras_;    // one, or one for each layer
  LayerRoom gradients_;               // of what a layer's room holds
  float* stream_gradient_ = nullptr;  // [T,C]
  float* branch_gradient_ = nullptr;  // [T,C]
  float* wide_gradient_ = nullptr;    // [T,F] of LayerExtra::hidden
  float* lora_gradient_ = nullptr;    // [T,R]
  void* matrix_ = nullptr;            // the largest quantized matrix, decoded for its product with gradients
};

}  // namespace nibble
