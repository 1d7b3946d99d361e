// LoRA (arXiv 2106.09685) over frozen weights: W x + scale * B (A x), A [R,K] and B [N,R] in fp32, with their gradients and what the
// optimizer remembers of them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/arena.h"
#include "model/decoder.h"

namespace nibble {

// As bitsandbytes names them. The paged kinds have states of the same size, in memory that the system may move out of a GPU.
enum class OptimizerKind : uint8_t { adamw, adamw8bit, paged_adamw, paged_adamw8bit, lion, lion8bit, sgd };

struct OptimizerTraits {
  int n_states;  // per parameter
  bool is_8bit;
  bool is_paged;
};
OptimizerTraits optimizer_traits(OptimizerKind kind);

// Tensors with fewer parameters keep states in fp32 also in 8 bits; the others have one scale per block (bitsandbytes' defaults).
inline constexpr int64_t kMinParametersIn8Bits = 4096;
inline constexpr int64_t kStateBlock = 256;

// What the optimizer remembers of one tensor. Of n_states the first; either values, or codes and scales.
struct OptimizerState {
  std::array<float*, 2> values{};   // [n]
  std::array<uint8_t*, 2> codes{};  // [n]
  std::array<float*, 2> scales{};   // [ceil(n / kStateBlock)]
};

struct TrainedTensor {
  int64_t n = 0;
  float* values = nullptr;
  float* gradient = nullptr;
  OptimizerState state;
};

struct LoraPair {
  std::string role;  // of the layer that it is added to
  int64_t rows = 0, cols = 0;
  TrainedTensor a;  // [R, cols]
  TrainedTensor b;  // [rows, R]
};

class Adapter {
 public:
  // targets: roles of linear layers; empty: all that bitsandbytes converts, PEFT's "all-linear". Throws bad_input for a rank below 1 and
  // for a role that is no matrix of the model.
  Adapter(const ModelSource& source, int32_t rank, const std::vector<std::string>& targets, OptimizerKind optimizer);

  // Takes room beside the layers: once dry, once for real.
  void place(Arena& arena);

  int64_t n_parameters() const;
  const std::vector<LoraPair>& pairs() const { return pairs_; }

 private:
  void place_state(TrainedTensor& tensor, Arena& arena) const;

  OptimizerTraits optimizer_;
  std::vector<LoraPair> pairs_;
  std::array<float*, 2> code_maps_{};  // [256]: what the codes of the states mean
};

}  // namespace nibble
