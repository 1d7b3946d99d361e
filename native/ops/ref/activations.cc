// Ops on activations.
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/dtype.h"
#include "ops/ref/ref.h"

namespace nibble::ref {
namespace {

void rmsnorm(Exec&, float* out, const float* x, const float* weight, int64_t n_tokens, int64_t width, float eps) {
  for (int64_t t = 0; t < n_tokens; ++t) {
    const float* x_t = x + t * width;
    double squares = 0;
    for (int64_t c = 0; c < width; ++c) squares += static_cast<double>(x_t[c]) * x_t[c];
    const double scale = 1 / std::sqrt(squares / static_cast<double>(width) + eps);
    for (int64_t c = 0; c < width; ++c) out[t * width + c] = static_cast<float>(x_t[c] * scale * weight[c]);
  }
}

void rope(Exec&, float* x, const float* inv_freq, int64_t n_tokens, int64_t n_past, int32_t n_heads, int32_t head_dim, int32_t rotary_dim,
          float mscale) {
  const int32_t half = rotary_dim / 2;
  for (int64_t t = 0; t < n_tokens; ++t) {
    for (int32_t d = 0; d < half; ++d) {
      const float angle = static_cast<float>(n_past + t) * inv_freq[d];
      const double cosine = std::cos(static_cast<double>(angle)) * mscale;
      const double sine = std::sin(static_cast<double>(angle)) * mscale;
      for (int32_t h = 0; h < n_heads; ++h) {
        float* x_th = x + (t * n_heads + h) * head_dim;
        const double a = x_th[d], b = x_th[d + half];
        x_th[d] = static_cast<float>(a * cosine - b * sine);
        x_th[d + half] = static_cast<float>(b * cosine + a * sine);
      }
    }
  }
}

void kv_store(Exec&, uint16_t* cache, const float* x, int64_t n_tokens, int64_t n_past, int64_t capacity, int32_t n_kv_heads,
              int32_t head_dim) {
  for (int64_t t = 0; t < n_tokens; ++t) {
    for (int32_t g = 0; g < n_kv_heads; ++g) {
      const float* x_tg = x + (t * n_kv_heads + g) * head_dim;
      uint16_t* cache_gt = cache + (g * capacity + n_past + t) * head_dim;
      for (int32_t d = 0; d < head_dim; ++d) cache_gt[d] = f32_to_f16(x_tg[d]);
    }
  }
}

size_t attention_scratch(const Exec&, const AttentionArgs&) { return 0; }

void attention(Exec&, const AttentionArgs& args) {
  const int64_t head_dim = args.head_dim;
  for (int64_t t = 0; t < args.n_tokens; ++t) {
    const int64_t end = args.n_past + t + 1;
    const int64_t begin = args.window > 0 ? std::max<int64_t>(0, end - args.window) : 0;
    for (int64_t h = 0; h < args.n_heads; ++h) {
      const int64_t g = h / (args.n_heads / args.n_kv_heads);
      const float* q_th = args.q + (t * args.n_heads + h) * head_dim;
      std::vector<double> scores(static_cast<size_t>(end - begin));
      double largest = -INFINITY;
      for (int64_t s = begin; s < end; ++s) {
        const uint16_t* k_gs = args.k_cache + (g * args.capacity + s) * head_dim;
        double dot = 0;
        for (int64_t d = 0; d < head_dim; ++d) dot += static_cast<double>(q_th[d]) * f16_to_f32(k_gs[d]);
        scores[static_cast<size_t>(s - begin)] = dot * args.scale;
        largest = std::max(largest, dot * args.scale);
      }
      double total = 0;
      for (double& score : scores) total += score = std::exp(score - largest);
      for (int64_t d = 0; d < head_dim; ++d) {
        double sum = 0;
        for (int64_t s = begin; s < end; ++s) {
          sum += scores[static_cast<size_t>(s - begin)] * f16_to_f32(args.v_cache[(g * args.capacity + s) * head_dim + d]);
        }
        args.out[(t * args.n_heads + h) * head_dim + d] = static_cast<float>(sum / total);
      }
    }
  }
}

void silu_mul(Exec&, float* out, const float* gate, const float* up, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(gate[i] / (1 + std::exp(-static_cast<double>(gate[i]))) * up[i]);
}

void add(Exec&, float* x, const float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] += y[i];
}

}  // namespace

void set_activation_ops(OpTable& table) {
  table.rmsnorm = rmsnorm;
  table.rope = rope;
  table.kv_store = kv_store;
  table.attention_scratch = attention_scratch;
  table.attention = attention;
  table.silu_mul = silu_mul;
  table.add = add;
}

}  // namespace nibble::ref
