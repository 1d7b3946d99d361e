#include "train/training_memory.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "model/parts.h"

namespace nibble {

namespace {

constexpr int64_t kMaxBatch = 1024;

int64_t checked_tokens(const DecoderDescription& decoder, const TrainingOptions& options) {
  if (options.sequence_length < 1 || options.sequence_length > decoder.max_context) {
    throw Error(ErrorCode::bad_input, text("Sequences of ", options.sequence_length, " tokens are not between 1 and the ",
                                           decoder.max_context, " that the model was made for."));
  }
  if (options.batch_size < 1 || options.batch_size > kMaxBatch) {
    throw Error(ErrorCode::bad_input, text("The batch size is ", options.batch_size, "; it must be 1 to ", kMaxBatch, "."));
  }
  return options.sequence_length * options.batch_size;
}

DecoderDescription one_layer(const DecoderDescription& decoder) {
  DecoderDescription result = decoder;
  result.n_layers = 1;
  return result;
}

}  // namespace

TrainingMemory::TrainingMemory(const ModelSource& source, const Weights& weights, const OpTable& table, Compute compute,
                               const TrainingOptions& options)
    : decoder_(source.decoder),
      options_(options),
      n_tokens_(checked_tokens(decoder_, options)),
      compute_(compute),
      adapter_(source, options.rank, options.targets, options.optimizer),
      cache_(one_layer(decoder_), n_tokens_),
      forward_(decoder_, weights, cache_, table, compute) {
  forward_.allow_tokens(n_tokens_);
  forward_.allow_logit_rows(kLossTokens);
  for (const TensorSource& tensor : source.tensors) {
    if (tensor.is_linear && tensor.shape.size() == 2) largest_matrix_ = std::max(largest_matrix_, tensor.shape[0] * tensor.shape[1]);
  }
}

void TrainingMemory::place(Arena& arena, const Exec& exec) {
  const auto n_layers = static_cast<size_t>(decoder_.n_layers);
  adapter_.place(arena);
  forward_.place(arena, exec);
  arena.enter(kWorkPart);
  cache_.place_at(arena, kWorkPart);
  inputs_.assign(n_layers, nullptr);
  rooms_.clear();
  extras_.clear();
  int64_t most_adapters = 0;
  for (size_t i = 0; i < n_layers; ++i) {
    arena.enter(part_of_layer(i));
    inputs_[i] = arena.take<float>(Owner::activations, n_tokens_ * decoder_.width);
    most_adapters = std::max(most_adapters, adapters_of(i));
    if (options_.has_checkpointing) continue;
    rooms_.push_back(LayerRoom::place(arena, decoder_, n_tokens_));
    extras_.push_back(place_extra(arena, adapters_of(i)));
  }
  arena.enter(kWorkPart);
  if (options_.has_checkpointing) extras_.push_back(place_extra(arena, most_adapters));
  place_backward(arena);
}

TrainingMemory::LayerExtra TrainingMemory::place_extra(Arena& arena, int64_t n_adapters) const {
  const auto take = [&](int64_t row) { return arena.take<float>(Owner::activations, n_tokens_ * row); };
  LayerExtra extra;
  extra.middle = take(decoder_.width);
  extra.hidden = take(LayerWidths(decoder_).hidden);
  extra.attention_sums = take(decoder_.n_heads);
  extra.lora = take(options_.rank * n_adapters);
  return extra;
}

int64_t TrainingMemory::adapters_of(size_t layer) const {
  const int32_t part = part_of_layer(layer);
  return std::ranges::count_if(adapter_.pairs(), [&](const LoraPair& pair) { return part_of_role(pair.role) == part; });
}

void TrainingMemory::place_backward(Arena& arena) {
  const auto take = [&](int64_t row) { return arena.take<float>(Owner::activations, n_tokens_ * row); };
  gradients_ = LayerRoom::place(arena, decoder_, n_tokens_);
  stream_gradient_ = take(decoder_.width);
  branch_gradient_ = take(decoder_.width);
  wide_gradient_ = take(LayerWidths(decoder_).hidden);
  lora_gradient_ = take(options_.rank);
  const int64_t element = compute_ == Compute::f32 ? 4 : 2;
  matrix_ = arena.take<uint8_t>(Owner::scratch, largest_matrix_ * element);
}

}  // namespace nibble
