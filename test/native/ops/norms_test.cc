// Norms of every backend against the reference: odd widths, weights of several rows or none, in place, rows far from zero.
#include <cmath>

#include "core/thread_pool.h"
#include "ops/row_cases.h"

using namespace nibble;
using Norm = void (*OpTable::*)(Exec&, const NormArgs&);

namespace {

struct Row {
  int64_t rows, width, weight_rows;
  bool has_weight, has_bias;
  float offset;  // added to values in [-1, 1)
};

// Allowance: x and its mean are off by 2 roundings, the scale by that of the sums (at most width / 4 terms to an accumulator, half of it
// left after the root) and 2 more; product and sum with weight and bias by 3.
double allowance(const NormArgs& args, const Row& c, double y, double scale) {
  const double sums = std::sqrt(static_cast<double>(c.width)) + 12;
  return 0x1p-24 * (sums * (std::fabs(y) + 2) + (args.bias == nullptr ? 0 : 4) + scale * std::fabs(c.offset) * 4);
}

void check_norm(const OpTable& table, Exec& exec, Norm norm, const std::string& name, const Row& c) {
  const auto n = static_cast<size_t>(c.rows * c.width), weights = static_cast<size_t>(c.weight_rows * c.width);
  std::vector<float> x = test::random_values(n, 23);
  for (float& value : x) value += c.offset;
  const std::vector<float> weight = test::random_values(weights, 31), bias = test::random_values(weights, 37);
  std::vector<float> expected(n);
  NormArgs args{.out = expected.data(), .x = x.data(), .rows = c.rows, .width = c.width, .weight_rows = c.weight_rows, .eps = 1e-5f};
  if (c.has_weight) args.weight = weight.data();
  if (c.has_bias) args.bias = bias.data();
  (op_table("ref").*norm)(exec, args);
  const std::string what = text(table.name, " ", name, " ", c.rows, "x", c.width, " weights ", c.has_weight ? c.weight_rows : 0, " bias ",
                                c.has_bias, " offset ", c.offset);
  const auto allowed = [&](size_t i) { return allowance(args, c, expected[i], name == "layernorm" ? 2 : 0); };
  test::Guarded out(n);
  args.out = out.data();
  (table.*norm)(exec, args);
  test::check_close(what, out.values(), expected, allowed);
  CHECK(out.is_intact());
  test::Guarded in_place(x);
  args.out = in_place.data();
  args.x = in_place.data();
  (table.*norm)(exec, args);
  CHECK(in_place.values() == out.values());
  CHECK(in_place.is_intact());
}

}  // namespace

TEST_CASE(norms_agree_with_the_reference) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    Exec exec;
    exec.pool = &pool;
    test::for_each_table([&](const OpTable& table) {
      for (const int64_t width : {2, 15, 64, 100, 577, 4096}) {
        for (const Row& c : {Row{19, width, 1, true, false, 0}, Row{1, width, 1, true, true, 0}, Row{12, width, 4, true, true, 0},
                             Row{6, width, 3, false, true, 0}, Row{3, width, 1, false, false, 0}, Row{40, width, 1, true, true, 100}}) {
          check_norm(table, exec, &OpTable::rmsnorm, "rmsnorm", c);
          check_norm(table, exec, &OpTable::layernorm, "layernorm", c);
        }
      }
    });
  }
}

TEST_CASE(norms_of_zeros_are_finite) {
  Exec exec;
  test::for_each_table([&](const OpTable& table) {
    const std::vector<float> zeros(37), weight(37, 2.0f), bias(37, 0.5f);
    std::vector<float> out(37, test::kSentinel);
    const NormArgs args{
        .out = out.data(), .x = zeros.data(), .weight = weight.data(), .bias = bias.data(), .rows = 1, .width = 37, .eps = 1e-6f};
    table.rmsnorm(exec, args);
    CHECK(out == bias);
    table.layernorm(exec, args);
    CHECK(out == bias);
  });
}
