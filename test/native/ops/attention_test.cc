// Attention of every backend against the reference: past, window, odd head widths.
#include "core/dtype.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "harness.h"
#include "ops/backends.h"
#include "ops/ops.h"

using namespace nibble;
using test::for_each_table;
using test::kSentinel;
using test::Scratch;

TEST_CASE(attention_agrees_with_the_reference) {
  ThreadPool pool(2);
  const OpTable& ref = op_table("ref");
  for (const int32_t head_dim : {16, 20, 64}) {
    for (const int64_t n_past : {0, 5, 70}) {
      for (const int64_t n_tokens : {1, 3, 37, 101}) {
        for (const int64_t window : {0, 9}) {
          AttentionArgs args;
          args.n_heads = 6;
          args.n_kv_heads = 2;
          args.head_dim = head_dim;
          args.capacity = 180;
          args.n_past = n_past;
          args.n_tokens = n_tokens;
          args.window = window;
          args.scale = 0.3f;
          const size_t cache = static_cast<size_t>(2 * 180 * head_dim), out = static_cast<size_t>(n_tokens * 6 * head_dim);
          std::vector<uint16_t> k(cache), v(cache);
          const std::vector<float> values = test::random_values(cache * 2, 5);
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
          Exec exec;
          exec.pool = &pool;
          ref.attention(exec, args);
          for_each_table([&](const OpTable& table) {
            std::vector<float> actual(out + 16, kSentinel);
            Scratch scratch(table.attention_scratch(exec, args));
            scratch.give(exec);
            args.out = actual.data() + 8;
            table.attention(exec, args);
            for (size_t i = 0; i < 8; ++i) CHECK(actual[i] == kSentinel && actual[actual.size() - 1 - i] == kSentinel);
            // |v| <= 1 and the weights sum to 1: errors are those of the scores (|score| <= 3 * 0.3 * head_dim) and of the sums.
            const double allowance = (head_dim + 16) * 4 * 0x1p-24 * 10;
            test::check_close(text(table.name, " attention D ", head_dim, " past ", n_past, " T ", n_tokens, " window ", window),
                              {actual.begin() + 8, actual.end() - 8}, expected, [&](size_t) { return allowance; });
          });
        }
      }
    }
  }
}
