// The block types of GGUF files that are decoded while loading (the list: encodings.def). Layouts as in the GGUF specification and the
// block structs of ggml; little-endian. d, m, dmin are fp16. Every sum and product below is fp32, in the order written, as the `gguf`
// package computes it, so that both decode to the same bits. "a 32 | b 2" = 32 bytes a, then 2 bytes b.
//
//  Q4_0   18 bytes, 32 values: | d 2 | q 16 |               w = d * (q - 8)
//  Q4_1   20 bytes, 32 values: | d 2 | m 2 | q 16 |         w = d * q + m
//  Q5_0   22 bytes, 32 values: | d 2 | h 4 | q 16 |         w = d * (q - 16),  bit 4 of value i is bit i of h
//  Q5_1   24 bytes, 32 values: | d 2 | m 2 | h 4 | q 16 |   w = d * q + m
//         in all four, value i is the low nibble of byte i, value i + 16 its high nibble
//  Q8_0   34 bytes, 32 values: | d 2 | q 32 |               w = d * q, q signed
//
//  Q2_K   84 bytes, 256 values: | scales 16 | q 64 | d 2 | dmin 2 |              w = (d * sc) * q - (dmin * mn)
//  Q3_K  110 bytes, 256 values: | h 32 | q 64 | scales 12 | d 2 |                w = (d * (sc - 32)) * (q - 4)
//         value 128 k + 32 s + i has its low 2 bits in bits 2s of q[32 k + i]; its bit 2 (Q3_K) is bit 4 k + s of h[i].
//         16 groups of 16 values: Q2_K: sc is the low nibble of scales[g], mn its high one; Q3_K: sc has its low 4 bits in nibble
//         g / 8 of scales[g % 8], its high 2 bits in bits 2 (g / 4) of scales[8 + g % 4]
//  Q4_K  144 bytes, 256 values: | d 2 | dmin 2 | scales 12 | q 128 |             w = (d * sc) * q - (dmin * mn)
//  Q5_K  176 bytes, 256 values: | d 2 | dmin 2 | scales 12 | h 32 | q 128 |      likewise, 5 bits
//         8 groups of 32 values; group pair p takes q bytes 32p .. 32p+31: low nibbles are group 2p, high ones 2p+1;
//         bit g of h[i] is bit 4 of value i of group g. scales holds 6-bit sc and mn of the groups:
//           j < 4:  sc = s[j] & 63,                            mn = s[j+4] & 63
//           j >= 4: sc = (s[j+4] & 15) | (s[j-4] >> 6) << 4,   mn = (s[j+4] >> 4) | (s[j] >> 6) << 4
//  Q6_K  210 bytes, 256 values: | ql 128 | qh 64 | sc 16 int8 | d 2 |            w = (d * sc) * (q - 32)
//         two halves of 128 values; in a half, value 32 g + i (g 0..3) has its low 4 bits in the nibble g / 2 of
//         ql[32 (g % 2) + i] and its high 2 bits in bits 2g of qh[i]; one sc per 16 values
//
// Points of a grid G (gguf_i_grids.h): 8 values each, in IQ3 4; point j covers the values 8 j .. 8 j + 7. A set sign bit is minus;
// a 7-bit number of signs stands for the byte with these bits and an even count of ones. "low | high": bits of the point's number.
//  IQ1_S    50 bytes, 256 values: | d 2 | q 32 | words 8 x 2 |                   w = (d * (2 sc + 1)) * (G + delta)
//         word g of 32 values: 4 x 3 high bits, bits 12-14 sc, bit 15: delta is -1/8, else 1/8
//  IQ1_M    56 bytes, 256 values: | q 32 | h 16 | words 4 x 2 |                  likewise
//         nibble j of h: 3 high bits, bit 3: delta is -1/8; each word: 4 x 3 bits of sc (one per 16 values), 4 bits of d on top
//  IQ2_XXS  66 bytes, 256 values: | d 2 | 8 x (q 4 | word 4) |                   w = (d * (sc + 1/2) / 4) * G, signed
//         word of 32 values: 4 x 7 bits of signs, bits 28-31 sc
//  IQ2_XS   74 bytes, 256 values: | d 2 | words 32 x 2 | scales 8 |              likewise
//         each word: 9 bits of point, 7 of signs; nibble k of scales is sc of the values 16 k .. 16 k + 15
//  IQ2_S    82 bytes, 256 values: | d 2 | q 32 | signs 32 | h 8 | scales 8 |     likewise; 2 high bits per point, lowest first
//  IQ3_XXS  98 bytes, 256 values: | d 2 | q 64 | words 8 x 4 |                   w = (d * (sc + 1/2) / 2) * G, words as in IQ2_XXS
//  IQ3_S   110 bytes, 256 values: | d 2 | q 64 | h 8 | signs 32 | scales 4 |     w = (d * (2 sc + 1)) * G; 1 high bit per point
//
// Codes of 4 bits into a table T (gguf_table_blocks.cc):
//  IQ4_NL   18 bytes,  32 values: | d 2 | q 16 |                                 w = d * T, nibbles as in Q4_0
//  IQ4_XS  136 bytes, 256 values: | d 2 | h 2 | scales 4 | q 128 |               w = (d * (sc - 32)) * T
//         8 groups like IQ4_NL; sc of group g: low 4 bits nibble g of scales, high 2 bits at 2 g of h
//  MXFP4    17 bytes,  32 values: | e 1 | q 16 |                                 w = 2^(e - 127) * E2M1, nibbles as in Q4_0
//  NVFP4    36 bytes,  64 values: | e 4 | q 32 |                                 w = E4M3(e) * E2M1
//         4 groups of 16 values in 8 bytes: low nibbles first; the sign of e is not used, 0x7f is 0
//
// Ternary:
//  TQ1_0    54 bytes, 256 values: | q 48 | h 4 | d 2 |                           w = d * (t - 1)
//         5 digits t per byte of q: those of the first 32 bytes, then of 16 bytes, then 4 of h; see gguf_ternary_blocks.cc
//  TQ2_0    66 bytes, 256 values: | q 64 | d 2 |                                 w = d * (q - 1), q as in Q2_K; 3 is 2 * d
#pragma once

#include <cstdint>

#include "io/encoding.h"

namespace nibble {

// out [n] fp32. blocks: n / block_layout(encoding).elements whole blocks, unaligned. encoding is a GGUF block type.
void decode_gguf_blocks(float* out, const uint8_t* blocks, Encoding encoding, int64_t n);

}  // namespace nibble
