// The parts of a model that can lie on devices of their own: its layers, and what stands before and behind them. By numbers, so that an
// arena can count by them; a token passes them in the order of parts_in_order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nibble {

// Working memory of a pass (activations, logits, scratch), which lies wherever something is computed.
inline constexpr int32_t kWorkPart = 0;

int32_t part_of_layer(size_t layer);
// Of a role of model/decoder.h: the number of its layer or of its end.
int32_t part_of_role(const std::string& role);

struct ModelPart {
  int32_t number;
  std::string role;  // "embed", "layers.0", …: what the roles of its tensors begin with
};
// All but the working memory: embed, positions, embed_in, embed_norm, the layers, final_norm, embed_out, head.
std::vector<ModelPart> parts_in_order(int64_t n_layers);

}  // namespace nibble
