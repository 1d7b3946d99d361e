// The block types of GGUF files that are decoded while loading. Layouts as in the GGUF specification; little-endian.
// d, m, dmin are fp16. Every sum and product below is fp32, in the order written, as the `gguf` package computes it.
//
//  Q4_0   18 bytes, 32 values: | d 2 | q 16 |               w = d * (q - 8)
//  Q4_1   20 bytes, 32 values: | d 2 | m 2 | q 16 |         w = d * q + m
//  Q5_0   22 bytes, 32 values: | d 2 | h 4 | q 16 |         w = d * (q - 16),  bit 4 of value i is bit i of h
//  Q5_1   24 bytes, 32 values: | d 2 | m 2 | h 4 | q 16 |   w = d * q + m
//         in all four, value i is the low nibble of byte i, value i + 16 its high nibble
//  Q8_0   34 bytes, 32 values: | d 2 | q 32 |               w = d * q, q signed
//
//  Q4_K  144 bytes, 256 values: | d 2 | dmin 2 | scales 12 | q 128 |             w = (d * sc) * q - (dmin * mn)
//  Q5_K  176 bytes, 256 values: | d 2 | dmin 2 | scales 12 | h 32 | q 128 |      likewise, 5 bits
//         8 groups of 32 values; group pair p takes q bytes 32p .. 32p+31: low nibbles are group 2p, high ones 2p+1;
//         bit g of h[i] is bit 4 of value i of group g. scales holds 6-bit sc and mn of the groups:
//           j < 4:  sc = s[j] & 63,                            mn = s[j+4] & 63
//           j >= 4: sc = (s[j+4] & 15) | (s[j-4] >> 6) << 4,   mn = (s[j+4] >> 4) | (s[j] >> 6) << 4
//  Q6_K  210 bytes, 256 values: | ql 128 | qh 64 | sc 16 int8 | d 2 |            w = (d * sc) * (q - 32)
//         two halves of 128 values; in a half, value 32 g + i (g 0..3) has its low 4 bits in the nibble g / 2 of
//         ql[32 (g % 2) + i] and its high 2 bits in bits 2g of qh[i]; one sc per 16 values
#pragma once

#include <cstdint>

#include "io/encoding.h"

namespace nibble {

// out [n] fp32. blocks: n / block_layout(encoding).elements whole blocks, unaligned. encoding is a GGUF block type.
void decode_gguf_blocks(float* out, const uint8_t* blocks, Encoding encoding, int64_t n);

}  // namespace nibble
