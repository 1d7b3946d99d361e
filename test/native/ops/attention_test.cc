// Attention of many tokens of every backend against the reference: past, window, head widths, groups, caps, slopes, sinks.
#include "core/thread_pool.h"
#include "ops/attention_cases.h"

using namespace nibble;

namespace {

AttentionArgs args_of(int32_t n_kv_heads, int32_t group, int32_t head_dim, int64_t n_past, int64_t n_tokens) {
  AttentionArgs args;
  args.n_kv_heads = n_kv_heads;
  args.n_heads = n_kv_heads * group;
  args.head_dim = head_dim;
  args.n_past = n_past;
  args.n_tokens = n_tokens;
  args.capacity = n_past + n_tokens + 3;
  args.scale = static_cast<float>(1 / std::sqrt(head_dim));
  return args;
}

}  // namespace

TEST_CASE(attention_agrees_with_the_reference) {
  ThreadPool pool(2);
  Exec exec;
  exec.pool = &pool;
  for (const int32_t head_dim : {16, 20, 64}) {
    for (const int64_t n_past : {0, 5, 70}) {
      for (const int64_t n_tokens : {1, 3, 37, 101}) {
        for (const int64_t window : {0, 9}) {
          AttentionArgs args = args_of(2, 3, head_dim, n_past, n_tokens);
          args.window = window;
          args.scale = 0.3f;
          test::check_attention(exec, args);
        }
      }
    }
  }
}

TEST_CASE(attention_with_caps_slopes_and_sinks_agrees_with_the_reference) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    Exec exec;
    exec.pool = &pool;
    for (const int32_t group : {1, 3, 8}) {
      for (const int64_t n_past : {0, 61}) {
        for (const int64_t n_tokens : {2, 50}) {
          for (const int64_t window : {0, 7}) {
            AttentionArgs args = args_of(2, group, 36, n_past, n_tokens);
            args.window = window;
            test::check_switches(exec, args);
          }
        }
      }
    }
  }
}

TEST_CASE(attention_of_every_width_of_keys_and_values_agrees_with_the_reference) {
  ThreadPool pool(3);
  Exec exec;
  exec.pool = &pool;
  struct Widths {
    int32_t head, value;
  };
  for (const Widths& widths : {Widths{80, 80}, Widths{96, 96}, Widths{128, 128}, Widths{256, 256}, Widths{192, 128}, Widths{20, 36},
                               Widths{36, 20}, Widths{24, 1}, Widths{1, 24}}) {
    for (const int64_t n_tokens : {1, 5, 33}) {
      AttentionArgs args = args_of(2, 2, widths.head, 50, n_tokens);
      args.value_dim = widths.value;
      test::check_switches(exec, args);
    }
  }
}

TEST_CASE(attention_of_every_group_size_agrees_with_the_reference) {
  Exec exec;
  for (const int32_t group : {2, 4, 5, 6, 7, 150}) test::check_attention(exec, args_of(1, group, 20, 3, 9));
}

// A sink far above every score takes all the weight, one far below none.
TEST_CASE(sinks_at_their_ends) {
  Exec exec;
  for (const int64_t n_tokens : {1, 4}) {
    for (const float sink : {-INFINITY, -1e30f, -200.0f, 60.0f}) {
      AttentionArgs args = args_of(1, 2, 64, 9, n_tokens);
      const std::vector<float> sinks(2, sink);
      args.sinks = sinks.data();
      test::check_attention(exec, args);
    }
  }
}
