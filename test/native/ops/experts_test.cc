// Ops of mixtures of experts: choices that are worked out here by hand or anew, rows that are moved.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/thread_pool.h"
#include "ops/row_cases.h"

using namespace nibble;

namespace {

struct Chosen {
  std::vector<int32_t> ids;
  std::vector<float> weights;
};

Chosen route(const OpTable& table, RouteArgs args) {
  ThreadPool pool(3);
  Exec exec;
  exec.pool = &pool;
  const auto n = static_cast<size_t>(args.n_tokens * args.n_chosen);
  std::vector<int32_t> ids(n + 2, -7);
  test::Guarded weights(n);
  args.ids = ids.data() + 1;
  args.weights = weights.data();
  table.route(exec, args);
  CHECK(ids.front() == -7 && ids.back() == -7 && weights.is_intact());
  return {{ids.begin() + 1, ids.end() - 1}, weights.values()};
}

void each_backend(const std::function<void(const OpTable&)>& body) {
  for (const char* const* name = op_table_names(); *name != nullptr; ++name) body(op_table(*name));
}

bool is_near(const std::vector<float>& actual, const std::vector<double>& expected) {
  for (size_t i = 0; i < expected.size(); ++i) {
    if (std::fabs(actual[i] - expected[i]) > 1e-6 * std::fabs(expected[i])) return false;
  }
  return actual.size() == expected.size();
}

}  // namespace

TEST_CASE(route_by_softmax_takes_the_largest_and_can_normalize) {
  const std::vector<float> logits = {1, 3, 2, 0, 5, 5, -1, 4};  // two tokens, four experts
  RouteArgs args{.logits = logits.data(), .n_tokens = 2, .n_experts = 4, .n_chosen = 2};
  const double first = std::exp(1) + std::exp(3) + std::exp(2) + 1, second = 2 * std::exp(5) + std::exp(-1) + std::exp(4);
  each_backend([&](const OpTable& table) {
    args.is_normalized = false;
    args.scale = 2;
    Chosen chosen = route(table, args);
    CHECK(chosen.ids == std::vector<int32_t>({1, 2, 0, 1}));  // of the equal ones the lower
    CHECK(is_near(chosen.weights, {2 * std::exp(3) / first, 2 * std::exp(2) / first, 2 * std::exp(5) / second, 2 * std::exp(5) / second}));
    args.is_normalized = true;
    args.scale = 1;
    chosen = route(table, args);
    CHECK(is_near(chosen.weights, {1 / (1 + std::exp(-1)), 1 / (1 + std::exp(1)), 0.5, 0.5}));
  });
}

TEST_CASE(route_by_sigmoid_chooses_with_the_correction_and_weighs_without) {
  const std::vector<float> logits = {0, 2, -1, 1}, correction = {1, 0, 0.9f, 0};
  RouteArgs args{.logits = logits.data(), .correction = correction.data(), .n_tokens = 1, .n_experts = 4, .n_chosen = 2};
  args.is_sigmoid = args.is_normalized = true;
  args.scale = 2.5f;
  each_backend([&](const OpTable& table) {
    const Chosen chosen = route(table, args);
    CHECK(chosen.ids == std::vector<int32_t>({0, 2}));
    const double a = 0.5, b = 1 / (1 + std::exp(1));
    CHECK(is_near(chosen.weights, {2.5 * a / (a + b), 2.5 * b / (a + b)}));
  });
}

TEST_CASE(route_takes_experts_of_the_best_groups_only) {
  // Groups {0,1} {2,3} {4,5}: the largest is in the first, the largest pair in the second.
  const std::vector<float> logits = {4, -9, 3, 3.5f, 2, 1};
  RouteArgs args{.logits = logits.data(), .n_tokens = 1, .n_experts = 6, .n_chosen = 2, .n_groups = 3, .n_best_groups = 1};
  args.is_sigmoid = true;
  each_backend([&](const OpTable& table) {
    args.is_group_by_two = false;
    args.n_best_groups = 1;
    CHECK(route(table, args).ids == std::vector<int32_t>({0, 1}));
    args.is_group_by_two = true;
    CHECK(route(table, args).ids == std::vector<int32_t>({3, 2}));
    args.n_best_groups = 2;
    CHECK(route(table, args).ids == std::vector<int32_t>({3, 2}));
    args.is_group_by_two = false;
    CHECK(route(table, args).ids == std::vector<int32_t>({0, 3}));
  });
}

