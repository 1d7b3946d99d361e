#include "model/self_test.h"

#include <cmath>
#include <vector>

#include "core/rng.h"
#include "core/text.h"
#include "formats/formats.h"

namespace nibble {

namespace {

constexpr int64_t kRows = 9, kCols = 192, kTokens = 3;
constexpr int32_t kBlock = 64;

// A weight in one format with the memory it lies in.
struct TestWeight {
  std::vector<uint8_t> codes = std::vector<uint8_t>(static_cast<size_t>(kRows * kCols) * sizeof(float));
  std::vector<float> scales = std::vector<float>(static_cast<size_t>(kRows * kCols / kBlock + kRows));
  WeightView view;
};

TestWeight encode(FormatId format, const std::vector<float>& values) {
  TestWeight w;
  w.view.format = format;
  w.view.rows = kRows;
  w.view.cols = kCols;
  w.view.codes = w.codes.data();
  Exec exec;
  const OpTable& ref = op_table("ref");
  const auto n = static_cast<int64_t>(values.size());
  if (is_four_bit(format)) {
    ref.quantize_blocks[static_cast<size_t>(format)](exec, w.codes.data(), w.scales.data(), values.data(), DType::f32, n, kBlock);
    w.view.scales = w.scales.data();
    w.view.block_size = kBlock;
    w.view.codebook = codebook(format);
  } else if (format == FormatId::Int8) {
    ref.quantize_rows(exec, reinterpret_cast<int8_t*>(w.codes.data()), w.scales.data(), values.data(), DType::f32, kRows, kCols);
    w.view.scales = w.scales.data();
  } else {
    const DType type = format == FormatId::Fp32 ? DType::f32 : format == FormatId::Fp16 ? DType::f16 : DType::bf16;
    ref.convert(exec, w.codes.data(), type, values.data(), DType::f32, n);
  }
  return w;
}

// is_int8: by LLM.int8(), with some outliers.
std::vector<float> multiply(const OpTable& table, const WeightView& weight, const std::vector<float>& x, Compute compute, bool is_int8) {
  Exec exec;
  std::vector<float> y(static_cast<size_t>(kTokens * kRows));
  MatmulArgs args;
  args.x = x.data();
  args.m = kTokens;
  args.k = kCols;
  args.compute = compute;
  args.outputs[0] = {&weight, nullptr, y.data()};
  args.n_outputs = 1;
  args.threshold = 0.9f;
  exec.scratch_bytes = is_int8 ? table.matmul_int8_scratch(exec, kTokens, kCols) : table.matmul_scratch(exec, kTokens, kCols, compute);
  exec.scratch = table.alloc(exec.scratch_bytes);
  (is_int8 ? table.matmul_int8 : table.matmul)[static_cast<size_t>(weight.format)](exec, args);
  table.free(exec.scratch);
  return y;
}

}  // namespace

std::string self_test(const OpTable& table) {
  Rng rng(1);
  std::vector<float> values(static_cast<size_t>(kRows * kCols)), x(static_cast<size_t>(kTokens * kCols));
  for (float& v : values) v = static_cast<float>(rng.uniform() * 2 - 1);
  for (float& v : x) v = static_cast<float>(rng.uniform() * 2 - 1);
  std::string difference;
  const auto compare = [&](const WeightView& weight, Compute compute, bool is_int8) {
    const std::vector<float> expected = multiply(op_table("ref"), weight, x, Compute::f32, is_int8);
    const std::vector<float> actual = multiply(table, weight, x, compute, is_int8);
    // |x| and |w| are at most 1: the roundings of both factors to bf16 (2^-8 each at most), or of the sums.
    const double allowed = static_cast<double>(kCols) * (compute == Compute::bf16 ? 0x1p-7 : 0x1p-20);
    for (size_t i = 0; i < expected.size() && difference.empty(); ++i) {
      if (std::abs(static_cast<double>(actual[i]) - expected[i]) <= allowed) continue;
      difference = text(table.name, ", ", is_int8 ? "LLM.int8() of " : "", format_name(weight.format), ", ",
                        compute == Compute::bf16 ? "bf16" : "fp32", ": element ", i, " is ", actual[i], ", expected ", expected[i],
                        " within ", allowed);
    }
  };
  for_each_format([&](auto format) {
    const TestWeight weight = encode(decltype(format)::kId, values);
    for (const Compute compute : {Compute::f32, Compute::bf16}) {
      compare(weight.view, compute, false);
      if (!is_four_bit(weight.view.format)) compare(weight.view, compute, true);
    }
  });
  return difference;
}

}  // namespace nibble
