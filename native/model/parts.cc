#include "model/parts.h"

#include <array>
#include <string_view>

#include "core/error.h"
#include "core/text.h"

namespace nibble {

namespace {

// Ends have the numbers behind kWorkPart, in this order; layers those behind them, so that their number does not matter.
constexpr std::array<std::string_view, 7> kEnds = {"embed", "positions", "embed_in", "embed_norm", "final_norm", "embed_out", "head"};
constexpr size_t kFirstBehindLayers = 4;
constexpr std::string_view kLayers = "layers.";

int32_t number_of_end(size_t end) { return kWorkPart + 1 + static_cast<int32_t>(end); }

}  // namespace

int32_t part_of_layer(size_t layer) { return number_of_end(kEnds.size()) + static_cast<int32_t>(layer); }

int32_t part_of_role(const std::string& role) {
  if (role.starts_with(kLayers)) return part_of_layer(std::stoul(role.substr(kLayers.size())));
  const std::string_view module = std::string_view(role).substr(0, role.find('.'));
  for (size_t end = 0; end < kEnds.size(); ++end) {
    if (module == kEnds[end]) return number_of_end(end);
  }
  throw Error(ErrorCode::bad_input, text("The role ", role, " belongs to no part of a model."));
}

std::vector<ModelPart> parts_in_order(int64_t n_layers) {
  std::vector<ModelPart> parts;
  for (size_t end = 0; end < kFirstBehindLayers; ++end) parts.push_back({number_of_end(end), std::string(kEnds[end])});
  for (int64_t i = 0; i < n_layers; ++i) parts.push_back({part_of_layer(static_cast<size_t>(i)), text(kLayers, i)});
  for (size_t end = kFirstBehindLayers; end < kEnds.size(); ++end) parts.push_back({number_of_end(end), std::string(kEnds[end])});
  return parts;
}

}  // namespace nibble
