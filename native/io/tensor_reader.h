// Reads the values of one stored tensor in ranges, as a plain element type and in the row order the decoder uses:
// GGUF blocks are decoded, the rows of GGUF's q and k are put back in the Hugging Face order, transposed matrices are turned.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "io/encoding.h"
#include "io/file.h"

namespace nibble {

// Number of elements. Throws bad_input when a dimension is negative or the product passes 2^53.
int64_t element_count(const std::vector<int64_t>& shape, const std::string& name);
// Bytes that a tensor of this shape and encoding has in a file. Throws bad_input when it does not consist of whole blocks.
int64_t stored_bytes(const std::vector<int64_t>& shape, Encoding encoding, const std::string& name);

class TensorReader {
 public:
  // Checks shape, encoding and size against the file. `file` and `tensor` must outlive the reader.
  TensorReader(const InputFile& file, const StoredTensor& tensor);

  const std::string& name() const { return tensor_.name; }
  int64_t size() const { return size_; }
  // f32 for GGUF blocks, else the type in the file. i8 and u8 tensors come as they are.
  DType type() const { return type_; }

  // dst: n elements of type(). GGUF tensors are read from block border to block border. `raw` is a buffer that grows to what undecoded blocks need; one per thread.
  void read(void* dst, int64_t first, int64_t n, std::vector<uint8_t>& raw) const;

  // The multi-dimensional index of an element, for messages.
  std::vector<int64_t> position(int64_t index) const;

 private:
  void read_in_order(void* dst, int64_t first, int64_t n, std::vector<uint8_t>& raw) const;
  void read_contiguous(void* dst, int64_t first, int64_t n, std::vector<uint8_t>& raw) const;
  void read_transposed(uint8_t* dst, int64_t first, int64_t n, std::vector<uint8_t>& raw) const;
  int64_t row_in_file(int64_t row) const;

  const InputFile& file_;
  const StoredTensor& tensor_;
  int64_t size_;
  int64_t row_size_;  // elements of a row: the product of all dimensions but the first
  int64_t head_rows_ = 0;
  DType type_;
};

}  // namespace nibble
