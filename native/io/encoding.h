// How the bytes of a tensor are stored in a file: plain element types and the block types of GGUF.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nibble {

// The first five are used as they are (mapped, not copied); the GGUF block types are decoded while loading.
enum class Encoding : uint8_t { f32, f16, bf16, i8, u8, q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, q5_k, q6_k };

// A range of bytes in a file of the model.
struct FileSlice {
  int32_t file = 0;  // index into the list of files it comes with
  int64_t offset = 0;
  int64_t bytes = 0;
};

// Where a tensor lies and how; what both a model's tensors and those to be quantized consist of.
struct StoredTensor {
  std::string name;  // as in the file, for messages
  FileSlice data;
  Encoding encoding = Encoding::f32;
  std::vector<int64_t> shape;   // row-major
  int32_t unpermute_heads = 0;  // > 0: the rows of each of so many heads are interleaved for GGUF's rotary layout (tensor_reader.cc)
  bool is_transposed = false;   // plain types: the file holds the last two dimensions the other way round (Conv1D of GPT-2)
};

// One stored block: `elements` values in `bytes` bytes. Plain types are blocks of one.
struct BlockLayout {
  int32_t elements;
  int32_t bytes;
};

constexpr BlockLayout block_layout(Encoding encoding) {
  switch (encoding) {
    case Encoding::f32: return {1, 4};
    case Encoding::f16:
    case Encoding::bf16: return {1, 2};
    case Encoding::i8:
    case Encoding::u8: return {1, 1};
    case Encoding::q4_0: return {32, 18};
    case Encoding::q4_1: return {32, 20};
    case Encoding::q5_0: return {32, 22};
    case Encoding::q5_1: return {32, 24};
    case Encoding::q8_0: return {32, 34};
    case Encoding::q4_k: return {256, 144};
    case Encoding::q5_k: return {256, 176};
    case Encoding::q6_k: return {256, 210};
  }
  return {1, 1};
}

constexpr bool is_gguf_block(Encoding encoding) { return encoding >= Encoding::q4_0; }

// "q4_1", as the binding and messages spell it.
constexpr const char* encoding_name(Encoding encoding) {
  constexpr const char* kNames[] = {"f32", "f16", "bf16", "i8", "u8", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q4_k", "q5_k", "q6_k"};
  return kNames[static_cast<int>(encoding)];
}
inline constexpr int kEncodings = static_cast<int>(Encoding::q6_k) + 1;

}  // namespace nibble
