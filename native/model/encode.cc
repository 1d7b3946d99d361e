#include "model/encode.h"

#include <bit>
#include <cmath>
#include <new>

#include "core/error.h"
#include "core/text.h"

namespace nibble {

namespace {

double value_at(const void* values, DType type, int64_t i) {
  switch (type) {
    case DType::f32: return static_cast<const float*>(values)[i];
    case DType::f16: return f16_to_f32(static_cast<const uint16_t*>(values)[i]);
    default: return bf16_to_f32(static_cast<const uint16_t*>(values)[i]);
  }
}

// The error for element `index`, which is element i of `values`.
[[noreturn]] void throw_unusable(const TensorReader& reader, int64_t index, const void* values, DType type, int64_t i, const char* target) {
  const double value = value_at(values, type, i);
  const std::string place = text("Tensor ", reader.name(), " has ", std::isnan(value) ? "NaN" : text(value), " at index ",
                                 shape_text(reader.position(index)));
  if (std::isfinite(value)) throw Error(ErrorCode::bad_file, text(place, ", which does not fit ", target, "."));
  throw Error(ErrorCode::bad_file, text(place, "; a model with such a weight cannot be used."));
}

const char* type_name(DType type) { return type == DType::f32 ? "fp32" : type == DType::f16 ? "fp16" : "bf16"; }

const void* read_stored(const TensorReader& reader, int64_t first, int64_t n, EncodeBuffers& buffers) {
  void* stored = buffers.stored.at_least(static_cast<size_t>(n) * dtype_size(reader.type()));
  reader.read(stored, first, n, buffers.raw);
  return stored;
}

}  // namespace

void check_quantize_spec(const QuantizeSpec& spec) {
  if (spec.format == FormatId::Int8) return;
  if (spec.format != FormatId::Nf4 && spec.format != FormatId::Fp4) {
    throw Error(ErrorCode::bad_input, "Weights can be quantized to int8, nf4 or fp4.");
  }
  if (spec.block_size < 32 || spec.block_size > 4096 || !std::has_single_bit(static_cast<uint32_t>(spec.block_size))) {
    throw Error(ErrorCode::bad_input, text("The block size ", spec.block_size, " is not a power of two between 32 and 4096."));
  }
}

void* Buffer::at_least(size_t bytes) {
  if (bytes > bytes_) {
    data_.reset();
    bytes_ = 0;
    data_.reset(::operator new (bytes, std::align_val_t{64}));
    bytes_ = bytes;
  }
  return data_.get();
}

const void* read_as(DType type, const OpTable& table, const TensorReader& reader, int64_t first, int64_t n, EncodeBuffers& buffers) {
  const void* stored = read_stored(reader, first, n, buffers);
  if (reader.type() == type) return stored;
  void* converted = buffers.converted.at_least(static_cast<size_t>(n) * dtype_size(type));
  Exec exec;  // on this thread: the caller shares the work out
  const int64_t bad = table.convert(exec, converted, type, stored, reader.type(), n);
  if (bad >= 0) throw_unusable(reader, first + bad, stored, reader.type(), bad, type_name(type));
  return converted;
}

const void* encode_blocks(uint8_t* codes, float* absmax, const QuantizeSpec& spec, DType type, const OpTable& table,
                          const TensorReader& reader, int64_t first, int64_t n, EncodeBuffers& buffers) {
  const void* values = read_as(type, table, reader, first, n, buffers);
  Exec exec;
  const auto quantize = table.quantize_blocks[static_cast<size_t>(spec.format)];
  const int64_t bad = quantize(exec, codes, absmax, values, type, n, spec.block_size);
  if (bad >= 0) throw_unusable(reader, first + bad, values, type, bad, "a 4-bit format");
  return values;
}

const void* encode_rows(int8_t* codes, float* scb, DType type, const OpTable& table, const TensorReader& reader, int64_t first_row,
                        int64_t n_rows, int64_t cols, EncodeBuffers& buffers) {
  const void* values = read_as(type, table, reader, first_row * cols, n_rows * cols, buffers);
  Exec exec;
  const int64_t bad = table.quantize_rows(exec, codes, scb, values, type, n_rows, cols);
  if (bad >= 0) throw_unusable(reader, first_row * cols + bad, values, type, bad, "the fp16 that int8 quantization works in");
  return values;
}

}  // namespace nibble
