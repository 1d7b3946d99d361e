// One call for several weights: each output gets its own rows, whatever the number of threads and the sizes of the others.
#include "ops/matmul_cases.h"

using namespace nibble;
using test::for_each_table;

TEST_CASE(matmul_of_several_weights_equals_one_call_each) {
  const int64_t rows[] = {70, 3, 129, 32}, cols = 192;
  const std::vector<float> bias = test::random_values(129, 3);
  for (const bool is_nested : {false, true}) {
    for_each_format([&](auto format) {
      std::vector<test::Weight> weights;
      for (uint32_t i = 0; i < 4; ++i) weights.push_back(test::make_weight(decltype(format)::kId, rows[i], cols, 64, is_nested, i + 1));
      for (const int64_t m : {1, 3, 17}) {
        const std::vector<float> x = test::random_values(static_cast<size_t>(m * cols), 5);
        for_each_table([&](const OpTable& table) {
          Exec alone;
          std::vector<std::vector<float>> expected;
          for (size_t i = 0; i < 4; ++i) {
            expected.push_back(test::run_matmul(table, alone, weights[i], x, i == 2 ? bias : std::vector<float>{}, m, Compute::bf16));
          }
          for (const int threads : {1, 3}) {
            ThreadPool pool(threads);
            Exec exec;
            exec.pool = &pool;
            test::Scratch scratch(table.matmul_scratch(exec, m, cols, Compute::bf16));
            scratch.give(exec);
            MatmulArgs args{x.data(), m, cols, Compute::bf16, {}, 4};
            std::vector<std::vector<float>> y(4);
            for (size_t i = 0; i < 4; ++i) {
              y[i].assign(expected[i].size(), test::kSentinel);
              args.outputs[i] = {&weights[i].view, i == 2 ? bias.data() : nullptr, y[i].data()};
            }
            table.matmul[static_cast<int>(decltype(format)::kId)](exec, args);
            // Rows at the end of a weight or of a chunk are summed one by one, others four at a time: the order of sums differs.
            for (size_t i = 0; i < 4; ++i) {
              const std::vector<double> allowance = test::allowances(weights[i], x, m, Compute::f32);
              test::check_close(text(table.name, " ", decltype(format)::kName, " m ", m, " output ", i, " threads ", threads), y[i],
                                expected[i], [&](size_t j) { return allowance[j]; });
            }
          }
        });
      }
    });
  }
}

TEST_CASE(matmul_in_f16_rounds_x_as_the_type_does) {
  const int64_t n = 77;  // no multiple of any vector
  test::Weight one_each = test::make_weight(FormatId::Fp32, n, n, 0, false, 1);
  std::vector<float> identity(static_cast<size_t>(n * n));
  for (int64_t i = 0; i < n; ++i) identity[static_cast<size_t>(i * (n + 1))] = 1;
  one_each.view.codes = identity.data();
  for (const int64_t m : {1, 9}) {
    std::vector<float> x = test::random_values(static_cast<size_t>(m * n), 17);
    x[0] = 1 + 0x1p-11f;             // half way: to even
    x[1] = 1 + 0x1p-11f + 0x1p-23f;  // just above half way
    x[2] = 65519;                    // the largest that stays finite
    x[3] = 0x1.8p-25f;               // to the smallest subnormal
    x[4] = 0x1p-26f;                 // to zero
    std::vector<float> expected(x.size());
    for (size_t i = 0; i < x.size(); ++i) expected[i] = f16_to_f32(f32_to_f16(x[i]));
    Exec exec;
    for_each_table([&](const OpTable& table) {
      const std::vector<float> y = test::run_matmul(table, exec, one_each, x, {}, m, Compute::f16);
      CHECK(y == expected);
      std::vector<float> too_large = x;
      too_large[2] = 65520;
      const std::vector<float> beyond = test::run_matmul(table, exec, one_each, too_large, {}, m, Compute::f16);
      CHECK(std::isinf(beyond[2]));
    });
  }
}
