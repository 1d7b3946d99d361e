#include "formats/code_map.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace nibble {
namespace {

constexpr int kCodes = 256;

// n equally spaced points as PyTorch makes them: each half from its own end, product and sum rounded once.
std::vector<float> spaced(float begin, float end, int n) {
  if (n == 1) return {begin};
  const float step = (end - begin) / static_cast<float>(n - 1);
  std::vector<float> points;
  for (int i = 0; i < n; ++i) {
    points.push_back(i < n / 2 ? std::fma(step, static_cast<float>(i), begin) : std::fma(-step, static_cast<float>(n - 1 - i), end));
  }
  return points;
}

// The collected values and zeros, ascending. Zeros of both signs keep their order.
void store_sorted(float* values, std::vector<float> some) {
  some.resize(kCodes, 0.0f);
  std::ranges::stable_sort(some);
  std::ranges::copy(some, values);
}

void check_bits(const char* map, int total_bits) {
  if (total_bits < 2 || total_bits > 8) throw Error(ErrorCode::bad_input, text("A ", map, " map has 2 to 8 bits, not ", total_bits, "."));
}

// Smallest x with the upper 16 bits `key`: negative numbers run backwards.
float smallest_of(uint32_t key) { return std::bit_cast<float>(key << 16 | (key >= 0x8000u ? 0xffffu : 0u)); }

// z with P(Z < z) = p for a normal Z, 0 < p < 1: Newton's method. Above 0 the distribution function is concave, so the steps come from
// below and never overshoot; for p within a float of 1 (z = 5.2) a dozen are enough.
double normal_quantile(double p) {
  if (p < 0.5) return -normal_quantile(1 - p);
  double z = 0;
  for (int i = 0; i < 40; ++i) {
    const double excess = 0.5 * std::erfc(-z * std::sqrt(0.5)) - p;
    z -= excess / (std::exp(-z * z / 2) * 0.3989422804014327);
  }
  return z;
}

}  // namespace

CodeMap make_code_map(const float* values) {
  CodeMap map;
  for (int i = 0; i < kCodes; ++i) {
    if (!(std::fabs(values[i]) <= 1) || (i > 0 && values[i] < values[i - 1])) {
      throw Error(ErrorCode::bad_input,
                  text("Value ", i, " of the map of codes, ", values[i], ", is beyond [-1, 1] or below the one before it."));
    }
    map.values[i] = values[i];
  }
  for (int i = 0; i + 1 < kCodes; ++i) {
    const float middle = (values[i] + values[i + 1]) * 0.5f;
    // x equal to the middle goes to the even code: past an odd one. Of equal values the first is taken.
    const bool takes_middle = i % 2 == 1 && values[i] != values[i + 1];
    const float limit = takes_middle ? std::nextafter(middle, -std::numeric_limits<float>::infinity()) : middle;
    map.limits[i] = i == 0 ? limit : std::max(limit, map.limits[i - 1]);
  }
  map.limits[kCodes - 1] = std::numeric_limits<float>::infinity();
  std::fill(std::begin(map.first), std::end(map.first), uint8_t{0});
  // All keys of numbers, ascending: from the largest negative (0xff7f) to -0 (0x8000), then from 0 up.
  int code = 0, before = 0;
  map.steps = 0;
  for (uint32_t at = 0; at < 2 * 0x7f80u; ++at) {
    const uint32_t key = at < 0x7f80u ? 0xff7fu - at : at - 0x7f80u;
    while (map.limits[code] < smallest_of(key)) ++code;
    map.first[key] = static_cast<uint8_t>(code);
    map.steps = std::max(map.steps, code - before);
    before = code;
  }
  return map;
}

uint8_t find_code(const CodeMap& map, float x) {
  uint32_t code = map.first[std::bit_cast<uint32_t>(x) >> 16];
  for (int32_t step = 0; step < map.steps; ++step) code += x > map.limits[code] ? 1 : 0;
  return static_cast<uint8_t>(code);
}

