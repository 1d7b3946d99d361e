// How far quantized weights are from what they were made of: sums over the values of W and of W - W', for the relative error
// |W - W'| / |W| of a tensor (Frobenius norms). W is the weight in the type that it is quantized from, W' what the codes stand for, both
// in fp32 here. All sums are of doubles; those of a chunk do not depend on the threads, so neither does the error.
#pragma once

#include <cstdint>

#include "model/encode.h"

namespace nibble {

struct SquareSums {
  double weight = 0;  // sum of w^2
  double error = 0;   // sum of (w - w')^2
};

// Double quantization changes the scale s of a block to s' when all scales are known, and w' = c s to c s'. What is needed of a block then:
//   sum (w - c s')^2 = sum (w - c s)^2 - 2 (s' - s) sum (w - c s) c + (s' - s)^2 sum c^2
struct BlockTerms {
  float with_code = 0;  // sum (w - c s) c
  float code = 0;       // sum c^2
};

// What codes stand for, on this thread alone. 4-bit: codes [ceil(n/2)], absmax [ceil(n/block_size)], out [n]. Int8: codes and out
// [n_rows, cols], scb [n_rows].
void decode_blocks(float* out, const uint8_t* codes, const float* absmax, int64_t n, const QuantizeSpec& spec);
void decode_rows(float* out, const int8_t* codes, const float* scb, int64_t n_rows, int64_t cols);

// Of n values: weights [n], decoded [n].
SquareSums square_errors(const float* weights, const float* decoded, int64_t n);

// The same of blocks with absmax [ceil(n/block_size)] (the s above), and terms [ceil(n/block_size)].
SquareSums block_errors(const float* weights, const float* decoded, const float* absmax, int64_t n, int64_t block_size, BlockTerms* terms);

// What double quantization adds to the sum of squared errors. absmax [n_blocks] as they were, codes and nested_absmax as nest_scales
// made them of these, with its offset.
double nesting_error(const BlockTerms* terms, const float* absmax, const uint8_t* codes, const float* nested_absmax, float offset,
                     int64_t n_blocks);

}  // namespace nibble
