// Rows of a table in every format, on every backend: the bits that the reference decodes, whether or not blocks cross the ends of rows.
#include <algorithm>

#include "ops/matmul_cases.h"

using namespace nibble;

namespace {

struct TableCase {
  test::MatmulShape shape;
  std::vector<int32_t> ids;
};

void check_embed(FormatId format, const TableCase& one) {
  const auto& [rows, cols, block_size, is_nested] = one.shape;
  const test::Weight w = test::make_weight(format, rows, cols, block_size, is_nested, 5);
  const auto n = static_cast<int64_t>(one.ids.size());
  Exec exec;
  std::vector<float> all(static_cast<size_t>(rows * cols)), expected;
  op_table("ref").dequantize[static_cast<int>(format)](exec, all.data(), w.view, 0, rows);
  for (const int32_t id : one.ids) expected.insert(expected.end(), all.begin() + id * cols, all.begin() + (id + 1) * cols);
  for (const char* const* name = op_table_names(); *name != nullptr; ++name) {
    std::vector<float> out(expected.size() + 2, test::kSentinel);
    op_table(*name).embed[static_cast<int>(format)](exec, out.data() + 1, w.view, one.ids.data(), n);
    CHECK(out.front() == test::kSentinel && out.back() == test::kSentinel);
    const bool is_same = std::equal(expected.begin(), expected.end(), out.begin() + 1);
    if (!is_same) throw test::Failure(text(*name, " embed ", format_name(format), " [", rows, ", ", cols, "]", is_nested ? " nested" : ""));
  }
}

}  // namespace

TEST_CASE(rows_of_a_table_are_decoded_in_every_format) {
  const std::vector<int32_t> ids = {0, 6, 3, 3, 1};
  for (const FormatId format : {FormatId::Fp32, FormatId::Fp16, FormatId::Bf16, FormatId::Int8, FormatId::Nf4, FormatId::Fp4}) {
    // Whole blocks per row, blocks across rows, rows of an odd length, one row of one value.
    for (const int64_t cols : {128, 80, 33}) check_embed(format, {{7, cols, 64, false}, ids});
    check_embed(format, {{1, 1, 32, false}, {0}});
    if (format != FormatId::Nf4 && format != FormatId::Fp4) continue;
    for (const int64_t cols : {128, 80, 33}) check_embed(format, {{7, cols, 32, true}, ids});
    check_embed(format, {{600, 64, 64, true}, {0, 255, 256, 599}});  // several nested blocks
  }
}
