// Encoding of weights, element by element.
#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/text.h"
#include "formats/formats.h"
#include "ops/ref/ref.h"

namespace nibble::ref {
namespace {

template <class Format>
int64_t quantize_blocks(Exec&, uint8_t* codes, float* absmax, const void* src, DType src_type, int64_t n, int32_t block_size) {
  for (int64_t begin = 0, block = 0; begin < n; begin += block_size, ++block) {
    const int64_t end = std::min(n, begin + block_size);
    float largest = 0;
    for (int64_t i = begin; i < end; ++i) {
      const float w = load(src, src_type, i);
      if (!std::isfinite(w)) return i;
      largest = std::max(largest, std::fabs(w));
    }
    absmax[block] = largest;
    const float reciprocal = 1.0f / std::max(largest, kSmallestDivisor);
    for (int64_t i = begin; i < end; ++i) {
      const uint8_t code = Format::encode(load(src, src_type, i) * reciprocal);
      uint8_t& byte = codes[i >> 1];
      byte = (i & 1) != 0 ? static_cast<uint8_t>(byte | code) : static_cast<uint8_t>(code << 4);
    }
  }
  if ((n & 1) != 0) codes[n >> 1] = static_cast<uint8_t>(codes[n >> 1] | Format::kZero);
  return -1;
}

int64_t quantize_rows(Exec&, int8_t* codes, float* scb, const void* src, DType src_type, int64_t rows, int64_t cols) {
  for (int64_t n = 0; n < rows; ++n) {
    float largest = 0;
    for (int64_t k = 0; k < cols; ++k) {
      const float w = f16_to_f32(f32_to_f16(load(src, src_type, n * cols + k)));
      if (!std::isfinite(w)) return n * cols + k;
      largest = std::max(largest, std::fabs(w));
    }
    scb[n] = largest;
    const float multiplier = largest > 0 ? 127.0f * (1.0f / largest) : 0.0f;
    for (int64_t k = 0; k < cols; ++k) {
      codes[n * cols + k] = Int8::encode(f16_to_f32(f32_to_f16(load(src, src_type, n * cols + k))), multiplier);
    }
  }
  return -1;
}

int64_t convert(Exec&, void* dst, DType dst_type, const void* src, DType src_type, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const float value = load(src, src_type, i);
    if (!std::isfinite(value)) return i;
    if (dst_type == DType::f32) {
      std::memcpy(static_cast<char*>(dst) + i * 4, &value, 4);
      continue;
    }
    const uint16_t half = dst_type == DType::f16 ? f32_to_f16(value) : f32_to_bf16(value);
    if (!std::isfinite(dst_type == DType::f16 ? f16_to_f32(half) : bf16_to_f32(half))) return i;
    std::memcpy(static_cast<char*>(dst) + i * 2, &half, 2);
  }
  return -1;
}

}  // namespace

void set_encode_ops(OpTable& table) {
  table.quantize_blocks[static_cast<int>(Nf4::kId)] = quantize_blocks<Nf4>;
  table.quantize_blocks[static_cast<int>(Fp4::kId)] = quantize_blocks<Fp4>;
  table.quantize_rows = quantize_rows;
  table.convert = convert;
}

}  // namespace nibble::ref
