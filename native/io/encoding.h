// How the bytes of a tensor are stored in a file: plain element types and the block types of GGUF.
#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

namespace nibble {

enum class Encoding : uint8_t {
#define PLAIN_ENCODING(name, bytes) name,
#define GGUF_BLOCK(name, elements, bytes) name,
#include "io/encodings.def"
};

// A range of bytes in a file of the model.
struct FileSlice {
  int32_t file = 0;  // index into the list of files it comes with
  int64_t offset = 0;
  int64_t bytes = 0;

  bool operator==(const FileSlice&) const = default;
};

// Where a tensor lies and how; what both a model's tensors and those to be quantized consist of.
struct StoredTensor {
  std::string name;  // as in the file, for messages
  FileSlice data;
  Encoding encoding = Encoding::f32;
  std::vector<int64_t> shape;   // row-major
  int32_t unpermute_heads = 0;  // > 0: the rows of each of so many heads are interleaved for GGUF's rotary layout (tensor_reader.cc)
  float value_offset = 0;       // added to each value; fp32 only (GGUF holds 1 more than Gemma's norms)
  bool is_transposed = false;   // plain types: the file holds the last two dimensions the other way round (Conv1D of GPT-2)

  bool operator==(const StoredTensor&) const = default;
};

// One stored block: `elements` values in `bytes` bytes. Plain types are blocks of one.
struct BlockLayout {
  int32_t elements;
  int32_t bytes;
};

constexpr BlockLayout block_layout(Encoding encoding) {
  constexpr BlockLayout kLayouts[] = {
#define PLAIN_ENCODING(name, bytes) {1, bytes},
#define GGUF_BLOCK(name, elements, bytes) {elements, bytes},
#include "io/encodings.def"
  };
  return kLayouts[static_cast<int>(encoding)];
}

constexpr bool is_gguf_block(Encoding encoding) {
  constexpr bool kIsBlock[] = {
#define PLAIN_ENCODING(name, bytes) false,
#define GGUF_BLOCK(name, elements, bytes) true,
#include "io/encodings.def"
  };
  return kIsBlock[static_cast<int>(encoding)];
}

inline constexpr const char* kEncodingNames[] = {
#define PLAIN_ENCODING(name, bytes) #name,
#define GGUF_BLOCK(name, elements, bytes) #name,
#include "io/encodings.def"
};
inline constexpr int kEncodings = static_cast<int>(std::size(kEncodingNames));

// "q4_1", as the binding and messages spell it.
constexpr const char* encoding_name(Encoding encoding) { return kEncodingNames[static_cast<int>(encoding)]; }

}  // namespace nibble
