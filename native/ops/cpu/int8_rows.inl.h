// Rows made int8: x of LLM.int8() with its outliers, and weights that are kept in 16 or 32 bits. Included by isa_<set>.cc only.
#pragma once

#include <cmath>

#include "ops/cpu/decode.inl.h"
#include "ops/ops.h"
#include "ops/parallel.h"

namespace nibble::cpu {

// x [M,K] quantized; what the products read. Rows are padded with zeros to `stride`.
struct Int8X {
  int64_t m, k, stride;
  int8_t* codes;       // [M, stride]
  float* scales;       // [M] SCA / 127; NaN for a row that is not finite
  int32_t* code_sums;  // [M] the sum of the row's codes
  float* keep;         // [stride] 0 for an outlier column, else 1
  int32_t* columns;    // [n_columns] of outliers, ascending
  int32_t* groups;     // [n_groups] first columns of the vectors of columns that hold outliers
  float* outliers;     // x' of the outlier columns: [M, stride] in place with 0 between them (few rows), or [M, n_columns]
  int64_t n_columns, n_groups;
};

// kWidth values of a row of n, from i on; zeros beyond its end.
template <class V>
inline typename V::F load_until(const float* row, int64_t i, int64_t n) {
  if (i + V::kWidth <= n) return V::load(row + i);
  float part[V::kWidth] = {};
  for (int64_t j = 0; i + j < n; ++j) part[j] = row[i + j];
  return V::load(part);
}

template <class V>
inline typename V::F round_to(typename V::F x, Compute compute) {
  return compute == Compute::bf16 ? V::round_bf16(x) : compute == Compute::f16 ? V::round_f16(x) : x;
}

// Fills `keep`, `columns` and `groups`.
template <class V>
inline void find_outliers(Exec& exec, const MatmulArgs& args, Int8X& x) {
  x.n_columns = x.n_groups = 0;
  if (!(args.threshold > 0)) {
    for (int64_t i = 0; i < x.stride; i += V::kWidth) V::store(x.keep + i, V::set1(1));
    return;
  }
  constexpr int64_t kColumns = 256;  // the largest magnitudes of so many columns stay in the first-level cache
  const int64_t grain = x.m * x.k < 65536 ? x.stride : kColumns;
  parallel_ranges(exec, x.stride, grain, [&](int64_t begin, int64_t end, int) {
    for (; begin < end; begin += kColumns) {
      const int64_t last = begin + kColumns < end ? begin + kColumns : end;
      for (int64_t i = begin; i < last; i += V::kWidth) V::store(x.keep + i, V::zero());
      for (int64_t m = 0; m < x.m; ++m) {
        for (int64_t i = begin; i < last; i += V::kWidth) {
          const auto h = V::round_f16_finite(round_to<V>(load_until<V>(args.x + m * x.k, i, x.k), args.compute));
          V::store(x.keep + i, V::max(V::abs(h), V::load(x.keep + i)));  // in this order a NaN is passed over
        }
      }
    }
  });
  const float limit = plain::round_f16_finite(args.threshold);
  for (int64_t i = 0; i < x.k; i += V::kWidth) {
    float* keep = x.keep + i;
    if (!(V::largest(V::load(keep)) >= limit)) {
      V::store(keep, V::set1(1));
      continue;
    }
    x.groups[x.n_groups++] = static_cast<int32_t>(i);
    for (int64_t j = 0; j < V::kWidth; ++j) {
      const bool is_outlier = i + j < x.k && keep[j] >= limit;
      if (is_outlier) x.columns[x.n_columns++] = static_cast<int32_t>(i + j);
      keep[j] = is_outlier ? 0.0f : 1.0f;
    }
  }
}

// Codes and scale of one row of x.
template <class V>
inline void quantize_row_of_x(const MatmulArgs& args, const Int8X& x, int64_t m, typename V::F limit) {
  const float* row = args.x + m * x.k;
  const auto h = [&](int64_t i) { return V::round_f16_finite(round_to<V>(load_until<V>(row, i, x.k), args.compute)); };
  auto largest = V::zero(), poison = V::zero();  // h * 0 is NaN for NaN and infinity
  for (int64_t i = 0; i < x.k; i += V::kWidth) {
    const auto h_i = h(i);
    largest = V::max(largest, V::keep_below(V::abs(h_i), limit));
    poison = V::fma(h_i, V::zero(), poison);
  }
  const float scale = V::largest(largest) + V::sum(poison);
  x.scales[m] = scale / 127.0f;
  x.code_sums[m] = 0;
  int8_t* codes = x.codes + m * x.stride;
  const bool is_plain = scale > 0 && scale < INFINITY;
  const auto multiplier = V::set1(is_plain ? 127.0f * (1.0f / scale) : 0.0f);
  for (int64_t i = 0; i < x.stride; i += V::kWidth) {
    const auto scaled = is_plain && i < x.k ? V::mul(V::mul(h(i), V::load(x.keep + i)), multiplier) : V::zero();
    V::store_bytes(reinterpret_cast<uint8_t*>(codes) + i, V::round_even(scaled));
  }
  if constexpr (V::kCodeOffset != 0) {
    const int8_t ones[4] = {1, 1, 1, 1};
    auto sums = V::set_sums(0);
    for (int64_t i = 0; i < x.stride; i += 4 * V::kWidth)
      sums = V::dot_codes(sums, V::raise_codes(V::load_codes(codes + i)), V::broadcast_codes(ones));
    x.code_sums[m] = V::sum_codes(sums) - V::kCodeOffset * static_cast<int32_t>(x.stride);
  }
}

// x' of the outlier columns of one row: among zeros in its place, or closely packed.
template <class V>
inline void gather_outliers(const MatmulArgs& args, const Int8X& x, int64_t m, bool is_packed) {
  const float* row = args.x + m * x.k;
  if (is_packed) {
    float* out = x.outliers + m * x.n_columns;
    for (int64_t j = 0; j < x.n_columns; ++j) out[j] = row[x.columns[j]];
    if (args.compute == Compute::f32) return;
    for (int64_t j = 0; j < x.n_columns; j += V::kWidth) {
      float values[V::kWidth];
      V::store(values, round_to<V>(load_until<V>(out, j, x.n_columns), args.compute));
      for (int64_t i = 0; i < V::kWidth && j + i < x.n_columns; ++i) out[j + i] = values[i];
    }
    return;
  }
  for (int64_t g = 0; g < x.n_groups; ++g) {
    const int64_t i = x.groups[g];
    const auto is_outlier = V::sub(V::set1(1), V::load(x.keep + i));
    V::store(x.outliers + m * x.stride + i, V::mul(round_to<V>(load_until<V>(row, i, x.k), args.compute), is_outlier));
  }
}

template <class V>
inline void quantize_x(Exec& exec, const MatmulArgs& args, Int8X& x, bool is_packed) {
  find_outliers<V>(exec, args, x);
  const auto limit = V::set1(args.threshold > 0 ? plain::round_f16_finite(args.threshold) : INFINITY);
  parallel_ranges(exec, x.m, is_packed ? 8 : x.m, [&](int64_t begin, int64_t end, int) {
    for (int64_t m = begin; m < end; ++m) {
      quantize_row_of_x<V>(args, x, m, limit);
      gather_outliers<V>(args, x, m, is_packed);
    }
  });
}

// Rows of a weight as int8, `stride` codes and `scale_stride` scales apart.
struct Int8Block {
  const int8_t* codes;
  int64_t stride;
  const float* scales;
  int64_t scale_stride = 1;
};

// One row of a plain weight, by the rule of quantize_rows; a scale of NaN for a row without a finite fp16 image.
template <class V, class Format>
inline float quantize_row_of_weight(int8_t* codes, const WeightView& w, int64_t row) {
  const int64_t cols = w.cols, whole = cols / V::kWidth * V::kWidth;
  char rest[V::kWidth * 4] = {};
  for (int64_t i = 0; i < (cols - whole) * kCodeBytes<Format>; ++i)
    rest[i] = static_cast<const char*>(w.codes)[(row * cols + whole) * kCodeBytes<Format> + i];
  const auto h = [&](int64_t i) {
    return V::round_f16(i < whole ? load_codes<V, Format>(w.codes, row * cols + i) : load_codes<V, Format>(rest, 0));
  };
  auto largest = V::zero(), poison = V::zero();
  for (int64_t i = 0; i < cols; i += V::kWidth) {
    largest = V::max(largest, V::abs(h(i)));
    poison = V::fma(h(i), V::zero(), poison);
  }
  const float scale = V::largest(largest) + V::sum(poison);
  const bool is_plain = scale > 0 && scale < INFINITY;
  const auto multiplier = V::set1(is_plain ? 127.0f * (1.0f / scale) : 0.0f);
  for (int64_t i = 0; i < cols; i += V::kWidth) {
    V::store_bytes(reinterpret_cast<uint8_t*>(codes) + i, V::round_even(is_plain ? V::mul(h(i), multiplier) : V::zero()));
  }
  return scale;
}

// Rows [row, row + n): as they lie, or quantized into `room` [n, stride] and `scales` [n]. stride >= cols + kWidth - 1 there.
template <class V, class Format>
inline Int8Block int8_block(const WeightView& w, int64_t row, int64_t n, int8_t* room, float* scales, int64_t stride) {
  if constexpr (Format::kId == FormatId::Int8) {
    return {static_cast<const int8_t*>(w.codes) + row * w.cols, w.cols, w.scales + row};
  } else {
    for (int64_t r = 0; r < n; ++r) scales[r] = quantize_row_of_weight<V, Format>(room + r * stride, w, row + r);
    return {room, stride, scales};
  }
}

}  // namespace nibble::cpu
