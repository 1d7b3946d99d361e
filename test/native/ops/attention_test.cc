// Attention of every backend against the reference: past, window, odd head widths.
#include "core/thread_pool.h"
#include "ops/attention_cases.h"

using namespace nibble;

TEST_CASE(attention_agrees_with_the_reference) {
  ThreadPool pool(2);
  Exec exec;
  exec.pool = &pool;
  for (const int32_t head_dim : {16, 20, 64}) {
    for (const int64_t n_past : {0, 5, 70}) {
      for (const int64_t n_tokens : {1, 3, 37, 101}) {
        for (const int64_t window : {0, 9}) {
          AttentionArgs args;
          args.n_heads = 6;
          args.n_kv_heads = 2;
          args.head_dim = args.value_dim = head_dim;
          args.capacity = 180;
          args.n_past = n_past;
          args.n_tokens = n_tokens;
          args.window = window;
          args.scale = 0.3f;
          // |v| <= 1 and the weights sum to 1: errors are those of the scores and of the sums.
          const double allowance = (head_dim + 16) * 4 * 0x1p-24 * 10;
          const std::string what = text("attention D ", head_dim, " past ", n_past, " T ", n_tokens, " window ", window);
          test::check_attention(exec, args, what, allowance);
        }
      }
    }
  }
}
