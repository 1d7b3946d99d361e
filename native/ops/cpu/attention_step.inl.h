// Attention of one new token: the cache is read once, straight as fp16, by all query heads of a key/value head. The positions are cut
// into spans that the threads share; each leaves its part of the online softmax, and the parts are put together at the end.
// Included by isa_<set>.cc only.
#pragma once

#include "ops/cpu/functions.inl.h"
#include "ops/cpu/matvec.inl.h"
#include "ops/parallel.h"

namespace nibble::cpu {

inline constexpr int64_t kSpan_min = 128;      // positions: less is not worth a chunk
inline constexpr int64_t kSpans_max = 32;      // of one head; bounds the scratch
inline constexpr int64_t kStepPositions = 64;  // scores held at a time
inline constexpr int kStepHeads = 4;           // query heads at a time

// Below every score that counts.
inline constexpr float kNoScore = -1e30f;

// Floats of the part that one query head and span leaves: sums [D_v], largest score, sum of the weights.
inline int64_t part_size(const AttentionArgs& a) { return a.value_dim + 2; }

inline size_t step_scratch(const AttentionArgs& a) {
  return static_cast<size_t>(kSpans_max) * static_cast<size_t>(a.n_heads) * static_cast<size_t>(part_size(a)) * sizeof(float);
}

// Fetches n fp16 numbers, which will be read soon.
template <class V>
inline void prefetch_halves(const uint16_t* p, int64_t n) {
  if constexpr (requires { V::prefetch(p); }) {
    for (int64_t i = 0; i < n; i += 32) V::prefetch(p + i);
  }
}

// scores [H][kStepPositions] = q [H,D] . k for n positions. Fetches the values of the same positions meanwhile.
template <class V, int H>
inline void step_scores(const float* q, const uint16_t* keys, const uint16_t* values, int64_t n, int64_t d_head, int64_t d_value,
                        float* scores) {
  int64_t s = 0;
  for (; s + 4 <= n; s += 4) {
    prefetch_halves<V>(values + s * d_value, 4 * d_value);
    typename V::F sums[H][4];
    for (int h = 0; h < H; ++h) {
      for (int p = 0; p < 4; ++p) sums[h][p] = V::zero();
    }
    for (int64_t d = 0; d < d_head; d += V::kWidth) {
      typename V::F k[4];
      for (int p = 0; p < 4; ++p) k[p] = V::load_f16(keys + (s + p) * d_head + d);
      for (int h = 0; h < H; ++h) {
        const auto q_d = V::load(q + h * d_head + d);
        for (int p = 0; p < 4; ++p) sums[h][p] = V::fma(k[p], q_d, sums[h][p]);
      }
    }
    for (int h = 0; h < H; ++h) sum_each<V, 4>(sums[h], scores + h * kStepPositions + s);
  }
  for (; s < n; ++s) {
    for (int h = 0; h < H; ++h) {
      auto sum = V::zero();
      for (int64_t d = 0; d < d_head; d += V::kWidth) sum = V::fma(V::load_f16(keys + s * d_head + d), V::load(q + h * d_head + d), sum);
      scores[h * kStepPositions + s] = V::sum(sum);
    }
  }
}

// Products of one query head with the keys from position s on become scores: scaled, capped, sloped.
template <class V>
inline void step_bend(const AttentionArgs& a, int64_t head, int64_t s, int64_t n, float* scores) {
  const auto scale = V::set1(a.softcap > 0 ? a.scale / a.softcap : a.scale), cap = V::set1(a.softcap);
  const float slope = a.slopes == nullptr ? 0 : a.slopes[head];
  for (int64_t i = n; i % V::kWidth != 0; ++i) scores[i] = 0;
  for (int64_t i = 0; i < n; i += V::kWidth) {
    const auto product = V::mul(V::load(scores + i), scale);
    V::store(scores + i, a.softcap > 0 ? V::mul(cap, tanh<V>(product)) : product);
  }
  if (a.slopes == nullptr) return;
  for (int64_t i = 0; i < n; ++i) scores[i] += slope * static_cast<float>(s + i - a.n_past);
}

// Turns n scores into weights exp(scale * score - largest), filling up to a whole vector with zeros; updates largest and total. Returns
// what the sums so far must be multiplied by.
template <class V>
inline float step_weights(float* scores, int64_t n, float scale, float& largest, float& total) {
  const int64_t whole = (n + V::kWidth - 1) / V::kWidth * V::kWidth;
  for (int64_t i = n; i < whole; ++i) scores[i] = 0;
  auto most = V::set1(largest);
  for (int64_t i = 0; i < whole; i += V::kWidth) {
    V::store(scores + i, V::mul(V::load(scores + i), V::set1(scale)));
    if (i + V::kWidth > n) {
      for (int64_t j = n; j < whole; ++j) scores[j] = largest;
    }
    most = V::max(most, V::load(scores + i));
  }
  const float new_largest = V::largest(most);
  float shrink[V::kWidth];
  V::store(shrink, V::exp(V::set1(largest - new_largest)));
  auto sum = V::zero();
  for (int64_t i = 0; i < whole; i += V::kWidth) {
    V::store(scores + i, V::exp(V::sub(V::load(scores + i), V::set1(new_largest))));
    if (i + V::kWidth > n) {
      for (int64_t j = n; j < whole; ++j) scores[j] = 0;
    }
    sum = V::add(sum, V::load(scores + i));
  }
  largest = new_largest;
  total = total * shrink[0] + V::sum(sum);
  return shrink[0];
}

// sums [H, D_v] = sums * shrink + weights x values, N vectors of D_v at a time. Fetches the keys of the next positions meanwhile.
template <class V, int H, int N>
inline void step_values(const AttentionArgs& a, const uint16_t* values, const uint16_t* next_keys, int64_t n, int64_t d,
                        const float* weights, const float* shrink, float* sums) {
  const int64_t d_head = a.head_dim, d_value = a.value_dim, sums_stride = part_size(a);
  typename V::F acc[H][N];
  for (int h = 0; h < H; ++h) {
    for (int i = 0; i < N; ++i) acc[h][i] = V::mul(V::load(sums + h * sums_stride + d + i * V::kWidth), V::set1(shrink[h]));
  }
  for (int64_t s = 0; s < n; ++s) {
    typename V::F v[N];
    for (int i = 0; i < N; ++i) v[i] = V::load_f16(values + s * d_value + d + i * V::kWidth);
    prefetch_halves<V>(next_keys + s * d_head + d, N * V::kWidth);
    for (int h = 0; h < H; ++h) {
      const auto weight = V::set1(weights[h * kStepPositions + s]);
      for (int i = 0; i < N; ++i) acc[h][i] = V::fma(v[i], weight, acc[h][i]);
    }
  }
  for (int h = 0; h < H; ++h) {
    for (int i = 0; i < N; ++i) V::store(sums + h * sums_stride + d + i * V::kWidth, acc[h][i]);
  }
}

// H query heads of key/value head g over positions [begin, end); parts [H][part_size].
template <class V, int H>
inline void step_span(const AttentionArgs& a, int64_t g, int64_t first_head, int64_t begin, int64_t end, float* parts) {
  const int64_t d_head = a.head_dim, d_value = a.value_dim, size = part_size(a);
  const bool is_bent = a.softcap > 0 || a.slopes != nullptr;
  float scores[H * kStepPositions];
  float largest[H], total[H], shrink[H];
  for (int h = 0; h < H; ++h) {
    largest[h] = kNoScore;
    total[h] = 0;
    for (int64_t d = 0; d < d_value; ++d) parts[h * size + d] = 0;
  }
  for (int64_t s = begin; s < end; s += kStepPositions) {
    const int64_t n = end - s < kStepPositions ? end - s : kStepPositions;
    const uint16_t* keys = a.k_cache + (g * a.capacity + s) * d_head;
    const uint16_t* next_keys = s + 2 * n <= a.capacity ? keys + n * d_head : keys;  // often those of the thread's next span
    const uint16_t* values = a.v_cache + (g * a.capacity + s) * d_value;
    step_scores<V, H>(a.q + first_head * d_head, keys, values, n, d_head, d_value, scores);
    for (int h = 0; h < H; ++h) {
      float* scores_h = scores + h * kStepPositions;
      if (is_bent) step_bend<V>(a, first_head + h, s, n, scores_h);
      shrink[h] = step_weights<V>(scores_h, n, is_bent ? 1.0f : a.scale, largest[h], total[h]);
    }
    int64_t d = 0;
    for (; d + 4 * V::kWidth <= d_value; d += 4 * V::kWidth) step_values<V, H, 4>(a, values, next_keys, n, d, scores, shrink, parts);
    for (; d < d_value; d += V::kWidth) step_values<V, H, 1>(a, values, next_keys, n, d, scores, shrink, parts);
  }
  for (int h = 0; h < H; ++h) {
    parts[h * size + d_value] = largest[h];
    parts[h * size + d_value + 1] = total[h];
  }
}

// parts [n_spans][n_heads][part_size] and the sinks to out [H,D_v].
template <class V>
inline void join_spans(const AttentionArgs& a, const float* parts, int64_t n_spans) {
  const int64_t d_value = a.value_dim, size = part_size(a), span_size = a.n_heads * size;
  for (int64_t h = 0; h < a.n_heads; ++h) {
    const float* part = parts + h * size;
    const float sink = a.sinks == nullptr ? kNoScore : a.sinks[h];
    float largest = sink, total = 0;
    for (int64_t i = 0; i < n_spans; ++i) largest = part[i * span_size + d_value] > largest ? part[i * span_size + d_value] : largest;
    float weights[kSpans_max];
    for (int64_t i = 0; i < n_spans; ++i) {
      float weight[V::kWidth];
      V::store(weight, V::exp(V::set1(part[i * span_size + d_value] - largest)));
      weights[i] = weight[0];
      total += weight[0] * part[i * span_size + d_value + 1];
    }
    if (a.sinks != nullptr) {
      float weight[V::kWidth];
      V::store(weight, V::exp(V::set1(sink - largest)));
      total += weight[0];
    }
    float* out = a.out + h * d_value;
    for (int64_t d = 0; d < d_value; d += V::kWidth) {
      auto sum = V::zero();
      for (int64_t i = 0; i < n_spans; ++i) sum = V::fma(V::load(part + i * span_size + d), V::set1(weights[i]), sum);
      V::store(out + d, V::mul(sum, V::set1(1 / total)));
    }
  }
}

// n_tokens == 1; both widths of a head are multiples of the vector width.
template <class V>
inline void attention_step(Exec& exec, const AttentionArgs& a) {
  const int64_t end = a.n_past + 1, begin = a.window > 0 && end > a.window ? end - a.window : 0;
  const int64_t wanted = (end - begin + kSpans_max - 1) / kSpans_max;
  const int64_t span = wanted < kSpan_min ? kSpan_min : (wanted + kStepPositions - 1) / kStepPositions * kStepPositions;
  const int64_t n_spans = (end - begin + span - 1) / span, group = a.n_heads / a.n_kv_heads;
  float* parts = static_cast<float*>(exec.scratch);
  parallel_ranges(exec, n_spans * a.n_kv_heads, 1, [&](int64_t first, int64_t last, int) {
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t g = unit / n_spans, i = unit % n_spans;
      const int64_t from = begin + i * span, to = from + span < end ? from + span : end;
      float* span_parts = parts + i * a.n_heads * part_size(a);
      for (int64_t h = g * group; h < (g + 1) * group; h += kStepHeads) {
        float* out = span_parts + h * part_size(a);
        switch ((g + 1) * group - h) {
          case 1: step_span<V, 1>(a, g, h, from, to, out); break;
          case 2: step_span<V, 2>(a, g, h, from, to, out); break;
          case 3: step_span<V, 3>(a, g, h, from, to, out); break;
          default: step_span<V, kStepHeads>(a, g, h, from, to, out);
        }
      }
    }
  });
  join_spans<V>(a, parts, n_spans);
}

}  // namespace nibble::cpu
