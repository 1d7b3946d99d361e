// Block types whose values are -d, 0 or d. Drawings in gguf_blocks.h.
#include "io/gguf_decoders.h"

namespace nibble {

namespace {

// A byte holds up to five ternary digits as a fraction of 256, the first digit being the largest: 3 * byte / 256 is that digit, and
// times 3 (modulo 256) moves the next one there. n bytes are digits * n values: first the first digits of all bytes.
float* decode_digits(float* out, const uint8_t* q, int n, int digits, float d) {
  int power = 1;
  for (int digit = 0; digit < digits; ++digit, power *= 3) {
    for (int i = 0; i < n; ++i) *out++ = d * static_cast<float>(((q[i] * power & 255) * 3 >> 8) - 1);
  }
  return out;
}

}  // namespace

void decode_tq1_0(float* out, const uint8_t* block) {
  const float d = load_f16(block + 52);
  out = decode_digits(out, block, 32, 5, d);
  out = decode_digits(out, block + 32, 16, 5, d);
  decode_digits(out, block + 48, 4, 4, d);
}

void decode_tq2_0(float* out, const uint8_t* block) {
  const float d = load_f16(block + 64);
  for (int half = 0; half < 2; ++half) {
    for (int shift = 0; shift < 8; shift += 2) {
      for (int i = 0; i < 32; ++i) *out++ = d * static_cast<float>((block[half * 32 + i] >> shift & 3) - 1);
    }
  }
}

}  // namespace nibble
