// Double quantization of block scales (bitsandbytes.md 2.5).
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "formats/formats.h"
#include "ops/ops.h"

namespace nibble {
namespace {

constexpr int64_t kNestedBlock = 256;

// Finds the nearest value of the map for x in [-1, 1]; an exact tie goes to the even index. A table tells for each of many equal steps of
// x the index to begin with: the map is dense around 0 only, where few values lie.
class Nearest {
 public:
  explicit Nearest(const float* map) {
    for (int i = 0; i < 255; ++i) middles_[i] = (map[i] + map[i + 1]) * 0.5f;
    for (int step = 0, index = 0; step < kSteps; ++step) {
      const float begin = static_cast<float>(step - kSteps / 2) / (kSteps / 2);
      while (index < 255 && middles_[index] < begin) ++index;
      first_[step] = static_cast<uint8_t>(index);
    }
  }

  uint8_t operator()(float x) const {
    int step = static_cast<int>((x + 1) * (kSteps / 2));
    step = std::clamp(step - 1, 0, kSteps - 1);  // one back: the sum was rounded
    int index = first_[step];
    while (index < 255 && x > middles_[index]) ++index;
    if (index < 255 && x == middles_[index]) index += index & 1;
    return static_cast<uint8_t>(index);
  }

 private:
  static constexpr int kSteps = 4096;
  float middles_[255];
  uint8_t first_[kSteps];
};

}  // namespace

float nest_scales(uint8_t* codes, float* absmax2, const float* absmax, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += absmax[i];
  const float offset = static_cast<float>(sum / static_cast<double>(n));
  static const Nearest nearest(dynamic_map_signed());
  for (int64_t begin = 0, block = 0; begin < n; begin += kNestedBlock, ++block) {
    const int64_t end = std::min(n, begin + kNestedBlock);
    float largest = 0;
    for (int64_t i = begin; i < end; ++i) largest = std::max(largest, std::fabs(absmax[i] - offset));
    absmax2[block] = largest;
    const float reciprocal = largest > 0 ? 1.0f / largest : 0.0f;
    for (int64_t i = begin; i < end; ++i) codes[i] = nearest((absmax[i] - offset) * reciprocal);
  }
  return offset;
}

const float* codebook(FormatId format) {
  if (format == FormatId::Nf4) return Nf4::codebook();
  if (format == FormatId::Fp4) return Fp4::codebook();
  throw Error(ErrorCode::internal, "Only 4-bit formats have a code book.");
}

}  // namespace nibble
