// Encoding weights. Whole blocks are encoded here, in parallel; a short last block goes through the reference. Included by
// isa_<set>.cc only.
#pragma once

#include "formats/formats.h"
#include "ops/cpu/plain.h"
#include "ops/ops.h"
#include "ops/parallel.h"

namespace nibble::cpu {

template <class V>
inline typename V::F load_source(const void* src, DType type, int64_t i) {
  const char* p = static_cast<const char*>(src);
  if (type == DType::f32) return V::load(reinterpret_cast<const float*>(p + i * 4));
  return type == DType::bf16 ? V::load_bf16(p + i * 2) : V::load_f16(p + i * 2);
}

// Largest magnitude of n values (a multiple of the vector width), or a NaN or infinity if there is one.
template <class V>
inline float absmax(const void* src, DType type, int64_t begin, int64_t n) {
  auto largest = V::zero();
  auto poison = V::zero();  // x * 0 is NaN for NaN and infinity: max() alone may drop a NaN
  for (int64_t i = 0; i < n; i += V::kWidth) {
    const auto x = load_source<V>(src, type, begin + i);
    largest = V::max(largest, V::abs(x));
    poison = V::fma(x, V::zero(), poison);
  }
  return V::largest(largest) + V::sum(poison);
}

// The codes of x, by steps.
template <class V, class Format>
inline typename V::I codes_by_steps(typename V::F x, const typename V::Steps& steps, const typename V::I& fp4_codes) {
  if constexpr (Format::kId == FormatId::Nf4) {
    return V::rank(steps, x, V::fma(x, V::set1(plain::kNf4StepsPerUnit), V::set1(plain::kNf4FirstStep)));
  } else {
    const auto magnitude = V::abs(x);
    const auto rank = V::rank(steps, magnitude, V::mul(magnitude, V::set1(plain::kFp4StepsPerUnit)));
    return V::add_below_zero(x, V::pick(fp4_codes, V::add_int(rank, 8)), 8);
  }
}

template <class V, class Format>
inline void encode_block(uint8_t* codes, const void* src, DType type, int64_t begin, int64_t n, float largest) {
  const float reciprocal = 1.0f / (largest > kSmallestDivisor ? largest : kSmallestDivisor);
  if constexpr (requires { typename V::Steps; }) {
    const plain::RankSteps& plain_steps = Format::kId == FormatId::Nf4 ? plain::nf4_steps() : plain::fp4_steps();
    const auto steps = V::load_steps(plain_steps.limits, plain_steps.ranks);
    const auto fp4_codes = V::load_bytes(plain::fp4_codes());
    for (int64_t i = 0; i < n; i += V::kWidth) {
      const auto x = V::mul(load_source<V>(src, type, begin + i), V::set1(reciprocal));
      V::store_nibbles(codes + ((begin + i) >> 1), codes_by_steps<V, Format>(x, steps, fp4_codes));
    }
    return;
  }
  uint8_t ranks[4096];
  for (int64_t i = 0; i < n; i += V::kWidth) {
    const auto x = V::mul(load_source<V>(src, type, begin + i), V::set1(reciprocal));
    if constexpr (Format::kId == FormatId::Nf4) {
      V::store_bytes(ranks + i, V::template count_below<15>(x, plain::nf4_thresholds()));
    } else {
      V::store_bytes(ranks + i, V::template count_below<15>(x, plain::fp4_thresholds()));
    }
  }
  const uint8_t* code_of = Format::kId == FormatId::Nf4 ? nullptr : plain::fp4_codes();
  for (int64_t i = 0; i < n; i += 2) {
    const uint8_t high = code_of != nullptr ? code_of[ranks[i]] : ranks[i];
    const uint8_t low = code_of != nullptr ? code_of[ranks[i + 1]] : ranks[i + 1];
    codes[(begin + i) >> 1] = static_cast<uint8_t>(high << 4 | low);
  }
}

template <class V, class Format>
int64_t quantize_blocks(Exec& exec, uint8_t* codes, float* scales, const void* src, DType src_type, int64_t n, int32_t block_size) {
  const int64_t n_blocks = n / block_size;
  const int64_t grain = 65536 / block_size;
  plain::FirstIndex bad;
  parallel_ranges(exec, n_blocks, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t block = begin; block < end; ++block) {
      const float largest = absmax<V>(src, src_type, block * block_size, block_size);
      if (!(largest <= 3.4028234664e38f)) {
        bad.note(plain::first_not_finite(src, src_type, block * block_size, block_size));
        return;
      }
      scales[block] = largest;
      encode_block<V, Format>(codes, src, src_type, block * block_size, block_size, largest);
    }
  });
  const int64_t rest = n_blocks * block_size;
  if (rest < n) bad.note(plain::quantize_rest(Format::kId, codes, scales, src, src_type, rest, n, block_size));
  return bad.get();
}

