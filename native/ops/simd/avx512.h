// AVX-512 (F BW DQ VL VNNI BF16): sixteen floats, and products of bf16 pairs.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace nibble::avx512 {

struct V {
  static constexpr int kWidth = 16;
  static constexpr int kMicroRows = 12;
  using F = __m512;
  using I = __m512i;
  using Table = __m512;

  static F zero() { return _mm512_setzero_ps(); }
  static F set1(float x) { return _mm512_set1_ps(x); }
  static F load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, F x) { _mm512_storeu_ps(p, x); }
  static F add(F a, F b) { return _mm512_add_ps(a, b); }
  static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F div(F a, F b) { return _mm512_div_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static F max(F a, F b) { return _mm512_max_ps(a, b); }
  static F abs(F a) { return _mm512_abs_ps(a); }
  static float sum(F a) { return _mm512_reduce_add_ps(a); }
  static float largest(F a) { return _mm512_reduce_max_ps(a); }
  static void sum4(const F* a, float* out) {  // four sums for the price of one and a half
    const F ab = add(_mm512_shuffle_f32x4(a[0], a[1], 0x44), _mm512_shuffle_f32x4(a[0], a[1], 0xee));
    const F cd = add(_mm512_shuffle_f32x4(a[2], a[3], 0x44), _mm512_shuffle_f32x4(a[2], a[3], 0xee));
    F s = add(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));  // a quarter each
    s = add(s, _mm512_permute_ps(s, 0x4e));
    s = add(s, _mm512_permute_ps(s, 0xb1));
    const I picked = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), _mm512_castps_si512(s));
    _mm_storeu_ps(out, _mm_castsi128_ps(_mm512_castsi512_si128(picked)));
  }
  // As in avx2.h.
  static F exp(F x) {
    x = _mm512_min_ps(set1(88.3f), _mm512_max_ps(set1(-87.3f), x));
    const F n = _mm512_roundscale_ps(mul(x, set1(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    F r = _mm512_fnmadd_ps(n, set1(0.693145752f), x);
    r = _mm512_fnmadd_ps(n, set1(1.42860677e-6f), r);
    F p = set1(1.0f / 720);
    p = fma(p, r, set1(1.0f / 120));
    p = fma(p, r, set1(1.0f / 24));
    p = fma(p, r, set1(1.0f / 6));
    p = fma(p, r, set1(0.5f));
    p = fma(p, r, set1(1));
    p = fma(p, r, set1(1));
    return _mm512_scalef_ps(p, n);
  }

  static F load_bf16(const void* p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p))), 16));
  }
  static F load_f16(const void* p) { return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p))); }
  static F load_i8(const int8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static void store_f16(uint16_t* p, F x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
  static I bf16_bits(F x) {  // in the upper half of each lane
    const I u = _mm512_castps_si512(x);
    const I odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
    return _mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7fff)), odd);
  }
  // Not by the processor's own conversion, which makes zeros of the smallest numbers; products of pairs do so, too, and may use it.
  static void store_bf16(uint16_t* p, F x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(_mm512_srli_epi32(bf16_bits(x), 16)));
  }
  static F round_f16(F x) { return _mm512_cvtph_ps(_mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT)); }
  static F round_bf16(F x) {
    return _mm512_castsi512_ps(_mm512_and_si512(bf16_bits(x), _mm512_set1_epi32(static_cast<int32_t>(0xffff0000u))));
  }

  static F round_f16_finite(F x) { return _mm512_mask_mov_ps(x, _mm512_cmp_ps_mask(abs(x), set1(65520), _CMP_LT_OQ), round_f16(x)); }
  static F keep_below(F a, F limit) { return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, limit, _CMP_LT_OQ), a); }

  static I load_bytes(const uint8_t* p) { return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
  static Table table(const float* values) { return load(values); }
  static F lookup_high(const Table& t, I bytes) { return _mm512_permutexvar_ps(_mm512_srli_epi32(bytes, 4), t); }
  static F lookup_low(const Table& t, I bytes) { return _mm512_permutexvar_ps(bytes, t); }

  // map [256] at the positions that 16 bytes name: eight parts of 32 entries, then the right one by the upper three bits.
  static F lookup256(const float* map, const uint8_t* bytes) {
    const I i = load_bytes(bytes);
    const auto part = [&](int n) { return _mm512_permutex2var_ps(load(map + 32 * n), i, load(map + 32 * n + 16)); };
    const __mmask16 bit5 = _mm512_test_epi32_mask(i, _mm512_set1_epi32(32)), bit6 = _mm512_test_epi32_mask(i, _mm512_set1_epi32(64)),
                    bit7 = _mm512_test_epi32_mask(i, _mm512_set1_epi32(128));
    const F a = _mm512_mask_blend_ps(bit5, part(0), part(1)), b = _mm512_mask_blend_ps(bit5, part(2), part(3));
    const F c = _mm512_mask_blend_ps(bit5, part(4), part(5)), d = _mm512_mask_blend_ps(bit5, part(6), part(7));
    return _mm512_mask_blend_ps(bit7, _mm512_mask_blend_ps(bit6, a, b), _mm512_mask_blend_ps(bit6, c, d));
  }

  template <int kCount>
  static I count_below(F x, const float* thresholds) {
    if constexpr (kCount == 15) {                                   // binary search by permutes: 4 steps instead of 15 compares
      const F t = _mm512_maskz_expandloadu_ps(0xfffe, thresholds);  // lane i: threshold i - 1; lane 0 is never looked at
      I code = _mm512_setzero_si512();
      for (int step = 8; step > 0; step >>= 1) {
        const I candidate = _mm512_add_epi32(code, _mm512_set1_epi32(step));
        code = _mm512_mask_mov_epi32(code, _mm512_cmp_ps_mask(x, _mm512_permutexvar_ps(candidate, t), _CMP_GT_OQ), candidate);
      }
      return code;
    } else {
      I count = _mm512_setzero_si512();
      for (int i = 0; i < kCount; ++i) {
        count = _mm512_mask_add_epi32(count, _mm512_cmp_ps_mask(x, set1(thresholds[i]), _CMP_GT_OQ), count, _mm512_set1_epi32(1));
      }
      return count;
    }
  }
  // Extra: ranks by table (plain::RankSteps). Of 32 steps, two registers hold the limits, two the ranks.
  struct Steps {
    F limits[2];
    I ranks[2];
  };
  static Steps load_steps(const float* limits, const int32_t* ranks) {
    return {{load(limits), load(limits + 16)}, {_mm512_loadu_si512(ranks), _mm512_loadu_si512(ranks + 16)}};
  }
  static I rank(const Steps& s, F x, F position) {
    const I step = _mm512_cvttps_epi32(position);
    const I rank = _mm512_permutex2var_epi32(s.ranks[0], step, s.ranks[1]);
    const __mmask16 is_above = _mm512_cmp_ps_mask(x, _mm512_permutex2var_ps(s.limits[0], step, s.limits[1]), _CMP_GT_OQ);
    return _mm512_mask_add_epi32(rank, is_above, rank, _mm512_set1_epi32(1));
  }
  static I pick(I table, I index) { return _mm512_permutexvar_epi32(index, table); }
  static I add_int(I a, int32_t b) { return _mm512_add_epi32(a, _mm512_set1_epi32(b)); }
  static I add_below_zero(F x, I a, int32_t b) {
    return _mm512_mask_add_epi32(a, _mm512_cmp_ps_mask(x, zero(), _CMP_LT_OQ), a, _mm512_set1_epi32(b));
  }
  // Sixteen codes of four bits to eight bytes, the even ones in the high nibbles.
  static void store_nibbles(uint8_t* p, I codes) {
    const I pairs = _mm512_or_si512(_mm512_slli_epi64(codes, 4), _mm512_srli_epi64(codes, 32));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm512_cvtepi64_epi8(pairs));
  }

  static I round_even(F x) { return _mm512_cvtps_epi32(x); }
  static void store_bytes(uint8_t* p, I x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(x)); }

  static constexpr int kCodeOffset = 128;
  static constexpr int kCodeRows = 12;
  using Codes = __m512i;
