// What the tests of attention share: seeded queries and a cache of fp16 keys and values, and one run beside the reference.
#pragma once

#include <string>
#include <vector>

#include "core/dtype.h"
#include "core/text.h"
#include "harness.h"
#include "ops/backends.h"
#include "ops/ops.h"

namespace test {

// Keys in [-3, 3), values and queries in [-1, 1): scores are at most 3 * scale * head_dim.
inline constexpr double kLargestKey = 3;

// Every backend against the reference on `args`, whose pointers are set here; `allowance` is that of each output.
inline void check_attention(nibble::Exec& exec, nibble::AttentionArgs args, const std::string& what, double allowance) {
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
    check_close(nibble::text(table.name, " ", what), {actual.begin() + 8, actual.end() - 8}, expected, [&](size_t) { return allowance; });
  });
}

}  // namespace test
