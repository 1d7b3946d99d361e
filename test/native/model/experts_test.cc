// Experts as weights: one tensor each or all in one, in every format; and MXFP4.
#include <cmath>
#include <cstring>

#include "harness.h"
#include "model/microscaling.h"
#include "model/tiny_decoder.h"

using namespace nibble;
using test::TinyDecoder;

namespace {

const QuantizeSpec kNf4{FormatId::Nf4, 64, false}, kNested{FormatId::Nf4, 64, true}, kInt8{FormatId::Int8, 64, false};

std::vector<float> logits_of(const TinyDecoder& decoder, const char* backend = "ref") {
  return test::all_logits(*test::load(decoder.load_options(backend)), test::tiny_prompt());
}

// layers.0.up of a decoder in MXFP4, and the values that this stands for.
struct Microscaled {
  TinyDecoder decoder;
  std::vector<uint8_t> codes = std::vector<uint8_t>(96 * 64 / 2), exponents = std::vector<uint8_t>(96 * 64 / 32);

  Microscaled() {
    for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<uint8_t>(i * 37 % 251);
    for (size_t i = 0; i < exponents.size(); ++i) exponents[i] = static_cast<uint8_t>(122 + i % 5);
  }

  std::vector<float> values() const {
    std::vector<float> all;
    for (size_t i = 0; i < 96 * 64; ++i) {
      const int code = codes[i / 2] >> (i % 2 == 0 ? 0 : 4) & 15;
      const float magnitude[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
      all.push_back((code < 8 ? 1.0f : -1.0f) * std::ldexp(magnitude[code & 7], exponents[i / 32] - 127));
    }
    return all;
  }

  // The file with the tensor at its end.
  test::TempFile apply() {
    std::vector<uint8_t> bytes = decoder.file().bytes();
    const auto append = [&](const std::vector<uint8_t>& part) {
      const FileSlice slice{0, static_cast<int64_t>(bytes.size()), static_cast<int64_t>(part.size())};
      bytes.insert(bytes.end(), part.begin(), part.end());
      return slice;
    };
    TensorSource& up = decoder.tensor("layers.0.up");
    up.is_quantized = true;
    up.encoding = Encoding::u8;
    up.data = append(codes);
    up.quantized.format = FormatId::Fp4;
    up.quantized.is_microscaling = true;
    up.quantized.block_size = 32;
    up.quantized.absmax = append(exponents);
    return test::TempFile(bytes);
  }

  std::string refusal(const std::function<void(QuantizedSource&)>& change = {}) {
    const test::TempFile file = apply();
    decoder.source.files = {file.path()};
    if (change) change(decoder.tensor("layers.0.up").quantized);
    return test::error_code_of([&] { test::load(decoder.load_options()); });
  }
};

}  // namespace

TEST_CASE(fused_experts_are_those_that_stand_alone) {
  for (const auto& stored : {std::optional<QuantizeSpec>(), std::optional(kNf4), std::optional(kInt8)}) {
    const std::vector<float> expected = logits_of(TinyDecoder({.stored = stored, .n_experts = 4}));
    CHECK(logits_of(TinyDecoder({.stored = stored, .n_experts = 4, .are_fused = true})) == expected);
    CHECK(logits_of(TinyDecoder({.stored = stored})) != expected);
  }
}

// 96 blocks of weights to an expert: blocks of 256 scales belong to several.
TEST_CASE(nested_scales_of_fused_experts_may_share_blocks) {
  const TinyDecoder nested({.stored = kNested, .n_experts = 4, .are_fused = true});
  const TinyDecoder plain({.stored = kNested, .n_experts = 4, .are_fused = true, .is_unnested = true});
  for (const char* const* backend = op_table_names(); *backend != nullptr; ++backend) {
    CHECK(logits_of(nested, *backend) == logits_of(plain, *backend));
  }
}

TEST_CASE(experts_that_share_blocks_of_weights_are_refused) {
  TinyDecoder decoder({.stored = QuantizeSpec{FormatId::Nf4, 4096, false}, .n_experts = 4, .are_fused = true});
  std::string message;
  CHECK(test::error_code_of([&] { test::load(decoder.load_options()); }, &message) == "unsupported");
  CHECK(message.find("4096") != std::string::npos);
}

TEST_CASE(one_token_reads_the_experts_that_it_uses) {
  const int64_t linear = 64 * 64 * 4 + 32 * 64 * 4 + 96 * 64 * 3, router = 8 * 64, expert = 96 * 64 * 3, head = 96 * 64;
  for (const bool are_fused : {false, true}) {
    const TinyDecoder decoder({.n_experts = 8, .are_fused = are_fused});
    CHECK(test::load(decoder.load_options())->weights().bytes_per_token() == (linear + router + 2 * expert + head) * 4);
  }
}

TEST_CASE(mxfp4_weights_have_the_values_of_the_standard) {
  Microscaled packed;
  const test::TempFile packed_file = packed.apply();
  TinyDecoder straight;
  std::vector<uint8_t> bytes = straight.file().bytes();
  std::memcpy(bytes.data() + straight.tensor("layers.0.up").data.offset, packed.values().data(), 96 * 64 * 4);
  const test::TempFile straight_file(bytes);
  straight.source.files = {straight_file.path()};
  packed.decoder.source.files = {packed_file.path()};
  CHECK(logits_of(packed.decoder) == logits_of(straight));
  CHECK(logits_of(packed.decoder) != logits_of(TinyDecoder()));
}

TEST_CASE(mxfp4_that_cannot_be_is_refused) {
  CHECK(Microscaled().refusal().empty());
  Microscaled infinite;
  infinite.exponents[7] = 253;
  CHECK(infinite.refusal() == "bad_file");
  CHECK(Microscaled().refusal([](QuantizedSource& q) { q.block_size = 64; }) == "bad_file");
  CHECK(Microscaled().refusal([](QuantizedSource& q) { q.format = FormatId::Nf4; }) == "bad_file");
  CHECK(Microscaled().refusal([](QuantizedSource& q) { q.absmax.bytes *= 4; }) == "bad_file");
  CHECK(Microscaled().refusal([](QuantizedSource& q) { q.absmax.offset += 1; }) == "bad_file");
}

TEST_CASE(the_smallest_exponent_is_subnormal) {
  const uint8_t exponents[] = {0, 1, 127, 252};
  float scales[4];
  scales_of_exponents(scales, exponents, 4, "x");
  CHECK(scales[0] == 0x1p-127f && scales[1] == 0x1p-126f && scales[2] == 1 && scales[3] == 0x1p125f);
}
