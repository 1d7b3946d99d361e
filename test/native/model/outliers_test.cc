// Counting outliers while the tiny decoder runs: against what an observer sees, and what is refused.
#include "model/outliers.h"

#include <cmath>
#include <map>

#include "harness.h"
#include "model/tiny_decoder.h"

using namespace nibble;
using test::TinyDecoder;

namespace {

const LayerOutliers& layer_of(const std::vector<LayerOutliers>& layers, const std::string& role) {
  for (const LayerOutliers& layer : layers) {
    if (layer.role == role) return layer;
  }
  throw test::Failure("no layer is called " + role);
}

}  // namespace

TEST_CASE(outliers_of_each_linear_layer_are_those_of_what_it_reads) {
  const TinyDecoder decoder;
  const auto model = test::load(decoder.load_options());
  const float threshold = 1.25f;
  std::map<std::string, std::vector<float>> seen;
  model->forward().observer = [&](const std::string& stage, const float* values, int64_t n) {
    seen[stage].insert(seen[stage].end(), values, values + n);
  };
  const std::vector<std::vector<int32_t>> sequences = {test::tiny_prompt(), {5, 6, 7}};
  const std::vector<LayerOutliers> layers = measure_outliers(*model, sequences, threshold, Cancel());
  CHECK(layers.size() == 2 * 7 + 1);
  const int64_t tokens = static_cast<int64_t>(test::tiny_prompt().size()) + 3;
  for (const int layer : {0, 1}) {
    for (const auto& [part, stage] : {std::pair{"o", "attention"}, {"down", "gated"}}) {
      const LayerOutliers& counted = layer_of(layers, text("layers.", layer, ".", part));
      const std::vector<float>& values = seen.at(text("layers.", layer, ".", stage));
      CHECK(counted.tokens == tokens && counted.tokens * counted.cols == static_cast<int64_t>(values.size()));
      std::map<int64_t, int64_t> by_column;
      float largest = 0;
      for (size_t i = 0; i < values.size(); ++i) {
        largest = std::max(largest, std::fabs(values[i]));
        if (std::fabs(values[i]) >= threshold) ++by_column[static_cast<int64_t>(i) % counted.cols];
      }
      int64_t n = 0;
      for (const auto& [column, count] : by_column) n += count;
      CHECK(counted.largest == largest && counted.outlier_values == n);
      CHECK(counted.outlier_columns == static_cast<int64_t>(by_column.size()));
      CHECK(counted.most_frequent.size() == std::min<size_t>(by_column.size(), LayerOutliers::kMostFrequent));
      for (size_t i = 0; i < counted.most_frequent.size(); ++i) {
        const auto& [column, count] = counted.most_frequent[i];
        CHECK(by_column.at(column) == count && (i == 0 || counted.most_frequent[i - 1].second >= count));
      }
      CHECK((n > 0) == (counted.square_share > 0) && counted.square_share <= 1);
    }
  }
  CHECK(layer_of(layers, "layers.0.q").outlier_values > 0);
  CHECK(layer_of(layers, "layers.0.q").outlier_values == layer_of(layers, "layers.0.v").outlier_values);
  CHECK(layer_of(layers, "head").cols == 64);
}

TEST_CASE(nothing_is_counted_with_a_threshold_of_0_and_nothing_changes) {
  const TinyDecoder decoder;
  const auto model = test::load(decoder.load_options());
  const std::vector<float> before = test::all_logits(*model, test::tiny_prompt());
  const std::vector<std::vector<int32_t>> sequences = {test::tiny_prompt()};
  for (const LayerOutliers& layer : measure_outliers(*model, sequences, 0, Cancel())) {
    CHECK(layer.outlier_columns == 0 && layer.square_share == 0 && layer.largest > 0);
  }
  CHECK(test::all_logits(*model, test::tiny_prompt()) == before);
}

TEST_CASE(outliers_are_not_counted_by_no_threshold_and_a_cancelled_count_leaves_the_model_usable) {
  const TinyDecoder decoder;
  const auto model = test::load(decoder.load_options());
  const std::vector<std::vector<int32_t>> sequences = {test::tiny_prompt()};
  for (const double threshold : {-1.0, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    CHECK(test::error_code_of([&] { measure_outliers(*model, sequences, threshold, Cancel()); }) == "bad_input");
    LoadOptions options = decoder.load_options();
    options.int8.threshold = static_cast<float>(threshold);
    CHECK(test::error_code_of([&] { Model refused(options); }) == "bad_input");
  }
  Cancel cancel;
  cancel.request();
  CHECK(test::error_code_of([&] { measure_outliers(*model, sequences, 6, cancel); }) == "cancelled");
  CHECK(model->forward().outliers == nullptr);
}
