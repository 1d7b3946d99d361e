// What the files of block decoders share: one decoder per GGUF block type, and loads from bytes that are not aligned.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/dtype.h"

namespace nibble {

// out: the values of the block; block: its bytes. Any bytes decode to something.
#define GGUF_BLOCK(name, elements, bytes) void decode_##name(float* out, const uint8_t* block);
#include "io/encodings.def"

inline uint16_t load_u16(const uint8_t* p) {
  uint16_t bits;
  std::memcpy(&bits, p, sizeof(bits));
  return bits;
}

inline uint32_t load_u32(const uint8_t* p) {
  uint32_t bits;
  std::memcpy(&bits, p, sizeof(bits));
  return bits;
}

inline float load_f16(const uint8_t* p) { return f16_to_f32(load_u16(p)); }

// Nibble i of p, the low half of a byte first.
inline int nibble_at(const uint8_t* p, int i) { return p[i / 2] >> i % 2 * 4 & 15; }

}  // namespace nibble
