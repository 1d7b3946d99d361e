// Turns ranges of stored tensors into plain or quantized values: what loading and quantizing to a file have in common.
// Every function here may run on many threads at once, each with its own EncodeBuffers.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "io/tensor_reader.h"
#include "ops/ops.h"

namespace nibble {

// How a linear layer is quantized.
struct QuantizeSpec {
  FormatId format = FormatId::Nf4;  // Int8, Nf4 or Fp4
  int32_t block_size = 64;          // 4-bit: a power of two, 32 .. 4096
  bool is_nested = false;           // 4-bit: double quantization of the scales

  bool operator==(const QuantizeSpec&) const = default;
};

// Throws bad_input for a format or block size that does not exist.
void check_quantize_spec(const QuantizeSpec& spec);

// Elements that one step reads and encodes: a multiple of every block size, small enough to stay in a core's own cache.
inline constexpr int64_t kEncodeChunk = int64_t{1} << 18;

// Memory that grows to what the largest step needs and is used again by the next.
class Buffer {
 public:
  void* at_least(size_t bytes);  // 64-byte aligned; what it held is lost when it grows

 private:
  struct Free {
    void operator()(void* p) const { ::operator delete (p, std::align_val_t{64}); }
  };
  std::unique_ptr<void, Free> data_;
  size_t bytes_ = 0;
};

// What one thread works in.
struct EncodeBuffers {
  std::vector<uint8_t> raw;
  Buffer stored;
  Buffer converted;
};

// A range of a tensor in a wanted plain type: elements [first, first + n), in memory of `buffers` until its next use.
// Throws bad_file with tensor and index for NaN and infinity, also where a value does not fit the wanted type.
const void* read_as(DType type, const OpTable& table, const TensorReader& reader, int64_t first, int64_t n, EncodeBuffers& buffers);

// The same, then encoded in blocks; `first` is a multiple of the block size. codes [ceil(n/2)], absmax [ceil(n/block_size)].
// Returns what was encoded, as read_as does.
const void* encode_blocks(uint8_t* codes, float* absmax, const QuantizeSpec& spec, DType type, const OpTable& table,
                          const TensorReader& reader, int64_t first, int64_t n, EncodeBuffers& buffers);

// Rows [first_row, first_row + n_rows) of a matrix as LLM.int8() codes [n_rows, cols] and scales scb [n_rows]. Returns the same.
const void* encode_rows(int8_t* codes, float* scb, DType type, const OpTable& table, const TensorReader& reader, int64_t first_row,
                        int64_t n_rows, int64_t cols, EncodeBuffers& buffers);

}  // namespace nibble
