// MXFP4 (OCP Microscaling Formats 1.0) brought to the shape of the 4-bit formats that the ops know: the same weights to the bit,
// in 5 bits each instead of 4.25.
#pragma once

#include <cstdint>
#include <string>

namespace nibble {

inline constexpr int32_t kMicroscalingBlock = 32;

// The code book [16] of E2M1: sign, two exponent bits, one mantissa bit.
const float* e2m1_codebook();

// n bytes; of each the halves change places.
void swap_nibbles(uint8_t* out, const uint8_t* bytes, int64_t n);

// scales [n] = 2^(exponents - 127). Throws bad_file with the name for an exponent with which a value would not be finite.
void scales_of_exponents(float* scales, const uint8_t* exponents, int64_t n, const std::string& name);

}  // namespace nibble
