// Attention of one token over a long cache: several spans, groups of query heads of every size, a window, threads.
#include "core/thread_pool.h"
#include "ops/attention_cases.h"

using namespace nibble;

namespace {

AttentionArgs step_args(int32_t group, int32_t head_dim, int64_t n_past, int64_t window) {
  AttentionArgs args;
  args.n_kv_heads = 2;
  args.n_heads = 2 * group;
  args.head_dim = head_dim;
  args.n_past = n_past;
  args.capacity = n_past + 3;
  args.n_tokens = 1;
  args.window = window;
  args.scale = 0.25f;
  return args;
}

}  // namespace

TEST_CASE(attention_step_agrees_with_the_reference) {
  ThreadPool pool(3);
  Exec exec;
  exec.pool = &pool;
  for (const int32_t head_dim : {16, 64, 80, 128}) {
    for (const int32_t group : {1, 2, 3, 4, 7}) {
      for (const int64_t n_past : {0, 63, 130, 1000, 4999}) {
        for (const int64_t window : {0, 200}) test::check_attention(exec, step_args(group, head_dim, n_past, window));
      }
    }
  }
}

TEST_CASE(attention_step_with_caps_slopes_and_sinks_agrees_with_the_reference) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    Exec exec;
    exec.pool = &pool;
    for (const int32_t group : {1, 2, 3, 5, 8}) {
      for (const int64_t n_past : {0, 63, 700}) {
        for (const int64_t window : {0, 150}) test::check_switches(exec, step_args(group, 64, n_past, window));
      }
    }
  }
}

TEST_CASE(attention_step_of_every_width_of_keys_and_values_agrees_with_the_reference) {
  ThreadPool pool(3);
  Exec exec;
  exec.pool = &pool;
  struct Widths {
    int32_t head, value;
  };
  for (const Widths& widths : {Widths{192, 128}, Widths{64, 128}, Widths{80, 16}, Widths{96, 96}, Widths{256, 256}, Widths{576, 512}}) {
    for (const int64_t n_past : {5, 300}) {
      AttentionArgs args = step_args(4, widths.head, n_past, 0);
      args.value_dim = widths.value;
      args.scale = static_cast<float>(1 / std::sqrt(widths.head));
      test::check_switches(exec, args);
    }
  }
}
