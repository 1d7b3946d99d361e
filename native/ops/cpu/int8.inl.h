// LLM.int8(): x is made int8 (int8_rows.inl.h), then multiplied with int8 rows in one of two ways: straight from memory for few rows of x,
// from panels in the cache for many. Outlier columns are multiplied in fp32 beside it, the codes of W as they are. Included by
// isa_<set>.cc only.
#pragma once

#include <utility>

#include "ops/cpu/int8_rows.inl.h"
#include "ops/cpu/matmul.inl.h"

namespace nibble::cpu {

inline constexpr int64_t kMaxInt8Cols = 65536;  // so many products of raised codes (up to 255) and codes of x (up to 127) fit an int32

// sums [R] of one row of x: exact in `codes`, of the outliers in `outliers`.
template <int R>
struct Int8Sums {
  int32_t codes[R];
  float outliers[R];
};

// out [R] = the sum of the codes' products.
template <class V, int R>
inline void sum_codes_each(const typename V::Sums* sums, int32_t* out) {
  if constexpr (R == 4 && requires { V::sum4_codes(sums, out); }) {
    V::sum4_codes(sums, out);
  } else {
    for (int r = 0; r < R; ++r) out[r] = V::sum_codes(sums[r]);
  }
}

// Codes of R rows from the last whole step on, followed by zeros.
template <class V, int R>
struct Int8Rest {
  int8_t codes[R][4 * V::kWidth];
};

template <class V, int R>
inline void copy_rest(Int8Rest<V, R>& rest, const Int8Block& w, int64_t whole, int64_t k) {
  for (int r = 0; r < R; ++r) {
    for (int64_t i = 0; i < 4 * V::kWidth; ++i) rest.codes[r][i] = whole + i < k ? w.codes[r * w.stride + whole + i] : int8_t{0};
  }
}

// The first R rows of a block times row m of x. Only for the first row of x they come from memory, for the others from the cache.
template <class V, int R, bool kIsFar>
inline Int8Sums<R> dot_int8(const Int8Block& w, const Int8X& x, int64_t m) {
  constexpr int64_t kStep = 4 * V::kWidth;
  const int8_t* x_codes = x.codes + m * x.stride;
  const int64_t whole = x.k / kStep * kStep;
  typename V::Sums sums[R];
  for (int r = 0; r < R; ++r) sums[r] = V::set_sums(0);
  for (int64_t k = 0; k < whole; k += kStep) {
    const auto x_k = V::load_codes(x_codes + k);
    for (int r = 0; r < R; ++r) sums[r] = V::dot_codes(sums[r], V::raise_codes(V::load_codes(w.codes + r * w.stride + k)), x_k);
    if (m == 0 && k % 64 < kStep) fetch_ahead<V, R, kIsFar, false>(w.codes, w.stride, k);
  }
  Int8Rest<V, R> rest;
  if (whole < x.k) {
    copy_rest<V, R>(rest, w, whole, x.k);
    for (int r = 0; r < R; ++r)
      sums[r] = V::dot_codes(sums[r], V::raise_codes(V::load_codes(rest.codes[r])), V::load_codes(x_codes + whole));
  }
  Int8Sums<R> result;
  sum_codes_each<V, R>(sums, result.codes);
  for (int r = 0; r < R; ++r) result.codes[r] -= V::kCodeOffset * x.code_sums[m];

  typename V::F products[R];
  for (int r = 0; r < R; ++r) products[r] = V::zero();
  for (int64_t g = 0; g < x.n_groups; ++g) {
    const int64_t k = x.groups[g];
    const auto x_k = V::load(x.outliers + m * x.stride + k);
    for (int r = 0; r < R; ++r)
      products[r] = V::fma(V::load_i8(k < whole ? w.codes + r * w.stride + k : rest.codes[r] + k - whole), x_k, products[r]);
  }
  sum_each<V, R>(products, result.outliers);
  return result;
}

// The rows of one output.
template <class V, int R, bool kIsFar>
inline void few_rows_int8(const MatmulOutput& output, const Int8Block& w, RowGroup<kIsFar> rows, const Int8X& x) {
  float scales[R], bias[R];
  for (int r = 0; r < R; ++r) {
    scales[r] = w.scales[r * w.scale_stride] * (1.0f / 127);
    bias[r] = output.bias != nullptr ? output.bias[rows[r]] : 0.0f;
  }
  for (int64_t m = 0; m < x.m; ++m) {
    const Int8Sums<R> sums = dot_int8<V, R, kIsFar>(w, x, m);
    float* y = output.y + m * output.weight->rows;
    for (int r = 0; r < R; ++r)
      y[rows[r]] = static_cast<float>(sums.codes[r]) * (x.scales[m] * scales[r]) + sums.outliers[r] * scales[r] + bias[r];
  }
}

// A strip of kPanelRows rows of W: codes of four columns of each row side by side, and the codes of the outlier columns.
template <class V>
struct Int8Panel {
  const int8_t* codes;          // [stride / 4, kPanelRows, 4], raised
  const int8_t* outliers;       // [n_columns, kPanelRows]
  float scales[kPanelRows<V>];  // SCB / 127; 0 beyond the last row
  float bias[kPanelRows<V>];
};

template <class V>
inline void pack_int8(const Int8Block& w, int64_t n_rows, const Int8X& x, int8_t* codes, int8_t* outliers) {
  constexpr int64_t kRows = kPanelRows<V>;
  constexpr uint32_t kRaise = V::kCodeOffset != 0 ? 0x80808080u : 0u;
  const int64_t whole = x.k / 4;
  for (int64_t r = 0; r < kRows; ++r) {
    const int8_t* row = w.codes + (r < n_rows ? r : 0) * w.stride;  // beyond the last row anything will do
    uint32_t* out = reinterpret_cast<uint32_t*>(codes) + r;
    for (int64_t i = 0; i < whole; ++i) {
      uint32_t four;
      std::memcpy(&four, row + 4 * i, 4);
      out[i * kRows] = four ^ kRaise;
    }
    if (x.k % 4 != 0) {
      int8_t rest[4] = {};
      for (int64_t k = 4 * whole; k < x.k; ++k) rest[k - 4 * whole] = row[k];
      uint32_t four;
      std::memcpy(&four, rest, 4);
      out[whole * kRows] = four ^ kRaise;
    }
    for (int64_t j = 0; j < x.n_columns; ++j) outliers[j * kRows + r] = row[x.columns[j]];
  }
}

// fn(0), ..., fn(n - 1) with constants, so that arrays of sums become registers. A loop does not do: GCC 12 keeps them on the stack as soon
// as one of several loops over them is not unrolled.
template <class Fn, int... I>
inline void for_each_constant(std::integer_sequence<int, I...>, Fn&& fn) {
  (fn(std::integral_constant<int, I>{}), ...);
}
template <int n, class Fn>
inline void for_each_constant(Fn&& fn) {
  for_each_constant(std::make_integer_sequence<int, n>{}, fn);
}

// out [MR, stride] = rows m .. m + MR - 1 of x times the panel, without the outlier columns.
template <class V, int MR>
inline void micro_int8(const Int8Panel<V>& panel, const Int8X& x, int64_t m, float* out, int64_t out_stride) {
  constexpr int64_t kRows = kPanelRows<V>;
  const int8_t* x_codes = x.codes + m * x.stride;
  const int64_t stride = x.stride, n_steps = (x.k + 3) / 4;
  typename V::Sums left[MR], right[MR];
  for_each_constant<MR>([&](auto i) { left[i] = right[i] = V::set_sums(-V::kCodeOffset * x.code_sums[m + i]); });
  for (int64_t step = 0; step < n_steps; ++step) {
    const int8_t* w = panel.codes + 4 * step * kRows;
    const auto w0 = V::load_codes(w), w1 = V::load_codes(w + 4 * V::kWidth);
    for_each_constant<MR>([&](auto i) {
      const auto x_k = V::broadcast_codes(x_codes + i * stride + 4 * step);
      left[i] = V::dot_codes(left[i], w0, x_k);
      right[i] = V::dot_codes(right[i], w1, x_k);
    });
  }
  const auto s0 = V::load(panel.scales), s1 = V::load(panel.scales + V::kWidth);
  const auto b0 = V::load(panel.bias), b1 = V::load(panel.bias + V::kWidth);
  for_each_constant<MR>([&](auto i) {
    const auto scale = V::set1(x.scales[m + i]);
    V::store(out + i * out_stride, V::add(V::mul(V::floats_of(left[i]), V::mul(scale, s0)), b0));
    V::store(out + i * out_stride + V::kWidth, V::add(V::mul(V::floats_of(right[i]), V::mul(scale, s1)), b1));
  });
}

// out += the outlier columns' part.
template <class V, int MR>
inline void micro_outliers(const Int8Panel<V>& panel, const Int8X& x, int64_t m, float* out, int64_t out_stride) {
  constexpr int64_t kRows = kPanelRows<V>;
  const int64_t stride = x.n_columns;
  const float* values = x.outliers + m * stride;
  typename V::F left[MR], right[MR];
  for_each_constant<MR>([&](auto i) { left[i] = right[i] = V::zero(); });
  for (int64_t j = 0; j < stride; ++j) {
    const auto w0 = V::load_i8(panel.outliers + j * kRows), w1 = V::load_i8(panel.outliers + j * kRows + V::kWidth);
    for_each_constant<MR>([&](auto i) {
      const auto x_j = V::set1(values[i * stride + j]);
      left[i] = V::fma(w0, x_j, left[i]);
      right[i] = V::fma(w1, x_j, right[i]);
    });
  }
  const auto s0 = V::load(panel.scales), s1 = V::load(panel.scales + V::kWidth);
  for_each_constant<MR>([&](auto i) {
    float* o = out + i * out_stride;
    V::store(o, V::fma(left[i], s0, V::load(o)));
    V::store(o + V::kWidth, V::fma(right[i], s1, V::load(o + V::kWidth)));
  });
}

// y [MR, n], of which n_rows columns are written.
template <class V, int MR>
inline void multiply_panel_int8(const Int8Panel<V>& panel, const Int8X& x, int64_t m, float* y, int64_t n, int64_t n_rows) {
  constexpr int64_t kRows = kPanelRows<V>;
  float room[MR * kRows];
  float* out = n_rows == kRows ? y : room;
  const int64_t out_stride = n_rows == kRows ? n : kRows;
  micro_int8<V, MR>(panel, x, m, out, out_stride);
  if (x.n_columns > 0) micro_outliers<V, MR>(panel, x, m, out, out_stride);
  if (n_rows == kRows) return;
  for (int64_t i = 0; i < MR; ++i) {
    for (int64_t r = 0; r < n_rows; ++r) y[i * n + r] = room[i * kRows + r];
  }
}

// Rows [row, row + n_rows) of one output; room: codes and outliers of the panel.
template <class V>
inline void panel_int8(const MatmulOutput& output, const Int8Block& w, int64_t row, int64_t n_rows, const Int8X& x, int8_t* room) {
  int8_t* outliers = room + x.stride * kPanelRows<V>;
  pack_int8<V>(w, n_rows, x, room, outliers);
  Int8Panel<V> panel{room, outliers, {}, {}};
  for (int64_t r = 0; r < n_rows; ++r) {
    panel.scales[r] = w.scales[r] / 127.0f;
    panel.bias[r] = output.bias != nullptr ? output.bias[row + r] : 0.0f;
  }
  float* y = output.y + row;
  const int64_t n = output.weight->rows;
  int64_t m = 0;
  for (; m + V::kCodeRows <= x.m; m += V::kCodeRows) multiply_panel_int8<V, V::kCodeRows>(panel, x, m, y + m * n, n, n_rows);
  for (; m + 4 <= x.m; m += 4) multiply_panel_int8<V, 4>(panel, x, m, y + m * n, n, n_rows);
  for (; m < x.m; ++m) multiply_panel_int8<V, 1>(panel, x, m, y + m * n, n, n_rows);
}

// The most rows of W that are taken at once.
template <class V>
inline constexpr int64_t kInt8BlockRows = kPanelRows<V> > kRowsAtATime ? kPanelRows<V> : kRowsAtATime;

// Scratch: what x is made into, then room for each worker: a panel and its outliers, rows of a plain weight made int8, their scales.
template <class V>
inline size_t int8_worker_scratch(int64_t k) {
  return static_cast<size_t>(padded_cols<V>(k)) * 3 * static_cast<size_t>(kInt8BlockRows<V>) + kInt8BlockRows<V> * sizeof(float) + 64;
}

template <class V>
inline size_t int8_x_scratch(int64_t m, int64_t k) {
  const size_t stride = static_cast<size_t>(padded_cols<V>(k)), rows = static_cast<size_t>(m);
  return rows * stride * (sizeof(int8_t) + sizeof(float)) + stride * 3 * sizeof(float) + rows * (sizeof(float) + sizeof(int32_t));
}

template <class V>
size_t matmul_int8_scratch(const Exec& exec, int64_t m, int64_t k) {
  return int8_x_scratch<V>(m, k) + static_cast<size_t>(worker_count(exec)) * int8_worker_scratch<V>(k) + 64;
}

template <class V>
inline Int8X place_x(const Exec& exec, const MatmulArgs& args) {
  Int8X x{};
  x.m = args.m;
  x.k = args.k;
  x.stride = padded_cols<V>(args.k);
  x.codes = static_cast<int8_t*>(exec.scratch);
  x.keep = reinterpret_cast<float*>(x.codes + x.m * x.stride);
  x.outliers = x.keep + x.stride;
  x.columns = reinterpret_cast<int32_t*>(x.outliers + x.m * x.stride);
  x.groups = x.columns + x.stride;
  x.code_sums = x.groups + x.stride;
  x.scales = reinterpret_cast<float*>(x.code_sums + x.m);
  return x;
}

template <class V, class Format>
struct MatmulInt8 {
  Exec& exec;
  const MatmulArgs& args;
  const Int8X& x;

