#include "train/adapter.h"

#include <algorithm>
#include <unordered_set>

#include "core/error.h"
#include "core/text.h"
#include "model/parts.h"

namespace nibble {

namespace {

constexpr int32_t kMaxRank = 1024;

bool is_matrix(const TensorSource& tensor) { return tensor.shape.size() == 2; }

}  // namespace

OptimizerTraits optimizer_traits(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::adamw: return {2, false, false};
    case OptimizerKind::adamw8bit: return {2, true, false};
    case OptimizerKind::paged_adamw: return {2, false, true};
    case OptimizerKind::paged_adamw8bit: return {2, true, true};
    case OptimizerKind::lion: return {1, false, false};
    case OptimizerKind::lion8bit: return {1, true, false};
    case OptimizerKind::sgd: return {0, false, false};  // without momentum
  }
  return {};
}

Adapter::Adapter(const ModelSource& source, int32_t rank, const std::vector<std::string>& targets, OptimizerKind optimizer)
    : optimizer_(optimizer_traits(optimizer)) {
  if (rank < 1 || rank > kMaxRank)
    throw Error(ErrorCode::bad_input, text("The rank of the adapter is ", rank, "; it must be 1 to ", kMaxRank, "."));
  std::unordered_set<std::string> wanted(targets.begin(), targets.end());
  for (const TensorSource& tensor : source.tensors) {
    const bool is_target = targets.empty() ? tensor.is_linear && is_matrix(tensor) : wanted.erase(tensor.role) > 0;
    if (!is_target) continue;
    if (!is_matrix(tensor)) throw Error(ErrorCode::bad_input, text("An adapter cannot be added to ", tensor.name, ": it is no matrix."));
    LoraPair& pair = pairs_.emplace_back();
    pair.role = tensor.role;
    pair.rows = tensor.shape[0];
    pair.cols = tensor.shape[1];
    pair.a.n = rank * pair.cols;
    pair.b.n = rank * pair.rows;
  }
  if (!wanted.empty()) throw Error(ErrorCode::bad_input, text("The model has no layer ", *wanted.begin(), " to add an adapter to."));
}

void Adapter::place(Arena& arena) {
  for (LoraPair& pair : pairs_) {
    arena.enter(part_of_role(pair.role));
    for (TrainedTensor* tensor : {&pair.a, &pair.b}) {
      tensor->values = arena.take<float>(Owner::lora, tensor->n);
      tensor->gradient = arena.take<float>(Owner::gradients, tensor->n);
      place_state(*tensor, arena);
    }
  }
  if (!optimizer_.is_8bit) return;
  arena.enter(kWorkPart);
  for (int i = 0; i < optimizer_.n_states; ++i) code_maps_[static_cast<size_t>(i)] = arena.take<float>(Owner::optimizer, 256);
}

void Adapter::place_state(TrainedTensor& tensor, Arena& arena) const {
  const bool is_8bit = optimizer_.is_8bit && tensor.n >= kMinParametersIn8Bits;
  for (size_t i = 0; i < static_cast<size_t>(optimizer_.n_states); ++i) {
    if (is_8bit) {
      tensor.state.codes[i] = arena.take<uint8_t>(Owner::optimizer, tensor.n);
      tensor.state.scales[i] = arena.take<float>(Owner::optimizer, (tensor.n + kStateBlock - 1) / kStateBlock);
    } else {
      tensor.state.values[i] = arena.take<float>(Owner::optimizer, tensor.n);
    }
  }
}

int64_t Adapter::n_parameters() const {
  int64_t n = 0;
  for (const LoraPair& pair : pairs_) n += pair.a.n + pair.b.n;
  return n;
}

}  // namespace nibble
