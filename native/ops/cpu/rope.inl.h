// Rotation of queries and keys, and the way into the cache. Included by isa_<set>.cc only.
#pragma once

#include "ops/cpu/elements.inl.h"
#include "ops/cpu/plain.h"

namespace nibble::cpu {

// n pairs: the first halves at a, the second at b.
template <class V>
inline void rotate_halves(float* a, float* b, const float* cosine, const float* sine, int64_t n) {
  each_vector<V>(0, n, [&](int64_t d, auto access) {
    const auto a_d = access.load(a + d), b_d = access.load(b + d), c_d = access.load(cosine + d), s_d = access.load(sine + d);
    access.store(a + d, V::sub(V::mul(a_d, c_d), V::mul(b_d, s_d)));
    access.store(b + d, V::fma(b_d, c_d, V::mul(a_d, s_d)));
  });
}

template <class V>
inline void rotate_pairs(float* x, const float* cosine, const float* sine, int64_t n) {
  for (int64_t d = 0; d < n; ++d) {
    const float a = x[2 * d], b = x[2 * d + 1];
    x[2 * d] = a * cosine[d] - b * sine[d];
    x[2 * d + 1] = b * cosine[d] + a * sine[d];
  }
}

template <class V>
void rope(Exec& exec, const RopeArgs& args) {
  constexpr int32_t kMost = 512;  // angles computed at a time; head widths are far below twice that
  parallel_ranges(exec, args.n_tokens, 8, [&](int64_t begin, int64_t end, int) {
    const int32_t half = args.rotary_dim / 2;
    float cosine[kMost], sine[kMost];
    for (int64_t t = begin; t < end; ++t) {
      for (int32_t first = 0; first < half; first += kMost) {
        const int32_t n = half - first < kMost ? half - first : kMost;
        plain::rope_angles(cosine, sine, args.inv_freq + first, args.n_past + t, n, args.mscale);
        for (int32_t h = 0; h < args.n_heads; ++h) {
          float* x = args.x + (t * args.n_heads + h) * args.head_dim;
          if (args.is_interleaved) {
            rotate_pairs<V>(x + 2 * first, cosine, sine, n);
          } else {
            rotate_halves<V>(x + first, x + first + half, cosine, sine, n);
          }
        }
      }
    }
  });
}

template <class V>
void kv_store(Exec& exec, uint16_t* cache, const float* x, int64_t n_tokens, int64_t n_past, int64_t capacity, int32_t n_kv_heads,
              int32_t head_dim) {
  parallel_ranges(exec, n_tokens, 32, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      for (int32_t g = 0; g < n_kv_heads; ++g) {
        const float* x_tg = x + (t * n_kv_heads + g) * head_dim;
        uint16_t* cache_gt = cache + (g * capacity + n_past + t) * head_dim;
        int32_t d = 0;
        for (; d + V::kWidth <= head_dim; d += V::kWidth) V::store_f16(cache_gt + d, V::load(x_tg + d));
        for (; d < head_dim; ++d) cache_gt[d] = plain::to_f16(x_tg[d]);
      }
    }
  });
}

}  // namespace nibble::cpu
