// Blocks made by hand, for the tests of the decoders.
#pragma once

#include <cstring>
#include <utility>
#include <vector>

#include "core/dtype.h"
#include "io/gguf_blocks.h"

namespace test {

using Values = std::vector<float>;

inline void put_half(std::vector<uint8_t>& block, size_t at, float value) {
  const uint16_t half = nibble::f32_to_f16(value);
  std::memcpy(block.data() + at, &half, 2);
}

// What a block of zero bytes decodes to that has an fp16 scale at scale_at (none if scale is 0) and these bytes changed.
inline Values decoded(nibble::Encoding encoding, const std::vector<std::pair<size_t, int>>& changes, float scale = 0, size_t scale_at = 0) {
  const nibble::BlockLayout layout = nibble::block_layout(encoding);
  std::vector<uint8_t> block(static_cast<size_t>(layout.bytes));
  if (scale != 0) put_half(block, scale_at, scale);
  for (const auto& [at, value] : changes) block[at] = static_cast<uint8_t>(value);
  Values out(static_cast<size_t>(layout.elements));
  nibble::decode_gguf_blocks(out.data(), block.data(), encoding, layout.elements);
  return out;
}

}  // namespace test
