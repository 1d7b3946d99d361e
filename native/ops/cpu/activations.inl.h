// Ops on activations. Included by isa_<set>.cc only.
#pragma once

#include "ops/cpu/plain.h"
#include "ops/ops.h"
#include "ops/parallel.h"
#include "ops/ref/ref.h"

namespace nibble::cpu {

template <class V>
void rmsnorm(Exec& exec, const NormArgs& a) {
  if (a.weight == nullptr || a.bias != nullptr) return ref::ref_table().rmsnorm(exec, a);
  parallel_ranges(exec, a.rows, 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const float* x = a.x + row * a.width;
      const float* weight = a.weight + row % a.weight_rows * a.width;
      auto sums = V::zero();
      int64_t c = 0;
      for (; c + V::kWidth <= a.width; c += V::kWidth) sums = V::fma(V::load(x + c), V::load(x + c), sums);
      double squares = V::sum(sums);
      for (; c < a.width; ++c) squares += static_cast<double>(x[c]) * x[c];
      const float scale = static_cast<float>(1 / __builtin_sqrt(squares / static_cast<double>(a.width) + a.eps));
      float* out = a.out + row * a.width;
      for (c = 0; c + V::kWidth <= a.width; c += V::kWidth) {
        V::store(out + c, V::mul(V::mul(V::load(x + c), V::set1(scale)), V::load(weight + c)));
      }
      for (; c < a.width; ++c) out[c] = x[c] * scale * weight[c];
    }
  });
}

template <class V>
void rope(Exec& exec, const RopeArgs& args) {
  if (args.is_interleaved) return ref::ref_table().rope(exec, args);
  constexpr int32_t kMost = 512;  // angles computed at a time; head widths are far below twice that
  parallel_ranges(exec, args.n_tokens, 8, [&](int64_t begin, int64_t end, int) {
    const int32_t half = args.rotary_dim / 2;
    float cosine[kMost], sine[kMost];
    for (int64_t t = begin; t < end; ++t) {
      for (int32_t first = 0; first < half; first += kMost) {
        const int32_t n = half - first < kMost ? half - first : kMost;
        plain::rope_angles(cosine, sine, args.inv_freq + first, args.n_past + t, n, args.mscale);
        for (int32_t h = 0; h < args.n_heads; ++h) {
          float* a = args.x + (t * args.n_heads + h) * args.head_dim + first;
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
void gate(Exec& exec, const GateArgs& a) {
  if (a.act != Activation::silu || a.limit > 0 || a.stride != a.width || a.step != 1) return ref::ref_table().gate(exec, a);
  parallel_ranges(exec, a.n_tokens * a.width, 8192, [&](int64_t begin, int64_t end, int) {
    int64_t i = begin;
    for (; i + V::kWidth <= end; i += V::kWidth) {
      const auto g = V::load(a.gate + i);
      const auto sigmoid = V::div(V::set1(1), V::add(V::set1(1), V::exp(V::sub(V::zero(), g))));
      V::store(a.out + i, V::mul(V::mul(g, sigmoid), V::load(a.up + i)));
    }
    for (; i < end; ++i) a.out[i] = plain::silu(a.gate[i]) * a.up[i];
  });
}

template <class V>
void add(Exec& exec, float* x, const float* y, float scale, int64_t n) {
  parallel_ranges(exec, n, 32768, [&](int64_t begin, int64_t end, int) {
    int64_t i = begin;
    for (; i + V::kWidth <= end; i += V::kWidth) V::store(x + i, V::fma(V::load(y + i), V::set1(scale), V::load(x + i)));
    for (; i < end; ++i) x[i] += scale * y[i];
  });
}

}  // namespace nibble::cpu