void dynamic_map(float* values, bool is_signed, int max_exponent_bits, int total_bits) {
  check_bits("dynamic", total_bits);
  std::vector<float> some = {0.0f, 1.0f};
  const auto add = [&](double n_fractions, int power) {
    const std::vector<float> edges = spaced(0.1f, 1.0f, static_cast<int>(n_fractions) + 1);
    const auto scale = static_cast<float>(std::pow(10.0, power));
    for (size_t i = 0; i + 1 < edges.size(); ++i) {
      const float value = (edges[i] + edges[i + 1]) / 2.0f * scale;
      some.push_back(value);
      if (is_signed) some.push_back(-value);
    }
  };
  const int spare_bits = total_bits - 1 - max_exponent_bits;
  const bool is_possible = max_exponent_bits >= 1 && max_exponent_bits <= 16;
  for (int i = 0; is_possible && i < max_exponent_bits; ++i)
    add(std::exp2(i + spare_bits + (is_signed ? 0 : 1)), i + 1 - max_exponent_bits);
  if (is_possible && spare_bits > 0) add(std::exp2(spare_bits) - 1, 0);
  if (some.size() != size_t{1} << total_bits) {
    throw Error(ErrorCode::bad_input, text("There is no ", is_signed ? "signed" : "unsigned", " dynamic map of ", total_bits, " bits with ",
                                           max_exponent_bits, " exponent bits."));
  }
  store_sorted(values, some);
}

void linear_map(float* values, bool is_signed, int total_bits, bool has_zero) {
  check_bits("linear", total_bits);
  const bool loses_one = is_signed && (has_zero || total_bits < 8);
  store_sorted(values, spaced(is_signed ? -1.0f : 0.0f, 1.0f, (1 << total_bits) - (loses_one ? 1 : 0)));
}

void fp8_map(float* values, bool is_signed, int exponent_bits, int precision_bits, int total_bits) {
  check_bits("floating-point", total_bits);
  if (exponent_bits < 1 || exponent_bits > 7 || precision_bits < 0 || exponent_bits + precision_bits + (is_signed ? 1 : 0) != total_bits) {
    throw Error(ErrorCode::bad_input,
                text("There is no ", is_signed ? "signed" : "unsigned", " floating-point map of ", total_bits, " bits with ", exponent_bits,
                     " exponent bits (1 to 7) and ", precision_bits, " precision bits."));
  }
  const int bias = 1 << (exponent_bits - 1), n_fractions = 1 << precision_bits;
  std::vector<float> some;
  for (int exponent = 0; exponent < 1 << exponent_bits; ++exponent) {
    for (int i = 0; i < n_fractions; ++i) {
      const double fraction = static_cast<double>(i) / n_fractions;
      const double value = exponent == 0 ? std::ldexp(fraction, -bias) : std::ldexp(1 + fraction, bias + 1 - exponent);
      some.push_back(static_cast<float>(value));
      if (is_signed) some.push_back(static_cast<float>(-value));
    }
  }
  const float largest = *std::ranges::max_element(some);
  for (float& value : some) value /= largest;
  store_sorted(values, some);
}

void normal_map(float* values, double offset, bool has_extra_value) {
  if (!(offset > 0.5 && offset < 1))
    throw Error(ErrorCode::bad_input, text("The offset of a normal map lies between 0.5 and 1, not ", offset, "."));
  std::vector<float> some;
  const auto add = [&](int n, double sign) {
    const std::vector<float> quantiles = spaced(static_cast<float>(offset), 0.5f, n);
    for (int i = 0; i + 1 < n; ++i)
      some.push_back(static_cast<float>(sign * normal_quantile(static_cast<double>(quantiles[static_cast<size_t>(i)]))));
  };
  add(has_extra_value ? 9 : 8, 1);
  add(8, -1);
  const float largest = *std::ranges::max_element(some);
  for (float& value : some) value /= largest;
  store_sorted(values, some);
}

}  // namespace nibble
