// The offset of double quantization is the mean that PyTorch computes, and scales of any kind give finite results.
#include <bit>
#include <cmath>
#include <vector>

#include "core/text.h"
#include "harness.h"
#include "maps_golden.h"
#include "ops/ops.h"

using namespace nibble;

namespace {

std::vector<float> squares(size_t n) {
  std::vector<float> values = test::random_values(n, 1);
  for (float& value : values) value *= value;
  return values;
}

float offset_of(const std::vector<float>& scales, size_t n) {
  std::vector<uint8_t> codes(n);
  std::vector<float> absmax(n / 256 + 1);
  return nest_scales(codes.data(), absmax.data(), scales.data(), static_cast<int64_t>(n));
}

}  // namespace

TEST_CASE(the_offset_is_the_mean_of_torch_to_the_last_bit) {
  const std::vector<float> scales = squares(262144);
  std::vector<float> means;
  for (size_t n = 1; n <= golden::kMeanSizes; ++n) means.push_back(offset_of(scales, n));
  CHECK(test::fnv1a(means.data(), means.size() * 4) == golden::kMeansHash);
  for (const golden::MeanCase& one : golden::kMeanCases) {
    const float mean = offset_of(scales, one.n);
    if (std::bit_cast<uint32_t>(mean) != one.bits)
      throw test::Failure(text("the mean of ", one.n, " scales is ", mean, ", expected ", std::bit_cast<float>(one.bits)));
  }
}

TEST_CASE(no_scales_have_no_codes) { CHECK(nest_scales(nullptr, nullptr, nullptr, 0) == 0); }

TEST_CASE(equal_tiny_and_huge_scales_stay_finite) {
  for (const float size : {0.0f, 1e-45f, 1e-40f, 1e-20f, 1.0f, 1e30f, 3.4e38f}) {
    std::vector<float> scales(700, size);
    scales[5] = size / 2;
    std::vector<uint8_t> codes(700);
    std::vector<float> absmax(3);
    const float offset = nest_scales(codes.data(), absmax.data(), scales.data(), 700);
    WeightView view;
    view.nested = {codes.data(), absmax.data(), dynamic_map_signed(), offset, 256};
    for (int64_t i = 0; i < 700; ++i) {
      const double expected = scales[static_cast<size_t>(i)], decoded = block_scale(view, i);
      // Below 1e-38 all scales are decoded as their mean: bitsandbytes' bound of the divisor.
      CHECK(std::isfinite(decoded) && std::fabs(decoded - expected) <= size * (size < 1e-38f ? 1 : 0.02));
    }
  }
}

TEST_CASE(scales_that_equal_their_mean_have_the_code_of_zero) {
  for (const float size : {0.0f, 0x1p-140f, 0.25f, 0x1p100f}) {
    const std::vector<float> scales(256, size);
    std::vector<uint8_t> codes(256);
    float absmax = 5;
    CHECK(nest_scales(codes.data(), &absmax, scales.data(), 256) == size && absmax == 0);
    for (const uint8_t code : codes) CHECK(code == 127);
  }
}
