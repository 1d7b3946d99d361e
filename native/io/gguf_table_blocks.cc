// Block types whose 4-bit codes are numbers of a table of 16 values. Drawings in gguf_blocks.h.
#include <bit>

#include "io/gguf_decoders.h"

namespace nibble {

namespace {

// kvalues_iq4nl of ggml: the levels of IQ4_NL and IQ4_XS.
constexpr float kIq4Levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
// E2M1 (OCP Microscaling Formats 1.0, section 5.3.3), doubled: the scales are halved.
constexpr float kE2m1Doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// n bytes are 2 n values: first all low nibbles, then all high ones.
void decode_codes(float* out, const uint8_t* q, int n, const float (&levels)[16], float scale) {
  float scaled[16];
  for (int i = 0; i < 16; ++i) scaled[i] = scale * levels[i];
  for (int i = 0; i < n; ++i) {
    out[i] = scaled[q[i] & 15];
    out[i + n] = scaled[q[i] >> 4];
  }
}

// Half of 2^(e - 127), which is subnormal for the two smallest e.
float half_of_e8m0(uint8_t e) { return std::bit_cast<float>(e < 2 ? 0x00200000u << e : static_cast<uint32_t>(e - 1) << 23); }

// Half of E4M3 without sign: 3 bits of fraction, bias 7. The code for NaN counts as 0.
float half_of_ue4m3(uint8_t code) {
  const int exponent = code >> 3 & 15, fraction = code & 7;
  if (code == 0x7f) return 0.0f;
  if (exponent == 0) return static_cast<float>(fraction) * 0x1p-10f;
  return std::bit_cast<float>(static_cast<uint32_t>(exponent - 8 + 127) << 23 | static_cast<uint32_t>(fraction) << 20);
}

}  // namespace

void decode_iq4_nl(float* out, const uint8_t* block) { decode_codes(out, block + 2, 16, kIq4Levels, load_f16(block)); }

void decode_iq4_xs(float* out, const uint8_t* block) {
  const float d = load_f16(block);
  const int high = load_u16(block + 2);
  for (int group = 0; group < 8; ++group) {
    const int scale = nibble_at(block + 4, group) | (high >> group * 2 & 3) << 4;
    decode_codes(out + group * 32, block + 8 + group * 16, 16, kIq4Levels, d * static_cast<float>(scale - 32));
  }
}

void decode_mxfp4(float* out, const uint8_t* block) { decode_codes(out, block + 1, 16, kE2m1Doubled, half_of_e8m0(block[0])); }

void decode_nvfp4(float* out, const uint8_t* block) {
  for (int group = 0; group < 4; ++group) {
    decode_codes(out + group * 16, block + 4 + group * 8, 8, kE2m1Doubled, half_of_ue4m3(block[group]));
  }
}

}  // namespace nibble
