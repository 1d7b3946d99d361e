// Ops on activations. Included by isa_<set>.cc only.
#pragma once

#include "ops/cpu/plain.h"
#include "ops/ops.h"
#include "ops/parallel.h"

namespace nibble::cpu {

template <class V>
void rmsnorm(Exec& exec, float* out, const float* x, const float* weight, int64_t n_tokens, int64_t width, float eps) {
  parallel_ranges(exec, n_tokens, 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      const float* x_t = x + t * width;
      auto sums = V::zero();
      int64_t c = 0;
      for (; c + V::kWidth <= width; c += V::kWidth) sums = V::fma(V::load(x_t + c), V::load(x_t + c), sums);
      double squares = V::sum(sums);
      for (; c < width; ++c) squares += static_cast<double>(x_t[c]) * x_t[c];
      const float scale = static_cast<float>(1 / __builtin_sqrt(squares / static_cast<double>(width) + eps));
      float* out_t = out + t * width;
      for (c = 0; c + V::kWidth <= width; c += V::kWidth) {
        V::store(out_t + c, V::mul(V::mul(V::load(x_t + c), V::set1(scale)), V::load(weight + c)));
      }
      for (; c < width; ++c) out_t[c] = x_t[c] * scale * weight[c];
    }
  });
}

template <class V>
void rope(Exec& exec, float* x, const float* inv_freq, int64_t n_tokens, int64_t n_past, int32_t n_heads, int32_t head_dim,
          int32_t rotary_dim, float mscale) {
  constexpr int32_t kMost = 512;  // angles computed at a time; head widths are far below twice that
  parallel_ranges(exec, n_tokens, 8, [&](int64_t begin, int64_t end, int) {
    const int32_t half = rotary_dim / 2;
    float cosine[kMost], sine[kMost];
    for (int64_t t = begin; t < end; ++t) {
      for (int32_t first = 0; first < half; first += kMost) {
        const int32_t n = half - first < kMost ? half - first : kMost;
        plain::rope_angles(cosine, sine, inv_freq + first, n_past + t, n, mscale);
        for (int32_t h = 0; h < n_heads; ++h) {
          float* a = x + (t * n_heads + h) * head_dim + first;
          float* b = a + half;
          int32_t d = 0;
          for (; d + V::kWidth <= n; d += V::kWidth) {
            const auto a_d = V::load(a + d), b_d = V::load(b + d), c_d = V::load(cosine + d), s_d = V::load(sine + d);
            V::store(a + d, V::sub(V::mul(a_d, c_d), V::mul(b_d, s_d)));
            V::store(b + d, V::fma(b_d, c_d, V::mul(a_d, s_d)));
          }
          for (; d < n; ++d) {
            const float a_d = a[d], b_d = b[d];
            a[d] = a_d * cosine[d] - b_d * sine[d];
            b[d] = b_d * cosine[d] + a_d * sine[d];
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

template <class V>
void silu_mul(Exec& exec, float* out, const float* gate, const float* up, int64_t n) {
  parallel_ranges(exec, n, 8192, [&](int64_t begin, int64_t end, int) {
    int64_t i = begin;
    for (; i + V::kWidth <= end; i += V::kWidth) {
      const auto g = V::load(gate + i);
      const auto sigmoid = V::div(V::set1(1), V::add(V::set1(1), V::exp(V::sub(V::zero(), g))));
      V::store(out + i, V::mul(V::mul(g, sigmoid), V::load(up + i)));
    }
    for (; i < end; ++i) out[i] = plain::silu(gate[i]) * up[i];
  });
}

template <class V>
void add(Exec& exec, float* x, const float* y, int64_t n) {
  parallel_ranges(exec, n, 32768, [&](int64_t begin, int64_t end, int) {
    int64_t i = begin;
    for (; i + V::kWidth <= end; i += V::kWidth) V::store(x + i, V::add(V::load(x + i), V::load(y + i)));
    for (; i < end; ++i) x[i] += y[i];
  });
}

}  // namespace nibble::cpu
