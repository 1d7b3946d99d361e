// 8-bit block-wise quantization by a map, element by element: the nearest value is searched among the values themselves.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/ref/ref.h"

namespace nibble::ref {
namespace {

// As bitsandbytes' CUDA kernel decides: between the neighbours of x by their middle, which itself belongs to the even code.
uint8_t nearest(const float* values, float x) {
  const auto above = std::lower_bound(values, values + 256, x) - values;
  if (above == 0) return 0;
  if (above == 256) return 255;
  const float middle = (values[above - 1] + values[above]) * 0.5f;
  const bool takes_above = x > middle || (x == middle && above % 2 == 0);
  return static_cast<uint8_t>(takes_above ? above : above - 1);
}

int64_t quantize_map8(Exec&, uint8_t* codes, float* absmax, const void* src, DType src_type, int64_t n, const CodeMap& map,
                      int64_t block_size) {
  for (int64_t begin = 0, block = 0; begin < n; begin += block_size, ++block) {
    const int64_t end = begin + std::min(n - begin, block_size);
    float largest = 0;
    for (int64_t i = begin; i < end; ++i) {
      const float w = load(src, src_type, i);
      if (!std::isfinite(w)) return i;
      largest = std::max(largest, std::fabs(w));
    }
    absmax[block] = largest;
    const float reciprocal = 1.0f / std::max(largest, kSmallestDivisor);
    for (int64_t i = begin; i < end; ++i) codes[i] = nearest(map.values, load(src, src_type, i) * reciprocal);
    if (n - begin <= block_size) break;  // a block size near the largest integer
  }
  return -1;
}

void dequantize_map8(Exec&, void* dst, DType dst_type, const uint8_t* codes, const float* absmax, int64_t n, const CodeMap& map,
                     int64_t block_size) {
  for (int64_t i = 0; i < n; ++i) {
    const float value = map.values[codes[i]] * absmax[i / block_size];
    if (dst_type == DType::f32) {
      std::memcpy(static_cast<char*>(dst) + i * 4, &value, 4);
    } else {
      const uint16_t half = dst_type == DType::f16 ? f32_to_f16(value) : f32_to_bf16(value);
      std::memcpy(static_cast<char*>(dst) + i * 2, &half, 2);
    }
  }
}

}  // namespace

void set_map8_ops(OpTable& table) {
  table.quantize_map8 = quantize_map8;
  table.dequantize_map8 = dequantize_map8;
}

}  // namespace nibble::ref
