// The vectors of bitsandbytes.md 2.10, by their published SHA-256: computed with other code than the golden files.
#include <string>
#include <vector>

#include "core/dtype.h"
#include "formats/formats.h"
#include "harness.h"
#include "ops/maps.h"
#include "ops/ops.h"
#include "sha256.h"

using namespace nibble;

namespace {

struct Row {
  int64_t n;
  int32_t block_size;
  const char *input, *absmax, *nf4, *fp4, *map8, *decoded_fp32, *decoded_fp16, *decoded_bf16;
};
constexpr Row kRows[] = {
    {65536, 64, "dc56f2ec657f4aa0", "c326164ddedd5569", "3398d8a7959cab57", "a15e7ec629f1d4b0", "e9d3fdc7ef98a6b2", "5af0673ab967c26d",
     "027210b9af7e7b09", "4e9beb7aa50d3daf"},
    {65536, 256, "dc56f2ec657f4aa0", "cb98ddb1791e8f5a", "6595588a05dbae7a", "9ebec78754fab053", "3c1ec26236b8aee3", "a02ec7069403e193",
     "c278a4c8c7f0fd85", "e3b2c0013ceef002"},
    {65536, 4096, "dc56f2ec657f4aa0", "08c4b049a144d806", "bf3c6934bc6c2f07", "a895ec1322fb72bd", "f49e56ea33a50a82", "c461b07ec3673e02",
     "ed17e95015e3190e", "6fc825ac050dd44b"},
    {10007, 64, "0b6350c441be586b", "7d41e4dfe6533119", "02dc6ebb24ef5dc7", "1dafa923f8b3c7cc", "83db578fcfa41f26", "ac9cd9f73b55414f",
     "81082809f012e26c", "674b5620d1919864"},
    {10007, 256, "0b6350c441be586b", "82be0d8c054d86c2", "3dbd51ece7880877", "cdf5d08b302a9c61", "c10d97d21d31d54e", "e4f5c79557355bcf",
     "07615d637c6cc0ad", "24c5fe676b8d21fd"},
    {10007, 4096, "0b6350c441be586b", "17df05a0c4574684", "6ab6600161249d68", "63b84bb5fa34853d", "81e3a08c1381ba77", "bfdba9db56f0101b",
     "7277738845e4fdcb", "cd73e98091a22998"},
};

template <class T>
std::string hash(const std::vector<T>& values) {
  return test::sha256_start(values.data(), values.size() * sizeof(T));
}

struct FourBit {
  std::vector<uint8_t> codes;
  std::vector<float> absmax;
};

FourBit encode(const OpTable& table, FormatId format, const std::vector<float>& input, int32_t block_size) {
  const auto n = static_cast<int64_t>(input.size());
  FourBit out{std::vector<uint8_t>((input.size() + 1) / 2), std::vector<float>(static_cast<size_t>((n + block_size - 1) / block_size))};
  Exec exec;
  CHECK(table.quantize_blocks[static_cast<size_t>(format)](exec, out.codes.data(), out.absmax.data(), input.data(), DType::f32, n,
                                                           block_size) == -1);
  return out;
}

void check_row(const OpTable& table, const Row& row) {
  Exec exec;
  const std::vector<float> input = test::random_values(static_cast<size_t>(row.n), 1);
  CHECK(hash(input) == row.input);
  const FourBit nf4 = encode(table, FormatId::Nf4, input, row.block_size);
  CHECK(hash(nf4.absmax) == row.absmax && hash(nf4.codes) == row.nf4);
  CHECK(hash(encode(table, FormatId::Fp4, input, row.block_size).codes) == row.fp4);
  std::vector<uint8_t> codes(input.size());
  std::vector<float> absmax = nf4.absmax, decoded(input.size());
  CHECK(table.quantize_map8(exec, codes.data(), absmax.data(), input.data(), DType::f32, row.n, test::dynamic_code_map(true),
                            row.block_size) == -1);
  CHECK(hash(codes) == row.map8 && hash(absmax) == row.absmax);
  const WeightView view{FormatId::Nf4, 1, row.n, nf4.codes.data(), nf4.absmax.data(), {}, codebook(FormatId::Nf4), row.block_size};
  table.dequantize[static_cast<size_t>(FormatId::Nf4)](exec, decoded.data(), view, 0, 1);
  CHECK(hash(decoded) == row.decoded_fp32);
  std::vector<uint16_t> halves(input.size());
  CHECK(table.convert(exec, halves.data(), DType::f16, decoded.data(), DType::f32, row.n) == -1 && hash(halves) == row.decoded_fp16);
  CHECK(table.convert(exec, halves.data(), DType::bf16, decoded.data(), DType::f32, row.n) == -1 && hash(halves) == row.decoded_bf16);
}

}  // namespace

TEST_CASE(sha256_is_the_published_hash) {
  CHECK(test::sha256_start("", 0) == "e3b0c44298fc1c14" && test::sha256_start("abc", 3) == "ba7816bf8f01cfea");
  const std::string two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  CHECK(test::sha256_start(two_blocks.data(), two_blocks.size()) == "248d6a61d20638b8");
}

TEST_CASE(the_large_vectors_have_the_published_hashes) {
  for (const char* const* name = op_table_names(); *name != nullptr; ++name) {
    for (const Row& row : kRows) check_row(op_table(*name), row);
  }
}

TEST_CASE(double_quantization_has_the_published_hashes) {
  const FourBit nf4 = encode(cpu_table(), FormatId::Nf4, test::random_values(65536, 1), 64);
  std::vector<uint8_t> codes(1024);
  std::vector<float> absmax(4);
  const float offset = nest_scales(codes.data(), absmax.data(), nf4.absmax.data(), 1024);
  CHECK(std::bit_cast<uint32_t>(offset) == 0x3f7c4318u);
  const uint32_t expected[4] = {0x3d5a3a40u, 0x3d97c290u, 0x3d9e91f0u, 0x3d9991a0u};
  for (size_t i = 0; i < 4; ++i) CHECK(std::bit_cast<uint32_t>(absmax[i]) == expected[i]);
  CHECK((std::vector<uint8_t>(codes.begin(), codes.begin() + 8) == std::vector<uint8_t>{192, 202, 169, 197, 84, 201, 52, 198}));
  CHECK(hash(codes) == "9982766112a922d0");
  WeightView view;
  view.nested = {codes.data(), absmax.data(), dynamic_map_signed(), offset, 256};
  std::vector<float> scales(1024);
  for (int64_t i = 0; i < 1024; ++i) scales[static_cast<size_t>(i)] = block_scale(view, i);
  CHECK(hash(scales) == "c2e38c9d6dd2c3e2");
}

TEST_CASE(double_quantization_of_four_scales_is_the_published_example) {
  const float scales[4] = {0.1f, 0.2f, 0.3f, 0.4f};
  uint8_t codes[4];
  float absmax = 0;
  CHECK(nest_scales(codes, &absmax, scales, 4) == 0.25f && std::bit_cast<uint32_t>(absmax) == 0x3e19999au);
  CHECK(codes[0] == 0 && codes[1] == 47 && codes[2] == 207 && codes[3] == 255);
}
