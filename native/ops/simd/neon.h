// NEON of 64-bit ARM (armv8.0, which every such processor has): four floats.
#pragma once

#include <arm_neon.h>

#include <cstdint>
#include <cstring>

namespace nibble::neon {

struct V {
  static constexpr int kWidth = 4;
  static constexpr int kMicroRows = 12;
  using F = float32x4_t;
  using I = uint32x4_t;
  using Table = uint8x16x4_t;  // the bytes of 16 floats

  static F zero() { return vdupq_n_f32(0); }
  static F set1(float x) { return vdupq_n_f32(x); }
  // By bytes: a pointer to floats may be taken as a promise of their alignment, and weights in files may lie at any address.
  static F load(const float* p) { return vreinterpretq_f32_u8(vld1q_u8(reinterpret_cast<const uint8_t*>(p))); }
  static void store(float* p, F x) { vst1q_f32(p, x); }
  static F add(F a, F b) { return vaddq_f32(a, b); }
  static F sub(F a, F b) { return vsubq_f32(a, b); }
  static F mul(F a, F b) { return vmulq_f32(a, b); }
  static F div(F a, F b) { return vdivq_f32(a, b); }
  static F fma(F a, F b, F c) { return vfmaq_f32(c, a, b); }
  // As on x86: b where one of the two is no number.
  static F max(F a, F b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
  static F abs(F a) { return vabsq_f32(a); }
  static float sum(F a) { return vaddvq_f32(a); }
  static void sum4(const F* a, float* out) { store(out, vpaddq_f32(vpaddq_f32(a[0], a[1]), vpaddq_f32(a[2], a[3]))); }
  static void prefetch(const void* p) {
#ifdef __GNUC__
    __builtin_prefetch(p);
#else
    __prefetch(p);
#endif
  }
  static float largest(F a) { return vmaxvq_f32(a); }
  // As in avx2.h.
  static F exp(F x) {
    x = vminq_f32(vmaxq_f32(x, set1(-87.3f)), set1(88.3f));
    const F n = vrndnq_f32(mul(x, set1(1.44269504f)));
    F r = vfmsq_f32(x, n, set1(0.693145752f));
    r = vfmsq_f32(r, n, set1(1.42860677e-6f));
    F p = set1(1.0f / 720);
    p = fma(p, r, set1(1.0f / 120));
    p = fma(p, r, set1(1.0f / 24));
    p = fma(p, r, set1(1.0f / 6));
    p = fma(p, r, set1(0.5f));
    p = fma(p, r, set1(1));
    p = fma(p, r, set1(1));
    const int32x4_t exponent = vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127)), 23);
    return mul(p, vreinterpretq_f32_s32(exponent));
  }

  static uint16x4_t load_halves(const void* p) { return vreinterpret_u16_u8(vld1_u8(static_cast<const uint8_t*>(p))); }
  static F load_bf16(const void* p) { return vreinterpretq_f32_u32(vshll_n_u16(load_halves(p), 16)); }
  static F load_f16(const void* p) { return vcvt_f32_f16(vreinterpret_f16_u16(load_halves(p))); }
  static F load_i8(const int8_t* p) {
    uint32_t four;
    std::memcpy(&four, p, 4);
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(four))))));
  }
  static void store_f16(uint16_t* p, F x) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(x))); }
  static I bf16_bits(F x) {  // in the upper half of each lane
    const I u = vreinterpretq_u32_f32(x);
    return vaddq_u32(vaddq_u32(u, vdupq_n_u32(0x7fff)), vandq_u32(vshrq_n_u32(u, 16), vdupq_n_u32(1)));
  }
  static void store_bf16(uint16_t* p, F x) { vst1_u16(p, vshrn_n_u32(bf16_bits(x), 16)); }
  static F round_f16(F x) { return vcvt_f32_f16(vcvt_f16_f32(x)); }
  static F round_bf16(F x) { return vreinterpretq_f32_u32(vandq_u32(bf16_bits(x), vdupq_n_u32(0xffff0000u))); }

  static F round_f16_finite(F x) { return vbslq_f32(vcltq_f32(vabsq_f32(x), set1(65520)), round_f16(x), x); }
  static F keep_below(F a, F limit) { return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a), vcltq_f32(a, limit))); }

  static I load_bytes(const uint8_t* p) {
    uint32_t four;
    std::memcpy(&four, p, 4);
    return vmovl_u16(vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)))));
  }
  static Table table(const float* values) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(values);
    return {{vld1q_u8(bytes), vld1q_u8(bytes + 16), vld1q_u8(bytes + 32), vld1q_u8(bytes + 48)}};
  }
  static F lookup(const Table& t, I code) {  // bytes 4 code .. 4 code + 3 of the table
    const I bytes = vmlaq_u32(vdupq_n_u32(0x03020100u), code, vdupq_n_u32(0x04040404u));
    return vreinterpretq_f32_u8(vqtbl4q_u8(t, vreinterpretq_u8_u32(bytes)));
  }
  static F lookup_high(const Table& t, I bytes) { return lookup(t, vshrq_n_u32(bytes, 4)); }
  static F lookup_low(const Table& t, I bytes) { return lookup(t, vandq_u32(bytes, vdupq_n_u32(15))); }

  template <int kCount>
  static I count_below(F x, const float* thresholds) {
    I count = vdupq_n_u32(0);
    for (int i = 0; i < kCount; ++i) count = vsubq_u32(count, vcgtq_f32(x, set1(thresholds[i])));
    return count;
  }
  static I round_even(F x) { return vreinterpretq_u32_s32(vcvtnq_s32_f32(x)); }
  static void store_bytes(uint8_t* p, I x) {
    const uint16x4_t words = vmovn_u32(x);
    const uint32_t four = vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(words, words))), 0);
    std::memcpy(p, &four, 4);
  }

  // Two lanes for each sum: products of eight codes are added in pairs.
  static constexpr int kCodeOffset = 0;
  static constexpr int kCodeRows = 4;
  using Codes = int8x16_t;
  struct Sums {
    int32x4_t low, high;
  };
  static Codes load_codes(const void* p) { return vreinterpretq_s8_u8(vld1q_u8(static_cast<const uint8_t*>(p))); }
  static Codes broadcast_codes(const void* p) {
    uint32_t four;
    std::memcpy(&four, p, 4);
    return vreinterpretq_s8_u32(vdupq_n_u32(four));
  }
  static Codes raise_codes(Codes w) { return w; }
  static Sums set_sums(int32_t x) {
    const int32x4_t first = vsetq_lane_s32(x, vsetq_lane_s32(x, vdupq_n_s32(0), 0), 2);
    return {first, first};
  }
  static Sums dot_codes(Sums sum, Codes w, Codes x) {
    return {vpadalq_s16(sum.low, vmull_s8(vget_low_s8(w), vget_low_s8(x))),
            vpadalq_s16(sum.high, vmull_s8(vget_high_s8(w), vget_high_s8(x)))};
  }
  static int32_t sum_codes(Sums a) { return vaddvq_s32(vaddq_s32(a.low, a.high)); }
  static F floats_of(Sums a) { return vcvtq_f32_s32(vpaddq_s32(a.low, a.high)); }
};

}  // namespace nibble::neon
