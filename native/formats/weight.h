// A weight matrix in one of the formats of formats.def, as the ops see it. Owns nothing.
#pragma once

#include <cstdint>

namespace nibble {

enum class FormatId : uint8_t {
#define FORMAT(name, number) name = number,
#include "formats/formats.def"
#undef FORMAT
};

// What a block-wise encoder divides by where the block's largest magnitude is smaller: its reciprocal would be infinite below 2^-128.
// bitsandbytes' plain PyTorch backend has the same bound.
inline constexpr float kSmallestDivisor = 1e-38f;

// Double quantization of the block scales (bitsandbytes.md 2.5). Block b of the weight has the scale
//   absmax(b) = map[codes[b]] * absmax[b / block_size] + offset      (product and sum rounded separately, fp32)
struct NestedScales {
  const uint8_t* codes = nullptr;  // [n_blocks]; null: the scales are not nested
  const float* absmax = nullptr;   // [ceil(n_blocks / block_size)]
  const float* map = nullptr;      // [256]
  float offset = 0;
  int32_t block_size = 256;
};

// W [rows, cols], row-major; `rows` is the output width N, `cols` the input width K.
//   Fp32 Fp16 Bf16   codes: elements; no scales
//   Int8             codes: int8 [rows, cols]; scales: row absmax SCB [rows]; w = code * SCB[row] / 127
//   Nf4 Fp4          codes: two per byte, element 2i in the high nibble; scales or nested: one per block of
//                    block_size elements of the FLAT matrix, so blocks may cross row ends when cols % block_size != 0;
//                    w = codebook[code] * absmax(block)
// Pointers are in the memory of the device whose table is used. codes are aligned to at least 1 byte only
// (files are mapped as they are).
struct WeightView {
  FormatId format = FormatId::Fp32;
  int64_t rows = 0;
  int64_t cols = 0;
  const void* codes = nullptr;
  const float* scales = nullptr;
  NestedScales nested;
  const float* codebook = nullptr;  // [16], 4-bit formats only: as stored in the file (a file may carry its own)
  int32_t block_size = 0;           // 4-bit formats only: 32, 64, ..., 4096
};

// The scale of one block of a 4-bit weight, nested or not. Product and sum are rounded separately, as files were made.
inline float block_scale(const WeightView& w, int64_t block) {
  const NestedScales& n = w.nested;
  if (n.codes == nullptr) return w.scales[block];
  const volatile float product = n.map[n.codes[block]] * n.absmax[block / n.block_size];  // volatile: no contraction to FMA
  return product + n.offset;
}

}  // namespace nibble
