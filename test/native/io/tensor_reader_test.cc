// Sizes of stored tensors: whole blocks, no overflow.
#include "harness.h"
#include "io/tensor_reader.h"

using namespace nibble;

TEST_CASE(a_stored_size_is_that_of_its_blocks) {
  CHECK(stored_bytes({3, 64}, Encoding::q4_0, "w") == 3 * 2 * 18);
  CHECK(stored_bytes({5}, Encoding::bf16, "w") == 10);
}

TEST_CASE(impossible_shapes_are_refused_by_name) {
  std::string message;
  CHECK(test::error_code_of([] { element_count({-1, 4}, "layer.w"); }, &message) == "bad_input");
  CHECK(message.find("layer.w") != std::string::npos);
  CHECK(test::error_code_of([] { element_count({int64_t{1} << 40, int64_t{1} << 40}, "w"); }) == "bad_input");
  CHECK(test::error_code_of([] { stored_bytes({3, 33}, Encoding::q4_0, "w"); }) == "bad_input");
}
