// LLM.int8() against bitsandbytes.
#include "int8_golden.h"

#include <bit>
#include <cstring>

#include "ops/int8_cases.h"

using namespace nibble;

namespace {

Compute compute_of(const char* type) {
  return std::strcmp(type, "f32") == 0 ? Compute::f32 : std::strcmp(type, "bf16") == 0 ? Compute::bf16 : Compute::f16;
}

}  // namespace

TEST_CASE(int8_products_equal_those_of_bitsandbytes) {
  for (const golden::LlmInt8Case& one : golden::kLlmInt8Cases) {
    const Compute compute = compute_of(one.type);
    const test::Weight w = test::make_weight(FormatId::Int8, one.n, one.k, 0, false, 7);
    CHECK(test::fnv1a(w.view.codes, static_cast<size_t>(one.n * one.k)) == one.weight_hash);
    const std::vector<float> x = test::activations_with_outliers(one.m, one.k, false);
    int64_t n_outliers = 0;
    for (const int64_t rows : test::count_outliers(op_table("ref"), x, one.m, one.k, one.threshold, compute).rows)
      n_outliers += rows > 0 ? 1 : 0;
    CHECK(n_outliers == one.n_outliers);
    std::vector<float> expected;
    for (int64_t i = 0; i < one.m * one.n; ++i) expected.push_back(std::bit_cast<float>(one.y_bits[i]));
    const std::vector<double> strict = test::int8_allowances(w, x, one.m, Compute::f32, one.threshold, expected);
    const std::vector<double> allowance = test::int8_allowances(w, x, one.m, compute, one.threshold, expected);
    for (const char* const* name = op_table_names(); *name != nullptr; ++name) {
      Exec exec;
      // The reference rounds weights to the compute type as upstream does: what remains is as in fp32.
      const bool is_reference = std::string(*name) == "ref";
      test::check_close(
          text(*name, " LLM.int8() [", one.m, ", ", one.k, "] x [", one.n, ", ", one.k, "] ", one.type, " threshold ", one.threshold),
          test::run_matmul_int8(op_table(*name), exec, w, x, {}, one.m, compute, one.threshold), expected,
          [&](size_t i) { return is_reference ? strict[i] : allowance[i]; });
    }
  }
}
