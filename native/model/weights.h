// The weights of a decoder: every role of decoder.h found, checked and at hand as the ops want it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/decoder.h"
#include "model/roles.h"
#include "model/tensor_loader.h"

namespace nibble {

// y = x W^T + bias
struct Linear {
  WeightView weight;            // rows = 0: the model has no such layer
  const float* bias = nullptr;  // [rows] or null
  std::string role;             // as in decoder.h

  bool exists() const { return weight.rows > 0; }
};

struct Norm {
  const float* weight = nullptr;  // null: 1
  const float* bias = nullptr;    // null: 0
};

// Those of gate, up and gate_up that the layout has.
struct FfnWeights {
  Linear gate, up, gate_up, down;
};

struct ExpertWeights {
  Linear router, shared_gate;
  const float* correction = nullptr;  // [X] or null
  std::vector<FfnWeights> experts;    // [X]; empty: the layer has none
  FfnWeights shared;
};

struct LayerWeights {
  Norm attn_norm, attn_post_norm, mlp_norm, mlp_post_norm;
  Linear q, k, v, qkv, o;  // those that the layout has
  Linear q_a, q_b, kv_a, kv_b;
  Norm q_a_norm, kv_a_norm, q_norm, k_norm;
  const float* sinks = nullptr;  // [H] or null
  FfnWeights ffn;
  ExpertWeights moe;
};

// Which of a decoder's tensors there are. Without the others only a part of a forward pass can run.
enum class Part : uint8_t {
  whole,
  input,   // what makes the residual stream of tokens: embed, embed_in, positions, embed_norm
  layers,  // those of the description
  output,  // what makes logits of the residual stream: final_norm, embed_out, head (embed where it is the head)
};

class Weights {
 public:
  // Checks roles and shapes; opens no file. `source` must outlive the weights. Throws bad_file when a tensor is missing or
  // of a wrong shape, bad_input when a role is unknown or given twice. `quantize`: of linear layers stored in plain types.
  Weights(const ModelSource& source, const std::optional<QuantizeSpec>& quantize, Part part = Part::whole);
  Weights(const Weights&) = delete;  // the loader points into it
  Weights& operator=(const Weights&) = delete;

  // See TensorLoader.
  void place(Arena& arena) { loader_.place(arena); }
  void read(const OpTable& table, ThreadPool& pool, const std::function<void(double)>& progress, const Cancel& cancel);

  void check_files() const { loader_.check_files(); }

  // Bytes that one decoded token has to read: the linear layers and the head, scales included; of experts those that one token uses.
  int64_t bytes_per_token() const;

  const WeightView& embed() const { return embed_; }
  const WeightView& positions() const { return positions_; }
  const Linear& embed_in() const { return embed_in_; }
  const Linear& embed_out() const { return embed_out_; }
  const Linear& head() const { return head_; }
  const Norm& embed_norm() const { return embed_norm_; }
  const Norm& final_norm() const { return final_norm_; }
  const std::vector<LayerWeights>& layers() const { return layers_; }

 private:
  // All experts' rows of one kind in one tensor: cut into `parts` when the tensor is there.
  struct Fused {
    Linear whole;
    Linear FfnWeights::*part;
    std::vector<FfnWeights>* experts;
  };

  void add_input(Roles& roles);
  void add_output(Roles& roles);
  void add_table(Roles& roles, const std::string& role, int64_t rows, int64_t cols, WeightView& view);
  void add_layer(Roles& roles, size_t i);
  void add_attention(Roles& roles, const std::string& prefix, LayerWeights& layer);
  void add_latent_attention(Roles& roles, const std::string& prefix, LayerWeights& layer);
  void add_experts(Roles& roles, const std::string& prefix, ExpertWeights& moe);
  void add_ffn(Roles& roles, const std::string& prefix, FfnLayout layout, int64_t width, FfnWeights& ffn);
  void add_fused(Roles& roles, const std::string& role, int64_t rows, int64_t cols, ExpertWeights& moe, Linear FfnWeights::*part);
  void add_linear(Roles& roles, const std::string& role, Linear& linear, int64_t rows, int64_t cols);
  void add_norm(Roles& roles, const std::string& role, Norm& norm, int64_t n);

  const DecoderDescription& decoder_;
  std::optional<QuantizeSpec> quantize_;
  Part part_;
  TensorLoader loader_;
  WeightView embed_, positions_;
  Linear embed_in_, embed_out_, head_;
  Norm embed_norm_, final_norm_;
  std::vector<LayerWeights> layers_;
  std::vector<std::unique_ptr<Fused>> fused_;
};

}  // namespace nibble
