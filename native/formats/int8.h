// int8: the weights of LLM.int8() (Dettmers et al., arXiv 2208.07339), one scale a row.
//
//   codes  int8 [rows, cols]   code = round_half_even(w * (127 / SCB[row])), w rounded to fp16 first
//   SCB    fp32 [rows]         max |w| of the row; w' = code * SCB / 127
//
// 8 + 32/cols bits per weight. A zero row has codes 0 and SCB 0.
#pragma once

#include <cmath>

#include "formats/weight.h"

namespace nibble {

struct Int8 {
  static constexpr FormatId kId = FormatId::Int8;
  static constexpr const char* kName = "int8";
  static int8_t encode(float w, float multiplier) { return static_cast<int8_t>(std::nearbyintf(w * multiplier)); }
  static float decode(const WeightView& w, int64_t i) {
    const double code = static_cast<const int8_t*>(w.codes)[i];
    return static_cast<float>(code * static_cast<double>(w.scales[i / w.cols]) / 127.0);
  }
};

}  // namespace nibble
