#include "quant/weight_error.h"

#include <algorithm>

namespace nibble {

namespace {

// Four sums side by side: one alone would wait for each addition.
constexpr int64_t kLanes = 4;

double total(const double* lanes) { return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]); }

struct BlockSums {
  SquareSums squares;
  double with_code = 0;
  double code = 0;
};

// One block of at most 4096 elements that begins with a whole byte.
BlockSums block_sums(const float* values, const uint8_t* codes, int64_t n, float scale, const float* book) {
  double weight[kLanes] = {}, error[kLanes] = {}, with_code[kLanes] = {}, code[kLanes] = {};
  const auto add = [&](int64_t lane, float value, float level) {
    const double difference = static_cast<double>(value) - static_cast<double>(level * scale);
    weight[lane] += static_cast<double>(value) * value;
    error[lane] += difference * difference;
    with_code[lane] += difference * level;
    code[lane] += static_cast<double>(level) * level;
  };
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const uint8_t first = codes[i >> 1], second = codes[(i >> 1) + 1];
    add(0, values[i], book[first >> 4]);
    add(1, values[i + 1], book[first & 15]);
    add(2, values[i + 2], book[second >> 4]);
    add(3, values[i + 3], book[second & 15]);
  }
  for (; i < n; ++i) add(i % kLanes, values[i], book[(i & 1) != 0 ? codes[i >> 1] & 15 : codes[i >> 1] >> 4]);
  return {{total(weight), total(error)}, total(with_code), total(code)};
}

}  // namespace

SquareSums block_errors(const float* values, const uint8_t* codes, const float* absmax, int64_t n, const QuantizeSpec& spec,
                        BlockTerms* terms) {
  const float* book = codebook(spec.format);
  SquareSums sums;
  for (int64_t begin = 0, block = 0; begin < n; begin += spec.block_size, ++block) {
    const BlockSums of_block = block_sums(values + begin, codes + begin / 2, std::min<int64_t>(spec.block_size, n - begin), absmax[block],
                                          book);
    sums.weight += of_block.squares.weight;
    sums.error += of_block.squares.error;
    if (terms != nullptr) terms[block] = {static_cast<float>(of_block.with_code), static_cast<float>(of_block.code)};
  }
  return sums;
}

SquareSums row_errors(const float* values, const int8_t* codes, const float* scb, int64_t n_rows, int64_t cols) {
  SquareSums sums;
  for (int64_t row = 0; row < n_rows; ++row) {
    const double step = static_cast<double>(scb[row]) / 127.0;
    double weight[kLanes] = {}, error[kLanes] = {};
    const auto add = [&](int64_t lane, int64_t i) {
      const double value = values[row * cols + i], difference = value - codes[row * cols + i] * step;
      weight[lane] += value * value;
      error[lane] += difference * difference;
    };
    int64_t i = 0;
    for (; i + kLanes <= cols; i += kLanes) {
      for (int64_t lane = 0; lane < kLanes; ++lane) add(lane, i + lane);
    }
    for (; i < cols; ++i) add(i % kLanes, i);
    sums.weight += total(weight);
    sums.error += total(error);
  }
  return sums;
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
