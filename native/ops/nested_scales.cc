// Double quantization of block scales (bitsandbytes.md 2.5).
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "core/error.h"
#include "formats/formats.h"
#include "ops/ops.h"

namespace nibble {
namespace {

constexpr int64_t kNestedBlock = 256;

const CodeMap& nested_map() {
  static const CodeMap kMap = [] {
    float values[256];
    dynamic_map(values, true);
    return make_code_map(values);
  }();
  return kMap;
}

// The sum of PyTorch's CPU backend on one thread (2.13; the same on every x86 instruction set): 32 running sums, element i in sum
// i % 32, kept on four levels. A level that has taken 2^power sums of the level below is added to the next and begins anew.
constexpr int64_t kLanes = 8, kSums = 4 * kLanes, kLevels = 4;
using Sums = std::array<float, kSums>;

void add_to(Sums& sums, const float* values) {
  for (size_t i = 0; i < kSums; ++i) sums[i] += values[i];
}

Sums cascade_sums(const float* values, int64_t n_rows) {
  const int64_t log2 = n_rows > 1 ? std::bit_width(static_cast<uint64_t>(n_rows - 1)) : 0;
  const int64_t power = std::max(int64_t{4}, log2 / kLevels), rows_per_step = int64_t{1} << power;
  std::array<Sums, kLevels> levels{};
  int64_t row = 0;
  while (row + rows_per_step <= n_rows) {
    for (const int64_t end = row + rows_per_step; row < end; ++row) add_to(levels[0], values + row * kSums);
    for (size_t level = 1; level < kLevels; ++level) {
      add_to(levels[level], levels[level - 1].data());
      levels[level - 1] = {};
      if ((row & ((rows_per_step - 1) << (static_cast<int64_t>(level) * power))) != 0) break;
    }
  }
  for (; row < n_rows; ++row) add_to(levels[0], values + row * kSums);
  for (size_t level = 1; level < kLevels; ++level) add_to(levels[0], levels[level].data());
  return levels[0];
}

// Then what is left: whole vectors of 8 go to the first eight sums, single elements are added in order; the sums are added four vectors
// into one, and its lanes one after the other. Fewer than 8 elements: as with vectors of one lane.
float torch_sum(const float* values, int64_t n) {
  if (n < kLanes) {
    float sums[4] = {};
    for (int64_t i = 0; i < n; ++i) sums[i < 4 && n >= 4 ? i : 0] += values[i];
    return sums[0] + sums[1] + sums[2] + sums[3];
  }
  const int64_t n_rows = n / kSums;
  Sums sums = cascade_sums(values, n_rows);
  int64_t i = n_rows * kSums;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) sums[static_cast<size_t>(lane)] += values[i + lane];
  }
  for (size_t k = kLanes; k < kSums; ++k) sums[k % kLanes] += sums[k];
  float sum = 0;
  for (; i < n; ++i) sum += values[i];
  for (size_t lane = 0; lane < kLanes; ++lane) sum += sums[lane];
  return sum;
}

float mean(const float* values, int64_t n) {
  const float sum = torch_sum(values, n);
  if (std::isfinite(sum)) return sum / static_cast<float>(n);
  double wide = 0;  // PyTorch would give infinity here, and no scale could be decoded
  for (int64_t i = 0; i < n; ++i) wide += values[i];
  return static_cast<float>(wide / static_cast<double>(n));
}

}  // namespace

float nest_scales(uint8_t* codes, float* absmax2, const float* absmax, int64_t n) {
  if (n == 0) return 0;
  const float offset = mean(absmax, n);
  const CodeMap& map = nested_map();
  for (int64_t begin = 0, block = 0; begin < n; begin += kNestedBlock, ++block) {
    const int64_t end = std::min(n, begin + kNestedBlock);
    float largest = 0;
    for (int64_t i = begin; i < end; ++i) largest = std::max(largest, std::fabs(absmax[i] - offset));
    absmax2[block] = largest;
    const float reciprocal = 1.0f / std::max(largest, kSmallestDivisor);
    for (int64_t i = begin; i < end; ++i) codes[i] = find_code(map, (absmax[i] - offset) * reciprocal);
  }
  return offset;
}

const float* dynamic_map_signed() { return nested_map().values; }

const float* codebook(FormatId format) {
  if (format == FormatId::Nf4) return Nf4::codebook();
  if (format == FormatId::Fp4) return Fp4::codebook();
  throw Error(ErrorCode::internal, "Only 4-bit formats have a code book.");
}

}  // namespace nibble
