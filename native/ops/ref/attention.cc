// Rotation of queries and keys, the cache, attention.
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/dtype.h"
#include "ops/ref/ref.h"

namespace nibble::ref {
namespace {

void rope(Exec&, const RopeArgs& args) {
  const int32_t half = args.rotary_dim / 2;
  for (int64_t t = 0; t < args.n_tokens; ++t) {
    for (int32_t d = 0; d < half; ++d) {
      const float angle = static_cast<float>(args.n_past + t) * args.inv_freq[d];
      const double cosine = std::cos(static_cast<double>(angle)) * args.mscale;
      const double sine = std::sin(static_cast<double>(angle)) * args.mscale;
      for (int32_t h = 0; h < args.n_heads; ++h) {
        float* x_th = args.x + (t * args.n_heads + h) * args.head_dim;
        float& first = args.is_interleaved ? x_th[2 * d] : x_th[d];
        float& second = args.is_interleaved ? x_th[2 * d + 1] : x_th[d + half];
        const double a = first, b = second;
        first = static_cast<float>(a * cosine - b * sine);
        second = static_cast<float>(b * cosine + a * sine);
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

// One query head of one token.
struct Query {
  const AttentionArgs& args;
  int64_t t, h;
  int64_t g = h / (args.n_heads / args.n_kv_heads);
  int64_t end = args.n_past + t + 1;
  int64_t begin = args.window > 0 ? std::max<int64_t>(0, end - args.window) : 0;

  double score(int64_t s) const {
    const float* q = args.q + (t * args.n_heads + h) * args.head_dim;
    const uint16_t* k = args.k_cache + (g * args.capacity + s) * args.head_dim;
    double dot = 0;
    for (int64_t d = 0; d < args.head_dim; ++d) dot += static_cast<double>(q[d]) * f16_to_f32(k[d]);
    dot *= args.scale;
    if (args.softcap > 0) dot = args.softcap * std::tanh(dot / args.softcap);
    return args.slopes == nullptr ? dot : dot + static_cast<double>(args.slopes[h]) * static_cast<double>(s - (end - 1));
  }

  void run() const {
    std::vector<double> weights(static_cast<size_t>(end - begin));
    double largest = args.sinks == nullptr ? -INFINITY : args.sinks[h];
    for (int64_t s = begin; s < end; ++s) largest = std::max(largest, weights[static_cast<size_t>(s - begin)] = score(s));
    double total = args.sinks == nullptr ? 0 : std::exp(args.sinks[h] - largest);
    for (double& weight : weights) total += weight = std::exp(weight - largest);
    float* out = args.out + (t * args.n_heads + h) * args.value_dim;
    for (int64_t d = 0; d < args.value_dim; ++d) {
      double sum = 0;
      for (int64_t s = begin; s < end; ++s) {
        sum += weights[static_cast<size_t>(s - begin)] * f16_to_f32(args.v_cache[(g * args.capacity + s) * args.value_dim + d]);
      }
      out[d] = static_cast<float>(sum / total);
    }
  }
};

void attention(Exec&, const AttentionArgs& args) {
  for (int64_t t = 0; t < args.n_tokens; ++t) {
    for (int64_t h = 0; h < args.n_heads; ++h) Query{args, t, h}.run();
  }
}

}  // namespace

void set_attention_ops(OpTable& table) {
  table.rope = rope;
  table.kv_store = kv_store;
  table.attention_scratch = attention_scratch;
  table.attention = attention;
}

}  // namespace nibble::ref
