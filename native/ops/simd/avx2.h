// AVX2 with FMA and F16C: eight floats.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace nibble::avx2 {

struct V {
  static constexpr int kWidth = 8;
  static constexpr int kMicroRows = 6;
  using F = __m256;
  using I = __m256i;
  struct Table {
    __m256 low, high;
  };

  static F zero() { return _mm256_setzero_ps(); }
  static F set1(float x) { return _mm256_set1_ps(x); }
  static F load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, F x) { _mm256_storeu_ps(p, x); }
  static F add(F a, F b) { return _mm256_add_ps(a, b); }
  static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static F div(F a, F b) { return _mm256_div_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  static F max(F a, F b) { return _mm256_max_ps(a, b); }
  static F abs(F a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
  static float sum(F a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
  }
  static void sum4(const F* a, float* out) {
    const F s = _mm256_hadd_ps(_mm256_hadd_ps(a[0], a[1]), _mm256_hadd_ps(a[2], a[3]));
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1)));
  }
  static void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }
  static float largest(F a) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
  }
  // 2^n * p(r), x = n ln2 + r; Taylor to r^6 on |r| <= ln2/2: within 2 ulp. Inputs below -87 give 0-ish, above 88 are
  // clamped; a NaN stays one (min and max give their second operand then).
  static F exp(F x) {
    x = _mm256_min_ps(set1(88.3f), _mm256_max_ps(set1(-87.3f), x));
    const F n = _mm256_round_ps(mul(x, set1(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    F r = _mm256_fnmadd_ps(n, set1(0.693145752f), x);
    r = _mm256_fnmadd_ps(n, set1(1.42860677e-6f), r);
    F p = set1(1.0f / 720);
    p = fma(p, r, set1(1.0f / 120));
    p = fma(p, r, set1(1.0f / 24));
    p = fma(p, r, set1(1.0f / 6));
    p = fma(p, r, set1(0.5f));
    p = fma(p, r, set1(1));
    p = fma(p, r, set1(1));
    const I exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return mul(p, _mm256_castsi256_ps(exponent));
  }

  static F load_bf16(const void* p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p))), 16));
  }
  static F load_f16(const void* p) { return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(p))); }
  static F load_i8(const int8_t* p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }
  static void store_f16(uint16_t* p, F x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
  static I bf16_bits(F x) {  // in the upper half of each lane
    const I u = _mm256_castps_si256(x);
    const I odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
    return _mm256_add_epi32(_mm256_add_epi32(u, _mm256_set1_epi32(0x7fff)), odd);
  }
  static void store_bf16(uint16_t* p, F x) {
    const I h = _mm256_srli_epi32(bf16_bits(x), 16);
    const I packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(h, h), 0x08);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(packed));
  }
  static F round_f16(F x) { return _mm256_cvtph_ps(_mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT)); }
  static F round_bf16(F x) {
    return _mm256_castsi256_ps(_mm256_and_si256(bf16_bits(x), _mm256_set1_epi32(static_cast<int32_t>(0xffff0000u))));
  }

  static F round_f16_finite(F x) { return _mm256_blendv_ps(x, round_f16(x), _mm256_cmp_ps(abs(x), set1(65520), _CMP_LT_OQ)); }
  static F keep_below(F a, F limit) { return _mm256_and_ps(a, _mm256_cmp_ps(a, limit, _CMP_LT_OQ)); }

  static I load_bytes(const uint8_t* p) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))); }
  static Table table(const float* values) { return {load(values), load(values + 8)}; }
  static F lookup(const Table& t, I index) {  // bits 0 to 2 pick within a half, bit 3 the half
    const F low = _mm256_permutevar8x32_ps(t.low, index), high = _mm256_permutevar8x32_ps(t.high, index);
    return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));
  }
  static F lookup_high(const Table& t, I bytes) { return lookup(t, _mm256_srli_epi32(bytes, 4)); }
  static F lookup_low(const Table& t, I bytes) { return lookup(t, bytes); }

  template <int kCount>
  static I count_below(F x, const float* thresholds) {
    I count = _mm256_setzero_si256();
    for (int i = 0; i < kCount; ++i) {
      count = _mm256_sub_epi32(count, _mm256_castps_si256(_mm256_cmp_ps(x, set1(thresholds[i]), _CMP_GT_OQ)));
    }
    return count;
  }
  static I round_even(F x) { return _mm256_cvtps_epi32(x); }
  static void store_bytes(uint8_t* p, I x) {
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p),
                     _mm_shuffle_epi8(words, _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, -1, -1, -1, -1, -1, -1, -1, -1)));
  }

  // Pairs of products are summed in 16 bits: 2 * 128 * 127 fits, because x is never -128.
  static constexpr int kCodeOffset = 0;
  static constexpr int kCodeRows = 4;
  using Codes = __m256i;
#ifdef __GNUC__
  using Sums = int32_t __attribute__((vector_size(32)));  // as in avx512.h
#else
  using Sums = __m256i;
#endif
  static Codes load_codes(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static Codes broadcast_codes(const void* p) {
    int32_t four;
    std::memcpy(&four, p, 4);
    return _mm256_set1_epi32(four);
  }
  static Codes raise_codes(Codes w) { return w; }
  static Sums set_sums(int32_t x) { return (Sums)_mm256_set1_epi32(x); }
  static Sums dot_codes(Sums sum, Codes w, Codes x) {
    const I pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
    return (Sums)_mm256_add_epi32((I)sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static int32_t sum_codes(Sums sums) {
    const I a = (I)sums;
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
  }
  static F floats_of(Sums a) { return _mm256_cvtepi32_ps((I)a); }
};

}  // namespace nibble::avx2
