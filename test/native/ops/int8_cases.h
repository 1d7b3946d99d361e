// What the tests of LLM.int8() share: activations with outliers, and the comparison of every backend with the reference.
#pragma once

#include <cmath>
#include <vector>

#include "ops/matmul_cases.h"

namespace test {

// Values in [-4, 4); in every seventh column of the odd rows ones up to 40, in the last column one far above 65504 (where `has_huge`);
// row 1 is zero.
inline std::vector<float> activations_with_outliers(int64_t m, int64_t k, bool has_huge) {
  std::vector<float> x = random_values(static_cast<size_t>(m * k), 29);
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < k; ++j) {
      float& value = x[static_cast<size_t>(i * k + j)];
      value *= i == 1 ? 0.0f : i % 2 == 0 && j % 7 == 3 ? 40.0f : 4.0f;
    }
  }
  if (has_huge) x[static_cast<size_t>(k - 1)] = 3.0e6f;
  return x;
}

inline std::vector<float> run_matmul_int8(const OpTable& table, Exec& exec, const Weight& w, const std::vector<float>& x,
                                          const std::vector<float>& bias, int64_t m, Compute compute, float threshold) {
  Scratch scratch(table.matmul_int8_scratch(exec, m, w.view.cols));
  scratch.give(exec);
  std::vector<float> y(static_cast<size_t>(m * w.view.rows) + 16, kSentinel);
  std::vector<float> second(y.size(), kSentinel);
  MatmulArgs args;
  args.x = x.data();
  args.m = m;
  args.k = w.view.cols;
  args.compute = compute;
  args.threshold = threshold;
  args.outputs[0] = {&w.view, bias.empty() ? nullptr : bias.data(), y.data() + 8};
  args.outputs[1] = {&w.view, nullptr, second.data() + 8};
  args.n_outputs = 2;
  table.matmul_int8[static_cast<int>(w.view.format)](exec, args);
  for (size_t i = 0; i < 8; ++i) {
    CHECK(y[i] == kSentinel && y[y.size() - 1 - i] == kSentinel);
    CHECK(second[i] == kSentinel && second[y.size() - 1 - i] == kSentinel);
  }
  return {y.begin() + 8, y.end() - 8};
}

struct CountedOutliers {
  std::vector<int64_t> rows;
  std::vector<float> largest;
  std::vector<double> squares;
};

inline CountedOutliers count_outliers(const OpTable& table, const std::vector<float>& x, int64_t m, int64_t k, float threshold,
                                      Compute compute) {
  const auto n = static_cast<size_t>(k);
  CountedOutliers counted{std::vector<int64_t>(n), std::vector<float>(n), std::vector<double>(n)};
  Exec exec;
  table.count_outliers(exec, {counted.rows.data(), counted.largest.data(), counted.squares.data()}, x.data(), m, k, threshold, compute);
  return counted;
}

// What a backend may differ from the reference by. The sums of codes are equal, so there remain: a few roundings of the scaled sum, each
// outlier product's, and that of the outliers' weights to the compute type, which the reference makes and a kernel may leave out.
inline std::vector<double> int8_allowances(const Weight& w, const std::vector<float>& x, int64_t m, Compute compute, float threshold,
                                           const std::vector<float>& expected) {
  const int64_t rows = w.view.rows, cols = w.view.cols;
  const CountedOutliers counted = count_outliers(op_table("ref"), x, m, cols, threshold, compute);
  Exec exec;
  std::vector<float> weights(static_cast<size_t>(rows * cols));
  op_table("ref").dequantize[static_cast<int>(w.view.format)](exec, weights.data(), w.view, 0, rows);
  const double of_weight = compute == Compute::bf16 ? 0x1p-8 : compute == Compute::f16 ? 0x1p-11 : 0;
  const double of_sum = (8 + std::sqrt(static_cast<double>(cols))) * 0x1p-24;
  std::vector<double> allowance(static_cast<size_t>(m * rows));
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t n = 0; n < rows; ++n) {
      double products = 0, smallest = 0;  // weights below the normal numbers of fp16 are rounded by up to 2^-25
      for (int64_t k = 0; k < cols; ++k) {
        if (counted.rows[static_cast<size_t>(k)] == 0) continue;
        const double value = std::fabs(x[static_cast<size_t>(i * cols + k)]);
        // A weight made int8 is off by up to 1/254 of the row's largest, which is below 1 here.
        products += value * (std::fabs(weights[static_cast<size_t>(n * cols + k)]) + 1.0 / 254);
        if (compute == Compute::f16) smallest += value * 0x1p-25;
      }
      const auto at = static_cast<size_t>(i * rows + n);
      const double scaled_sum = std::fabs(expected[at]) + products + 1;  // 1: the bias
      allowance[at] = scaled_sum * 8 * 0x1p-24 + products * (of_weight + of_sum) + smallest;
    }
  }
  return allowance;
}

inline void check_int8(FormatId format, int64_t rows, int64_t cols, int64_t m, float threshold) {
  ThreadPool pool(2);
  Exec exec;
  exec.pool = &pool;
  const Weight w = make_weight(format, rows, cols, 64, false, 7);
  const std::vector<float> bias = random_values(static_cast<size_t>(rows), 13);
  for (const Compute compute : {Compute::f32, Compute::bf16, Compute::f16}) {
    const std::vector<float> x = activations_with_outliers(m, cols, compute != Compute::f16);
    const std::vector<float> expected = run_matmul_int8(op_table("ref"), exec, w, x, bias, m, compute, threshold);
    const std::vector<double> allowance = int8_allowances(w, x, m, compute, threshold, expected);
    for_each_table([&](const OpTable& table) {
      check_close(text(table.name, " LLM.int8() ", format_name(format), " [", rows, ", ", cols, "] m ", m, " threshold ", threshold, " ",
                       compute_name(compute)),
                  run_matmul_int8(table, exec, w, x, bias, m, compute, threshold), expected, [&](size_t i) { return allowance[i]; });
    });
  }
}

}  // namespace test
