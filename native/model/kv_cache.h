// Keys and values of the positions computed so far: fp16 [G, capacity, D] and [G, capacity, D_v] per layer.
#pragma once

#include <cstdint>
#include <vector>

#include "core/arena.h"
#include "model/decoder.h"
#include "model/parts.h"

namespace nibble {

class KvCache {
 public:
  struct Layer {
    uint16_t* keys = nullptr;
    uint16_t* values = nullptr;
  };

  KvCache(const DecoderDescription& decoder, int64_t capacity)
      : keys_size_(int64_t{decoder.n_kv_heads} * capacity * decoder.head_dim),
        values_size_(int64_t{decoder.n_kv_heads} * capacity * decoder.value_dim),
        capacity_(capacity),
        layers_(static_cast<size_t>(decoder.n_layers)) {}

  // Each layer's in its part.
  void place(Arena& arena) {
    for (size_t i = 0; i < layers_.size(); ++i) place_layer(arena, i, part_of_layer(i));
  }
  // All in one part.
  void place_at(Arena& arena, int32_t part) {
    for (size_t i = 0; i < layers_.size(); ++i) place_layer(arena, i, part);
  }

  int64_t capacity() const { return capacity_; }
  const Layer& layer(size_t i) const { return layers_[i]; }

 private:
  void place_layer(Arena& arena, size_t i, int32_t part) {
    arena.enter(part);
    layers_[i].keys = arena.take<uint16_t>(Owner::kv, keys_size_);
    layers_[i].values = arena.take<uint16_t>(Owner::kv, values_size_);
  }

  int64_t keys_size_, values_size_;
  int64_t capacity_;
  std::vector<Layer> layers_;
};

}  // namespace nibble
