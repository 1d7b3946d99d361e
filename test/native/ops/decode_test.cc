// Weights with nested scales encode and decode to the golden bits.
#include <bit>
#include <cstring>
#include <string>

#include "core/dtype.h"
#include "core/text.h"
#include "formats/formats.h"
#include "formats_golden.h"
#include "harness.h"
#include "ops/ops.h"

using namespace nibble;

namespace {

FormatId format_of(const char* name) { return std::string(name) == "nf4" ? FormatId::Nf4 : FormatId::Fp4; }

}  // namespace

TEST_CASE(nested_scales_equal_the_golden_ones) {
  for (const golden::NestedCase& one : golden::kNestedCases) {
    std::vector<float> input = test::random_values(one.n, 1);
    const std::string name = one.input;
    for (float& value : input) {
      value = name == "lcg_fp16" ? f16_to_f32(f32_to_f16(value)) : name == "lcg_bf16" ? bf16_to_f32(f32_to_bf16(value)) : value;
    }
    const size_t n_blocks = (one.n + one.block_size - 1) / one.block_size, n_nested = (n_blocks + 255) / 256;
    std::vector<uint8_t> codes((one.n + 1) / 2), scale_codes(n_blocks);
    std::vector<float> absmax(n_blocks), nested(n_nested), decoded(one.n);
    Exec exec;
    const FormatId format = format_of(one.format);
    cpu_table().quantize_blocks[static_cast<int>(format)](exec, codes.data(), absmax.data(), input.data(), DType::f32,
                                                          static_cast<int64_t>(one.n), static_cast<int32_t>(one.block_size));
    const float offset = nest_scales(scale_codes.data(), nested.data(), absmax.data(), static_cast<int64_t>(n_blocks));
    CHECK(std::bit_cast<uint32_t>(offset) == one.offset_bits);
    CHECK(test::fnv1a(scale_codes.data(), n_blocks) == one.codes_hash);
    CHECK(test::fnv1a(nested.data(), n_nested * 4) == one.nested_absmax_hash);
    WeightView w{format,
                 1,
                 static_cast<int64_t>(one.n),
                 codes.data(),
                 nullptr,
                 {scale_codes.data(), nested.data(), dynamic_map_signed(), offset, 256},
                 codebook(format),
                 static_cast<int32_t>(one.block_size)};
    cpu_table().dequantize[static_cast<int>(format)](exec, decoded.data(), w, 0, 1);
    CHECK(test::fnv1a(decoded.data(), one.n * 4) == one.decoded_fp32_hash);
  }
}
