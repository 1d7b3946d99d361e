// The relative error of a quantized tensor, against W' decoded from the written file and plain sums.
#include "quant/weight_error.h"

#include <cmath>
#include <cstring>
#include <map>

#include "core/text.h"
#include "harness.h"
#include "quant/quantize.h"
#include "temp_file.h"

using namespace nibble;

namespace {

// Two chunks and a part, of an odd number of elements, with a short last block.
constexpr int64_t kRows = 1025, kCols = 643;

struct Measured {
  double error = -1;
  int events = 0;
  std::vector<float> weights;  // W, in the type that it is quantized from
  std::vector<float> decoded;  // W'
};

std::vector<uint8_t> stored_bytes(const std::vector<float>& values, DType type) {
  std::vector<uint8_t> bytes(values.size() * dtype_size(type));
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t half = type == DType::f16 ? f32_to_f16(values[i]) : f32_to_bf16(values[i]);
    if (type == DType::f32) {
      std::memcpy(&bytes[i * 4], &values[i], 4);
    } else {
      std::memcpy(&bytes[i * 2], &half, 2);
    }
  }
  return bytes;
}

float in_type(float value, DType type) {
  if (type == DType::f32) return value;
  return type == DType::f16 ? f16_to_f32(f32_to_f16(value)) : bf16_to_f32(f32_to_bf16(value));
}

// W' of the file, by the reference.
std::vector<float> decode(const std::vector<uint8_t>& file, const QuantizeResult& result, const QuantizeSpec& spec, int64_t rows,
                          int64_t cols) {
  std::map<RangeKind, std::vector<uint8_t>> parts;
  for (const WrittenRange& range : result.ranges) parts[range.kind] = {file.begin() + range.begin, file.begin() + range.end};
  const auto floats = [&](RangeKind kind) {
    std::vector<float> values(parts[kind].size() / 4);
    if (!values.empty()) std::memcpy(values.data(), parts[kind].data(), values.size() * 4);  // formats without such a part have none
    return values;
  };
  const bool is_int8 = spec.format == FormatId::Int8;
  const std::vector<float> scales = floats(is_int8 ? RangeKind::scb : RangeKind::absmax), nested = floats(RangeKind::nested_absmax);
  WeightView view{spec.format, rows, cols, parts[RangeKind::data].data(), scales.data(), {}, nullptr, spec.block_size};
  if (!is_int8) view.codebook = codebook(spec.format);
  if (spec.is_nested) {
    view.nested = {parts[RangeKind::absmax].data(), nested.data(), dynamic_map_signed(), result.nested_offsets[0].second};
  }
  std::vector<float> decoded(static_cast<size_t>(rows * cols));
  Exec exec;
  op_table("ref").dequantize[static_cast<size_t>(spec.format)](exec, decoded.data(), view, 0, rows);
  return decoded;
}

Measured measure(const std::vector<float>& values, std::vector<int64_t> shape, const QuantizeSpec& spec, DType type, int threads,
                 bool is_transposed = false) {
  const test::TempFile source(stored_bytes(values, type)), out;
  QuantizeTensor tensor;
  tensor.name = "w";
  tensor.shape = std::move(shape);
  tensor.encoding = type == DType::f32 ? Encoding::f32 : type == DType::f16 ? Encoding::f16 : Encoding::bf16;
  tensor.data = {0, 0, static_cast<int64_t>(values.size() * dtype_size(type))};
  tensor.is_transposed = is_transposed;
  tensor.is_quantized = true;
  tensor.spec = spec;
  tensor.type = type;
  QuantizeTensor plain = tensor;  // is kept: has no error
  plain.is_quantized = false;
  plain.is_transposed = false;
  QuantizeOptions options = {{source.path()}, {tensor, plain}, out.path(), 0, threads, true};
  Measured measured;
  const auto on_progress = [&](const QuantizeProgress& progress) {
    for (const TensorError& one : progress.errors) {
      CHECK(one.tensor == 0);
      measured.error = one.error;
      ++measured.events;
    }
  };
  QuantizeResult result = quantize(options, on_progress, Cancel());
  std::erase_if(result.ranges, [](const WrittenRange& range) { return range.tensor == 1; });
  const int64_t cols = tensor.shape.back(), size = static_cast<int64_t>(values.size());
  measured.decoded = decode(out.bytes(), result, spec, size / cols, cols);
  const int64_t rows = *std::prev(tensor.shape.end(), 2), matrix = rows * cols;
  for (int64_t i = 0; i < size; ++i) {
    const int64_t place = is_transposed ? i / matrix * matrix + i % cols * rows + i % matrix / cols : i;
    measured.weights.push_back(in_type(values[static_cast<size_t>(place)], type));
  }
  return measured;
}

