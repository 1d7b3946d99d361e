#include <algorithm>
#include <cmath>
#include <vector>

#include "core/dtype.h"
#include "ops/ref/ref.h"

namespace nibble::ref {
namespace {

size_t attention_scratch(const Exec&, const AttentionArgs&) { return 0; }

void attend(const AttentionArgs& a, int64_t t, int64_t h) {
  const int64_t now = a.n_past + t, end = now + 1, begin = a.window > 0 ? std::max<int64_t>(0, end - a.window) : 0;
  const int64_t g = h / (a.n_heads / a.n_kv_heads);
  const float* q = a.q + (t * a.n_heads + h) * a.head_dim;
  std::vector<double> scores(static_cast<size_t>(end - begin));
  double largest = a.sinks == nullptr ? -INFINITY : a.sinks[h];
  for (int64_t s = begin; s < end; ++s) {
    const uint16_t* k = a.k_cache + (g * a.capacity + s) * a.head_dim;
    double score = 0;
    for (int64_t d = 0; d < a.head_dim; ++d) score += static_cast<double>(q[d]) * f16_to_f32(k[d]);
    score *= a.scale;
    if (a.softcap > 0) score = a.softcap * std::tanh(score / a.softcap);
    if (a.slopes != nullptr) score += static_cast<double>(a.slopes[h]) * static_cast<double>(s - now);
    scores[static_cast<size_t>(s - begin)] = score;
    largest = std::max(largest, score);
  }
  double total = a.sinks == nullptr ? 0 : std::exp(a.sinks[h] - largest);
  for (double& score : scores) total += score = std::exp(score - largest);
  for (int64_t d = 0; d < a.value_dim; ++d) {
    double sum = 0;
    for (int64_t s = begin; s < end; ++s) {
      sum += scores[static_cast<size_t>(s - begin)] * f16_to_f32(a.v_cache[(g * a.capacity + s) * a.value_dim + d]);
    }
    a.out[(t * a.n_heads + h) * a.value_dim + d] = static_cast<float>(sum / total);
  }
}

void attention(Exec&, const AttentionArgs& args) {
  for (int64_t t = 0; t < args.n_tokens; ++t) {
    for (int64_t h = 0; h < args.n_heads; ++h) attend(args, t, h);
  }
}

}  // namespace

void set_attention_ops(OpTable& table) {
  table.attention_scratch = attention_scratch;
  table.attention = attention;
}

}  // namespace nibble::ref