template <class V>
int64_t quantize_rows(Exec& exec, int8_t* codes, float* scb, const void* src, DType src_type, int64_t rows, int64_t cols) {
  if (cols == 0 || cols % V::kWidth != 0) return plain::quantize_rows(codes, scb, src, src_type, rows, cols);
  plain::FirstIndex bad;
  parallel_ranges(exec, rows, (65536 + cols - 1) / cols, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      auto largest = V::zero();
      auto poison = V::zero();
      for (int64_t k = 0; k < cols; k += V::kWidth) {
        const auto x = V::round_f16(load_source<V>(src, src_type, row * cols + k));
        largest = V::max(largest, V::abs(x));
        poison = V::fma(x, V::zero(), poison);
      }
      const float scale = V::largest(largest) + V::sum(poison);
      if (!(scale <= 65504.0f)) {
        bad.note(plain::first_not_finite_f16(src, src_type, row * cols, cols));
        return;
      }
      scb[row] = scale;
      const auto multiplier = V::set1(scale > 0 ? 127.0f * (1.0f / scale) : 0.0f);
      for (int64_t k = 0; k < cols; k += V::kWidth) {
        const auto x = V::round_f16(load_source<V>(src, src_type, row * cols + k));
        V::store_bytes(reinterpret_cast<uint8_t*>(codes) + row * cols + k, V::round_even(V::mul(x, multiplier)));
      }
    }
  });
  return bad.get();
}

// The same values whatever the set: conversions round to nearest even everywhere.
template <class V>
inline void convert_values(void* dst, DType dst_type, const void* src, DType src_type, int64_t begin, int64_t n, typename V::F& poison) {
  for (int64_t i = begin; i < begin + n; i += V::kWidth) {
    const auto x = load_source<V>(src, src_type, i);
    if (dst_type == DType::f32) {
      poison = V::fma(x, V::zero(), poison);
      V::store(static_cast<float*>(dst) + i, x);
    } else if (dst_type == DType::f16) {
      poison = V::fma(V::round_f16(x), V::zero(), poison);
      V::store_f16(static_cast<uint16_t*>(dst) + i, x);
    } else {
      poison = V::fma(V::round_bf16(x), V::zero(), poison);
      V::store_bf16(static_cast<uint16_t*>(dst) + i, x);
    }
  }
}

template <class V>
int64_t convert(Exec& exec, void* dst, DType dst_type, const void* src, DType src_type, int64_t n) {
  constexpr int64_t kPiece = 4096;  // values that are looked at again, one by one, where one of them is not finite
  plain::FirstIndex bad;
  parallel_ranges(exec, n, 16 * kPiece, [&](int64_t begin, int64_t end, int) {
    for (; begin < end; begin += kPiece) {
      const int64_t size = end - begin < kPiece ? end - begin : kPiece, whole = size / V::kWidth * V::kWidth;
      auto poison = V::zero();
      convert_values<V>(dst, dst_type, src, src_type, begin, whole, poison);
      const bool is_finite = V::sum(poison) == 0;
      const int64_t from = is_finite ? begin + whole : begin;
      bad.note(plain::convert(dst, dst_type, src, src_type, from, begin + size - from));
    }
  });
  return bad.get();
}

}  // namespace nibble::cpu
