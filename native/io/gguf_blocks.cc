#include "io/gguf_blocks.h"

#include "core/error.h"
#include "io/gguf_decoders.h"

namespace nibble {

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

namespace {

// The 5-bit value i and i + 16 of a block of 32.
int five_bits_low(uint32_t high, uint8_t q, int i) { return (q & 15) | static_cast<int>((high >> i & 1) << 4); }
int five_bits_high(uint32_t high, uint8_t q, int i) { return (q >> 4) | static_cast<int>((high >> (i + 16) & 1) << 4); }

}  // namespace

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

namespace {

using DecodeBlock = void (*)(float*, const uint8_t*);

constexpr DecodeBlock kDecoders[] = {
#define PLAIN_ENCODING(name, bytes) nullptr,
#define GGUF_BLOCK(name, elements, bytes) decode_##name,
#include "io/encodings.def"
};

}  // namespace

void decode_gguf_blocks(float* out, const uint8_t* blocks, Encoding encoding, int64_t n) {
  const DecodeBlock decode = kDecoders[static_cast<int>(encoding)];
  if (decode == nullptr) throw Error(ErrorCode::internal, "decode_gguf_blocks was given a plain encoding.");
  const BlockLayout layout = block_layout(encoding);
  for (int64_t done = 0; done < n; done += layout.elements, blocks += layout.bytes) decode(out + done, blocks);
}

}  // namespace nibble
