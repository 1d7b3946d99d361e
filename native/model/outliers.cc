#include "model/outliers.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/text.h"
#include "model/model.h"
#include "model/session.h"

namespace nibble {

OutlierRecorder::OutlierRecorder(const OpTable& table, float threshold, Compute compute)
    : table_(table), threshold_(threshold), compute_(compute) {}

OutlierRecorder::~OutlierRecorder() {
  for (const auto& input : inputs_) {
    table_.free(input->counts.rows);
    table_.free(input->counts.largest);
    table_.free(input->counts.squares);
  }
}

OutlierRecorder::Input& OutlierRecorder::input_of(Exec& exec, int64_t k, const std::vector<std::string>& roles) {
  const auto found = std::ranges::find_if(inputs_, [&](const auto& input) { return input->roles.front() == roles.front(); });
  if (found != inputs_.end()) return **found;
  Input& input = *inputs_.emplace_back(std::make_unique<Input>(Input{roles, k, 0, {}}));
  const auto take = [&](size_t bytes) {
    void* memory = table_.alloc(bytes);
    table_.fill_zero(exec, memory, bytes);
    return memory;
  };
  const auto n = static_cast<size_t>(k);
  input.counts.rows = static_cast<int64_t*>(take(n * sizeof(int64_t)));
  input.counts.largest = static_cast<float*>(take(n * sizeof(float)));
  input.counts.squares = static_cast<double*>(take(n * sizeof(double)));
  return input;
}

void OutlierRecorder::look(Exec& exec, const float* x, int64_t m, int64_t k, const std::vector<std::string>& roles) {
  Input& input = input_of(exec, k, roles);
  input.tokens += m;
  table_.count_outliers(exec, input.counts, x, m, k, threshold_, compute_);
}

LayerOutliers OutlierRecorder::summarize(Exec& exec, const Input& input) const {
  const auto n = static_cast<size_t>(input.cols);
  std::vector<int64_t> rows(n);
  std::vector<float> largest(n);
  std::vector<double> squares(n);
  table_.copy_out(exec, rows.data(), input.counts.rows, n * sizeof(int64_t));
  table_.copy_out(exec, largest.data(), input.counts.largest, n * sizeof(float));
  table_.copy_out(exec, squares.data(), input.counts.squares, n * sizeof(double));

  LayerOutliers layer;
  layer.cols = input.cols;
  layer.tokens = input.tokens;
  double all = 0, of_outliers = 0;
  for (size_t i = 0; i < n; ++i) {
    layer.largest = std::max(layer.largest, largest[i]);
    all += squares[i];
    if (rows[i] == 0) continue;
    layer.outlier_values += rows[i];
    of_outliers += squares[i];
    layer.most_frequent.emplace_back(static_cast<int32_t>(i), rows[i]);
  }
  layer.outlier_columns = static_cast<int64_t>(layer.most_frequent.size());
  layer.square_share = all > 0 ? of_outliers / all : 0;
  std::ranges::stable_sort(layer.most_frequent, [](const auto& a, const auto& b) { return a.second > b.second; });
  if (layer.most_frequent.size() > LayerOutliers::kMostFrequent) layer.most_frequent.resize(LayerOutliers::kMostFrequent);
  return layer;
}

std::vector<LayerOutliers> OutlierRecorder::report(Exec& exec) const {
  std::vector<LayerOutliers> layers;
  for (const auto& input : inputs_) {
    LayerOutliers layer = summarize(exec, *input);
    for (const std::string& role : input->roles) {
      layer.role = role;
      layers.push_back(layer);
    }
  }
  return layers;
}

std::vector<LayerOutliers> measure_outliers(Model& model, std::span<const std::vector<int32_t>> sequences, double threshold,
                                            const Cancel& cancel) {
  if (!(threshold >= 0) || threshold > std::numeric_limits<float>::max()) {
    throw Error(ErrorCode::bad_input, text("The outlier threshold is ", threshold, "; it must be 0 or a positive number."));
  }
  OutlierRecorder recorder(model.table(), static_cast<float>(threshold), model.options().compute);
  // Whatever ends this, the forward pass forgets the recorder before it goes.
  struct Attached {
    Forward& forward;
    ~Attached() { forward.outliers = nullptr; }
  } attached{model.forward()};
  attached.forward.outliers = &recorder;
  Session session(model);
  for (const std::vector<int32_t>& sequence : sequences) {
    session.logits(
        sequence, [](int64_t, int64_t, std::span<const float>) {}, cancel);
  }
  return recorder.report(model.exec());
}

}  // namespace nibble
