// NF4 (Dettmers et al., "QLoRA", arXiv 2305.14314): 16 values at quantiles of the normal distribution, -1 and 1 included,
// 0 exact at code 7. Bytes and blocks: four_bit.h. A value x = w / absmax gets the code of the nearest value; exactly between
// two, the lower code. The tables are those of bitsandbytes.md 2.1.
#pragma once

#include "formats/four_bit.h"

namespace nibble {

struct Nf4 {
  static constexpr FormatId kId = FormatId::Nf4;
  static constexpr const char* kName = "nf4";
  static constexpr uint8_t kZero = 7;

  static const float* codebook() {
    static constexpr float kValues[16] = {
        -1.0f,
        -0.6961928009986877f,
        -0.5250730514526367f,
        -0.39491748809814453f,
        -0.28444138169288635f,
        -0.18477343022823334f,
        -0.09105003625154495f,
        0.0f,
        0.07958029955625534f,
        0.16093020141124725f,
        0.24611230194568634f,
        0.33791524171829224f,
        0.44070982933044434f,
        0.5626170039176941f,
        0.7229568362236023f,
        1.0f,
    };
    return kValues;
  }
  // Code i + 1 begins strictly above threshold i.
  static const float* thresholds() {
    // In hexadecimal: some lie so near the middle of two floats that a decimal of 16 digits rounds to the wrong one.
    static constexpr float kValues[15] = {
        -0x1.b239bp-1f, -0x1.38a4ep-1f, -0x1.d709p-2f,  -0x1.5bd4ecp-2f, -0x1.e079d8p-3f, -0x1.1a7178p-3f, -0x1.74f0e2p-5f, 0x1.45f5fep-5f,
        0x1.ec90c4p-4f, 0x1.a0cfcp-3f,  0x1.2b05a8p-2f, 0x1.8ea7f2p-2f,  0x1.00da08p-1f,  0x1.491b5ep-1f,  0x1.b913b4p-1f,
    };
    return kValues;
  }
  // x in [-1, 1].
  static uint8_t encode(float x) {
    uint8_t code = 0;
    for (int i = 0; i < 15; ++i) code = static_cast<uint8_t>(code + (x > thresholds()[i] ? 1 : 0));
    return code;
  }
  static float decode(const WeightView& w, int64_t i) { return decode_four_bit(w, i); }
};

}  // namespace nibble
