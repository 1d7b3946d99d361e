// The K types: 256 values in groups with scales of 4 or 6 bits. Drawings in gguf_blocks.h.
#include "io/gguf_decoders.h"

namespace nibble {

namespace {

struct ScaleAndMin {
  float scale, min;
};

// Group j of a Q4_K or Q5_K block.
ScaleAndMin group_scale(const uint8_t* block, int j) {
  const float d = load_f16(block), dmin = load_f16(block + 2);
  const uint8_t* s = block + 4;
  const int scale = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
  const int min = j < 4 ? s[j + 4] & 63 : (s[j + 4] >> 4) | (s[j] >> 6) << 4;
  return {d * static_cast<float>(scale), dmin * static_cast<float>(min)};
}

// Scale j of the 16 of a Q3_K block.
int q3_k_scale(const uint8_t* scales, int j) {
  return ((scales[j % 8] >> j / 8 * 4 & 15) | (scales[8 + j % 4] >> j / 4 * 2 & 3) << 4) - 32;
}

}  // namespace

void decode_q2_k(float* out, const uint8_t* block) {
  const uint8_t *scales = block, *q = block + 16;
  const float d = load_f16(block + 80), dmin = load_f16(block + 82);
  for (int group = 0; group < 16; ++group) {
    const float scale = d * static_cast<float>(scales[group] & 15), min = dmin * static_cast<float>(scales[group] >> 4);
    const uint8_t* bits = q + group / 8 * 32 + group % 2 * 16;
    const int shift = group / 2 % 4 * 2;
    for (int i = 0; i < 16; ++i) *out++ = scale * static_cast<float>(bits[i] >> shift & 3) - min;
  }
}

void decode_q3_k(float* out, const uint8_t* block) {
  const uint8_t *high = block, *q = block + 32, *scales = block + 96;
  const float d = load_f16(block + 108);
  for (int group = 0; group < 16; ++group) {
    const float scale = d * static_cast<float>(q3_k_scale(scales, group));
    const uint8_t *low_bits = q + group / 8 * 32 + group % 2 * 16, *high_bits = high + group % 2 * 16;
    const int shift = group / 2 % 4 * 2, high_shift = group / 2;
    for (int i = 0; i < 16; ++i) {
      const int value = (low_bits[i] >> shift & 3) | (high_bits[i] >> high_shift & 1) << 2;
      *out++ = scale * static_cast<float>(value - 4);
    }
  }
}

void decode_q4_k(float* out, const uint8_t* block) {
  const uint8_t* q = block + 16;
  for (int group = 0; group < 8; ++group) {
    const auto [scale, min] = group_scale(block, group);
    const int shift = group % 2 * 4;
    for (int i = 0; i < 32; ++i) {
      *out++ = scale * static_cast<float>(q[group / 2 * 32 + i] >> shift & 15) - min;
    }
  }
}

void decode_q5_k(float* out, const uint8_t* block) {
  const uint8_t *high = block + 16, *q = block + 48;
  for (int group = 0; group < 8; ++group) {
    const auto [scale, min] = group_scale(block, group);
    const int shift = group % 2 * 4;
    for (int i = 0; i < 32; ++i) {
      const int value = (q[group / 2 * 32 + i] >> shift & 15) | (high[i] >> group & 1) << 4;
      *out++ = scale * static_cast<float>(value) - min;
    }
  }
}

void decode_q6_k(float* out, const uint8_t* block) {
  const uint8_t *low = block, *high = block + 128, *scales = block + 192;
  const float d = load_f16(block + 208);
  for (int group = 0; group < 16; ++group, out += 16) {
    const float scale = d * static_cast<float>(static_cast<int8_t>(scales[group]));
    const int half = group / 8, quarter = group / 2 % 4, part = group % 2 * 16;
    const uint8_t *low_bits = low + half * 64 + quarter % 2 * 32 + part, *high_bits = high + half * 32 + part;
    const int shift = quarter / 2 * 4, high_shift = quarter * 2;
    for (int i = 0; i < 16; ++i) {
      const int value = (low_bits[i] >> shift & 15) | (high_bits[i] >> high_shift & 3) << 4;
      out[i] = scale * static_cast<float>(value - 32);
    }
  }
}

}  // namespace nibble
