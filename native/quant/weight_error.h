// How far quantized weights are from what they were made of: sums over the values of W and of W - W', for the relative error
// |W - W'| / |W| of a tensor (Frobenius norms). W is the weight in the type that it is quantized from, W' what the codes stand for,
// in fp32. All sums are of doubles; those of a chunk do not depend on the threads, so neither does the error.
#pragma once

#include <cstdint>

#include "model/encode.h"

namespace nibble {

struct SquareSums {
  double weight = 0;  // sum of w^2
  double error = 0;   // sum of (w - w')^2
};

// Double quantization changes the scale s of a block to s' when all scales are known. For each block what is needed then:
//   sum (w - c s')^2 = sum (w - c s)^2 - 2 (s' - s) sum (w - c s) c + (s' - s)^2 sum c^2,   c = codebook[code]
struct BlockTerms {
  float with_code = 0;  // sum (w - c s) c
  float code = 0;       // sum c^2
};

// Of n elements in blocks: values [n] fp32, codes [ceil(n/2)], absmax [ceil(n/block_size)]. terms [ceil(n/block_size)] or null.
SquareSums block_errors(const float* values, const uint8_t* codes, const float* absmax, int64_t n, const QuantizeSpec& spec,
                        BlockTerms* terms);

// Of rows in int8: values and codes [n_rows, cols], scb [n_rows].
SquareSums row_errors(const float* values, const int8_t* codes, const float* scb, int64_t n_rows, int64_t cols);

// What double quantization adds to the sum of squared errors. absmax [n_blocks] as they were, codes and nested_absmax as nest_scales
// made them of these, with its offset.
double nesting_error(const BlockTerms* terms, const float* absmax, const uint8_t* codes, const float* nested_absmax, float offset,
                     int64_t n_blocks);

}  // namespace nibble
