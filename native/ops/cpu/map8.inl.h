// 8-bit block-wise quantization by a map, in pieces of a block that stay in the cache. The largest magnitude and x are computed by
// vectors; codes are looked up one by one: one byte by the upper half of x's bits, then as many comparisons as the map needs
// (one for each map of bitsandbytes). Included by isa_<set>.cc only.
#pragma once

#include <cstring>

#include "ops/cpu/encode.inl.h"
#include "ops/cpu/plain.h"
#include "ops/ops.h"
#include "ops/parallel.h"

namespace nibble::cpu {

inline constexpr int64_t kMapPiece = 1024;   // elements of a piece
inline constexpr int64_t kMapGrain = 65536;  // elements that a thread takes at least

// Elements begin .. begin + n of src as fp32 in `out` [n]; returns the largest magnitude, NaN or infinity if there is one.
template <class V>
inline float load_piece(float* out, const void* src, DType type, int64_t begin, int64_t n) {
  auto largest = V::zero();
  auto poison = V::zero();
  const int64_t whole = n / V::kWidth * V::kWidth;
  for (int64_t i = 0; i < whole; i += V::kWidth) {
    const auto x = load_source<V>(src, type, begin + i);
    V::store(out + i, x);
    largest = V::max(largest, V::abs(x));
    poison = V::fma(x, V::zero(), poison);
  }
  const float rest = plain::load_values(out + whole, src, type, begin + whole, n - whole);
  const float most = V::largest(largest) + V::sum(poison);
  return rest > most || rest != rest ? rest : most;
}

// codes [n] of x [n] * reciprocal; x is written over.
template <class V>
inline void find_codes(uint8_t* codes, float* x, int64_t n, float reciprocal, const CodeMap& map) {
  const int64_t whole = n / V::kWidth * V::kWidth;
  for (int64_t i = 0; i < whole; i += V::kWidth) V::store(x + i, V::mul(V::load(x + i), V::set1(reciprocal)));
  for (int64_t i = whole; i < n; ++i) x[i] *= reciprocal;
  for (int64_t i = 0; i < n; ++i) {
    uint32_t bits;
    std::memcpy(&bits, x + i, 4);
    uint32_t code = map.first[bits >> 16];
    code += x[i] > map.limits[code] ? 1 : 0;
    for (int32_t step = 1; step < map.steps; ++step) code += x[i] > map.limits[code] ? 1 : 0;
    codes[i] = static_cast<uint8_t>(code);
  }
}

// One block of n elements from `begin`: false if one of them is not finite.
template <class V>
inline bool quantize_map_block(uint8_t* codes, float* absmax, const void* src, DType type, int64_t begin, int64_t n, const CodeMap& map) {
  alignas(64) float x[kMapPiece];
  float largest = 0;
  for (int64_t at = 0; at < n; at += kMapPiece) {
    const float most = load_piece<V>(x, src, type, begin + at, n - at < kMapPiece ? n - at : kMapPiece);
    if (!(most <= 3.4028234664e38f)) return false;
    largest = most > largest ? most : largest;
  }
  *absmax = largest;
  const float reciprocal = 1.0f / (largest > kSmallestDivisor ? largest : kSmallestDivisor);
  for (int64_t at = 0; at < n; at += kMapPiece) {
    const int64_t size = n - at < kMapPiece ? n - at : kMapPiece;
    if (n > kMapPiece) load_piece<V>(x, src, type, begin + at, size);
    find_codes<V>(codes + begin + at, x, size, reciprocal, map);
  }
  return true;
}

template <class V>
int64_t quantize_map8(Exec& exec, uint8_t* codes, float* absmax, const void* src, DType src_type, int64_t n, const CodeMap& map,
                      int64_t block_size) {
  const int64_t n_blocks = n / block_size + (n % block_size != 0 ? 1 : 0);
  plain::FirstIndex bad;
  parallel_ranges(exec, n_blocks, kMapGrain / block_size + 1, [&](int64_t first, int64_t last, int) {
    for (int64_t block = first; block < last; ++block) {
      const int64_t begin = block * block_size, size = n - begin < block_size ? n - begin : block_size;
      if (quantize_map_block<V>(codes, absmax + block, src, src_type, begin, size, map)) continue;
      bad.note(plain::first_not_finite(src, src_type, begin, size));
      return;
    }
  });
  return bad.get();
}

// `size` elements from `begin`, all of one block.
template <class V>
inline void dequantize_map_piece(void* dst, DType dst_type, const uint8_t* codes, float absmax, int64_t begin, int64_t size,
                                 const CodeMap& map) {
  alignas(64) float x[kMapPiece];
  for (int64_t i = 0; i < size; ++i) x[i] = map.values[codes[begin + i]];
  const int64_t whole = size / V::kWidth * V::kWidth;
  const auto scale = V::set1(absmax);
  for (int64_t i = 0; i < whole; i += V::kWidth) {
    const auto value = V::mul(V::load(x + i), scale);
    if (dst_type == DType::f32) V::store(static_cast<float*>(dst) + begin + i, value);
    if (dst_type == DType::f16) V::store_f16(static_cast<uint16_t*>(dst) + begin + i, value);
    if (dst_type == DType::bf16) V::store_bf16(static_cast<uint16_t*>(dst) + begin + i, value);
  }
  plain::store_scaled(dst, dst_type, begin + whole, x + whole, absmax, size - whole);
}

template <class V>
void dequantize_map8(Exec& exec, void* dst, DType dst_type, const uint8_t* codes, const float* absmax, int64_t n, const CodeMap& map,
                     int64_t block_size) {
  parallel_ranges(exec, n, kMapGrain, [&](int64_t begin, int64_t end, int) {
    for (int64_t size = 0; begin < end; begin += size) {
      size = block_size - begin % block_size;
      if (size > end - begin) size = end - begin;
      if (size > kMapPiece) size = kMapPiece;
      dequantize_map_piece<V>(dst, dst_type, codes, absmax[begin / block_size], begin, size, map);
    }
  });
}

}  // namespace nibble::cpu
