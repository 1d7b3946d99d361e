// Causal attention over an fp16 cache, with the online softmax of FlashAttention (Dao et al., arXiv 2205.14135): positions are
// taken in blocks, so that memory does not grow with the context. Many tokens: the query rows of one key/value head (its H/G query
// heads times some tokens) share every block of keys and values that was converted to fp32. Scores are kept as [position, row], so that
// softmax works on vectors of rows and both products are those of a panel with rows of scalars. Included by isa_<set>.cc only.
#pragma once

#include "ops/cpu/attention_step.inl.h"
#include "ops/cpu/panel.inl.h"

namespace nibble::cpu {

inline constexpr int64_t kPositions = 48;   // cache positions per block: a multiple of each set's kMicroRows
inline constexpr int64_t kQueryRows = 128;  // query rows per unit of work, about

template <class V>
inline int64_t round_up_to_panel(int64_t n) {
  return (n + kPanelRows<V> - 1) / kPanelRows<V> * kPanelRows<V>;
}

inline int64_t tokens_per_unit(const AttentionArgs& a) {
  const int64_t tokens = kQueryRows / (a.n_heads / a.n_kv_heads);
  return tokens < 1 ? 1 : tokens;
}

// What one worker works in. Query rows are padded to whole tiles of kPanelRows, the width of values to whole panels.
template <class V>
struct AttentionRoom {
  int64_t rows, width;
  float* queries;   // [tile][D][kPanelRows], scaled
  float* keys;      // [kPositions][D]
  float* values;    // [kPositions][width]
  float* scores;    // [kPositions][kPanelRows]
  float* sums;      // [rows][width]
  float* largest;   // [rows]
  float* total;     // [rows]
  float* slopes;    // [rows]
  float* position;  // [rows]
  float* end;

  AttentionRoom(const AttentionArgs& a, float* room)
      : rows(round_up_to_panel<V>(tokens_per_unit(a) * (a.n_heads / a.n_kv_heads))), width(round_up_to_panel<V>(a.value_dim)) {
    queries = room;
    keys = queries + rows * a.head_dim;
    values = keys + kPositions * a.head_dim;
    scores = values + kPositions * width;
    sums = scores + kPositions * kPanelRows<V>;
    largest = sums + rows * width;
    total = largest + rows;
    slopes = total + rows;
    position = slopes + rows;
    end = position + rows;
  }
};

template <class V>
inline size_t attention_room_size(const AttentionArgs& a) {
  const AttentionRoom<V> room(a, nullptr);
  return static_cast<size_t>(room.end - room.queries + 16) / 16 * 16;
}

template <class V>
size_t attention_scratch(const Exec& exec, const AttentionArgs& args) {
  const size_t many = static_cast<size_t>(worker_count(exec)) * attention_room_size<V>(args) * sizeof(float);
  const size_t one = step_scratch(args);
  return many > one ? many : one;
}

// n rows of fp16 [n, d_head] as fp32 [n, width]; what is beyond d_head stays as it is.
template <class V>
inline void load_rows(float* out, int64_t width, const uint16_t* rows, int64_t n, int64_t d_head) {
  for (int64_t s = 0; s < n; ++s) {
    int64_t d = 0;
    for (; d + V::kWidth <= d_head; d += V::kWidth) V::store(out + s * width + d, V::load_f16(rows + s * d_head + d));
    if (d < d_head) plain::load_f16_row(out + s * width + d, rows + s * d_head + d, d_head - d);
  }
}

// One key/value head and the tokens first_token .. last_token - 1.
template <class V>
struct AttentionUnit {
  static constexpr int64_t kTile = kPanelRows<V>;

  const AttentionArgs& a;
  int64_t g, first_token, last_token;
  AttentionRoom<V> room;
  int64_t group = a.n_heads / a.n_kv_heads;
  int64_t n_rows = (last_token - first_token) * group;  // row r: token first_token + r / group, head g * group + r % group

  int64_t head(int64_t row) const { return g * group + row % group; }
  int64_t token_and_head(int64_t row) const { return (first_token + row / group) * a.n_heads + head(row); }

