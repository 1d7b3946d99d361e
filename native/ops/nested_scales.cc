// Double quantization of block scales (bitsandbytes.md 2.5).
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "formats/formats.h"
#include "ops/ops.h"

namespace nibble {
namespace {

constexpr int64_t kNestedBlock = 256;

// Index of the nearest value of a sorted map; an exact tie goes to the even index.
uint8_t nearest(const float* map, float x) {
  const int64_t above = std::lower_bound(map, map + 256, x) - map;
  if (above == 0) return 0;
  if (above == 256) return 255;
  const int64_t below = above - 1;
  const float middle = (map[below] + map[above]) * 0.5f;
  if (x == middle) return static_cast<uint8_t>((below & 1) == 0 ? below : above);
  return static_cast<uint8_t>(x < middle ? below : above);
}

}  // namespace

float nest_scales(uint8_t* codes, float* absmax2, const float* absmax, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += absmax[i];
  const float offset = static_cast<float>(sum / static_cast<double>(n));
  const float* map = dynamic_map_signed();
  for (int64_t begin = 0, block = 0; begin < n; begin += kNestedBlock, ++block) {
    const int64_t end = std::min(n, begin + kNestedBlock);
    float largest = 0;
    for (int64_t i = begin; i < end; ++i) largest = std::max(largest, std::fabs(absmax[i] - offset));
    absmax2[block] = largest;
    const float reciprocal = largest > 0 ? 1.0f / largest : 0.0f;
    for (int64_t i = begin; i < end; ++i) codes[i] = nearest(map, (absmax[i] - offset) * reciprocal);
  }
  return offset;
}

const float* codebook(FormatId format) {
  if (format == FormatId::Nf4) return Nf4::codebook();
  if (format == FormatId::Fp4) return Fp4::codebook();
  throw Error(ErrorCode::internal, "Only 4-bit formats have a code book.");
}

}  // namespace nibble
