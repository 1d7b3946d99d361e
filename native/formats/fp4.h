// FP4 as bitsandbytes has it: sign (bit 3), two exponent bits, one mantissa bit, divided by 12 so that the largest is 1. The
// order of the codes is not the order of the values. Bytes and blocks: four_bit.h. Encoding follows the CUDA kernel
// (bitsandbytes.md 2.2): magnitude by strict thresholds, sign bit for x < 0; the tables are those of that section.
#pragma once

#include "formats/four_bit.h"

namespace nibble {

struct Fp4 {
  static constexpr FormatId kId = FormatId::Fp4;
  static constexpr const char* kName = "fp4";
  static constexpr uint8_t kZero = 0;

  static const float* codebook() {
    static constexpr float kValues[16] = {
        0.0f, 0.005208333488553762f,  0.6666666865348816f,  1.0f,  0.3333333432674408f,  0.5f,  0.1666666716337204f,  0.25f,
        0.0f, -0.005208333488553762f, -0.6666666865348816f, -1.0f, -0.3333333432674408f, -0.5f, -0.1666666716337204f, -0.25f,
    };
    return kValues;
  }
  // Magnitude i + 1 (in the order of codes_by_magnitude) begins strictly above threshold i.
  static const float* thresholds() {
    static constexpr float kValues[7] = {0x1.555572p-9f, 0.0859375f,     0x1.aaaaaap-3f, 0x1.2aaaaap-2f,
                                         0x1.aaaaacp-2f, 0x1.2aaaa0p-1f, 0x1.aaaaaap-1f};
    return kValues;
  }
  static const uint8_t* codes_by_magnitude() {
    static constexpr uint8_t kCodes[8] = {0, 1, 6, 7, 4, 5, 2, 3};
    return kCodes;
  }
  // x in [-1, 1].
  static uint8_t encode(float x) {
    const float magnitude = x < 0 ? -x : x;
    int rank = 0;
    for (int i = 0; i < 7; ++i) rank += magnitude > thresholds()[i] ? 1 : 0;
    return static_cast<uint8_t>(codes_by_magnitude()[rank] | (x < 0 ? 8 : 0));
  }
  static float decode(const WeightView& w, int64_t i) { return decode_four_bit(w, i); }
};

}  // namespace nibble
