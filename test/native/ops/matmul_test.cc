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
