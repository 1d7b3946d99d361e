// Causal attention over an fp16 cache, with the online softmax of FlashAttention (Dao et al., arXiv 2205.14135): positions are
// taken in blocks, so that memory does not grow with the context. The query rows of one key/value head (its H/G query heads
// times a few tokens) share every block of keys and values that was converted to fp32. Included by isa_<set>.cc only.
#pragma once

#include "ops/cpu/matmul.inl.h"

namespace nibble::cpu {

inline constexpr int64_t kPositions = 32;     // cache positions per block
inline constexpr int64_t kQueryTokens = 16;  // tokens per unit of work

// Floats one worker needs: keys and values of a block [kPositions, D] twice, and per query row the sums [D], largest, total
// and the scores of a block.
inline size_t attention_room(const AttentionArgs& a) {
  const size_t rows = static_cast<size_t>(kQueryTokens) * static_cast<size_t>(a.n_heads / a.n_kv_heads);
  return 2 * kPositions * static_cast<size_t>(a.head_dim) + rows * (static_cast<size_t>(a.head_dim) + 2 + kPositions) + 64;
}

template <class V>
size_t attention_scratch(const Exec& exec, const AttentionArgs& args) {
  return static_cast<size_t>(worker_count(exec)) * attention_room(args) * sizeof(float);
}

template <class V>
inline void load_block(float* out, const uint16_t* rows, int64_t n) {
  int64_t i = 0;
  for (; i + V::kWidth <= n; i += V::kWidth) V::store(out + i, V::load_f16(rows + i));
  plain::load_f16_row(out + i, rows + i, n - i);
}

template <class V>
inline float dot(const float* a, const float* b, int64_t n) {
  auto sums = V::zero();
  int64_t i = 0;
  for (; i + V::kWidth <= n; i += V::kWidth) sums = V::fma(V::load(a + i), V::load(b + i), sums);
  float sum = V::sum(sums);
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// out += weight * x
template <class V>
inline void add_scaled(float* out, const float* x, float weight, int64_t n) {
  int64_t i = 0;
  for (; i + V::kWidth <= n; i += V::kWidth) V::store(out + i, V::fma(V::set1(weight), V::load(x + i), V::load(out + i)));
  for (; i < n; ++i) out[i] += weight * x[i];
}

// One key/value head and the tokens first_token .. last_token - 1.
template <class V>
inline void attend(const AttentionArgs& a, int64_t g, int64_t first_token, int64_t last_token, float* room) {
  const int64_t d_head = a.head_dim, group = a.n_heads / a.n_kv_heads, rows = (last_token - first_token) * group;
  float* keys = room;
  float* values = keys + kPositions * d_head;
  float* sums = values + kPositions * d_head;
  float* largest = sums + rows * d_head;
  float* total = largest + rows;
  float* scores = total + rows;
  for (int64_t i = 0; i < rows * d_head; ++i) sums[i] = 0;
  for (int64_t r = 0; r < rows; ++r) {
    largest[r] = -__builtin_inff();
    total[r] = 0;
  }
  const int64_t end = a.n_past + last_token;
  int64_t begin = a.window > 0 ? a.n_past + first_token + 1 - a.window : 0;
  begin = begin < 0 ? 0 : begin / kPositions * kPositions;
  for (int64_t s = begin; s < end; s += kPositions) {
    const int64_t n = end - s < kPositions ? end - s : kPositions;
    load_block<V>(keys, a.k_cache + (g * a.capacity + s) * d_head, n * d_head);
    load_block<V>(values, a.v_cache + (g * a.capacity + s) * d_head, n * d_head);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t token = first_token + r / group, position = a.n_past + token;
      const int64_t first = a.window > 0 && position + 1 - a.window > s ? position + 1 - a.window - s : 0;
      const int64_t last = position + 1 - s < n ? position + 1 - s : n;
      if (first >= last) continue;
      const float* q = a.q + (token * a.n_heads + g * group + r % group) * d_head;
      float block_largest = largest[r];
      for (int64_t i = first; i < last; ++i) {
        scores[i] = dot<V>(q, keys + i * d_head, d_head) * a.scale;
        block_largest = scores[i] > block_largest ? scores[i] : block_largest;
      }
      float* sum_r = sums + r * d_head;
      if (block_largest > largest[r]) {
        const float shrink = largest[r] == -__builtin_inff() ? 0.0f : __builtin_expf(largest[r] - block_largest);
        for (int64_t d = 0; d < d_head; ++d) sum_r[d] *= shrink;
        total[r] *= shrink;
        largest[r] = block_largest;
      }
      for (int64_t i = first; i < last; ++i) {
        const float weight = __builtin_expf(scores[i] - block_largest);
        total[r] += weight;
        add_scaled<V>(sum_r, values + i * d_head, weight, d_head);
      }
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    float* out = a.out + ((first_token + r / group) * a.n_heads + g * group + r % group) * d_head;
    const float scale = 1 / total[r];
    for (int64_t d = 0; d < d_head; ++d) out[d] = sums[r * d_head + d] * scale;
  }
}

template <class V>
void attention(Exec& exec, const AttentionArgs& args) {
  const int64_t token_blocks = (args.n_tokens + kQueryTokens - 1) / kQueryTokens;
  parallel_ranges(exec, token_blocks * args.n_kv_heads, 1, [&](int64_t begin, int64_t end, int worker) {
    float* room = static_cast<float*>(exec.scratch) + static_cast<size_t>(worker) * attention_room(args);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i / args.n_kv_heads * kQueryTokens;
      const int64_t last = first + kQueryTokens < args.n_tokens ? first + kQueryTokens : args.n_tokens;
      attend<V>(args, i % args.n_kv_heads, first, last, room);
    }
  });
}

}  // namespace nibble::cpu
