// How LLM.int8() makes activations int8: what counts as an outlier, which range is kept, what is not finite.
#include <cmath>

#include "ops/int8_cases.h"

using namespace nibble;

namespace {

// W = identity with codes 127 and scales 1: the result is x as LLM.int8() sees it.
test::Weight identity(int64_t n) {
  test::Weight w = test::make_weight(FormatId::Int8, n, n, 0, false, 1);
  std::fill(w.codes.begin(), w.codes.end(), uint8_t{0});
  for (int64_t i = 0; i < n; ++i) w.codes[static_cast<size_t>(1 + i * (n + 1))] = 127;
  std::fill(w.scales.begin(), w.scales.end(), 1.0f);
  return w;
}

template <class Fn>
void for_all_tables(Fn&& fn) {
  for (const char* const* name = op_table_names(); *name != nullptr; ++name) fn(op_table(*name));
}

std::vector<float> seen(const OpTable& table, const std::vector<float>& x, int64_t m, Compute compute, float threshold) {
  const auto n = static_cast<int64_t>(x.size()) / m;
  Exec exec;
  return test::run_matmul_int8(table, exec, identity(n), x, {}, m, compute, threshold);
}

void check_seen(const OpTable& table, const std::vector<float>& x, int64_t m, Compute compute, float threshold,
                const std::vector<float>& expected) {
  test::check_close(text(table.name, " ", test::compute_name(compute), " threshold ", threshold), seen(table, x, m, compute, threshold),
                    expected, [&](size_t i) { return 1e-6 * std::fabs(expected[i]) + 1e-30; });
}

}  // namespace

// The example of bitsandbytes.md 2.6: its codes and scales.
TEST_CASE(int8_activations_are_those_of_the_published_example) {
  const std::vector<float> x = {.5f, 1.5f, 2.5f, 127, 0, 0, 0, 0, 7, 1, -6, 2};
  const float a = 1, b = 7.0f / 127, c = 2.5f / 127, d = 2.0f / 127;
  for_all_tables([&](const OpTable& table) {
    check_seen(table, x, 3, Compute::f32, 0, {0, 2 * a, 2 * a, 127 * a, 0, 0, 0, 0, 127 * b, 18 * b, -109 * b, 36 * b});
    // Columns 0, 2 and 3 are outliers in all rows: what they hold is kept as it is.
    check_seen(table, x, 3, Compute::f32, 6, {.5f, 76 * c, 2.5f, 127, 0, 0, 0, 0, 7, 64 * d, -6, 2});
  });
}

TEST_CASE(int8_activations_beyond_the_range_of_fp16_are_kept) {
  for_all_tables([&](const OpTable& table) {
    for (const Compute compute : {Compute::f32, Compute::bf16}) {
      check_seen(table, {1, 2, 131072, -1}, 1, compute, 6, {64 * 2.0f / 127, 2, 131072, -64 * 2.0f / 127});
      check_seen(table, {0, 65536, 131072, 1}, 1, compute, 0, {0, 64 * 131072.0f / 127, 131072, 0});
    }
    CHECK(std::isnan(seen(table, {1, 2, 131072, -1}, 1, Compute::f16, 6)[0]));  // that type has no such number
  });
}

TEST_CASE(int8_thresholds_are_compared_in_fp16) {
  // 5.9985 is 6 in fp16, 5.998 is not.
  for_all_tables([&](const OpTable& table) {
    check_seen(table, {5.9985f, 0.01f, 1, 1}, 1, Compute::f32, 6, {5.9985f, 0.00787402f, 1, 1});
    check_seen(table, {5.998f, 0.01f, 0, 0}, 1, Compute::f32, 6, {5.99609375f, 0, 0, 0});
    // The threshold is rounded, too: 6.0004 is 6 there.
    check_seen(table, {6, 1, 0, 0}, 1, Compute::f32, 6.0004f, {6, 1, 0, 0});
  });
}

TEST_CASE(int8_rows_that_are_not_finite_give_no_numbers) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    for (const float threshold : {0.0f, 6.0f}) {
      for (const int64_t m : {2, 9}) {
        std::vector<float> x = test::random_values(static_cast<size_t>(m * 37), 3);
        x[37 + 36] = bad;
        for_all_tables([&](const OpTable& table) {
          const std::vector<float> y = seen(table, x, m, Compute::f32, threshold);
          for (size_t i = 0; i < 37; ++i) CHECK(std::isfinite(y[i]) && std::isnan(y[37 + i]));
        });
      }
    }
  }
}

TEST_CASE(outliers_are_counted_as_the_product_takes_them) {
  const int64_t m = 9, k = 70;
  const std::vector<float> x = test::activations_with_outliers(m, k, true);
  for_all_tables([&](const OpTable& table) {
    const test::CountedOutliers counted = test::count_outliers(table, x, m, k, 6, Compute::f32);
    for (int64_t j = 0; j < k; ++j) {
      int64_t rows = 0;
      float largest = 0;
      double squares = 0;
      for (int64_t i = 0; i < m; ++i) {
        const float value = std::fabs(x[static_cast<size_t>(i * k + j)]);
        rows += value >= 6 ? 1 : 0;
        largest = std::fmax(largest, value);
        squares += double{value} * value;
      }
      const auto at = static_cast<size_t>(j);
      CHECK(counted.rows[at] == rows && counted.largest[at] == largest && std::fabs(counted.squares[at] - squares) <= 1e-12 * squares);
    }
    for (const int64_t rows : test::count_outliers(table, x, m, k, 0, Compute::f32).rows) CHECK(rows == 0);
  });
}
