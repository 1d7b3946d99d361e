#include "quant/quantize.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <mutex>

#include "core/error.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "io/file.h"
#include "quant/weight_error.h"

namespace nibble {

namespace {

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// What a tensor becomes: its chunks and where their bytes go.
struct Job {
  const QuantizeTensor* tensor;
  std::unique_ptr<TensorReader> reader;
  int64_t size = 0;         // elements
  int64_t cols = 1;         // of a matrix in int8
  int64_t chunk_size = 0;   // elements; whole rows for int8
  int64_t first_chunk = 0;  // in the list of all chunks
  int64_t n_chunks = 0;
  int64_t data_at = 0, scales_at = 0, nested_at = 0;  // offsets in the output file
  std::atomic<int64_t> chunks_left{0};
  std::once_flag scales_once;  // nested: the scales are kept until the last chunk is done
  std::vector<float> scales;
  float nested_offset = 0;
  // Measured errors: one chunk's sums after the other, so that threads do not change the total.
  std::vector<SquareSums> sums;
  std::vector<BlockTerms> terms;  // nested, with the scales
  double nesting_error = 0;

  bool is_nested() const { return tensor->is_quantized && tensor->spec.format != FormatId::Int8 && tensor->spec.is_nested; }
  int64_t n_blocks() const { return divide_up(size, tensor->spec.block_size); }
  bool is_measured() const { return !sums.empty(); }
  SquareSums& sums_at(int64_t element) { return sums[static_cast<size_t>(element / chunk_size)]; }

  double relative_error() const {
    SquareSums all;
    for (const SquareSums& one : sums) {
      all.weight += one.weight;
      all.error += one.error;
    }
    return all.weight > 0 ? std::sqrt(std::max(0.0, all.error + nesting_error) / all.weight) : 0;
  }
};

// What one thread works in.
struct Workspace {
  EncodeBuffers encode;
  Buffer codes;
  Buffer scales;
  // fp32 values, where the errors are measured: of the weight, and of what the codes stand for.
  Buffer plain;
  Buffer decoded;

  static float* values_of(Buffer& buffer, int64_t n) {
    return static_cast<float*>(buffer.at_least(static_cast<size_t>(n) * sizeof(float)));
  }
};

class Writer {
 public:
  Writer(const QuantizeOptions& options, const std::function<void(const QuantizeProgress&)>& on_progress, const Cancel& cancel)
      : options_(options),
        on_progress_(on_progress),
        cancel_(cancel),
        table_(cpu_table()),
        pool_(options.threads),
        workspaces_(static_cast<size_t>(pool_.size())),
        out_(options.out_path) {
    for (const std::string& path : options.files) files_.emplace_back(path);
    for (size_t i = 0; i < options.tensors.size(); ++i) add_job(i);
  }

  QuantizeResult run() {
    const auto start = std::chrono::steady_clock::now();
    out_.reserve(options_.out_offset, end_ - options_.out_offset);
    pool_.parallel_for(n_chunks_, [&](int64_t chunk, int worker) {
      cancel_.check();
      write_chunk(chunk, workspaces_[static_cast<size_t>(worker)]);
    });
    for (size_t i = 0; i < jobs_.size(); ++i) {
      if (jobs_[i]->is_nested()) result_.nested_offsets.emplace_back(static_cast<int64_t>(i), jobs_[i]->nested_offset);
    }
    result_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return std::move(result_);
  }

 private:
  void add_job(size_t index);
  int64_t add_range(size_t tensor, RangeKind kind, int64_t bytes, int64_t place);
  void write_chunk(int64_t chunk, Workspace& work);
  int64_t write_blocks(Job& job, int64_t first, int64_t n, Workspace& work);
  int64_t write_rows(Job& job, int64_t first, int64_t n, Workspace& work);
  int64_t write_copy(Job& job, int64_t first, int64_t n, Workspace& work);
  int64_t write_nested_scales(Job& job, Workspace& work);
  const float* as_plain(const void* values, DType type, int64_t n, Workspace& work) const;
  void report(const Job& job, int64_t n, int64_t bytes, bool is_tensor_done);

