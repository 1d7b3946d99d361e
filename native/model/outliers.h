// What the linear layers of a model read: how large it is, and which columns hold what LLM.int8() would take for outliers. For choosing
// a threshold before a model is made int8, and for seeing what it does after.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/cancel.h"
#include "ops/ops.h"

namespace nibble {

class Model;

struct LayerOutliers {
  std::string role;  // as in decoder.h
  int64_t cols = 0;
  int64_t tokens = 0;           // rows of x seen
  int64_t outlier_columns = 0;  // that held an outlier in any token
  int64_t outlier_values = 0;   // of tokens * cols
  float largest = 0;            // |x|
  double square_share = 0;      // of all x^2, what the outlier columns hold
  std::vector<std::pair<int32_t, int64_t>>
      most_frequent;  // column and tokens in which it held an outlier, most first; kMostFrequent at most

  static constexpr size_t kMostFrequent = 16;
};

// Counts while a forward pass runs. Layers that read the same x are counted once.
class OutlierRecorder {
 public:
  // threshold >= 0 and finite; 0 counts no outliers.
  OutlierRecorder(const OpTable& table, float threshold, Compute compute);
  ~OutlierRecorder();
  OutlierRecorder(const OutlierRecorder&) = delete;
  OutlierRecorder& operator=(const OutlierRecorder&) = delete;

  // x [M,K] in op memory, which the layers of these roles read.
  void look(Exec& exec, const float* x, int64_t m, int64_t k, const std::vector<std::string>& roles);

  // One entry for each layer, in the order in which they were met.
  std::vector<LayerOutliers> report(Exec& exec) const;

 private:
  struct Input {
    std::vector<std::string> roles;
    int64_t cols = 0;
    int64_t tokens = 0;
    OutlierCounts counts;  // in op memory
  };
  Input& input_of(Exec& exec, int64_t k, const std::vector<std::string>& roles);
  LayerOutliers summarize(Exec& exec, const Input& input) const;

  const OpTable& table_;
  float threshold_;
  Compute compute_;
  std::vector<std::unique_ptr<Input>> inputs_;
};

// Runs the sequences, each afresh, through the model. Throws as Session::logits does; bad_input for a threshold that is none.
std::vector<LayerOutliers> measure_outliers(Model& model, std::span<const std::vector<int32_t>> sequences, double threshold,
                                            const Cancel& cancel);

}  // namespace nibble
