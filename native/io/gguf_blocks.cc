#include "io/gguf_blocks.h"

#include <cstring>

#include "core/dtype.h"
#include "core/error.h"

namespace nibble {

namespace {

float load_f16(const uint8_t* p) {
  uint16_t bits;
  std::memcpy(&bits, p, sizeof(bits));
  return f16_to_f32(bits);
}

uint32_t load_u32(const uint8_t* p) {
  uint32_t bits;
  std::memcpy(&bits, p, sizeof(bits));
  return bits;
}

void decode_q4_0(float* out, const uint8_t* block) {
  const float d = load_f16(block);
  const uint8_t* q = block + 2;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>((q[i] & 15) - 8);
    out[i + 16] = d * static_cast<float>((q[i] >> 4) - 8);
  }
}

void decode_q4_1(float* out, const uint8_t* block) {
  const float d = load_f16(block), m = load_f16(block + 2);
  const uint8_t* q = block + 4;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(q[i] & 15) + m;
    out[i + 16] = d * static_cast<float>(q[i] >> 4) + m;
  }
}

// The 5-bit value i and i + 16 of a block of 32.
int five_bits_low(uint32_t high, uint8_t q, int i) { return (q & 15) | static_cast<int>((high >> i & 1) << 4); }
int five_bits_high(uint32_t high, uint8_t q, int i) { return (q >> 4) | static_cast<int>((high >> (i + 16) & 1) << 4); }

void decode_q5_0(float* out, const uint8_t* block) {
  const float d = load_f16(block);
  const uint32_t high = load_u32(block + 2);
  const uint8_t* q = block + 6;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(five_bits_low(high, q[i], i) - 16);
    out[i + 16] = d * static_cast<float>(five_bits_high(high, q[i], i) - 16);
  }
}

void decode_q5_1(float* out, const uint8_t* block) {
  const float d = load_f16(block), m = load_f16(block + 2);
  const uint32_t high = load_u32(block + 4);
  const uint8_t* q = block + 8;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(five_bits_low(high, q[i], i)) + m;
    out[i + 16] = d * static_cast<float>(five_bits_high(high, q[i], i)) + m;
  }
}

void decode_q8_0(float* out, const uint8_t* block) {
  const float d = load_f16(block);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(static_cast<int8_t>(block[2 + i]));
}

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
  const float d = load_f16(block + 208);
  for (int half = 0; half < 2; ++half) {
    const uint8_t *low = block + half * 64, *high = block + 128 + half * 32, *scales = block + 192 + half * 8;
    for (int group = 0; group < 4; ++group) {
      for (int i = 0; i < 32; ++i) {
        const int value = (low[group % 2 * 32 + i] >> (group / 2 * 4) & 15) | (high[i] >> (group * 2) & 3) << 4;
        const float scale = d * static_cast<float>(static_cast<int8_t>(scales[group * 2 + i / 16]));
        *out++ = scale * static_cast<float>(value - 32);
      }
    }
  }
}

using DecodeBlock = void (*)(float*, const uint8_t*);

DecodeBlock block_decoder(Encoding encoding) {
  switch (encoding) {
    case Encoding::q4_0: return decode_q4_0;
    case Encoding::q4_1: return decode_q4_1;
    case Encoding::q5_0: return decode_q5_0;
    case Encoding::q5_1: return decode_q5_1;
    case Encoding::q8_0: return decode_q8_0;
    case Encoding::q4_k: return decode_q4_k;
    case Encoding::q5_k: return decode_q5_k;
    case Encoding::q6_k: return decode_q6_k;
    default: throw Error(ErrorCode::internal, "decode_gguf_blocks was given a plain encoding.");
  }
}

}  // namespace

void decode_gguf_blocks(float* out, const uint8_t* blocks, Encoding encoding, int64_t n) {
  const DecodeBlock decode = block_decoder(encoding);
  const BlockLayout layout = block_layout(encoding);
  for (int64_t done = 0; done < n; done += layout.elements, blocks += layout.bytes) decode(out + done, blocks);
}

}  // namespace nibble
