// Ops that work element by element, of every backend against the reference: odd sizes, ends of vectors and of pieces of work.
#include <cmath>
#include <limits>

#include "core/thread_pool.h"
#include "ops/row_cases.h"

using namespace nibble;

namespace {

constexpr double kExact = 1e-30;
constexpr size_t kSizes[] = {1, 3, 15, 16, 33, 1001, 70001};

// change(table, x) on guarded copies of x by every backend, 1 and 3 threads; |error| <= allowance(expected, x).
template <class Change, class Allowance>
void check_change(const std::string& name, float factor, Change&& change, Allowance&& allowance) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    Exec exec;
    exec.pool = &pool;
    for (const size_t n : kSizes) {
      std::vector<float> x = test::random_values(n, 43);
      for (float& value : x) value *= factor;
      std::vector<float> expected = x;
      change(op_table("ref"), exec, expected.data(), static_cast<int64_t>(n));
      test::for_each_table([&](const OpTable& table) {
        test::Guarded actual(x);
        change(table, exec, actual.data(), static_cast<int64_t>(n));
        test::check_close(text(table.name, " ", name, " n ", n), actual.values(), expected,
                          [&](size_t i) { return allowance(expected[i], x[i]); });
        CHECK(actual.is_intact());
      });
    }
  }
}

}  // namespace

TEST_CASE(add_agrees_with_the_reference) {
  const std::vector<float> y = test::random_values(70001, 47);
  for (const float scale : {1.0f, 0.22f, -3.0f}) {
    // One rounding of the sum, on some sets one of the product; adding 1 y is exact but for the rounding of the sum, which all share.
    check_change(
        text("add ", scale), 1, [&](const OpTable& table, Exec& exec, float* x, int64_t n) { table.add(exec, x, y.data(), scale, n); },
        [&](double, double) { return scale == 1 ? kExact : 2 * 0x1p-24 * (1 + 2 * std::fabs(scale)); });
  }
}

TEST_CASE(scale_and_clamp_are_exact) {
  const auto exact = [](double, double) { return kExact; };
  for (const float factor : {0.0625f, 1.7f, -2.3f}) {
    check_change(
        text("scale ", factor), 1, [&](const OpTable& table, Exec& exec, float* x, int64_t n) { table.scale(exec, x, factor, n); }, exact);
  }
  for (const float limit : {0.3f, 8.0f}) {
    check_change(
        text("clamp ", limit), 10, [&](const OpTable& table, Exec& exec, float* x, int64_t n) { table.clamp(exec, x, limit, n); }, exact);
  }
}

TEST_CASE(softcap_is_exact_to_a_few_roundings_at_every_size) {
  for (const float cap : {30.0f, 50.0f, 2.5f}) {
    for (const float factor : {1e-6f, 0.1f, 3.0f, 40.0f, 1e6f}) {
      // tanh to 14 roundings, its argument and the product one each.
      check_change(
          text("softcap ", cap, " of ", factor), factor,
          [&](const OpTable& table, Exec& exec, float* x, int64_t n) { table.softcap(exec, x, cap, n); },
          [](double expected, double) { return 16 * 0x1p-24 * std::fabs(expected); });
    }
  }
}

TEST_CASE(what_is_no_number_stays_none) {
  Exec exec;
  test::for_each_table([&](const OpTable& table) {
    std::vector<float> x(37, std::numeric_limits<float>::quiet_NaN()), y = x;
    table.clamp(exec, x.data(), 3, 37);
    table.softcap(exec, y.data(), 3, 37);
    for (size_t i = 0; i < x.size(); ++i) CHECK(std::isnan(x[i]) && std::isnan(y[i]));
  });
}

TEST_CASE(copy_blocks_takes_apart_and_puts_together) {
  struct Case {
    int64_t n_tokens, n_blocks, block, out_stride, out_step, x_stride, x_step;
  };
  const std::vector<float> x = test::random_values(20000, 53);
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    Exec exec;
    exec.pool = &pool;
    test::for_each_table([&](const OpTable& table) {
      for (const Case& c : {Case{1, 1, 1, 1, 0, 1, 0}, Case{7, 4, 20, 80, 20, 240, 60}, Case{7, 4, 20, 240, 60, 80, 20},
                            Case{5, 3, 17, 90, 30, 40, 0}, Case{64, 2, 33, 66, 33, 100, 41}, Case{3, 0, 5, 5, 5, 5, 5}}) {
        CopyBlocksArgs args{.x = x.data(),
                            .n_tokens = c.n_tokens,
                            .n_blocks = c.n_blocks,
                            .block = c.block,
                            .out_stride = c.out_stride,
                            .out_step = c.out_step,
                            .x_stride = c.x_stride,
                            .x_step = c.x_step};
        std::vector<float> expected(static_cast<size_t>(c.n_tokens * c.out_stride), test::kSentinel);
        test::Guarded out(expected);  // what lies between the blocks stays as it is
        for (int64_t t = 0; t < c.n_tokens; ++t) {
          for (int64_t b = 0; b < c.n_blocks; ++b) {
            for (int64_t i = 0; i < c.block; ++i) {
              expected[static_cast<size_t>(t * c.out_stride + b * c.out_step + i)] =
                  x[static_cast<size_t>(t * c.x_stride + b * c.x_step + i)];
            }
          }
        }
        args.out = out.data();
        table.copy_blocks(exec, args);
        CHECK(out.values() == expected);
        CHECK(out.is_intact());
        std::vector<float> by_reference(expected.size(), test::kSentinel);
        args.out = by_reference.data();
        op_table("ref").copy_blocks(exec, args);
        CHECK(by_reference == expected);
      }
    });
  }
}
