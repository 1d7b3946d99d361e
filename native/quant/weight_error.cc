#include "quant/weight_error.h"

#include <algorithm>

namespace nibble {

namespace {

// Sums side by side, each of its own elements: one alone would wait for each addition.
constexpr int64_t kLanes = 4;

struct Sums {
  double weight = 0;   // w^2
  double error = 0;    // (w - w')^2
  double mixed = 0;    // (w - w') w'
  double decoded = 0;  // w'^2
};

template <bool kWithTerms>
Sums sums_of(const float* weights, const float* decoded, int64_t n) {
  double weight[kLanes] = {}, error[kLanes] = {}, mixed[kLanes] = {}, squares[kLanes] = {};
  const auto add = [&](int64_t lane, double w, double d) {
    const double difference = w - d;
    weight[lane] += w * w;
    error[lane] += difference * difference;
    if constexpr (kWithTerms) {
      mixed[lane] += difference * d;
      squares[lane] += d * d;
    }
  };
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) add(lane, weights[i + lane], decoded[i + lane]);
  }
  for (int64_t lane = 0; i < n; ++i, ++lane) add(lane, weights[i], decoded[i]);
  Sums sums;
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    sums.weight += weight[lane];
    sums.error += error[lane];
    sums.mixed += mixed[lane];
    sums.decoded += squares[lane];
  }
  return sums;
}

}  // namespace

void decode_blocks(float* out, const uint8_t* codes, const float* absmax, int64_t n, const QuantizeSpec& spec) {
  const float* book = codebook(spec.format);
  // Both values of a byte at once.
  float pairs[256][2];
  for (int byte = 0; byte < 256; ++byte) {
    pairs[byte][0] = book[byte >> 4];
    pairs[byte][1] = book[byte & 15];
  }
  for (int64_t begin = 0, block = 0; begin < n; begin += spec.block_size, ++block) {
    const int64_t end = std::min(n, begin + spec.block_size);
    const float scale = absmax[block];
    for (int64_t i = begin; i + 1 < end; i += 2) {
      const float* pair = pairs[codes[i >> 1]];
      out[i] = pair[0] * scale;
      out[i + 1] = pair[1] * scale;
    }
    if ((end & 1) != 0) out[end - 1] = book[codes[end >> 1] >> 4] * scale;
  }
}

void decode_rows(float* out, const int8_t* codes, const float* scb, int64_t n_rows, int64_t cols) {
  for (int64_t row = 0; row < n_rows; ++row) {
    const auto step = static_cast<float>(static_cast<double>(scb[row]) / 127.0);
    for (int64_t i = row * cols; i < (row + 1) * cols; ++i) out[i] = static_cast<float>(codes[i]) * step;
  }
}

SquareSums square_errors(const float* weights, const float* decoded, int64_t n) {
  const Sums sums = sums_of<false>(weights, decoded, n);
  return {sums.weight, sums.error};
}

SquareSums block_errors(const float* weights, const float* decoded, const float* absmax, int64_t n, int64_t block_size, BlockTerms* terms) {
  SquareSums total;
  for (int64_t begin = 0, block = 0; begin < n; begin += block_size, ++block) {
    const Sums sums = sums_of<true>(weights + begin, decoded + begin, std::min(block_size, n - begin));
    total.weight += sums.weight;
    total.error += sums.error;
    // c = w' / s; in a block of zeros both are 0, and so is c.
    const double scale = absmax[block];
    terms[block] = {};
    if (scale > 0) terms[block] = {static_cast<float>(sums.mixed / scale), static_cast<float>(sums.decoded / (scale * scale))};
  }
  return total;
}

double nesting_error(const BlockTerms* terms, const float* absmax, const uint8_t* codes, const float* nested_absmax, float offset,
                     int64_t n_blocks) {
  WeightView view;
  view.nested = {codes, nested_absmax, dynamic_map_signed(), offset};
  double sum = 0;
  for (int64_t block = 0; block < n_blocks; ++block) {
    const double change = static_cast<double>(block_scale(view, block)) - static_cast<double>(absmax[block]);
    sum += change * (change * terms[block].code - 2.0 * terms[block].with_code);
  }
  return sum;
}

}  // namespace nibble