  // A sink is a position before the first, whose value is 0.
  void prepare() const {
    const float scale = a.softcap > 0 ? a.scale / a.softcap : a.scale;
    for (int64_t row = 0; row < room.rows; ++row) {
      const bool is_used = row < n_rows;
      float* panel = room.queries + row / kTile * kTile * a.head_dim + row % kTile;
      const float* query = a.q + token_and_head(row) * a.head_dim;
      for (int64_t d = 0; d < a.head_dim; ++d) panel[d * kTile] = is_used ? query[d] * scale : 0.0f;
      const bool has_sink = is_used && a.sinks != nullptr && a.sinks[head(row)] > kNoScore;
      room.largest[row] = has_sink ? a.sinks[head(row)] : kNoScore;
      room.total[row] = has_sink ? 1.0f : 0.0f;
      room.slopes[row] = is_used && a.slopes != nullptr ? a.slopes[head(row)] : 0.0f;
      room.position[row] = static_cast<float>(a.n_past + first_token + row / group);
      for (int64_t d = 0; d < room.width; ++d) room.sums[row * room.width + d] = 0;
    }
    for (int64_t i = 0; i < kPositions * room.width; ++i) room.values[i] = 0;  // the padding must be finite
  }

  void run() const {
    prepare();
    const int64_t end = a.n_past + last_token;
    const int64_t first = a.window > 0 ? a.n_past + first_token + 1 - a.window : 0;
    for (int64_t s = first < 0 ? 0 : first; s < end; s += kPositions) {
      const int64_t n = end - s < kPositions ? end - s : kPositions;
      load_rows<V>(room.keys, a.head_dim, a.k_cache + (g * a.capacity + s) * a.head_dim, n, a.head_dim);
      load_rows<V>(room.values, room.width, a.v_cache + (g * a.capacity + s) * a.value_dim, n, a.value_dim);
      for (int64_t tile = 0; tile < n_rows; tile += kTile) {
        const int64_t last_row = (tile + kTile < n_rows ? tile + kTile : n_rows) - 1;
        if (s > a.n_past + first_token + last_row / group) continue;  // all of these rows come before
        score_tile(tile, n);
        if (a.softcap > 0) cap_tile(n);
        if (a.slopes != nullptr) slope_tile(tile, s, n);
        weigh_tile(tile, s, n);
      }
    }
    for (int64_t row = 0; row < n_rows; ++row) {
      float* out = a.out + token_and_head(row) * a.value_dim;
      const float scale = 1 / room.total[row];
      for (int64_t d = 0; d < a.value_dim; ++d) out[d] = room.sums[row * room.width + d] * scale;
    }
  }

  void score_tile(int64_t tile, int64_t n) const {
    const float* panel = room.queries + tile * a.head_dim;
    int64_t s = 0;
    const auto micro = [&]<int MR>() {
      micro_f32<V, MR>(panel, room.keys + s * a.head_dim, a.head_dim, a.head_dim, room.scores + s * kTile);
      s += MR;
    };
    while (s + V::kMicroRows <= n) micro.template operator()<V::kMicroRows>();
    while (s + 4 <= n) micro.template operator()<4>();
    while (s < n) micro.template operator()<1>();
  }

  // Queries were scaled by 1 / softcap.
  void cap_tile(int64_t n) const {
    const auto cap = V::set1(a.softcap);
    for (int64_t i = 0; i < n * kTile; i += V::kWidth) V::store(room.scores + i, V::mul(cap, tanh<V>(V::load(room.scores + i))));
  }

  void slope_tile(int64_t tile, int64_t s, int64_t n) const {
    for (int64_t r = 0; r < kTile; r += V::kWidth) {
      const auto slope = V::load(room.slopes + tile + r), position = V::load(room.position + tile + r);
      for (int64_t i = 0; i < n; ++i) {
        float* scores = room.scores + i * kTile + r;
        V::store(scores, V::fma(slope, V::sub(V::set1(static_cast<float>(s + i)), position), V::load(scores)));
      }
    }
  }

