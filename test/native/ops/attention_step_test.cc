// Attention of one token over a long cache: several spans, groups of query heads of every size, a window, threads.
#include <cmath>

#include "core/thread_pool.h"
#include "ops/attention_cases.h"

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
          args.head_dim = args.value_dim = head_dim;
          args.n_past = n_past;
          args.capacity = n_past + 3;
          args.n_tokens = 1;
          args.window = window;
          args.scale = 0.25f;
          // Scores are off by sqrt(head_dim) roundings, exp passes that on to the weights, which sum to 1 over values of at most 1;
          // the sums over positions add theirs.
          const double score = test::kLargestKey * args.scale * head_dim;
          const double allowance = (score * std::sqrt(head_dim) + std::sqrt(static_cast<double>(n_past + 1)) + 8) * 0x1p-23;
          const std::string what = text("attention step D ", head_dim, " group ", group, " past ", n_past, " window ", window);
          test::check_attention(exec, args, what, allowance);
        }
      }
    }
  }
}
