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
    static constexpr float kValues[15] = {
        -0.8480964004993439f,   -0.6106329262256622f, -0.4599952697753906f, -0.33967943489551544f, -0.23460740596055984f,
        -0.13791173323988914f,  -0.045525018125772476f, 0.03979014977812767f, 0.1202552504837513f,   0.2035212516784668f,
        0.2920137718319893f,    0.3893125355243683f,  0.5016634166240692f,  0.6427869200706482f,   0.8614784181118011f,
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
