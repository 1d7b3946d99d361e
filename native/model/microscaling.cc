#include "model/microscaling.h"

#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace nibble {

const float* e2m1_codebook() {
  static constexpr float kValues[16] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, 0, -0.5f, -1, -1.5f, -2, -3, -4, -6};
  return kValues;
}

void swap_nibbles(uint8_t* out, const uint8_t* bytes, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<uint8_t>(bytes[i] << 4 | bytes[i] >> 4);
}

void scales_of_exponents(float* scales, const uint8_t* exponents, int64_t n, const std::string& name) {
  constexpr int kLargest = 252;  // 6 * 2^126 is infinite; 255 stands for NaN
  for (int64_t i = 0; i < n; ++i) {
    if (exponents[i] > kLargest) {
      throw Error(ErrorCode::bad_file, text("Tensor ", name, " has the exponent ", static_cast<int>(exponents[i]), " at block ", i,
                                            "; a model with such a weight cannot be used."));
    }
    scales[i] = std::ldexp(1.0f, exponents[i] - 127);
  }
}

}  // namespace nibble
