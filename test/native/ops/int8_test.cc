// Products of LLM.int8(): every backend against the reference; sums of codes exact to the last bit.
#include <cmath>

#include "ops/int8_cases.h"

using namespace nibble;
using test::for_each_table;

TEST_CASE(int8_products_agree_with_the_reference) {
  const int64_t shapes[][2] = {{33, 64}, {7, 100}, {5, 1}, {4, 3}, {40, 130}, {65, 576}, {3, 63}, {70, 257}};
  for (const auto& [rows, cols] : shapes) {
    for (const int64_t m : {1, 2, 6, 7, 17, 41}) {
      for (const float threshold : {0.0f, 6.0f, 3.0f, 1e-3f}) test::check_int8(FormatId::Int8, rows, cols, m, threshold);
    }
  }
  test::check_int8(FormatId::Int8, 65, 192, 512, 6);
}

TEST_CASE(int8_products_of_plain_weights_agree_with_the_reference) {
  for (const FormatId format : {FormatId::Fp32, FormatId::Fp16, FormatId::Bf16}) {
    for (const auto& [rows, cols] : {std::pair<int64_t, int64_t>{37, 100}, {6, 5}, {64, 192}}) {
      for (const int64_t m : {1, 5, 19}) test::check_int8(format, rows, cols, m, 6);
    }
  }
}

// With scales of 127 the result is the sum of the products of the codes itself, and below 2^24 fp32 holds it exactly.
TEST_CASE(int8_sums_of_codes_are_exact) {
  for (const int64_t k : {1, 2, 5, 63, 64, 65, 500, 1000}) {
    const int64_t rows = 37, m = 15;
    test::Weight w = test::make_weight(FormatId::Int8, rows, k, 0, false, 3);
    std::fill(w.scales.begin(), w.scales.end(), 127.0f);
    auto* codes = w.codes.data() + 1;
    for (int64_t j = 0; j < k; ++j) codes[j] = static_cast<uint8_t>(-128);  // no encoder writes it, a file may hold it
    for (int64_t j = 0; j < k; ++j) codes[k + j] = 127;
    std::vector<float> x = test::random_values(static_cast<size_t>(m * k), 5);
    for (float& value : x) value = std::nearbyintf(value * 127);
    for (int64_t i = 0; i < m; ++i) x[static_cast<size_t>(i * k)] = i % 2 == 0 ? 127.0f : -127.0f;
    for (int64_t j = 0; j < k; ++j) x[static_cast<size_t>(j)] = 127;
    std::vector<float> expected;
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t n = 0; n < rows; ++n) {
        int64_t sum = 0;
        for (int64_t j = 0; j < k; ++j)
          sum += static_cast<int64_t>(x[static_cast<size_t>(i * k + j)]) * static_cast<int8_t>(codes[n * k + j]);
        expected.push_back(static_cast<float>(sum));
      }
    }
    for (const int64_t some : {int64_t{1}, int64_t{3}, m}) {
      const std::vector<float> x_some(x.begin(), x.begin() + some * k), expected_some(expected.begin(), expected.begin() + some * rows);
      for (const char* const* name = op_table_names(); *name != nullptr; ++name) {
        Exec exec;
        test::check_close(text(*name, " k ", k, " m ", some),
                          test::run_matmul_int8(op_table(*name), exec, w, x_some, {}, some, Compute::f32, 0), expected_some,
                          [](size_t) { return 0.25; });
      }
    }
  }
}

TEST_CASE(int8_rows_too_wide_for_int32_sums_are_summed_all_the_same) {
  const int64_t k = 140000;
  test::Weight w = test::make_weight(FormatId::Int8, 1, k, 0, false, 3);
  std::fill_n(w.codes.data() + 1, k, uint8_t{127});
  w.scales[0] = 127;
  const std::vector<float> x(static_cast<size_t>(k), 127.0f);
  for_each_table([&](const OpTable& table) {
    Exec exec;
    const std::vector<float> y = test::run_matmul_int8(table, exec, w, x, {}, 1, Compute::f32, 0);
    CHECK(y[0] == static_cast<float>(int64_t{127} * 127 * k));
  });
}

TEST_CASE(int8_of_several_weights_equals_one_call_each_whatever_the_threads) {
  const int64_t rows[] = {70, 3, 129, 32}, cols = 192;
  std::vector<test::Weight> weights;
  for (uint32_t i = 0; i < 4; ++i) weights.push_back(test::make_weight(FormatId::Int8, rows[i], cols, 64, false, i + 1));
  for (const int64_t m : {1, 3, 17}) {
    const std::vector<float> x = test::activations_with_outliers(m, cols, false);
    for_each_table([&](const OpTable& table) {
      for (const int threads : {1, 3}) {
        ThreadPool pool(threads);
        Exec exec;
        exec.pool = &pool;
        test::Scratch scratch(table.matmul_int8_scratch(exec, m, cols));
        scratch.give(exec);
        MatmulArgs args{x.data(), m, cols, Compute::f32, {}, 4, 6.0f};
        std::vector<std::vector<float>> y(4);
        for (size_t i = 0; i < 4; ++i) {
          y[i].assign(static_cast<size_t>(m * rows[i]), test::kSentinel);
          args.outputs[i] = {&weights[i].view, nullptr, y[i].data()};
        }
        table.matmul_int8[static_cast<int>(FormatId::Int8)](exec, args);
        for (size_t i = 0; i < 4; ++i) {
          Exec alone;
          const std::vector<float> expected = test::run_matmul_int8(table, alone, weights[i], x, {}, m, Compute::f32, 6);
          const std::vector<double> allowance = test::int8_allowances(weights[i], x, m, Compute::f32, 6, expected);
          test::check_close(text(table.name, " m ", m, " output ", i, " threads ", threads), y[i], expected,
                            [&](size_t j) { return allowance[j]; });
        }
      }
    });
  }
}
