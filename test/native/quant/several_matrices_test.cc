// Several matrices in one tensor, as the experts of a layer are, and matrices that lie transposed in the file.
#include <cmath>
#include <cstring>

#include "core/text.h"
#include "harness.h"
#include "quant/quantize.h"
#include "temp_file.h"

using namespace nibble;

namespace {

constexpr int64_t kMatrices = 3, kRows = 6, kCols = 64, kMatrix = kRows * kCols, kSize = kMatrices * kMatrix;

struct Written {
  std::vector<uint8_t> bytes;
  QuantizeResult result;

  std::vector<uint8_t> part(int64_t tensor, RangeKind kind) const {
    for (const WrittenRange& range : result.ranges) {
      if (range.tensor == tensor && range.kind == kind) return {bytes.begin() + range.begin, bytes.begin() + range.end};
    }
    throw test::Failure("the range was not written");
  }
};

Written write(const std::vector<float>& values, const std::vector<std::vector<int64_t>>& shapes, const QuantizeSpec& spec,
              bool is_transposed = false) {
  std::vector<uint8_t> source(values.size() * 4);
  std::memcpy(source.data(), values.data(), source.size());
  const test::TempFile file(source), out;
  QuantizeOptions options;
  options.files = {file.path()};
  options.out_path = out.path();
  options.threads = 2;
  int64_t offset = 0;
  for (const std::vector<int64_t>& shape : shapes) {
    QuantizeTensor tensor;
    tensor.name = text("w", options.tensors.size());
    tensor.shape = shape;
    tensor.data = {0, offset, element_count(shape, tensor.name) * 4};
    tensor.is_transposed = is_transposed;
    tensor.is_quantized = true;
    tensor.spec = spec;
    offset += tensor.data.bytes;
    options.tensors.push_back(std::move(tensor));
  }
  QuantizeResult result = quantize(
      options, [](const QuantizeProgress&) {}, Cancel());
  return {out.bytes(), std::move(result)};
}

std::vector<uint8_t> joined(const Written& written, RangeKind kind) {
  std::vector<uint8_t> all;
  for (int64_t i = 0; i < kMatrices; ++i) {
    const std::vector<uint8_t> part = written.part(i, kind);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace

TEST_CASE(several_matrices_are_written_like_each_by_itself) {
  const std::vector<float> values = test::random_values(static_cast<size_t>(kSize), 3);
  const std::vector<std::vector<int64_t>> each(kMatrices, {kRows, kCols});
  const Written int8 = write(values, {{kMatrices, kRows, kCols}}, {FormatId::Int8, 64, false});
  const Written int8_each = write(values, each, {FormatId::Int8, 64, false});
  CHECK(int8.part(0, RangeKind::data) == joined(int8_each, RangeKind::data));
  CHECK(int8.part(0, RangeKind::scb) == joined(int8_each, RangeKind::scb));
  CHECK(int8.part(0, RangeKind::scb).size() == kMatrices * kRows * 4);
  for (const FormatId format : {FormatId::Nf4, FormatId::Fp4}) {
    const Written all = write(values, {{kMatrices, kRows, kCols}}, {format, 64, false});
    const Written one_by_one = write(values, each, {format, 64, false});
    CHECK(all.part(0, RangeKind::data) == joined(one_by_one, RangeKind::data));
    CHECK(all.part(0, RangeKind::absmax) == joined(one_by_one, RangeKind::absmax));
  }
}

TEST_CASE(transposed_matrices_are_written_as_if_they_were_straight) {
  const std::vector<float> straight = test::random_values(static_cast<size_t>(kSize), 5);
  std::vector<float> turned(straight.size());
  for (int64_t i = 0; i < kSize; ++i) {
    const int64_t matrix = i / kMatrix, row = i % kMatrix / kCols, col = i % kCols;
    turned[static_cast<size_t>(matrix * kMatrix + col * kRows + row)] = straight[static_cast<size_t>(i)];
  }
  for (const QuantizeSpec& spec : {QuantizeSpec{FormatId::Int8, 64, false}, QuantizeSpec{FormatId::Nf4, 32, true}}) {
    CHECK(write(turned, {{kMatrices, kRows, kCols}}, spec, true).bytes == write(straight, {{kMatrices, kRows, kCols}}, spec).bytes);
  }
  turned[static_cast<size_t>(kMatrix + 7 * kRows + 2)] = NAN;  // of the second matrix column 7, row 2
  std::string message;
  CHECK(test::error_code_of([&] { write(turned, {{kMatrices, kRows, kCols}}, {FormatId::Nf4, 64, false}, true); }, &message) == "bad_file");
  CHECK(message.find("w0 has NaN at index [1, 7, 2]") != std::string::npos);
}

TEST_CASE(more_dimensions_than_three_are_no_matrices) {
  const std::vector<float> values(16);
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{16}, {2, 2, 2, 2}}) {
    CHECK(test::error_code_of([&] { write(values, {shape}, {FormatId::Nf4, 64, false}); }) == "bad_input");
  }
}