double plain_error(const Measured& measured) {
  long double weight = 0, error = 0;
  for (size_t i = 0; i < measured.weights.size(); ++i) {
    const long double difference = static_cast<long double>(measured.weights[i]) - measured.decoded[i];
    weight += static_cast<long double>(measured.weights[i]) * measured.weights[i];
    error += difference * difference;
  }
  return weight > 0 ? static_cast<double>(std::sqrt(error / weight)) : 0;
}

void check_same(const Measured& measured, const std::string& what) {
  CHECK(measured.events == 1);
  const double expected = plain_error(measured);
  // The terms of nested scales are kept in fp32: a few parts in 10^7 of the change that they make.
  if (!(std::fabs(measured.error - expected) <= 1e-6 * expected)) {
    throw test::Failure(text(what, ": the error is said to be ", measured.error, ", and is ", expected));
  }
}

const QuantizeSpec kSpecs[] = {{FormatId::Nf4, 64, false},  {FormatId::Nf4, 64, true},   {FormatId::Fp4, 32, false},
                               {FormatId::Fp4, 4096, true}, {FormatId::Int8, 64, false}, {FormatId::Nf4, 128, true}};

}  // namespace

TEST_CASE(errors_of_tensors_equal_plain_sums) {
  const std::vector<float> values = test::random_values(static_cast<size_t>(kRows * kCols), 11);
  for (const QuantizeSpec& spec : kSpecs) {
    for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
      const Measured measured = measure(values, {kRows, kCols}, spec, type, 2);
      check_same(measured, text("format ", static_cast<int>(spec.format), ", type ", static_cast<int>(type)));
      CHECK(measured.error > 1e-4 && measured.error < 0.5);
      CHECK(measure(values, {kRows, kCols}, spec, type, 3).error == measured.error);  // to the bit
    }
  }
}

TEST_CASE(errors_of_transposed_and_stacked_matrices_equal_plain_sums) {
  const std::vector<float> values = test::random_values(3 * 96 * 160, 12);
  for (const QuantizeSpec& spec : kSpecs) {
    check_same(measure(values, {3, 96, 160}, spec, DType::bf16, 2), "stacked");
    check_same(measure(values, {3, 96, 160}, spec, DType::bf16, 2, true), "stacked and transposed");
    check_same(measure(values, {3 * 96, 160}, spec, DType::f32, 2, true), "transposed");
  }
}

TEST_CASE(errors_of_zeros_and_of_what_a_format_holds_exactly_are_zero) {
  for (const QuantizeSpec& spec : kSpecs) {
    const Measured zeros = measure(std::vector<float>(4096, 0.0f), {64, 64}, spec, DType::f32, 1);
    CHECK(zeros.events == 1 && zeros.error == 0);
  }
  const Measured exact = measure(std::vector<float>(4096, 1.0f), {64, 64}, {FormatId::Nf4, 64, false}, DType::f32, 1);
  CHECK(exact.events == 1 && exact.error == 0);
}

TEST_CASE(two_progress_events_joined_keep_all_errors) {
  QuantizeProgress first{1, 10, 5, 0, {{0, 0.5}}}, second{2, 20, 9, 1, {{1, 0.25}}};
  merge(first, std::move(second));
  CHECK(first.tensors_done == 2 && first.parameters_done == 20 && first.bytes_written == 9 && first.tensor == 1);
  CHECK(first.errors.size() == 2 && first.errors[0].error == 0.5 && first.errors[1].tensor == 1);
}
