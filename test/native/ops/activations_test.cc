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
      NormArgs norm{.x = x.data(), .weight = weight.data(), .rows = n_tokens, .width = width, .eps = 1e-5f};
      norm.out = expected.data();
      ref.rmsnorm(exec, norm);
      norm.out = actual.data();
      table.rmsnorm(exec, norm);
      test::check_close(text(table.name, " rmsnorm ", width), actual, expected,
                        [&](size_t i) { return 16 * 0x1p-24 * (std::fabs(expected[i]) + 1e-6); });

      std::vector<float> gate = x;
      for (float& g : gate) g *= 100;  // exp must not overflow at the ends
      GateArgs gated{.gate = gate.data(), .up = up.data(), .n_tokens = n_tokens, .width = width, .stride = width};
      gated.out = expected.data();
      ref.gate(exec, gated);
      gated.out = actual.data();
      table.gate(exec, gated);
      test::check_close(text(table.name, " gate ", width), actual, expected,
                        [&](size_t i) { return 16 * 0x1p-24 * std::fabs(expected[i]) + 1e-30; });

      expected = actual = x;
      ref.add(exec, expected.data(), up.data(), 1, static_cast<int64_t>(n));
      table.add(exec, actual.data(), up.data(), 1, static_cast<int64_t>(n));
      CHECK(actual == expected);
    }
    const std::vector<float> inv_freq = {1.0f, 0.3f, 0.1f, 0.04f, 0.01f, 0.003f, 0.001f, 0.0004f, 0.0001f, 0.00003f};
    const std::vector<float> q = test::random_values(5 * 3 * 24, 37);
    std::vector<float> expected = q, actual = q;
    Exec exec;
    exec.pool = &pool;
    RopeArgs rope{expected.data(), inv_freq.data(), 5, 1000, 3, 24, 20, 1.5f};
    ref.rope(exec, rope);
    rope.x = actual.data();
    table.rope(exec, rope);
    test::check_close(text(table.name, " rope"), actual, expected, [](size_t) { return 8 * 0x1p-24; });

    std::vector<uint16_t> stored(2 * 9 * 20, 7), wanted(stored);
    ref.kv_store(exec, wanted.data(), q.data(), 4, 3, 9, 2, 20);
    table.kv_store(exec, stored.data(), q.data(), 4, 3, 9, 2, 20);
    CHECK(stored == wanted);
  });
}
