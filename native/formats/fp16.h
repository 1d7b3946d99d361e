// fp16: one IEEE binary16 per weight, little-endian; 16 bits per weight, range 6e-8 to 65504, 11 bits of precision.
#pragma once

#include <cstring>

#include "core/dtype.h"
#include "formats/weight.h"

namespace nibble {

struct Fp16 {
  static constexpr FormatId kId = FormatId::Fp16;
  static constexpr const char* kName = "fp16";
  static float decode(const WeightView& w, int64_t i) {
    uint16_t half;
    std::memcpy(&half, static_cast<const char*>(w.codes) + i * 2, 2);
    return f16_to_f32(half);
  }
};

}  // namespace nibble