  // Rows [row, last) of one output; few rows of x. Int8 rows are read as matvec.inl.h does, other ones lie together once they are int8.
  void few_rows(const MatmulOutput& output, int64_t row, int64_t last, int8_t* codes, float* scales) const {
    const WeightView& w = *output.weight;
    const int64_t n_groups = (last - row) / kRowsAtATime;
    const auto multiply = [&]<int R, bool kIsFar>(RowGroup<kIsFar> rows) {
      Int8Block block = int8_block<V, Format>(w, rows.row, kIsFar ? 1 : R, codes, scales, x.stride);
      block.stride *= rows.distance;
      block.scale_stride = rows.distance;
      few_rows_int8<V, R, kIsFar>(output, block, rows, x);
    };
    if (Format::kId == FormatId::Int8 && n_groups * w.cols >= kStream_min) {
      for (int64_t i = 0; i < n_groups; ++i) multiply.template operator()<kRowsAtATime, true>({row + i, n_groups});
    } else {
      for (int64_t i = 0; i < n_groups; ++i) multiply.template operator()<kRowsAtATime, false>({row + i * kRowsAtATime, 1});
    }
    for (row += n_groups * kRowsAtATime; row < last; ++row) multiply.template operator()<1, false>({row, 1});
  }

  void run(bool is_many) const {
    char* rooms = static_cast<char*>(exec.scratch) + (int8_x_scratch<V>(args.m, args.k) + 63) / 64 * 64;
    const size_t room_bytes = int8_worker_scratch<V>(args.k) / 64 * 64;
    const Matmul<V, Format> product{exec, args};
    product.for_rows(
        is_many ? kPanelRows<V> : product.few_rows_grain(), [&](const MatmulOutput& output, int64_t row, int64_t last, int worker) {
          int8_t* room = reinterpret_cast<int8_t*>(rooms + static_cast<size_t>(worker) * room_bytes);
          int8_t* codes = room + 2 * x.stride * kInt8BlockRows<V>;
          float* scales = reinterpret_cast<float*>(codes + x.stride * kInt8BlockRows<V>);
          if (!is_many) return few_rows(output, row, last, codes, scales);
          panel_int8<V>(output, int8_block<V, Format>(*output.weight, row, last - row, codes, scales, x.stride), row, last - row, x, room);
        });
  }
};

template <class V, class Format>
void matmul_int8(Exec& exec, const MatmulArgs& args) {
  if (args.k > kMaxInt8Cols) return plain::matmul_int8(exec, args);
  const bool is_many = args.m > kFewRows;
  Int8X x = place_x<V>(exec, args);
  quantize_x<V>(exec, args, x, is_many);
  MatmulInt8<V, Format>{exec, args, x}.run(is_many);
}

}  // namespace nibble::cpu
