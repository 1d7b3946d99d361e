// Stored tensors: whole blocks, no overflow, nothing outside the file, GGUF rows in the order of Hugging Face.
#include "io/tensor_reader.h"

#include <cstring>

#include "harness.h"
#include "temp_file.h"

using namespace nibble;

namespace {

constexpr int64_t kHuge = int64_t{1} << 62;

StoredTensor tensor_of(Encoding encoding, std::vector<int64_t> shape, int64_t offset, int64_t bytes, int32_t heads = 0) {
  return {"layer.w", {0, offset, bytes}, encoding, std::move(shape), heads};
}

std::string refusal(const test::TempFile& file, const StoredTensor& tensor, std::string* message = nullptr) {
  const InputFile input(file.path());
  return test::error_code_of([&] { TensorReader(input, tensor); }, message);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

test::TempFile file_of(const std::vector<float>& values, size_t lead) {
  std::vector<uint8_t> bytes(lead + values.size() * 4);
  std::memcpy(bytes.data() + lead, values.data(), values.size() * 4);
  return test::TempFile(bytes);
}

}  // namespace

TEST_CASE(a_stored_size_is_that_of_its_blocks) {
  CHECK(stored_bytes({3, 64}, Encoding::q4_0, "w") == 3 * 2 * 18);
  CHECK(stored_bytes({5}, Encoding::bf16, "w") == 10);
  CHECK(stored_bytes({}, Encoding::f32, "w") == 4);
  CHECK(stored_bytes({0, 64}, Encoding::f32, "w") == 0);
}

TEST_CASE(impossible_shapes_are_refused_by_name) {
  std::string message;
  CHECK(test::error_code_of([] { element_count({-1, 4}, "layer.w"); }, &message) == "bad_input");
  CHECK(contains(message, "layer.w"));
  CHECK(test::error_code_of([] { element_count({int64_t{1} << 40, int64_t{1} << 40}, "w"); }) == "bad_input");
  CHECK(test::error_code_of([] { stored_bytes({3, 33}, Encoding::q4_0, "w"); }) == "bad_input");
  CHECK(test::error_code_of([] { stored_bytes({kHuge}, Encoding::f32, "w"); }) == "bad_input");
  CHECK(test::error_code_of([] { stored_bytes({kHuge, 4, kHuge}, Encoding::q8_0, "w"); }) == "bad_input");
  CHECK(test::error_code_of([] { stored_bytes({INT64_MIN}, Encoding::f32, "w"); }) == "bad_input");
  CHECK(element_count({int64_t{1} << 53}, "w") == int64_t{1} << 53);
}

TEST_CASE(tensors_outside_their_file_are_refused_with_the_numbers) {
  const test::TempFile file(std::vector<uint8_t>(100));
  std::string message;
  CHECK(refusal(file, tensor_of(Encoding::f32, {5, 5}, 0, 100)).empty());
  CHECK(refusal(file, tensor_of(Encoding::f32, {5, 5}, 1, 100), &message) == "bad_file");
  CHECK(contains(message, "layer.w") && contains(message, "100 bytes at offset 1") && contains(message, file.path()));
  CHECK(refusal(file, tensor_of(Encoding::f32, {5, 5}, kHuge, 100)) == "bad_file");
  CHECK(refusal(file, tensor_of(Encoding::f32, {5, 5}, -4, 100)) == "bad_file");
  CHECK(refusal(file, tensor_of(Encoding::f32, {int64_t{1} << 50}, 0, int64_t{1} << 52)) == "bad_file");
}

TEST_CASE(byte_counts_that_do_not_fit_the_shape_are_refused) {
  const test::TempFile file(std::vector<uint8_t>(1000));
  std::string message;
  CHECK(refusal(file, tensor_of(Encoding::f32, {5, 5}, 0, 99), &message) == "bad_file");
  CHECK(contains(message, "[5, 5]") && contains(message, "takes 100 bytes") && contains(message, "99"));
  CHECK(refusal(file, tensor_of(Encoding::f16, {5, 5}, 0, 100)) == "bad_file");
  CHECK(refusal(file, tensor_of(Encoding::q4_0, {2, 32}, 0, 35)) == "bad_file");
  CHECK(refusal(file, tensor_of(Encoding::q6_k, {32}, 0, 210)) == "bad_input");  // not one whole block
  CHECK(refusal(file, tensor_of(Encoding::f32, {kHuge, 2}, 0, 8)) == "bad_input");
}

TEST_CASE(values_at_any_address_are_read) {
  const std::vector<float> values = test::random_values(60, 3);
  for (const size_t lead : {0, 1, 3}) {
    const test::TempFile file = file_of(values, lead);
    const StoredTensor tensor = tensor_of(Encoding::f32, {10, 6}, static_cast<int64_t>(lead), 240);
    const InputFile input(file.path());
    const TensorReader reader(input, tensor);
    CHECK(reader.size() == 60 && reader.type() == DType::f32 && (reader.position(17) == std::vector<int64_t>{2, 5}));
    std::vector<float> some(7);
    std::vector<uint8_t> raw;
    reader.read(some.data(), 5, 7, raw);
    CHECK(std::memcmp(some.data(), values.data() + 5, 28) == 0);
  }
}

TEST_CASE(interleaved_heads_are_put_in_order) {
  // One head of 6 rows of 2: Hugging Face's row j * 3 + i lies in row 2 i + j of the file.
  std::vector<float> values(12);
  for (size_t i = 0; i < 12; ++i) values[i] = static_cast<float>(i / 2);
  const test::TempFile file = file_of(values, 0);
  const StoredTensor tensor = tensor_of(Encoding::f32, {6, 2}, 0, 48, 1);
  const InputFile input(file.path());
  const TensorReader reader(input, tensor);
  std::vector<float> all(12);
  std::vector<uint8_t> raw;
  reader.read(all.data(), 0, 5, raw);  // ends inside a row
  reader.read(all.data() + 5, 5, 7, raw);
  CHECK((all == std::vector<float>{0, 0, 2, 2, 4, 4, 1, 1, 3, 3, 5, 5}));
}

TEST_CASE(heads_that_cannot_be_interleaved_are_refused) {
  const test::TempFile file(std::vector<uint8_t>(4000));
  CHECK(refusal(file, tensor_of(Encoding::f32, {6, 2}, 0, 48, 2)) == "bad_input");  // heads of 3 rows
  CHECK(refusal(file, tensor_of(Encoding::f32, {6, 2}, 0, 48, INT32_MAX)) == "bad_input");
  // Rows that are parts of a block cannot be moved: reading one would write a whole block into the room of a row.
  std::string message;
  CHECK(refusal(file, tensor_of(Encoding::q8_0, {64}, 0, 68, 2), &message) == "bad_input");
  CHECK(contains(message, "layer.w") && contains(message, "32"));
}

TEST_CASE(transposed_matrices_are_turned) {
  // In the file two of [3, 5]; as matrices [5, 3].
  std::vector<float> values(30), expected(30);
  for (size_t i = 0; i < 30; ++i) {
    const size_t row = i / 3 % 5, col = i % 3;
    expected[i] = values[i / 15 * 15 + col * 5 + row] = static_cast<float>(i);
  }
  const test::TempFile file = file_of(values, 0);
  StoredTensor tensor = tensor_of(Encoding::f32, {2, 5, 3}, 0, 120);
  tensor.is_transposed = true;
  const InputFile input(file.path());
  const TensorReader reader(input, tensor);
  CHECK((reader.position(22) == std::vector<int64_t>{1, 1, 2}));  // row 2, column 1 of the second
  std::vector<uint8_t> raw;
  for (int64_t first = 0; first < 30; ++first) {
    for (int64_t n = 0; first + n <= 30; ++n) {
      std::vector<float> some(static_cast<size_t>(n) + 1, -1);
      reader.read(some.data(), first, n, raw);
      CHECK(std::memcmp(some.data(), expected.data() + first, static_cast<size_t>(n) * 4) == 0 && some.back() == -1);
    }
  }
}

TEST_CASE(an_offset_is_added_to_fp32_values) {
  const test::TempFile file = file_of(std::vector<float>{1, 2.5f, -3, 0}, 0);
  StoredTensor tensor = tensor_of(Encoding::f32, {4}, 0, 16);
  tensor.value_offset = -1;
  const InputFile input(file.path());
  std::vector<float> some(3);
  std::vector<uint8_t> raw;
  TensorReader(input, tensor).read(some.data(), 1, 3, raw);
  CHECK((some == std::vector<float>{1.5f, -4, -1}));
  StoredTensor halves = tensor_of(Encoding::f16, {4}, 0, 8);
  halves.value_offset = -1;
  std::string message;
  CHECK(refusal(file, halves, &message) == "bad_input" && contains(message, "only fp32"));
}

TEST_CASE(only_plain_matrices_can_be_transposed) {
  const test::TempFile file(std::vector<uint8_t>(4000));
  for (StoredTensor tensor :
       {tensor_of(Encoding::f32, {6}, 0, 24), tensor_of(Encoding::q8_0, {2, 32}, 0, 68), tensor_of(Encoding::f32, {6, 2}, 0, 48, 1)}) {
    tensor.is_transposed = true;
    std::string message;
    CHECK(refusal(file, tensor, &message) == "bad_input");
    CHECK(contains(message, "cannot be transposed"));
  }
}
