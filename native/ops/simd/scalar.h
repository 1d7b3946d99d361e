// One number at a time: the set every processor has, and the pattern of the other sets. Each set is a struct V with these
// members and nothing else; kernels are templates over V.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/dtype.h"

namespace nibble::scalar {

struct V {
  static constexpr int kWidth = 1;      // floats in an F
  static constexpr int kMicroRows = 4;  // rows of x that the matmul micro-kernel keeps in registers
  using F = float;
  using I = int32_t;
  struct Table {
    float values[16];
  };

  static F zero() { return 0; }
  static F set1(float x) { return x; }
  static F load(const float* p) {  // weights in files may lie at any address
    float x;
    std::memcpy(&x, p, 4);
    return x;
  }
  static void store(float* p, F x) { *p = x; }
  static F add(F a, F b) { return a + b; }
  static F sub(F a, F b) { return a - b; }
  static F mul(F a, F b) { return a * b; }
  static F div(F a, F b) { return a / b; }
  static F fma(F a, F b, F c) { return a * b + c; }
  static F max(F a, F b) { return a > b ? a : b; }
  static F abs(F a) { return std::fabs(a); }
  static float sum(F a) { return a; }
  static float largest(F a) { return a; }
  static F exp(F x) { return std::exp(x); }

  // kWidth 16-bit floats or codes as fp32; any alignment.
  static F load_bf16(const void* p) {
    uint16_t h;
    std::memcpy(&h, p, 2);
    return bf16_to_f32(h);
  }
  static F load_f16(const void* p) {
    uint16_t h;
    std::memcpy(&h, p, 2);
    return f16_to_f32(h);
  }
  static F load_i8(const int8_t* p) { return *p; }
  static void store_f16(uint16_t* p, F x) { *p = f32_to_f16(x); }
  static void store_bf16(uint16_t* p, F x) { *p = f32_to_bf16(x); }
  static F round_f16(F x) { return f16_to_f32(f32_to_f16(x)); }
  static F round_bf16(F x) { return bf16_to_f32(f32_to_bf16(x)); }

  static F round_f16_finite(F x) { return abs(x) < 65520 ? round_f16(x) : x; }  // x itself where fp16 has only infinity
  static F keep_below(F a, F limit) { return a < limit ? a : 0; }

  // kWidth bytes of two codes each.
  static I load_bytes(const uint8_t* p) { return *p; }
  static Table table(const float* values) {
    Table t;
    std::memcpy(t.values, values, sizeof t.values);
    return t;
  }
  static F lookup_high(const Table& t, I bytes) { return t.values[bytes >> 4]; }
  static F lookup_low(const Table& t, I bytes) { return t.values[bytes & 15]; }

  // Encoding: how many of kCount ascending thresholds lie strictly below x, as an integer vector.
  template <int kCount>
  static I count_below(F x, const float* thresholds) {
    I count = 0;
    for (int i = 0; i < kCount; ++i) count += x > thresholds[i] ? 1 : 0;
    return count;
  }
  static I round_even(F x) { return static_cast<I>(std::nearbyintf(x)); }
  static void store_bytes(uint8_t* p, I x) { *p = static_cast<uint8_t>(x); }

  // Products of int8 codes, their sums exact in int32. A Codes holds 4 * kWidth codes; number i of the kWidth sums of a Sums is of the
  // codes 4i .. 4i + 3. Sets that multiply unsigned with signed bytes want the codes of weights raised by kCodeOffset: then a sum is
  // kCodeOffset * (sum of the codes of x) too large.
  static constexpr int kCodeOffset = 0;
  static constexpr int kCodeRows = 4;  // as kMicroRows
  struct Codes {
    int8_t values[4];
  };
  using Sums = int32_t;
  static Codes load_codes(const void* p) {
    Codes codes;
    std::memcpy(codes.values, p, 4);
    return codes;
  }
  static Codes broadcast_codes(const void* p) { return load_codes(p); }  // 4 codes, kWidth times
  static Codes raise_codes(Codes w) { return w; }
  static Sums set_sums(int32_t x) { return x; }
  static Sums dot_codes(Sums sum, Codes w, Codes x) {
    for (int i = 0; i < 4; ++i) sum += w.values[i] * x.values[i];
    return sum;
  }
  static int32_t sum_codes(Sums sums) { return sums; }
  static F floats_of(Sums sums) { return static_cast<F>(sums); }
};

}  // namespace nibble::scalar
