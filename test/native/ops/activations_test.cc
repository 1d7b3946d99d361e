// Ops on activations of every backend against the reference.
#include <cmath>

#include "core/text.h"
#include "core/thread_pool.h"
#include "harness.h"
#include "ops/backends.h"
#include "ops/ops.h"

using namespace nibble;
using test::for_each_table;

TEST_CASE(small_ops_agree_with_the_reference) {
  ThreadPool pool(2);
  const OpTable& ref = op_table("ref");
  for_each_table([&](const OpTable& table) {
    for (const int64_t width : {1, 15, 64, 100, 577}) {
      const int64_t n_tokens = 19;
      const size_t n = static_cast<size_t>(n_tokens * width);
      const std::vector<float> x = test::random_values(n, 23), up = test::random_values(n, 29),
                               weight = test::random_values(static_cast<size_t>(width), 31);
      Exec exec;
      exec.pool = &pool;
      std::vector<float> expected(n), actual(n);
      ref.rmsnorm(exec, expected.data(), x.data(), weight.data(), n_tokens, width, 1e-5f);
      table.rmsnorm(exec, actual.data(), x.data(), weight.data(), n_tokens, width, 1e-5f);
      test::check_close(text(table.name, " rmsnorm ", width), actual, expected,
                        [&](size_t i) { return 16 * 0x1p-24 * (std::fabs(expected[i]) + 1e-6); });

      std::vector<float> gate = x;
      for (float& g : gate) g *= 100;  // exp must not overflow at the ends
      ref.silu_mul(exec, expected.data(), gate.data(), up.data(), static_cast<int64_t>(n));
      table.silu_mul(exec, actual.data(), gate.data(), up.data(), static_cast<int64_t>(n));
      test::check_close(text(table.name, " silu_mul ", width), actual, expected,
                        [&](size_t i) { return 16 * 0x1p-24 * std::fabs(expected[i]) + 1e-30; });

      expected = actual = x;
      ref.add(exec, expected.data(), up.data(), static_cast<int64_t>(n));
      table.add(exec, actual.data(), up.data(), static_cast<int64_t>(n));
      CHECK(actual == expected);
    }
    const std::vector<float> inv_freq = {1.0f, 0.3f, 0.1f, 0.04f, 0.01f, 0.003f, 0.001f, 0.0004f, 0.0001f, 0.00003f};
    const std::vector<float> q = test::random_values(5 * 3 * 24, 37);
    std::vector<float> expected = q, actual = q;
    Exec exec;
    exec.pool = &pool;
    ref.rope(exec, expected.data(), inv_freq.data(), 5, 1000, 3, 24, 20, 1.5f);
    table.rope(exec, actual.data(), inv_freq.data(), 5, 1000, 3, 24, 20, 1.5f);
    test::check_close(text(table.name, " rope"), actual, expected, [](size_t) { return 8 * 0x1p-24; });

    std::vector<uint16_t> stored(2 * 9 * 20, 7), wanted(stored);
    ref.kv_store(exec, wanted.data(), q.data(), 4, 3, 9, 2, 20);
    table.kv_store(exec, stored.data(), q.data(), 4, 3, 9, 2, 20);
    CHECK(stored == wanted);
  });
}
