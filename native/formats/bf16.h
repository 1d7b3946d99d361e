// bf16: the upper half of an fp32, little-endian; 16 bits per weight, range of fp32, 8 bits of precision.
#pragma once

#include <cstring>

#include "core/dtype.h"
#include "formats/weight.h"

namespace nibble {

struct Bf16 {
  static constexpr FormatId kId = FormatId::Bf16;
  static constexpr const char* kName = "bf16";
  static float decode(const WeightView& w, int64_t i) {
    uint16_t half;
    std::memcpy(&half, static_cast<const char*>(w.codes) + i * 2, 2);
    return bf16_to_f32(half);
  }
};

}  // namespace nibble
