// Attention of one token over a long cache: several spans, groups of query heads of every size, a window, threads.
#include "core/dtype.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "harness.h"
#include "ops/backends.h"
#include "ops/ops.h"

using namespace nibble;

TEST_CASE(attention_step_agrees_with_the_reference) {
  ThreadPool pool(3);
  Exec exec;
  exec.pool = &pool;
  for (const int32_t head_dim : {16, 64, 80, 128}) {
    for (const int32_t group : {1, 2, 3, 4, 7}) {
      for (const int64_t n_past : {0, 63, 130, 1000, 4999}) {
        for (const int64_t window : {0, 200}) {
          AttentionArgs args;
          args.n_kv_heads = 2;
          args.n_heads = 2 * group;
          args.head_dim = head_dim;
          args.n_past = n_past;
          args.capacity = n_past + 3;
          args.n_tokens = 1;
          args.window = window;
          args.scale = 0.25f;
          const size_t cache = static_cast<size_t>(2 * args.capacity * head_dim), out = static_cast<size_t>(args.n_heads * head_dim);
          const std::vector<float> values = test::random_values(cache * 2, 5);
          std::vector<uint16_t> k(cache), v(cache);
          for (size_t i = 0; i < cache; ++i) {
            k[i] = f32_to_f16(values[i] * 3);
            v[i] = f32_to_f16(values[cache + i]);
          }
          const std::vector<float> q = test::random_values(out, 17);
          std::vector<float> expected(out);
          args.q = q.data();
          args.k_cache = k.data();
          args.v_cache = v.data();
          args.out = expected.data();
          op_table("ref").attention(exec, args);
          test::for_each_table([&](const OpTable& table) {
            std::vector<float> actual(out + 16, test::kSentinel);
            test::Scratch scratch(table.attention_scratch(exec, args));
            scratch.give(exec);
            args.out = actual.data() + 8;
            table.attention(exec, args);
            for (size_t i = 0; i < 8; ++i) CHECK(actual[i] == test::kSentinel && actual[actual.size() - 1 - i] == test::kSentinel);
            // Scores (at most 3 * 0.25 * head_dim) are off by sqrt(head_dim) roundings, exp passes that on to the weights, which sum
            // to 1 over values of at most 1; the sums over positions add theirs.
            const double score = 3 * 0.25 * head_dim,
                         allowance = (score * std::sqrt(head_dim) + std::sqrt(static_cast<double>(n_past + 1)) + 8) * 0x1p-23;
            test::check_close(text(table.name, " attention step D ", head_dim, " group ", group, " past ", n_past, " window ", window),
                              {actual.begin() + 8, actual.end() - 8}, expected, [&](size_t) { return allowance; });
          });
        }
      }
    }
  }
}
