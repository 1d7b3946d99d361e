// What the tests of attention share: seeded queries and a cache of fp16 keys and values, and one run beside the reference.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "core/text.h"
#include "harness.h"
#include "ops/backends.h"
#include "ops/ops.h"

namespace test {

// Keys in [-3, 3), values and queries in [-1, 1): products are at most 3 * head_dim.
inline constexpr double kLargestKey = 3;

// Slopes and sinks for the heads of `args`.
struct HeadNumbers {
  std::vector<float> slopes, sinks;

  explicit HeadNumbers(int32_t n_heads) {
    for (int32_t h = 0; h < n_heads; ++h) {
      slopes.push_back(static_cast<float>(std::exp2(-0.5 * (h + 1))));
      sinks.push_back(static_cast<float>(h % 3) * 4 - 4);
    }
  }
};

// Of each output. A score is off by sqrt(D) roundings of its largest size and 4 more, a capped one by those of tanh (16 of the cap; its slope
// is at most 1, so that it passes on no more), a sloped one by a rounding of the product. exp passes that on to the weights,
// which sum to 1 over values of at most 1; the sums over positions add theirs.
inline double attention_allowance(const nibble::AttentionArgs& args) {
  double score = kLargestKey * args.scale * args.head_dim * (std::sqrt(args.head_dim) + 4);
  if (args.softcap > 0) score += 16 * args.softcap;
  const auto positions = static_cast<double>(args.n_past + args.n_tokens);
  if (args.slopes != nullptr) score += 2 * positions * args.slopes[0];
  return (score + std::sqrt(positions) + 8) * 0x1p-23;
}

inline std::string describe(const nibble::AttentionArgs& args) {
  return nibble::text("attention D ", args.head_dim, " values ", args.value_dim, " heads ", args.n_heads, "/", args.n_kv_heads, " past ",
                      args.n_past, " T ", args.n_tokens, " window ", args.window, " cap ", args.softcap,
                      args.slopes == nullptr ? "" : " slopes", args.sinks == nullptr ? "" : " sinks");
}

// Every backend against the reference on `args`, whose pointers to queries, cache and output are set here; value_dim 0: as head_dim.
inline void check_attention(nibble::Exec& exec, nibble::AttentionArgs args) {
  if (args.value_dim == 0) args.value_dim = args.head_dim;
  const auto cached = static_cast<size_t>(args.n_kv_heads * args.capacity), rows = static_cast<size_t>(args.n_tokens * args.n_heads);
  const auto head_dim = static_cast<size_t>(args.head_dim), value_dim = static_cast<size_t>(args.value_dim), out = rows * value_dim;
  const std::vector<float> keys = random_values(cached * head_dim, 5), values = random_values(cached * value_dim, 7);
  std::vector<uint16_t> k(keys.size()), v(values.size());
  for (size_t i = 0; i < k.size(); ++i) k[i] = nibble::f32_to_f16(keys[i] * static_cast<float>(kLargestKey));
  for (size_t i = 0; i < v.size(); ++i) v[i] = nibble::f32_to_f16(values[i]);
  const std::vector<float> q = random_values(rows * head_dim, 17);
  std::vector<float> expected(out);
  args.q = q.data();
  args.k_cache = k.data();
  args.v_cache = v.data();
  args.out = expected.data();
  nibble::op_table("ref").attention(exec, args);
  for_each_table([&](const nibble::OpTable& table) {
    std::vector<float> actual(out + 16, kSentinel);
    Scratch scratch(table.attention_scratch(exec, args));
    scratch.give(exec);
    args.out = actual.data() + 8;
    table.attention(exec, args);
    for (size_t i = 0; i < 8; ++i) CHECK(actual[i] == kSentinel && actual[actual.size() - 1 - i] == kSentinel);
    check_close(nibble::text(table.name, " ", describe(args)), {actual.begin() + 8, actual.end() - 8}, expected,
                [&](size_t) { return attention_allowance(args); });
  });
}

// `args` plain, and with each of the switches and all of them.
inline void check_switches(nibble::Exec& exec, const nibble::AttentionArgs& args) {
  const HeadNumbers numbers(args.n_heads);
  for (const int switches : {0, 1, 2, 4, 7}) {
    nibble::AttentionArgs changed = args;
    changed.softcap = (switches & 1) != 0 ? 5.0f : 0.0f;
    changed.slopes = (switches & 2) != 0 ? numbers.slopes.data() : nullptr;
    changed.sinks = (switches & 4) != 0 ? numbers.sinks.data() : nullptr;
    check_attention(exec, changed);
  }
}

}  // namespace test
