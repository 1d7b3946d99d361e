// The accuracy of the activation functions over all magnitudes, against formulas in double that are written here once more.
#include <cmath>
#include <limits>
#include <numbers>

#include "ops/row_cases.h"

using namespace nibble;

namespace {

constexpr double kEps = 0x1p-24;
constexpr double kTiniest = 1e-36;  // what exp, clamped at -87.3, leaves of a product of at most 100

// Both signs of magnitudes from 1e-8 to 90, dense where the functions bend, and zero.
std::vector<float> sweep() {
  std::vector<float> x = {0.0f, -0.0f, 0.625f, -0.625f};
  for (double magnitude = 1e-8; magnitude < 90; magnitude *= 1.003) {
    x.push_back(static_cast<float>(magnitude));
    x.push_back(static_cast<float>(-magnitude));
  }
  for (double value = -15; value < 15; value += 0.0037) x.push_back(static_cast<float>(value));
  return x;
}

template <class Function, class Allowance>
void check_function(Activation act, const std::string& name, Function&& function, Allowance&& allowance) {
  const std::vector<float> x = sweep();
  std::vector<float> expected;
  for (const float value : x) expected.push_back(static_cast<float>(function(value)));
  Exec exec;
  for (const char* const* backend = op_table_names(); *backend != nullptr; ++backend) {
    std::vector<float> actual = x;
    op_table(*backend).activate(exec, actual.data(), act, static_cast<int64_t>(x.size()));
    test::check_close(text(*backend, " ", name), actual, expected,
                      [&](size_t i) { return allowance(x[i], std::fabs(expected[i])) + kTiniest; });
  }
}

// A quotient x / (1 + exp(-y)): 8 roundings, and those of y (`roundings` of them) times |y| where the exponential counts.
template <class Argument>
auto sigmoid_allowance(double roundings, Argument&& argument) {
  return [=](double x, double y) { return kEps * y * (8 + roundings * std::fabs(argument(x)) * (x < 0 ? 1 : 0) + 2 * roundings); };
}

}  // namespace

TEST_CASE(silu_is_exact_to_a_few_roundings) {
  check_function(
      Activation::silu, "silu", [](double x) { return x / (1 + std::exp(-x)); }, sigmoid_allowance(1, [](double x) { return x; }));
}

TEST_CASE(quick_gelu_is_exact_to_a_few_roundings) {
  const auto argument = [](double x) { return 1.702 * x; };
  check_function(
      Activation::quick_gelu, "quick_gelu", [&](double x) { return x / (1 + std::exp(-argument(x))); }, sigmoid_allowance(3, argument));
}

TEST_CASE(gelu_tanh_is_exact_to_a_few_roundings) {
  const auto argument = [](double x) { return 2 * std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x); };
  check_function(
      Activation::gelu_tanh, "gelu_tanh", [&](double x) { return x / (1 + std::exp(-argument(x))); }, sigmoid_allowance(5, argument));
}

TEST_CASE(gelu_is_exact_to_a_few_roundings_even_in_its_tail) {
  check_function(
      Activation::gelu, "gelu", [](double x) { return x / 2 * std::erfc(-x / std::numbers::sqrt2); },
      [](double x, double y) { return kEps * y * (16 + (x < 0 ? x * x : 0)); });
}

TEST_CASE(relu_and_its_square_are_exact) {
  const auto once = [](double, double y) { return kEps * y; };
  check_function(
      Activation::relu, "relu", [](double x) { return x < 0 ? 0 : x; }, once);
  check_function(
      Activation::relu2, "relu2", [](double x) { return x < 0 ? 0 : x * x; }, once);
}

TEST_CASE(activations_of_huge_numbers_are_finite_and_of_no_number_are_none) {
  Exec exec;
  test::for_each_table([&](const OpTable& table) {
    for (const Activation act : {Activation::silu, Activation::gelu, Activation::gelu_tanh, Activation::relu, Activation::quick_gelu}) {
      const float infinity = std::numeric_limits<float>::infinity();
      std::vector<float> x = {1e30f, -1e30f, infinity, 3e38f, std::numeric_limits<float>::quiet_NaN()};
      x.resize(37, 1.0f);
      table.activate(exec, x.data(), act, 37);
      CHECK(x[0] == 1e30f && std::fabs(x[1]) <= 1e-7f && x[2] == infinity && x[3] == 3e38f && std::isnan(x[4]));
    }
  });
}