TEST_CASE(every_backend_routes_as_the_reference) {
  const int64_t n_tokens = 67;
  for (const int32_t n_experts : {4, 60, 256}) {
    std::vector<float> logits = test::random_values(static_cast<size_t>(n_tokens * n_experts), 61);
    for (float& logit : logits) logit *= 5;
    RouteArgs args{.logits = logits.data(), .n_tokens = n_tokens, .n_experts = n_experts, .n_chosen = n_experts / 8 + 2};
    for (const bool is_sigmoid : {false, true}) {
      args.is_sigmoid = args.is_normalized = is_sigmoid;
      const Chosen expected = route(op_table("ref"), args);
      test::for_each_table([&](const OpTable& table) {
        const Chosen chosen = route(table, args);
        CHECK(chosen.ids == expected.ids);
        CHECK(is_near(chosen.weights, {expected.weights.begin(), expected.weights.end()}));
      });
    }
  }
}

TEST_CASE(route_of_logits_that_are_no_numbers_gives_experts_that_exist_and_differ) {
  const std::vector<float> logits(16, std::numeric_limits<float>::quiet_NaN());
  RouteArgs args{.logits = logits.data(), .n_tokens = 2, .n_experts = 8, .n_chosen = 3, .n_groups = 4, .n_best_groups = 2};
  args.is_group_by_two = true;
  each_backend([&](const OpTable& table) {
    const std::vector<int32_t> ids = route(table, args).ids;
    for (size_t t = 0; t < 2; ++t) {
      for (size_t i = 0; i < 3; ++i) {
        CHECK(ids[3 * t + i] >= 0 && ids[3 * t + i] < 8 && ids[3 * t + i] != ids[3 * t + (i + 1) % 3]);
      }
    }
  });
}

TEST_CASE(rows_are_gathered_added_and_gated) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    Exec exec;
    exec.pool = &pool;
    for (const int64_t width : {1, 15, 100, 2049}) {
      const int64_t rows = 41, n = 17;
      std::vector<int32_t> ids(static_cast<size_t>(n));
      for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i * 29 % 41);
      const auto w = static_cast<size_t>(width);
      const std::vector<float> x = test::random_values(static_cast<size_t>(rows) * w, 67), y = test::random_values(ids.size() * w, 71);
      std::vector<float> gates = test::random_values(static_cast<size_t>(rows), 73);
      for (float& gate : gates) gate *= 50;
      test::for_each_table([&](const OpTable& table) {
        test::Guarded gathered(ids.size() * w), sums(x), gated(x);
        table.gather_rows(exec, gathered.data(), x.data(), ids.data(), n, width);
        table.scatter_add_rows(exec, sums.data(), y.data(), ids.data(), gates.data(), n, width);
        table.gate_rows(exec, gated.data(), gates.data(), rows, width);
        std::vector<float> wanted_rows, wanted_sums = x, wanted_gated = x;
        for (size_t i = 0; i < ids.size(); ++i) {
          const auto row = x.begin() + static_cast<int64_t>(ids[i]) * width;
          wanted_rows.insert(wanted_rows.end(), row, row + width);
        }
        op_table("ref").scatter_add_rows(exec, wanted_sums.data(), y.data(), ids.data(), gates.data(), n, width);
        op_table("ref").gate_rows(exec, wanted_gated.data(), gates.data(), rows, width);
        CHECK(gathered.values() == wanted_rows);
        const std::string what = text(table.name, " width ", width);
        test::check_close(what + " scatter_add_rows", sums.values(), wanted_sums, [](size_t) { return 3 * 0x1p-24 * 51; });
        test::check_close(what + " gate_rows", gated.values(), wanted_gated,
                          [&](size_t i) { return 10 * 0x1p-24 * std::fabs(wanted_gated[i]); });
        CHECK(gathered.is_intact() && sums.is_intact() && gated.is_intact());
      });
    }
  }
}