  const QuantizeOptions& options_;
  const std::function<void(const QuantizeProgress&)>& on_progress_;
  const Cancel& cancel_;
  const OpTable& table_;
  ThreadPool pool_;
  std::vector<Workspace> workspaces_;
  std::vector<InputFile> files_;
  OutputFile out_;
  std::vector<std::unique_ptr<Job>> jobs_;
  int64_t n_chunks_ = 0;
  int64_t next_ = options_.out_offset;  // where a range without a place of its own goes
  int64_t end_ = options_.out_offset;   // of all ranges
  QuantizeResult result_;
  std::mutex progress_mutex_;
  QuantizeProgress progress_;
};

void Writer::add_job(size_t index) {
  const QuantizeTensor& tensor = options_.tensors[index];
  if (tensor.data.file < 0 || static_cast<size_t>(tensor.data.file) >= files_.size()) {
    throw Error(ErrorCode::bad_input,
                text("Tensor ", tensor.name, " is said to be in file ", tensor.data.file, " of ", files_.size(), "."));
  }
  if (tensor.encoding == Encoding::i8 || tensor.encoding == Encoding::u8) {
    throw Error(ErrorCode::bad_input, text("Tensor ", tensor.name, " holds ", encoding_name(tensor.encoding),
                                           " values; only floating-point tensors can be written."));
  }
  auto job = std::make_unique<Job>();
  bool is_measured = false;
  job->tensor = &tensor;
  job->reader = std::make_unique<TensorReader>(files_[static_cast<size_t>(tensor.data.file)], tensor);
  job->size = job->reader->size();
  job->chunk_size = kEncodeChunk;
  if (!tensor.is_quantized) {
    job->data_at = add_range(index, RangeKind::data, job->size * static_cast<int64_t>(dtype_size(tensor.type)), tensor.data_at);
  } else {
    check_quantize_spec(tensor.spec);
    if (tensor.shape.size() < 2 || tensor.shape.size() > 3 || job->size == 0) {
      throw Error(ErrorCode::bad_input, text("Tensor ", tensor.name, " of shape ", shape_text(tensor.shape),
                                             " cannot be quantized: it is no matrix with values."));
    }
    result_.parameters_quantized += job->size;
    is_measured = options_.with_errors;
    if (tensor.spec.format == FormatId::Int8) {
      job->cols = tensor.shape.back();
      job->chunk_size = std::max<int64_t>(1, kEncodeChunk / job->cols) * job->cols;
      job->data_at = add_range(index, RangeKind::data, job->size, tensor.data_at);
      job->scales_at = add_range(index, RangeKind::scb, job->size / job->cols * 4, tensor.scales_at);
    } else {
      job->data_at = add_range(index, RangeKind::data, divide_up(job->size, 2), tensor.data_at);
      job->scales_at = add_range(index, RangeKind::absmax, job->n_blocks() * (job->is_nested() ? 1 : 4), tensor.scales_at);
      if (job->is_nested()) {
        job->nested_at = add_range(index, RangeKind::nested_absmax, divide_up(job->n_blocks(), 256) * 4, tensor.nested_at);
      }
    }
  }
  job->first_chunk = n_chunks_;
  job->n_chunks = divide_up(job->size, job->chunk_size);
  job->chunks_left = job->n_chunks;
  if (is_measured) job->sums.resize(static_cast<size_t>(job->n_chunks));
  n_chunks_ += job->n_chunks;
  progress_.tensors_done += job->n_chunks == 0 ? 1 : 0;  // an empty one: nothing will be written of it
  jobs_.push_back(std::move(job));
}

int64_t Writer::add_range(size_t tensor, RangeKind kind, int64_t bytes, int64_t place) {
  const int64_t at = place < 0 ? next_ : place;
  if (at < options_.out_offset) {
    throw Error(ErrorCode::bad_input, text("Tensor ", options_.tensors[tensor].name, " is to be written at ", at, ", before the offset of ",
                                           options_.out_offset, " where writing begins."));
  }
  next_ = at + bytes;
  end_ = std::max(end_, next_);
  result_.ranges.push_back({static_cast<int64_t>(tensor), kind, at - options_.out_offset, next_ - options_.out_offset});
  return at;
}

void Writer::write_chunk(int64_t chunk, Workspace& work) {
  const auto after = std::upper_bound(jobs_.begin(), jobs_.end(), chunk,
                                      [](int64_t c, const std::unique_ptr<Job>& job) { return c < job->first_chunk; });
  Job& job = **std::prev(after);
  const int64_t first = (chunk - job.first_chunk) * job.chunk_size;
  const int64_t n = std::min(job.chunk_size, job.size - first);
  int64_t bytes = 0;
  if (!job.tensor->is_quantized) {
    bytes = write_copy(job, first, n, work);
  } else if (job.tensor->spec.format == FormatId::Int8) {
    bytes = write_rows(job, first, n, work);
  } else {
    bytes = write_blocks(job, first, n, work);
  }
  const bool is_last = job.chunks_left.fetch_sub(1, std::memory_order_acq_rel) == 1;
  if (is_last && job.is_nested()) bytes += write_nested_scales(job, work);
  report(job, n, bytes, is_last);
}

int64_t Writer::write_copy(Job& job, int64_t first, int64_t n, Workspace& work) {
  const auto element = static_cast<int64_t>(dtype_size(job.tensor->type));
  const void* values = read_as(job.tensor->type, table_, *job.reader, first, n, work.encode);
  out_.write(values, job.data_at + first * element, n * element);
  return n * element;
}

int64_t Writer::write_rows(Job& job, int64_t first, int64_t n, Workspace& work) {
  const int64_t first_row = first / job.cols, n_rows = n / job.cols;
  auto* codes = static_cast<int8_t*>(work.codes.at_least(static_cast<size_t>(n)));
  auto* scb = static_cast<float*>(work.scales.at_least(static_cast<size_t>(n_rows) * sizeof(float)));
  const DType type = job.tensor->type;
  const void* values = encode_rows(codes, scb, type, table_, *job.reader, first_row, n_rows, job.cols, work.encode);
  if (job.is_measured()) {
    float* decoded = work.values_of(work.decoded, n);
    decode_rows(decoded, codes, scb, n_rows, job.cols);
    job.sums_at(first) = square_errors(as_plain(values, type, n, work), decoded, n);
  }
  out_.write(codes, job.data_at + first, n);
  out_.write(scb, job.scales_at + first_row * 4, n_rows * 4);
  return n + n_rows * 4;
}

int64_t Writer::write_blocks(Job& job, int64_t first, int64_t n, Workspace& work) {
  const QuantizeSpec& spec = job.tensor->spec;
  const int64_t first_block = first / spec.block_size, n_blocks = divide_up(n, spec.block_size), n_bytes = divide_up(n, 2);
  auto* codes = static_cast<uint8_t*>(work.codes.at_least(static_cast<size_t>(n_bytes)));
  float* scales = nullptr;
  if (job.is_nested()) {
    std::call_once(job.scales_once, [&] {
      job.scales.resize(static_cast<size_t>(job.n_blocks()));
      if (job.is_measured()) job.terms.resize(job.scales.size());
    });
    scales = job.scales.data() + first_block;
  } else {
    scales = static_cast<float*>(work.scales.at_least(static_cast<size_t>(n_blocks) * sizeof(float)));
  }
  const DType type = job.tensor->type;
  const void* values = encode_blocks(codes, scales, spec, type, table_, *job.reader, first, n, work.encode);
  if (job.is_measured()) {
    const float* plain = as_plain(values, type, n, work);
    float* decoded = work.values_of(work.decoded, n);
    decode_blocks(decoded, codes, scales, n, spec);
    job.sums_at(first) = job.is_nested() ? block_errors(plain, decoded, scales, n, spec.block_size, job.terms.data() + first_block)
                                         : square_errors(plain, decoded, n);
  }
  out_.write(codes, job.data_at + first / 2, n_bytes);
  if (job.is_nested()) return n_bytes;
  out_.write(scales, job.scales_at + first_block * 4, n_blocks * 4);
  return n_bytes + n_blocks * 4;
}

// Double quantization: when the last chunk of a tensor is done, all its scales are there.
int64_t Writer::write_nested_scales(Job& job, Workspace& work) {
  const int64_t n_blocks = job.n_blocks(), n_nested = divide_up(n_blocks, 256);
  auto* codes = static_cast<uint8_t*>(work.codes.at_least(static_cast<size_t>(n_blocks)));
  auto* absmax = static_cast<float*>(work.scales.at_least(static_cast<size_t>(n_nested) * sizeof(float)));
  job.nested_offset = nest_scales(codes, absmax, job.scales.data(), n_blocks);
  if (job.is_measured()) job.nesting_error = nesting_error(job.terms.data(), job.scales.data(), codes, absmax, job.nested_offset, n_blocks);
  job.scales = {};
  job.terms = {};
  out_.write(codes, job.scales_at, n_blocks);
  out_.write(absmax, job.nested_at, n_nested * 4);
  return n_blocks + n_nested * 4;
}

const float* Writer::as_plain(const void* values, DType type, int64_t n, Workspace& work) const {
  if (type == DType::f32) return static_cast<const float*>(values);
  float* plain = work.values_of(work.plain, n);
  Exec exec;
  table_.convert(exec, plain, DType::f32, values, type, n);
  return plain;
}

void Writer::report(const Job& job, int64_t n, int64_t bytes, bool is_tensor_done) {
  const std::lock_guard lock(progress_mutex_);
  progress_.tensors_done += is_tensor_done ? 1 : 0;
  progress_.parameters_done += n;
  progress_.bytes_written += bytes;
  progress_.tensor = job.tensor - options_.tensors.data();
  progress_.errors.clear();
  if (is_tensor_done && job.is_measured()) progress_.errors.push_back({progress_.tensor, job.relative_error()});
  on_progress_(progress_);
}

}  // namespace

QuantizeResult quantize(const QuantizeOptions& options, const std::function<void(const QuantizeProgress&)>& on_progress,
                        const Cancel& cancel) {
  return Writer(options, on_progress, cancel).run();
}

}  // namespace nibble
