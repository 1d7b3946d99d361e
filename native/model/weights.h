// The weights of a decoder: every role of decoder.h found, checked and at hand as the ops want it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/decoder.h"
#include "model/tensor_loader.h"

namespace nibble {

// y = x W^T + bias
struct Linear {
  WeightView weight;
  const float* bias = nullptr;  // [rows] or null
};

struct LayerWeights {
  const float* attn_norm = nullptr;  // [C]
  const float* mlp_norm = nullptr;   // [C]
  Linear q, k, v, o, gate, up, down;
};

class Weights {
 public:
  // Checks roles and shapes; opens no file. `source` must outlive the weights. Throws bad_file when a tensor is missing or
  // of a wrong shape, bad_input when a role is unknown or given twice. `quantize`: of linear layers stored in plain types.
  Weights(const ModelSource& source, const std::optional<QuantizeSpec>& quantize);
  Weights(const Weights&) = delete;  // the loader points into it
  Weights& operator=(const Weights&) = delete;

  // See TensorLoader.
  void place(Arena& arena) { loader_.place(arena); }
  void read(const OpTable& table, ThreadPool& pool, const std::function<void(double)>& progress, const Cancel& cancel);

  void check_files() const { loader_.check_files(); }

  // Bytes that one decoded token has to read: the linear layers and the head, scales included.
  int64_t bytes_per_token() const;

  const WeightView& embed() const { return embed_; }
  const Linear& head() const { return head_; }
  const float* final_norm() const { return final_norm_; }
  const std::vector<LayerWeights>& layers() const { return layers_; }

 private:
  TensorLoader loader_;
  bool has_tied_head_;
  WeightView embed_;
  Linear head_;
  const float* final_norm_ = nullptr;
  std::vector<LayerWeights> layers_;
};

}  // namespace nibble
