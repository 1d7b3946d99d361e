// Maps of 8-bit block-wise quantization: 256 ascending values in [-1, 1] that the codes stand for, made as bitsandbytes makes them,
// to the same bits (docs/formats.md).
//
//   byte i:  | code of element i |        w' = values[code] * absmax(block),  block = element / block_size
//            7                  0
//
// 8 + 32/block_size bits per element. A value x = w / absmax gets the code of the nearest value; exactly between two, the even code.
#pragma once

#include <cstdint>

namespace nibble {

// A map made ready for finding codes. Plain data of 68 KB without pointers: one memcpy brings it to any device.
struct CodeMap {
  float values[256];     // ascending; [code] is what the code stands for
  float limits[256];     // the code of x = how many limits lie strictly below x; the last is infinity
  int32_t steps;         // most limits within one entry of `first`: so many comparisons finish the search
  uint8_t first[65536];  // by the upper 16 bits of x: the code of the smallest such number
};

// values [256]: within [-1, 1] and ascending (equal neighbours allowed), otherwise bad_input. What a file or the functions below gave.
CodeMap make_code_map(const float* values);

// The code of any x but NaN, from the limits: what is at first[upper bits of x], then `steps` times one more where x > limits[code].
uint8_t find_code(const CodeMap& map, float x);

// The functions below write `values` [256]; they throw bad_input where the arguments give no map, naming them. With total_bits < 8
// the places left are zeros.

// Dynamic exponent (Dettmers, arXiv 1511.04561): a value is 10^-e times a fraction; fewer bits of fraction the larger e is. bitsandbytes uses
// (signed, 7, 8) for scales and momenta, (unsigned, 7, 8) for squares. 1 <= max_exponent_bits <= 16, 2 <= total_bits <= 8.
void dynamic_map(float* values, bool is_signed, int max_exponent_bits = 7, int total_bits = 8);

// Equally spaced on [-1, 1] or [0, 1]. With has_zero a signed map has one value less and 0 among them (and always so for fewer
// than 8 bits). 2 <= total_bits <= 8.
void linear_map(float* values, bool is_signed, int total_bits = 8, bool has_zero = true);

// Floating point of so many bits, largest value 1: (1 + fraction) * 2^exponent, and fraction * 2^smallest where the exponent's bits are
// zero. 1 <= exponent_bits <= 7, precision_bits >= 0, together total_bits less the sign; 2 <= total_bits <= 8.
void fp8_map(float* values, bool is_signed, int exponent_bits, int precision_bits, int total_bits = 8);

// Quantiles of the normal distribution from 1 - offset to offset, scaled to [-1, 1]: where NF4's values come from. 15 values that are
// not 0, 8 of them positive, or without the extra one 14. 0.5 < offset < 1.
void normal_map(float* values, double offset = 0.9677083, bool has_extra_value = true);

}  // namespace nibble