#ifdef __GNUC__
  // Of the element type that the product has: as __m512i, which counts as 64-bit numbers, GCC 12 copies each sum twice in each step.
  using Sums = int32_t __attribute__((vector_size(64)));
#else
  using Sums = __m512i;
#endif
  static Codes load_codes(const void* p) { return _mm512_loadu_si512(p); }
  static Codes broadcast_codes(const void* p) {
    int32_t four;
    std::memcpy(&four, p, 4);
    return _mm512_set1_epi32(four);
  }
  static Codes raise_codes(Codes w) { return _mm512_xor_si512(w, _mm512_set1_epi8(-128)); }
  static Sums set_sums(int32_t x) { return (Sums)_mm512_set1_epi32(x); }
  static Sums dot_codes(Sums sum, Codes w, Codes x) { return (Sums)_mm512_dpbusd_epi32((I)sum, w, x); }
  static int32_t sum_codes(Sums a) { return _mm512_reduce_add_epi32((I)a); }
  static void sum4_codes(const Sums* a, int32_t* out) {  // as sum4
    const I ab = _mm512_add_epi32(_mm512_shuffle_i32x4((I)a[0], (I)a[1], 0x44), _mm512_shuffle_i32x4((I)a[0], (I)a[1], 0xee));
    const I cd = _mm512_add_epi32(_mm512_shuffle_i32x4((I)a[2], (I)a[3], 0x44), _mm512_shuffle_i32x4((I)a[2], (I)a[3], 0xee));
    I s = _mm512_add_epi32(_mm512_shuffle_i32x4(ab, cd, 0x88), _mm512_shuffle_i32x4(ab, cd, 0xdd));
    s = _mm512_add_epi32(s, _mm512_shuffle_epi32(s, (_MM_PERM_ENUM)0x4e));
    s = _mm512_add_epi32(s, _mm512_shuffle_epi32(s, (_MM_PERM_ENUM)0xb1));
    const I picked = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), s);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_castsi512_si128(picked));
  }
  static F floats_of(Sums a) { return _mm512_cvtepi32_ps((I)a); }

  // Extra: products of bf16 pairs, fp32 sums. A Pairs holds 32 bf16.
  using Pairs = __m512i;
  using PairTable = __m512i;
  static Pairs load_pairs(const void* p) { return _mm512_loadu_si512(p); }
  static void store_pairs(void* p, Pairs x) { _mm512_storeu_si512(p, x); }
  static Pairs broadcast_pair(const uint16_t* p) {
    int32_t pair;
    std::memcpy(&pair, p, 4);
    return _mm512_set1_epi32(pair);
  }
  static F dot_pairs(F sum, Pairs a, Pairs b) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b); }
  static PairTable pair_table(const uint16_t* codebook_bf16) {  // 16 entries, twice
    const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codebook_bf16));
    return _mm512_broadcast_i64x4(half);
  }
  // 32 bytes of codes: values of the high nibbles, and of the low ones.
  static Pairs widen_bytes(const uint8_t* p) { return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
  static Pairs pairs_high(PairTable t, Pairs bytes) { return _mm512_permutexvar_epi16(_mm512_srli_epi16(bytes, 4), t); }
  static Pairs pairs_low(PairTable t, Pairs bytes) { return _mm512_permutexvar_epi16(bytes, t); }
  // 16 lanes of (even, odd) rounded to bf16: even in the low half.
  static void store_pair_lanes(uint32_t* p, F even, F odd) {
    const I low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(even));
    const I high = _mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(odd)), 16);
    _mm512_storeu_si512(p, _mm512_or_si512(low, high));
  }
  static uint16_t to_bf16(float x) {
    uint16_t halves[16];
    store_bf16(halves, set1(x));
    return halves[0];
  }
  static void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }
};

}  // namespace nibble::avx512
