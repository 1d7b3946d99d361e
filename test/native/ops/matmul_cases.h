// What the tests of the matrix products share: weights in any format, and the comparison of every backend with the reference.
#pragma once

#include <cmath>
#include <vector>

#include "core/text.h"
#include "core/thread_pool.h"
#include "formats/formats.h"
#include "harness.h"
#include "ops/backends.h"
#include "ops/ops.h"

namespace test {

using namespace nibble;

struct MatmulShape {
  int64_t rows, cols;
  int32_t block_size;
  bool is_nested;
};

// A weight and all that it points to; codes start at an odd address.
struct Weight {
  std::vector<uint8_t> codes, nested_codes;
  std::vector<float> scales, nested_absmax;
  WeightView view;
};

inline Weight make_weight(FormatId format, int64_t rows, int64_t cols, int32_t block_size, bool is_nested, uint32_t seed) {
  Weight w;
  Exec exec;
  const int64_t n = rows * cols;
  const std::vector<float> values = test::random_values(static_cast<size_t>(n), seed);
  const OpTable& ref = op_table("ref");
  w.codes.resize(static_cast<size_t>(n) * 4 + 65);
  uint8_t* codes = w.codes.data() + 1;
  w.view = {format, rows, cols, codes, nullptr, {}, nullptr, 0};
  if (is_four_bit(format)) {
    const int64_t n_blocks = (n + block_size - 1) / block_size;
    w.scales.resize(static_cast<size_t>(n_blocks));
    ref.quantize_blocks[static_cast<int>(format)](exec, codes, w.scales.data(), values.data(), DType::f32, n, block_size);
    w.view.scales = w.scales.data();
    w.view.codebook = codebook(format);
    w.view.block_size = block_size;
    if (is_nested) {
      w.nested_codes.resize(static_cast<size_t>(n_blocks));
      w.nested_absmax.resize(static_cast<size_t>((n_blocks + 255) / 256));
      const float offset = nest_scales(w.nested_codes.data(), w.nested_absmax.data(), w.scales.data(), n_blocks);
      w.view.nested = {w.nested_codes.data(), w.nested_absmax.data(), dynamic_map_signed(), offset, 256};
      w.view.scales = nullptr;
    }
  } else if (format == FormatId::Int8) {
    w.scales.resize(static_cast<size_t>(rows));
    ref.quantize_rows(exec, reinterpret_cast<int8_t*>(codes), w.scales.data(), values.data(), DType::f32, rows, cols);
    w.view.scales = w.scales.data();
  } else {
    const DType type = format == FormatId::Fp32 ? DType::f32 : format == FormatId::Fp16 ? DType::f16 : DType::bf16;
    ref.convert(exec, codes, type, values.data(), DType::f32, n);
  }
  return w;
}

inline std::vector<float> run_matmul(const OpTable& table, Exec& exec, const Weight& w, const std::vector<float>& x,
                                     const std::vector<float>& bias, int64_t m, Compute compute) {
  Scratch scratch(table.matmul_scratch(exec, m, w.view.cols, compute));
  scratch.give(exec);
  std::vector<float> y(static_cast<size_t>(m * w.view.rows) + 16, kSentinel);
  std::vector<float> second(y.size(), kSentinel);
  MatmulArgs args;
  args.x = x.data();
  args.m = m;
  args.k = w.view.cols;
  args.compute = compute;
  args.outputs[0] = {&w.view, bias.empty() ? nullptr : bias.data(), y.data() + 8};
  args.outputs[1] = {&w.view, nullptr, second.data() + 8};
  args.n_outputs = 2;
  table.matmul[static_cast<int>(w.view.format)](exec, args);
  for (size_t i = 0; i < 8; ++i) {
    CHECK(y[i] == kSentinel && y[y.size() - 1 - i] == kSentinel);
    CHECK(second[i] == kSentinel && second[y.size() - 1 - i] == kSentinel);
  }
  return {y.begin() + 8, y.end() - 8};
}

inline const char* compute_name(Compute compute) {
  switch (compute) {
    case Compute::f32: return "f32";
    case Compute::bf16: return "bf16";
    case Compute::f16: return "f16";
  }
  return "";
}

// What the fp32, bf16 or fp16 product of a row of x and a row of w may be off by, for every element of y [m, rows]: the sum of |x w| bounds
// every rounding, that of fp32 sums of K terms, for bf16 of x, weight and product, for fp16 (2^-11 each) of x and weight beside the sums.
inline std::vector<double> allowances(const Weight& w, const std::vector<float>& x, int64_t m, Compute compute) {
  const int64_t rows = w.view.rows, cols = w.view.cols;
  const double of_sums = (8 + std::sqrt(static_cast<double>(cols))) * 0x1p-24;
  const double epsilon = compute == Compute::bf16 ? 3 * 0x1p-9 : compute == Compute::f16 ? 2 * 0x1p-11 + of_sums : of_sums;
  Exec exec;
  std::vector<float> weights(static_cast<size_t>(rows * cols));
  op_table("ref").dequantize[static_cast<int>(w.view.format)](exec, weights.data(), w.view, 0, rows);
  std::vector<double> allowance(static_cast<size_t>(m * rows));
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t n = 0; n < rows; ++n) {
      double sum = 1;  // the bias
      for (int64_t k = 0; k < cols; ++k)
        sum += std::fabs(double{x[static_cast<size_t>(i * cols + k)]} * weights[static_cast<size_t>(n * cols + k)]);
      allowance[static_cast<size_t>(i * rows + n)] = sum * epsilon;
    }
  }
  return allowance;
}

// Every backend against the reference.
inline void check_matmul(FormatId format, const MatmulShape& shape, int64_t m) {
  ThreadPool pool(2);
  Exec exec;
  exec.pool = &pool;
  const Weight w = make_weight(format, shape.rows, shape.cols, shape.block_size, shape.is_nested, 7);
  const std::vector<float> x = random_values(static_cast<size_t>(m * shape.cols), 11);
  const std::vector<float> bias = random_values(static_cast<size_t>(shape.rows), 13);
  const std::vector<float> expected = run_matmul(op_table("ref"), exec, w, x, bias, m, Compute::f32);
  for (const Compute compute : {Compute::f32, Compute::bf16, Compute::f16}) {
    const std::vector<double> allowance = allowances(w, x, m, compute);
    for_each_table([&](const OpTable& table) {
      check_close(text(table.name, " matmul ", format_name(format), " [", shape.rows, ", ", shape.cols, "] block ", shape.block_size, " m ",
                       m, " ", compute_name(compute)),
                  run_matmul(table, exec, w, x, bias, m, compute), expected, [&](size_t i) { return allowance[i]; });
    });
  }
}

}  // namespace test
