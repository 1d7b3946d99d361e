// Many rows of x: a strip of weight rows is decoded once into a panel in the cache (fp32, or pairs of bf16), then multiplied with
// all rows of x, the sums staying in registers. Included by isa_<set>.cc only.
#pragma once

#include "ops/cpu/decode.inl.h"
#include "ops/ops.h"

namespace nibble::cpu {

template <class V>
inline constexpr int kPanelRows = 2 * V::kWidth;

template <class V>
inline int64_t padded_cols(int64_t k) {
  return (k + 63) / 64 * 64;
}

// y [MR, 2 vectors] = x [MR, k] * panel [k, 2 vectors]; the sums stay in registers.
template <class V, int MR>
inline void micro_f32(const float* panel, const float* x, int64_t x_stride, int64_t k, float* out) {
  typename V::F sums[MR][2];
  for (int m = 0; m < MR; ++m) sums[m][0] = sums[m][1] = V::zero();
  for (int64_t i = 0; i < k; ++i) {
    const auto w0 = V::load(panel + i * kPanelRows<V>), w1 = V::load(panel + i * kPanelRows<V> + V::kWidth);
    for (int m = 0; m < MR; ++m) {
      const auto b = V::set1(x[m * x_stride + i]);
      sums[m][0] = V::fma(w0, b, sums[m][0]);
      sums[m][1] = V::fma(w1, b, sums[m][1]);
    }
  }
  for (int m = 0; m < MR; ++m) {
    V::store(out + m * kPanelRows<V>, sums[m][0]);
    V::store(out + m * kPanelRows<V> + V::kWidth, sums[m][1]);
  }
}

// The same over bf16 pairs: panel [k/2, 2 vectors of pairs], x bf16.
template <class V, int MR>
inline void micro_bf16(const uint32_t* panel, const uint16_t* x, int64_t x_stride, int64_t n_pairs, float* out) {
  typename V::F sums[MR][2];
  for (int m = 0; m < MR; ++m) sums[m][0] = sums[m][1] = V::zero();
  for (int64_t i = 0; i < n_pairs; ++i) {
    const auto w0 = V::load_pairs(panel + i * kPanelRows<V>), w1 = V::load_pairs(panel + i * kPanelRows<V> + V::kWidth);
    for (int m = 0; m < MR; ++m) {
      const auto b = V::broadcast_pair(x + m * x_stride + 2 * i);
      sums[m][0] = V::dot_pairs(sums[m][0], w0, b);
      sums[m][1] = V::dot_pairs(sums[m][1], w1, b);
    }
  }
  for (int m = 0; m < MR; ++m) {
    V::store(out + m * kPanelRows<V>, sums[m][0]);
    V::store(out + m * kPanelRows<V> + V::kWidth, sums[m][1]);
  }
}

// Multiplies one panel with all rows of x; `micro(rows)` is called with 12 (or the set's number), 4 and 1 rows.
template <class V, class Micro>
inline void use_panel(const MatmulArgs& args, const MatmulOutput& output, int64_t row, int64_t n_rows, Micro&& micro) {
  const int64_t n = output.weight->rows;
  float sums[V::kMicroRows * kPanelRows<V>];
  const auto write = [&](int64_t m, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      float* y = output.y + (m + i) * n + row;
      const float* s = sums + i * kPanelRows<V>;
      if (output.bias == nullptr) {
        for (int64_t r = 0; r < n_rows; ++r) y[r] = s[r];
      } else {
        for (int64_t r = 0; r < n_rows; ++r) y[r] = s[r] + output.bias[row + r];
      }
    }
  };
  int64_t m = 0;
  for (; m + V::kMicroRows <= args.m; m += V::kMicroRows) {
    micro.template operator()<V::kMicroRows>(m, sums);
    write(m, V::kMicroRows);
  }
  for (; m + 4 <= args.m; m += 4) {
    micro.template operator()<4>(m, sums);
    write(m, 4);
  }
  for (; m < args.m; ++m) {
    micro.template operator()<1>(m, sums);
    write(m, 1);
  }
}

template <class V, class Format>
inline void panel_f32(const MatmulArgs& args, const MatmulOutput& output, int64_t row, int64_t n_rows, float* room) {
  const int64_t k = args.k;
  float* panel = room;
  float* floats = panel + padded_cols<V>(k) * kPanelRows<V>;
  float* buffer = floats + padded_cols<V>(k);
  for (int64_t r = 0; r < kPanelRows<V>; ++r) {
    if (r < n_rows) decode_row<V, Format>(floats, *output.weight, row + r, buffer);
    for (int64_t i = 0; i < k; ++i) panel[i * kPanelRows<V> + r] = r < n_rows ? floats[i] : 0.0f;
  }
  use_panel<V>(args, output, row, n_rows, [&]<int MR>(int64_t m, float* sums) { micro_f32<V, MR>(panel, args.x + m * k, k, k, sums); });
}

template <class V, class Format>
inline void panel_bf16(const MatmulArgs& args, const MatmulOutput& output, int64_t row, int64_t n_rows, const uint16_t* x, int64_t stride,
                       float* room) {
  const int64_t n_pairs = (args.k + 1) / 2;
  uint32_t* panel = reinterpret_cast<uint32_t*>(room);
  uint32_t* pairs = panel + padded_cols<V>(args.k) / 2 * kPanelRows<V>;
  float* floats = reinterpret_cast<float*>(pairs + padded_cols<V>(args.k));
  float* buffer = floats + padded_cols<V>(args.k);
  for (int64_t r = 0; r < kPanelRows<V>; ++r) {
    if (r < n_rows) decode_pairs<V, Format>(pairs, *output.weight, row + r, floats, buffer);
    for (int64_t i = 0; i < n_pairs; ++i) panel[i * kPanelRows<V> + r] = r < n_rows ? pairs[i] : 0u;
  }
  use_panel<V>(args, output, row, n_rows,
               [&]<int MR>(int64_t m, float* sums) { micro_bf16<V, MR>(panel, x + m * stride, stride, n_pairs, sums); });
}

}  // namespace nibble::cpu
