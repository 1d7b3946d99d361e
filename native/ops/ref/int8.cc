// LLM.int8(), element by element.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/dtype.h"
#include "formats/formats.h"
#include "ops/parallel.h"
#include "ops/ref/ref.h"

namespace nibble::ref {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// x of one call, quantized.
struct QuantizedX {
  std::vector<int8_t> codes;      // [M,K]
  std::vector<float> scales;      // [M], NaN for a row that is not finite
  std::vector<int64_t> outliers;  // columns
};

float limit_of(float threshold) { return threshold > 0 ? round_f16_finite(threshold) : kInfinity; }

QuantizedX quantize(const MatmulArgs& args) {
  const int64_t m = args.m, k = args.k;
  const float limit = limit_of(args.threshold);
  const auto h = [&](int64_t row, int64_t col) { return round_f16_finite(round_to(args.compute, args.x[row * k + col])); };
  QuantizedX x{std::vector<int8_t>(static_cast<size_t>(m * k)), std::vector<float>(static_cast<size_t>(m)), {}};
  std::vector<bool> is_outlier(static_cast<size_t>(k));
  for (int64_t col = 0; args.threshold > 0 && col < k; ++col) {
    for (int64_t row = 0; row < m; ++row)
      is_outlier[static_cast<size_t>(col)] = is_outlier[static_cast<size_t>(col)] || std::fabs(h(row, col)) >= limit;
    if (is_outlier[static_cast<size_t>(col)]) x.outliers.push_back(col);
  }
  for (int64_t row = 0; row < m; ++row) {
    float scale = 0;
    bool is_finite = true;
    for (int64_t col = 0; col < k; ++col) {
      const float magnitude = std::fabs(h(row, col));
      is_finite = is_finite && std::isfinite(magnitude);
      if (magnitude < limit) scale = std::max(scale, magnitude);
    }
    x.scales[static_cast<size_t>(row)] = is_finite ? scale : std::numeric_limits<float>::quiet_NaN();
    if (!is_finite || scale == 0) continue;
    const float multiplier = 127.0f * (1.0f / scale);
    for (int64_t col = 0; col < k; ++col) {
      if (!is_outlier[static_cast<size_t>(col)]) x.codes[static_cast<size_t>(row * k + col)] = Int8::encode(h(row, col), multiplier);
    }
  }
  return x;
}

// A row of W in int8.
struct QuantizedRow {
  std::vector<int8_t> codes;
  float scale = 0;
};

template <class Format>
QuantizedRow row_of(const WeightView& w, int64_t n) {
  QuantizedRow row{std::vector<int8_t>(static_cast<size_t>(w.cols)), 0};
  if constexpr (Format::kId == FormatId::Int8) {
    const int8_t* codes = static_cast<const int8_t*>(w.codes) + n * w.cols;
    row.codes.assign(codes, codes + w.cols);
    row.scale = w.scales[n];
  } else {
    std::vector<float> values(static_cast<size_t>(w.cols));
    for (int64_t k = 0; k < w.cols; ++k) values[static_cast<size_t>(k)] = Format::decode(w, n * w.cols + k);
    Exec exec;
    const int64_t bad = ref_table().quantize_rows(exec, row.codes.data(), &row.scale, values.data(), DType::f32, 1, w.cols);
    if (bad >= 0) row.scale = std::numeric_limits<float>::quiet_NaN();
  }
  return row;
}

template <class Format>
void matmul_int8(Exec& exec, const MatmulArgs& args) {
  const QuantizedX x = quantize(args);
  for (int o = 0; o < args.n_outputs; ++o) {
    const MatmulOutput& output = args.outputs[o];
    const WeightView& w = *output.weight;
    parallel_ranges(exec, w.rows, 16, [&](int64_t begin, int64_t end, int) {
      for (int64_t n = begin; n < end; ++n) {
        const QuantizedRow row = row_of<Format>(w, n);
        for (int64_t m = 0; m < args.m; ++m) {
          int64_t sum = 0;
          for (int64_t k = 0; k < args.k; ++k) sum += x.codes[static_cast<size_t>(m * args.k + k)] * row.codes[static_cast<size_t>(k)];
          double y = static_cast<double>(sum) * x.scales[static_cast<size_t>(m)] * row.scale / (127.0 * 127.0);
          if (output.bias != nullptr) y += output.bias[n];
          for (const int64_t k : x.outliers) {
            const double weight = row.codes[static_cast<size_t>(k)] * static_cast<double>(row.scale) / 127.0;
            y += static_cast<double>(round_to(args.compute, args.x[m * args.k + k])) * round_to(args.compute, static_cast<float>(weight));
          }
          output.y[m * w.rows + n] = static_cast<float>(y);
        }
      }
    });
  }
}

void count_outliers(Exec& exec, const OutlierCounts& counts, const float* x, int64_t m, int64_t k, float threshold, Compute compute) {
  const float limit = limit_of(threshold);
  parallel_ranges(exec, k, 64, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = 0; row < m; ++row) {
      for (int64_t col = begin; col < end; ++col) {
        const float value = round_to(compute, x[row * k + col]);
        if (threshold > 0 && std::fabs(round_f16_finite(value)) >= limit) ++counts.rows[col];
        counts.largest[col] = std::max(counts.largest[col], std::fabs(value));
        counts.squares[col] += static_cast<double>(value) * value;
      }
    }
  });
}

}  // namespace

void set_int8_ops(OpTable& table) {
  table.matmul_int8_scratch = [](const Exec&, int64_t, int64_t) -> size_t { return 0; };
  for_each_format([&](auto format) {
    using Format = decltype(format);
    if constexpr (Format::kId != FormatId::Nf4 && Format::kId != FormatId::Fp4) {
      table.matmul_int8[static_cast<int>(Format::kId)] = matmul_int8<Format>;
    }
  });
  table.count_outliers = count_outliers;
}

}  // namespace nibble::ref
