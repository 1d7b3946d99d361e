// Rows of a weight as fp32 or as pairs of bf16: for the matmul panels, and the ops that decode. Included by isa_<set>.cc only.
#pragma once

#include <cstring>

#include "formats/formats.h"
#include "ops/cpu/plain.h"
#include "ops/ops.h"
#include "ops/parallel.h"

namespace nibble::cpu {

template <class Format>
inline constexpr bool kIsFourBit = Format::kId == FormatId::Nf4 || Format::kId == FormatId::Fp4;

// Every row begins a block and has whole vectors of bytes; otherwise plain::decode_row serves.
template <class V>
inline bool has_whole_blocks(const WeightView& w) {
  return w.cols % w.block_size == 0 && w.block_size % (2 * V::kWidth) == 0;
}

// Bytes of one code of a plain format or of int8.
template <class Format>
inline constexpr int64_t kCodeBytes = Format::kId == FormatId::Fp32   ? 4
                                      : Format::kId == FormatId::Int8 ? 1
                                                                      : 2;

template <class V, class Format>
inline typename V::F load_codes(const void* codes, int64_t i) {
  if constexpr (Format::kId == FormatId::Fp32) return V::load(reinterpret_cast<const float*>(static_cast<const char*>(codes) + i * 4));
  if constexpr (Format::kId == FormatId::Fp16) return V::load_f16(static_cast<const char*>(codes) + i * 2);
  if constexpr (Format::kId == FormatId::Bf16) return V::load_bf16(static_cast<const char*>(codes) + i * 2);
  if constexpr (Format::kId == FormatId::Int8) return V::load_i8(static_cast<const int8_t*>(codes) + i);
}

// What the sum of codes * x is multiplied by; 1 where the codes are the values.
template <class V, class Format>
inline float row_scale(const WeightView& w, int64_t row) {
  if constexpr (Format::kId == FormatId::Int8) return w.scales[row] / 127.0f;
  return 1.0f;
}

// out [n]: nested scales of the blocks first .. first + n - 1.
template <class V>
inline void expand_scales(float* out, const WeightView& w, int64_t first, int64_t n) {
  if constexpr (requires { V::lookup256(out, w.nested.codes); }) {
    const NestedScales& nested = w.nested;
    const auto offset = V::set1(nested.offset);
    for (int64_t i = 0; i < n;) {  // runs of blocks that share an absmax
      const int64_t block = first + i, rest = nested.block_size - block % nested.block_size;
      const int64_t end = i + rest < n ? i + rest : n;
      const auto absmax = V::set1(nested.absmax[block / nested.block_size]);
      for (; i + V::kWidth <= end; i += V::kWidth) {  // product and sum are rounded separately
        V::store(out + i, V::add(V::mul(V::lookup256(nested.map, nested.codes + first + i), absmax), offset));
      }
      plain::expand_scales(out + i, w, first + i, end - i);
      i = end;
    }
  } else {
    plain::expand_scales(out, w, first, n);
  }
}

// scales [n_rows, cols / block_size]: the stored ones, or expanded into `buffer`.
template <class V>
inline const float* row_scales(const WeightView& w, int64_t row, int64_t n_rows, float* buffer) {
  const int64_t n = w.cols / w.block_size;
  if (w.nested.codes == nullptr) return w.scales + row * n;
  expand_scales<V>(buffer, w, row * n, n_rows * n);
  return buffer;
}

// out [cols] fp32. `buffer` holds the row's scales.
template <class V, class Format>
inline void decode_row(float* out, const WeightView& w, int64_t row, float* buffer) {
  const int64_t cols = w.cols;
  if constexpr (kIsFourBit<Format>) {
    if (!has_whole_blocks<V>(w)) return plain::decode_row(out, w, row);
    const float* scales = row_scales<V>(w, row, 1, buffer);
    const uint8_t* bytes = static_cast<const uint8_t*>(w.codes) + row * cols / 2;
    const auto table = V::table(w.codebook);
    float even[V::kWidth], odd[V::kWidth];
    for (int64_t k = 0; k < cols; k += 2 * V::kWidth) {
      const auto scale = V::set1(scales[k / w.block_size]);
      const auto b = V::load_bytes(bytes + k / 2);
      V::store(even, V::mul(V::lookup_high(table, b), scale));
      V::store(odd, V::mul(V::lookup_low(table, b), scale));
      for (int i = 0; i < V::kWidth; ++i) {
        out[k + 2 * i] = even[i];
        out[k + 2 * i + 1] = odd[i];
      }
    }
  } else {
    const auto scale = V::set1(row_scale<V, Format>(w, row));
    int64_t k = 0;
    for (; k + V::kWidth <= cols; k += V::kWidth) V::store(out + k, V::mul(load_codes<V, Format>(w.codes, row * cols + k), scale));
    if (k == cols) return;
    if (cols < V::kWidth) return plain::decode_row(out, w, row);
    k = cols - V::kWidth;  // the last vector overlaps the one before
    V::store(out + k, V::mul(load_codes<V, Format>(w.codes, row * cols + k), scale));
  }
}

// out [(cols + 1) / 2]: bf16 of elements 2j (low half) and 2j + 1 (high half); an odd end is padded with 0.
// `floats` [cols] and `buffer` are room to work.
template <class V, class Format>
inline void decode_pairs(uint32_t* out, const WeightView& w, int64_t row, float* floats, float* buffer) {
  const int64_t cols = w.cols;
  if constexpr (Format::kId == FormatId::Bf16) {
    if (cols % 2 == 0) {
      std::memcpy(out, static_cast<const char*>(w.codes) + row * cols * 2, static_cast<size_t>(cols) * 2);
      return;
    }
  }
  if constexpr (kIsFourBit<Format>) {
    if (has_whole_blocks<V>(w)) {
      const float* scales = row_scales<V>(w, row, 1, buffer);
      const uint8_t* bytes = static_cast<const uint8_t*>(w.codes) + row * cols / 2;
      const auto table = V::table(w.codebook);
      for (int64_t k = 0; k < cols; k += 2 * V::kWidth) {
        const auto scale = V::set1(scales[k / w.block_size]);
        const auto b = V::load_bytes(bytes + k / 2);
        V::store_pair_lanes(out + k / 2, V::mul(V::lookup_high(table, b), scale), V::mul(V::lookup_low(table, b), scale));
      }
      return;
    }
  }
  decode_row<V, Format>(floats, w, row, buffer);
  uint16_t* halves = reinterpret_cast<uint16_t*>(out);
  int64_t k = 0;
  for (; k + V::kWidth <= cols; k += V::kWidth) V::store_bf16(halves + k, V::load(floats + k));
  for (; k < cols; ++k) halves[k] = V::to_bf16(floats[k]);
  if (cols % 2 != 0) halves[cols] = 0;
}

template <class V, class Format>
void embed(Exec&, float* out, const WeightView& table, const int32_t* ids, int64_t n_tokens) {
  for (int64_t t = 0; t < n_tokens; ++t) plain::decode_row(out + t * table.cols, table, ids[t]);
}

template <class V, class Format>
void dequantize(Exec& exec, float* out, const WeightView& w, int64_t first_row, int64_t n_rows) {
  parallel_ranges(exec, n_rows, 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) plain::decode_row(out + r * w.cols, w, first_row + r);
  });
}

}  // namespace nibble::cpu
