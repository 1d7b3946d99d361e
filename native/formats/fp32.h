// fp32: one IEEE binary32 per weight, little-endian; 32 bits per weight, exact.
#pragma once

#include <cstring>

#include "formats/weight.h"

namespace nibble {

struct Fp32 {
  static constexpr FormatId kId = FormatId::Fp32;
  static constexpr const char* kName = "fp32";
  static float decode(const WeightView& w, int64_t i) {
    float value;
    std::memcpy(&value, static_cast<const char*>(w.codes) + i * 4, 4);
    return value;
  }
};

}  // namespace nibble
