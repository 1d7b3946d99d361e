// What NF4 and FP4 share: two codes a byte, one fp32 scale (absmax) for each block of the flat matrix.
//
//   byte i:  | code of element 2i | code of element 2i+1 |     (high nibble first; an odd end holds the code of 0)
//            7                  4 3                    0
//   w' = codebook[code] * absmax(block),  block = element / block_size
//
// With block size 64: 4.5 bits per weight; with double quantization of the scales 4.127.
#pragma once

#include "formats/weight.h"

namespace nibble {

inline uint8_t nibble_at(const void* codes, int64_t i) {
  const uint8_t byte = static_cast<const uint8_t*>(codes)[i >> 1];
  return (i & 1) != 0 ? byte & 15 : byte >> 4;
}

inline float decode_four_bit(const WeightView& w, int64_t i) {
  return w.codebook[nibble_at(w.codes, i)] * block_scale(w, i / w.block_size);
}

}  // namespace nibble
