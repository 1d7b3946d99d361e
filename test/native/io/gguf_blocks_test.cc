// Block types of GGUF by blocks whose values are known.
#include "io/gguf_blocks.h"

#include <vector>

#include "harness.h"
#include "io/gguf_made_blocks.h"

using namespace nibble;
using test::put_half;
using test::Values;

TEST_CASE(q8_0_is_scale_times_signed_byte) {
  std::vector<uint8_t> block(34);
  put_half(block, 0, 0.5f);
  for (int i = 0; i < 32; ++i) block[static_cast<size_t>(2 + i)] = static_cast<uint8_t>(static_cast<int8_t>(i - 16));
  float out[32];
  decode_gguf_blocks(out, block.data(), Encoding::q8_0, 32);
  for (int i = 0; i < 32; ++i) CHECK(out[i] == 0.5f * static_cast<float>(i - 16));
}

TEST_CASE(q4_blocks_hold_value_i_low_and_value_i_plus_16_high) {
  std::vector<uint8_t> q4_0(18), q4_1(20);
  put_half(q4_0, 0, 2.0f);
  put_half(q4_1, 0, 2.0f);
  put_half(q4_1, 2, -3.0f);
  for (int i = 0; i < 16; ++i)
    q4_0[static_cast<size_t>(2 + i)] = q4_1[static_cast<size_t>(4 + i)] = static_cast<uint8_t>(i | (15 - i) << 4);
  float a[32], b[32];
  decode_gguf_blocks(a, q4_0.data(), Encoding::q4_0, 32);
  decode_gguf_blocks(b, q4_1.data(), Encoding::q4_1, 32);
  for (int i = 0; i < 16; ++i) {
    CHECK(a[i] == 2.0f * static_cast<float>(i - 8) && a[i + 16] == 2.0f * static_cast<float>(7 - i));
    CHECK(b[i] == 2.0f * static_cast<float>(i) - 3.0f && b[i + 16] == 2.0f * static_cast<float>(15 - i) - 3.0f);
  }
}

TEST_CASE(a_block_fills_its_values_and_no_more_whatever_its_bytes) {
  uint32_t state = 1;
  for (int e = 0; e < kEncodings; ++e) {
    const auto encoding = static_cast<Encoding>(e);
    if (!is_gguf_block(encoding)) continue;
    const BlockLayout layout = block_layout(encoding);
    const size_t n = static_cast<size_t>(layout.elements) * 3;
    for (int round = 0; round < 50; ++round) {
      // Exactly as many bytes as the blocks have: a sanitizer sees one that is read behind them.
      std::vector<uint8_t> blocks(static_cast<size_t>(layout.bytes) * 3);
      for (uint8_t& byte : blocks) byte = round == 0 ? 0xff : static_cast<uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
      const float untouched = -12345.5f;
      Values out(n + 2, untouched);
      decode_gguf_blocks(out.data() + 1, blocks.data(), encoding, static_cast<int64_t>(n));
      CHECK(out.front() == untouched && out.back() == untouched);
      for (size_t i = 1; i <= n; ++i) CHECK(out[i] != untouched);
    }
  }
}

TEST_CASE(plain_encodings_have_no_blocks) {
  float out[1];
  const uint8_t bytes[4] = {};
  CHECK(test::error_code_of([&] { decode_gguf_blocks(out, bytes, Encoding::f32, 1); }) == "internal");
}
