// Writes the tensors of a checkpoint, quantized or copied, into one file. Streams: every thread reads, encodes and writes one
// chunk after the other, so that memory does not grow with the model and disk and processor work at the same time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/cancel.h"
#include "model/encode.h"

namespace nibble {

// One tensor to write. Quantized ones are matrices [rows, cols] or several of them [n, rows, cols].
struct QuantizeTensor : StoredTensor {
  bool is_quantized = false;  // else converted to `type`, or copied where it has that type
  QuantizeSpec spec;          // if is_quantized
  DType type = DType::f32;    // f32, f16 or bf16: of the copy; of the weight before it is quantized, as transformers loads it
  // Where its ranges go in the output file; -1: behind the range before.
  int64_t data_at = -1;
  int64_t scales_at = -1;  // absmax or scb
  int64_t nested_at = -1;
};

struct QuantizeOptions {
  std::vector<std::string> files;
  std::vector<QuantizeTensor> tensors;
  std::string out_path;      // exists; ranges that have no place of their own start at out_offset, in the order of `tensors`
  int64_t out_offset = 0;    // nothing is written before it
  int threads = 0;           // 0 = one per core that this process may use
  bool with_errors = false;  // the relative error of each quantized tensor is measured and reported
};

// A tensor of the bitsandbytes layout within the output.
//   data           copied elements; 4-bit codes; int8 codes [rows, cols]
//   absmax         fp32 [n_blocks], or uint8 [n_blocks] when nested
//   nested_absmax  fp32 [ceil(n_blocks / 256)]
//   scb            fp32 [rows] of all matrices
enum class RangeKind : uint8_t { data, absmax, nested_absmax, scb };

struct WrittenRange {
  int64_t tensor;  // index into QuantizeOptions::tensors
  RangeKind kind;
  int64_t begin, end;  // bytes, relative to out_offset
};

// |W - W'| / |W| of a tensor (weight_error.h); 0 for one of zeros.
struct TensorError {
  int64_t tensor;  // index into QuantizeOptions::tensors
  double error;
};

struct QuantizeProgress {
  int64_t tensors_done = 0;
  int64_t parameters_done = 0;
  int64_t bytes_written = 0;
  int64_t tensor = 0;               // index of one that is being worked on
  std::vector<TensorError> errors;  // of tensors that were finished since the event before; each comes once
};

// Two events as one, for a listener that was busy.
inline void merge(QuantizeProgress& pending, QuantizeProgress&& next) {
  next.errors.insert(next.errors.begin(), pending.errors.begin(), pending.errors.end());
  pending = std::move(next);
}

struct QuantizeResult {
  std::vector<WrittenRange> ranges;                       // in the order of the file
  std::vector<std::pair<int64_t, float>> nested_offsets;  // tensor, offset; of nested 4-bit tensors
  double seconds = 0;
  int64_t parameters_quantized = 0;
};

// Throws bad_input for impossible options, bad_file for damaged sources and for NaN or infinity (tensor and index named),
// no_space, no_permission, cancelled. on_progress comes from any thread, one call at a time.
QuantizeResult quantize(const QuantizeOptions& options, const std::function<void(const QuantizeProgress&)>& on_progress,
                        const Cancel& cancel);

}  // namespace nibble
