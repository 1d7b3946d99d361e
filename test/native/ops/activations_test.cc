// Gated and plain activations of every backend against the reference: layouts, odd widths, the ends of exp.
#include <cmath>

#include "core/thread_pool.h"
#include "ops/row_cases.h"

using namespace nibble;

namespace {

constexpr Activation kAll[] = {Activation::silu, Activation::gelu,       Activation::gelu_tanh,
                               Activation::relu, Activation::quick_gelu, Activation::relu2};

enum class Layout { apart, halves, pairs };

struct Case {
  Layout layout;
  int64_t n_tokens, width;
  float limit, alpha;
};

// |out| <= |g (u + 1)| <= 2 |g|. 8 roundings of exp, quotient and products; the argument of exp is off by 3 roundings, and x / (1 + exp(-y))
// times |y| of them is at most 2 |x|; gelu_tanh has 2 |y| <= 4 x^2 / ... of the same kind. What exp clamps is below 1e-36.
double allowance(double out, double g) { return 0x1p-24 * (16 * std::fabs(out) + 24 * std::fabs(g)) + 1e-33; }

void check_gate(const OpTable& table, Exec& exec, const Case& c, Activation act) {
  const auto n = static_cast<size_t>(c.n_tokens * c.width);
  std::vector<float> x = test::random_values(2 * n, 29);
  for (size_t i = 0; i < x.size(); ++i) x[i] *= i % 7 == 0 ? 100.0f : 4.0f;  // exp must not overflow at the ends
  GateArgs args{.n_tokens = c.n_tokens, .width = c.width, .act = act, .limit = c.limit, .alpha = c.alpha};
  args.gate = x.data();
  args.stride = c.layout == Layout::apart ? c.width : 2 * c.width;
  args.step = c.layout == Layout::pairs ? 2 : 1;
  args.up = x.data() + (c.layout == Layout::apart ? static_cast<int64_t>(n) : c.layout == Layout::pairs ? 1 : c.width);
  std::vector<float> expected(n);
  args.out = expected.data();
  op_table("ref").gate(exec, args);
  const std::string what = text(table.name, " gate ", static_cast<int>(act), " layout ", static_cast<int>(c.layout), " T ", c.n_tokens,
                                " F ", c.width, " limit ", c.limit);
  test::Guarded out(n);
  args.out = out.data();
  table.gate(exec, args);
  const auto largest = [&](size_t i) {
    const auto at = static_cast<int64_t>(i) / c.width * args.stride + static_cast<int64_t>(i) % c.width * args.step;
    return args.gate[at] * (std::fabs(args.up[at]) + 1);
  };
  test::check_close(what, out.values(), expected, [&](size_t i) { return allowance(expected[i], largest(i)); });
  CHECK(out.is_intact());
  if (c.layout != Layout::apart) return;
  for (const bool is_gate : {true, false}) {  // out may be one of the inputs
    test::Guarded in_place(std::vector<float>(is_gate ? args.gate : args.up, (is_gate ? args.gate : args.up) + n));
    GateArgs alias = args;
    alias.out = in_place.data();
    (is_gate ? alias.gate : alias.up) = in_place.data();
    table.gate(exec, alias);
    CHECK(in_place.values() == out.values());
    CHECK(in_place.is_intact());
  }
}

}  // namespace

TEST_CASE(gate_agrees_with_the_reference) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    Exec exec;
    exec.pool = &pool;
    test::for_each_table([&](const OpTable& table) {
      for (const Layout layout : {Layout::apart, Layout::halves, Layout::pairs}) {
        for (const Case& c : {Case{layout, 1, 1, 0, 0}, Case{layout, 1, 77, 0, 0}, Case{layout, 5, 64, 0, 0}, Case{layout, 3, 131, 0, 0},
                              Case{layout, 1, 20001, 0, 0}, Case{layout, 300, 37, 0, 0}}) {
          for (const Activation act : kAll) check_gate(table, exec, c, act);
        }
        for (const Case& c : {Case{layout, 1, 77, 7, 1.702f}, Case{layout, 4, 33, 1.5f, 1.702f}, Case{layout, 2, 9001, 7, 1}}) {
          check_gate(table, exec, c, Activation::silu);
        }
      }
    });
  }
}

TEST_CASE(activate_agrees_with_the_reference) {
  ThreadPool pool(3);
  Exec exec;
  exec.pool = &pool;
  test::for_each_table([&](const OpTable& table) {
    for (const Activation act : kAll) {
      for (const size_t n : {1, 15, 16, 1001, 30000}) {
        std::vector<float> x = test::random_values(n, 41);
        for (float& value : x) value *= 12;
        test::Guarded actual(x);
        std::vector<float> expected = x;
        op_table("ref").activate(exec, expected.data(), act, static_cast<int64_t>(n));
        table.activate(exec, actual.data(), act, static_cast<int64_t>(n));
        test::check_close(text(table.name, " activate ", static_cast<int>(act), " n ", n), actual.values(), expected,
                          [&](size_t i) { return allowance(expected[i], x[i]); });
        CHECK(actual.is_intact());
      }
    }
  });
}
