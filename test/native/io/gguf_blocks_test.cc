// Block types of GGUF by blocks whose values are known.
#include "io/gguf_blocks.h"

#include <cstring>
#include <vector>

#include "core/dtype.h"
#include "harness.h"

using namespace nibble;

namespace {

void put_half(std::vector<uint8_t>& block, size_t at, float value) {
  const uint16_t half = f32_to_f16(value);
  std::memcpy(block.data() + at, &half, 2);
}

}  // namespace

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
