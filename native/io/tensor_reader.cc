#include "io/tensor_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "io/gguf_blocks.h"

namespace nibble {

namespace {

DType plain_type(Encoding encoding) {
  switch (encoding) {
    case Encoding::f16: return DType::f16;
    case Encoding::bf16: return DType::bf16;
    case Encoding::i8: return DType::i8;
    case Encoding::u8: return DType::u8;
    default: return DType::f32;
  }
}

}  // namespace

int64_t element_count(const std::vector<int64_t>& shape, const std::string& name) {
  constexpr int64_t kMax = int64_t{1} << 53;
  int64_t count = 1;
  for (const int64_t dim : shape) {
    if (dim < 0 || (dim > 0 && count > kMax / dim)) {
      throw Error(ErrorCode::bad_input, text("Tensor ", name, " has the impossible shape ", shape_text(shape), "."));
    }
    count *= dim;
  }
  return count;
}

int64_t stored_bytes(const std::vector<int64_t>& shape, Encoding encoding, const std::string& name) {
  const BlockLayout layout = block_layout(encoding);
  const int64_t count = element_count(shape, name);
  const int64_t row = shape.empty() ? 1 : shape.back();
  if (row % layout.elements != 0) {
    throw Error(ErrorCode::bad_input, text("Tensor ", name, " of shape ", shape_text(shape), " cannot be ", encoding_name(encoding),
                                           ": a row is not a multiple of ", layout.elements, "."));
  }
  return count / layout.elements * layout.bytes;  // below 2^53 * 4
}

TensorReader::TensorReader(const InputFile& file, const StoredTensor& tensor)
    : file_(file), tensor_(tensor), size_(element_count(tensor.shape, tensor.name)), type_(plain_type(tensor.encoding)) {
  const std::string what = text(file.path(), ": tensor ", tensor.name);
  const int64_t bytes = stored_bytes(tensor.shape, tensor.encoding, tensor.name);
  if (tensor.data.bytes != bytes) {
    throw Error(ErrorCode::bad_file, text(what, " of shape ", shape_text(tensor.shape), " in ", encoding_name(tensor.encoding), " takes ",
                                          bytes, " bytes, but the file gives it ", tensor.data.bytes, "."));
  }
  check_range(tensor.data.offset, bytes, file.size(), what);
  const int64_t rows = tensor.shape.empty() ? 1 : tensor.shape.front();
  row_size_ = rows == 0 ? 0 : size_ / rows;
  if (tensor.unpermute_heads > 0) {
    if (rows % (2 * int64_t{tensor.unpermute_heads}) != 0) {
      throw Error(ErrorCode::bad_input,
                  text("Tensor ", tensor.name, " has ", rows, " rows, which are not ", tensor.unpermute_heads, " heads of an even width."));
    }
    const int64_t block = block_layout(tensor.encoding).elements;
    if (row_size_ % block != 0) {
      throw Error(ErrorCode::bad_input, text("Tensor ", tensor.name, " of shape ", shape_text(tensor.shape), " has rows of ", row_size_,
                                             " values that share blocks of ", block, "; they cannot be put in order."));
    }
    head_rows_ = rows / tensor.unpermute_heads;
  }
  if (tensor.value_offset != 0 && type_ != DType::f32) {
    throw Error(ErrorCode::bad_input, text("Tensor ", tensor.name, " in ", encoding_name(tensor.encoding),
                                           " cannot have an offset added to its values; only fp32 can."));
  }
  if (tensor.is_transposed && (tensor.shape.size() < 2 || is_gguf_block(tensor.encoding) || head_rows_ != 0)) {
    throw Error(ErrorCode::bad_input, text("Tensor ", tensor.name, " of shape ", shape_text(tensor.shape), " in ",
                                           encoding_name(tensor.encoding), " cannot be transposed."));
  }
}

// llama.cpp stores row 2 i + j of a head where Hugging Face has row j * D/2 + i (j = 0, 1).
int64_t TensorReader::row_in_file(int64_t row) const {
  const int64_t in_head = row % head_rows_, half = head_rows_ / 2;
  return row - in_head + in_head % half * 2 + in_head / half;
}

std::vector<int64_t> TensorReader::position(int64_t index) const {
  std::vector<int64_t> at(tensor_.shape.size());
  for (size_t i = at.size(); i-- > 0;) {
    at[i] = index % tensor_.shape[i];
    index /= tensor_.shape[i];
  }
  if (tensor_.is_transposed) std::swap(at[at.size() - 2], at.back());  // as the file has it
  return at;
}

void TensorReader::read(void* dst, int64_t first, int64_t n, std::vector<uint8_t>& raw) const {
  read_in_order(dst, first, n, raw);
  if (tensor_.value_offset == 0) return;
  auto* values = static_cast<float*>(dst);
  for (int64_t i = 0; i < n; ++i) values[i] += tensor_.value_offset;
}

void TensorReader::read_in_order(void* dst, int64_t first, int64_t n, std::vector<uint8_t>& raw) const {
  if (tensor_.is_transposed) return read_transposed(static_cast<uint8_t*>(dst), first, n, raw);
  if (head_rows_ == 0) return read_contiguous(dst, first, n, raw);
  const int64_t element_bytes = static_cast<int64_t>(dtype_size(type_));
  auto* out = static_cast<uint8_t*>(dst);
  for (int64_t at = first; at < first + n;) {
    const int64_t row = at / row_size_, col = at % row_size_;
    const int64_t piece = std::min(row_size_ - col, first + n - at);
    read_contiguous(out, row_in_file(row) * row_size_ + col, piece, raw);
    out += piece * element_bytes;
    at += piece;
  }
}

void TensorReader::read_contiguous(void* dst, int64_t first, int64_t n, std::vector<uint8_t>& raw) const {
  const BlockLayout layout = block_layout(tensor_.encoding);
  const int64_t offset = tensor_.data.offset + first / layout.elements * layout.bytes;
  const int64_t bytes = n / layout.elements * layout.bytes;
  if (!is_gguf_block(tensor_.encoding)) return file_.read(dst, offset, bytes);
  if (raw.size() < static_cast<size_t>(bytes)) raw.resize(static_cast<size_t>(bytes));
  file_.read(raw.data(), offset, bytes);
  decode_gguf_blocks(static_cast<float*>(dst), raw.data(), tensor_.encoding, n);
}

// One matrix after another; of each the rows of the range, which are pieces of all its rows in the file.
void TensorReader::read_transposed(uint8_t* dst, int64_t first, int64_t n, std::vector<uint8_t>& raw) const {
  const int64_t rows = tensor_.shape[tensor_.shape.size() - 2], cols = tensor_.shape.back(), matrix = rows * cols;
  const auto element = static_cast<size_t>(dtype_size(type_));
  for (int64_t at = first; at < first + n;) {
    const int64_t start = at / matrix * matrix, end = std::min(start + matrix, first + n);
    const int64_t row_begin = (at - start) / cols, row_end = (end - start + cols - 1) / cols;
    const auto piece = static_cast<size_t>(row_end - row_begin) * element;
    if (raw.size() < piece) raw.resize(piece);
    for (int64_t col = 0; col < cols; ++col) {
      const int64_t in_file = start + col * rows + row_begin;
      file_.read(raw.data(), tensor_.data.offset + in_file * static_cast<int64_t>(element), static_cast<int64_t>(piece));
      for (int64_t row = row_begin; row < row_end; ++row) {
        const int64_t index = start + row * cols + col;
        if (index < at || index >= end) continue;
        std::memcpy(dst + static_cast<size_t>(index - first) * element, raw.data() + static_cast<size_t>(row - row_begin) * element,
                    element);
      }
    }
    at = end;
  }
}

}  // namespace nibble