  // Sets the scores of positions that a row of the tile does not see to `value`. True if there are any.
  bool mask_tile(int64_t tile, int64_t s, int64_t n, float value) const {
    bool has_masked = false;
    for (int64_t i = 0; i < n; ++i) {
      const int64_t token = s + i - a.n_past - first_token;  // the first that sees this position
      const int64_t begin = token * group - tile, end = a.window > 0 ? (token + a.window) * group - tile : kTile;
      has_masked = has_masked || begin > 0 || end < kTile;
      float* scores = room.scores + i * kTile;
      for (int64_t r = 0; r < begin && r < kTile; ++r) scores[r] = value;
      for (int64_t r = end < 0 ? 0 : end; r < kTile; ++r) scores[r] = value;
    }
    return has_masked;
  }

  // The online softmax, then sums = sums * shrink + weights x values.
  void weigh_tile(int64_t tile, int64_t s, int64_t n) const {
    const bool has_masked = mask_tile(tile, s, n, kNoScore);
    float shrink[kTile];
    for (int64_t r = 0; r < kTile; r += V::kWidth) {
      float* scores = room.scores + r;
      const auto before = V::load(room.largest + tile + r);
      auto largest = before;
      for (int64_t i = 0; i < n; ++i) largest = V::max(largest, V::load(scores + i * kTile));
      for (int64_t i = 0; i < n; ++i) V::store(scores + i * kTile, V::exp(V::sub(V::load(scores + i * kTile), largest)));
      V::store(room.largest + tile + r, largest);
      V::store(shrink + r, V::exp(V::sub(before, largest)));
    }
    if (has_masked) mask_tile(tile, s, n, 0);
    for (int64_t r = 0; r < kTile; r += V::kWidth) {
      auto total = V::mul(V::load(room.total + tile + r), V::load(shrink + r));
      for (int64_t i = 0; i < n; ++i) total = V::add(total, V::load(room.scores + i * kTile + r));
      V::store(room.total + tile + r, total);
    }
    constexpr int kRows = V::kWidth >= 8 ? kTile / 4 : kTile / 2;
    for (int64_t d = 0; d < room.width; d += kTile) {
      for (int64_t r = 0; r < kTile; r += kRows) add_weighted<kRows>(room.sums + (tile + r) * room.width + d, r, d, n, shrink + r);
    }
  }

  // sums [MR][2 vectors] of the rows r .. of the tile.
  template <int MR>
  void add_weighted(float* sums, int64_t r, int64_t d, int64_t n, const float* shrink) const {
    typename V::F acc[MR][2];
    for (int m = 0; m < MR; ++m) acc[m][0] = acc[m][1] = V::zero();
    const float* values = room.values + d;
    const float* weights = room.scores + r;
    for (int64_t i = 0; i < n; ++i) {
      const auto v0 = V::load(values + i * room.width), v1 = V::load(values + i * room.width + V::kWidth);
      for (int m = 0; m < MR; ++m) {
        const auto weight = V::set1(weights[i * kTile + m]);
        acc[m][0] = V::fma(v0, weight, acc[m][0]);
        acc[m][1] = V::fma(v1, weight, acc[m][1]);
      }
    }
    for (int m = 0; m < MR; ++m) {
      float* sum = sums + m * room.width;
      V::store(sum, V::fma(V::load(sum), V::set1(shrink[m]), acc[m][0]));
      V::store(sum + V::kWidth, V::fma(V::load(sum + V::kWidth), V::set1(shrink[m]), acc[m][1]));
    }
  }
};

template <class V>
void attention(Exec& exec, const AttentionArgs& args) {
  if (args.n_tokens == 1 && args.head_dim % V::kWidth == 0 && args.value_dim % V::kWidth == 0) return attention_step<V>(exec, args);
  const int64_t n_unit = tokens_per_unit(args), units = (args.n_tokens + n_unit - 1) / n_unit;
  parallel_ranges(exec, units * args.n_kv_heads, 1, [&](int64_t begin, int64_t end, int worker) {
    float* room = static_cast<float*>(exec.scratch) + static_cast<size_t>(worker) * attention_room_size<V>(args);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t unit = units - 1 - i / args.n_kv_heads;  // the last tokens see the most: they go first
      const int64_t first = unit * n_unit, last = first + n_unit < args.n_tokens ? first + n_unit : args.n_tokens;
      AttentionUnit<V>{args, i % args.n_kv_heads, first, last, AttentionRoom<V>(args, room)}.run();
    }
  });
}

}  // namespace nibble::cpu
