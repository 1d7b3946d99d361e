// The I types of 1 to 3 bits: scaled points of the grids in gguf_i_grids.h. Drawings in gguf_blocks.h.
#include "io/gguf_decoders.h"
#include "io/gguf_i_grids.h"

namespace nibble {

namespace {

using Point8 = std::array<int8_t, 8>;
using Point4 = std::array<int8_t, 4>;

// 8 values; the product of level and sign is exact, so that only the scale rounds.
void put(float* out, float scale, const Point8& point, uint8_t signs) {
  for (size_t i = 0; i < 8; ++i) out[i] = scale * static_cast<float>(point[i] * kSigns[signs][i]);
}

void put(float* out, float scale, const Point4& low, const Point4& high, uint8_t signs) {
  for (size_t i = 0; i < 4; ++i) {
    out[i] = scale * static_cast<float>(low[i] * kSigns[signs][i]);
    out[i + 4] = scale * static_cast<float>(high[i] * kSigns[signs][i + 4]);
  }
}

// The IQ1 types have no signs: all 8 values are moved by an eighth, up or down.
void put_moved(float* out, float scale, const Point8& point, bool is_down) {
  const float move = is_down ? -0.125f : 0.125f;
  for (size_t i = 0; i < 8; ++i) out[i] = scale * (static_cast<float>(point[i]) + move);
}

float half_step_scale(float d, uint32_t scale, float unit) { return d * (0.5f + static_cast<float>(scale)) * unit; }

uint8_t even_signs(uint32_t word, int i) { return kEvenSigns[word >> i * 7 & 127]; }

}  // namespace

void decode_iq2_xxs(float* out, const uint8_t* block) {
  const float d = load_f16(block);
  for (const uint8_t* q = block + 2; q < block + 66; q += 8) {
    const uint32_t word = load_u32(q + 4);
    const float scale = half_step_scale(d, word >> 28, 0.25f);
    for (int i = 0; i < 4; ++i, out += 8) put(out, scale, kIq2XxsGrid[q[i]], even_signs(word, i));
  }
}

void decode_iq2_xs(float* out, const uint8_t* block) {
  const float d = load_f16(block);
  const uint8_t *q = block + 2, *scales = block + 66;
  for (int i = 0; i < 32; ++i, out += 8) {
    const uint16_t code = load_u16(q + i * 2);
    const float scale = half_step_scale(d, static_cast<uint32_t>(nibble_at(scales, i / 2)), 0.25f);
    put(out, scale, kIq2XsGrid[code & 511], kEvenSigns[code >> 9]);
  }
}

void decode_iq2_s(float* out, const uint8_t* block) {
  const float d = load_f16(block);
  const uint8_t *q = block + 2, *signs = block + 34, *high = block + 66, *scales = block + 74;
  for (int i = 0; i < 32; ++i, out += 8) {
    const int index = q[i] | (high[i / 4] >> i % 4 * 2 & 3) << 8;
    const float scale = half_step_scale(d, static_cast<uint32_t>(nibble_at(scales, i / 2)), 0.25f);
    put(out, scale, kIq2SGrid[static_cast<size_t>(index)], signs[i]);
  }
}

void decode_iq3_xxs(float* out, const uint8_t* block) {
  const float d = load_f16(block);
  const uint8_t *q = block + 2, *words = block + 66;
  for (int group = 0; group < 8; ++group, q += 8) {
    const uint32_t word = load_u32(words + group * 4);
    const float scale = half_step_scale(d, word >> 28, 0.5f);
    for (int i = 0; i < 4; ++i, out += 8) put(out, scale, kIq3XxsGrid[q[i * 2]], kIq3XxsGrid[q[i * 2 + 1]], even_signs(word, i));
  }
}

void decode_iq3_s(float* out, const uint8_t* block) {
  const float d = load_f16(block);
  const uint8_t *q = block + 2, *high = block + 66, *signs = block + 74, *scales = block + 106;
  const auto point = [&](int i) { return kIq3SGrid[static_cast<size_t>(q[i] | (high[i / 8] >> i % 8 & 1) << 8)]; };
  for (int i = 0; i < 32; ++i, out += 8) {
    const float scale = d * static_cast<float>(1 + 2 * nibble_at(scales, i / 4));
    put(out, scale, point(i * 2), point(i * 2 + 1), signs[i]);
  }
}

void decode_iq1_s(float* out, const uint8_t* block) {
  const float d = load_f16(block);
  const uint8_t *q = block + 2, *high = block + 34;
  for (int group = 0; group < 8; ++group) {
    const int word = load_u16(high + group * 2);
    const float scale = d * static_cast<float>(2 * (word >> 12 & 7) + 1);
    for (int i = 0; i < 4; ++i, out += 8) {
      const int index = q[group * 4 + i] | (word >> i * 3 & 7) << 8;
      put_moved(out, scale, kIq1Grid[static_cast<size_t>(index)], (word & 0x8000) != 0);
    }
  }
}

void decode_iq1_m(float* out, const uint8_t* block) {
  const uint8_t *q = block, *high = block + 32, *scales = block + 48;
  uint32_t d_bits = 0;
  for (int i = 0; i < 4; ++i) d_bits |= static_cast<uint32_t>(load_u16(scales + i * 2) >> 12) << i * 4;
  const float d = f16_to_f32(static_cast<uint16_t>(d_bits));
  for (int i = 0; i < 32; ++i, out += 8) {
    const int bits = nibble_at(high, i), scale = load_u16(scales + i / 8 * 2) >> i / 2 % 4 * 3 & 7;
    const int index = q[i] | (bits & 7) << 8;
    put_moved(out, d * static_cast<float>(2 * scale + 1), kIq1Grid[static_cast<size_t>(index)], (bits & 8) != 0);
  }
}

}  // namespace nibble
