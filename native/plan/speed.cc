#include "plan/speed.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "core/os.h"
#include "core/rng.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "formats/formats.h"
#include "plan/bandwidth.h"
#include "plan/system_memory.h"

namespace nibble {

namespace {

constexpr int64_t kWidth = 4096;         // of the matrices, both ways
constexpr int64_t kPrefillTokens = 512;  // a chunk of Forward
constexpr int64_t kPrefillRows = 1024, kPrefillWidth = 2048;
constexpr int32_t kBlock = 64;
constexpr float kThreshold = 6;    // of LLM.int8()
constexpr int kSteps = 2 * 8 + 4;  // decode and prefill of the formats, bandwidth, layer, two for the mapped factor

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Memory of a table, given back at the end.
class DeviceMemory {
 public:
  DeviceMemory(const OpTable& table, size_t bytes) : table_(table), bytes_(bytes), memory_(table.alloc(bytes)) {}
  ~DeviceMemory() { table_.free(memory_); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  template <class T>
  T* as() const {
    return static_cast<T*>(memory_);
  }
  size_t size() const { return bytes_; }

 private:
  const OpTable& table_;
  size_t bytes_;
  void* memory_;
};

class Benchmark {
 public:
  Benchmark(const SpeedOptions& options, const std::function<void(double)>& progress, const Cancel& cancel)
      : options_(options),
        progress_(progress),
        cancel_(cancel),
        pool_(options.threads),
        table_(cpu_table()),
        weights_(table_, static_cast<size_t>(options.bytes)),
        x_(table_, sizeof(float) * kPrefillTokens * kPrefillWidth),
        y_(table_, sizeof(float) * kPrefillTokens * std::max(kWidth, kPrefillRows)) {
    exec_.pool = &pool_;
    prefer_large_pages(weights_.as<void>(), weights_.size());
    fill(weights_);
    fill(x_);
  }

  Speed run();

 private:
  // A matrix with the bytes that it and its scales take.
  struct Matrix {
    WeightView view;
    int64_t bytes = 0;
  };

  void fill(const DeviceMemory& memory);
  static Matrix matrix_at(const uint8_t* at, FormatId format, bool is_nested, int64_t rows, int64_t cols);
  FormatSpeed measure(FormatId format, bool is_nested);
  double decode_rate(FormatId format, bool is_nested, const DeviceMemory& memory);
  double mapped_factor();
  double prefill_rate(FormatId format, bool is_nested);
  double layer_seconds();
  double pass_seconds(const std::function<void()>& pass);
  void multiply(const Matrix& matrix, int64_t tokens);
  void* scratch(size_t bytes);
  void step() { progress_(static_cast<double>(++steps_) / kSteps); }

  const SpeedOptions& options_;
  const std::function<void(double)>& progress_;
  const Cancel& cancel_;
  ThreadPool pool_;
  const OpTable& table_;
  Exec exec_;
  DeviceMemory weights_, x_, y_;
  std::unique_ptr<DeviceMemory> scratch_;
  int steps_ = 0;
};

// Values of bf16 from 2^-7 to 1: read as fp16, as fp32 or as scales they are ordinary numbers as well, and any bytes are codes. The
// pattern repeats, but never in a cache, since each copy lies elsewhere.
void Benchmark::fill(const DeviceMemory& memory) {
  std::vector<uint16_t> pattern(size_t{1} << 19);
  Rng rng(1);
  for (uint16_t& value : pattern) {
    const uint64_t bits = rng.next();
    value = static_cast<uint16_t>(0x3c00 + bits % 0x380 + (bits >> 63 << 15));
  }
  const size_t chunk = pattern.size() * sizeof(uint16_t);
  const size_t n_chunks = (memory.size() + chunk - 1) / chunk;
  pool_.parallel_for(static_cast<int64_t>(n_chunks), [&](int64_t i, int) {
    cancel_.check();
    const size_t begin = static_cast<size_t>(i) * chunk;
    std::memcpy(memory.as<uint8_t>() + begin, pattern.data(), std::min(chunk, memory.size() - begin));
  });
}

// Takes codes and scales from `at` on.
Benchmark::Matrix Benchmark::matrix_at(const uint8_t* at, FormatId format, bool is_nested, int64_t rows, int64_t cols) {
  const uint8_t* const begin = at;
  const auto take = [&](int64_t bytes) {
    const uint8_t* taken = at;
    at += (bytes + 63) / 64 * 64;
    return taken;
  };
  const auto take_floats = [&](int64_t n) { return reinterpret_cast<const float*>(take(n * 4)); };
  Matrix matrix;
  WeightView& view = matrix.view;
  view.format = format;
  view.rows = rows;
  view.cols = cols;
  if (is_four_bit(format)) {
    view.block_size = kBlock;
    view.codebook = codebook(format);
    view.codes = take(rows * cols / 2);
    const int64_t blocks = rows * cols / kBlock;
    if (is_nested) {
      view.nested.codes = take(blocks);
      view.nested.absmax = take_floats((blocks + view.nested.block_size - 1) / view.nested.block_size);
      view.nested.map = dynamic_map_signed();
    } else {
      view.scales = take_floats(blocks);
    }
  } else if (format == FormatId::Int8) {
    view.codes = take(rows * cols);
    view.scales = take_floats(rows);
  } else {
    view.codes = take(rows * cols * (format == FormatId::Fp32 ? 4 : 2));
  }
  matrix.bytes = at - begin;
  return matrix;
}

void* Benchmark::scratch(size_t bytes) {
  if (!scratch_ || scratch_->size() < bytes) scratch_ = std::make_unique<DeviceMemory>(table_, bytes);
  return scratch_->as<void>();
}

void Benchmark::multiply(const Matrix& matrix, int64_t tokens) {
  const WeightView& view = matrix.view;
  const bool is_int8 = view.format == FormatId::Int8;
  MatmulArgs args;
  args.x = x_.as<float>();
  args.m = tokens;
  args.k = view.cols;
  args.compute = options_.compute;
  args.outputs[0] = {&view, nullptr, y_.as<float>()};
  args.n_outputs = 1;
  args.threshold = kThreshold;
  exec_.scratch_bytes = is_int8 ? table_.matmul_int8_scratch(exec_, tokens, view.cols)
                                : table_.matmul_scratch(exec_, tokens, view.cols, options_.compute);
  exec_.scratch = scratch(exec_.scratch_bytes);
  (is_int8 ? table_.matmul_int8 : table_.matmul)[static_cast<size_t>(view.format)](exec_, args);
}

// The lower quartile of passes that together take one step's share of the time, one at least: what else the computer does while this is
// measured slows passes down and never makes one faster.
double Benchmark::pass_seconds(const std::function<void()>& pass) {
  std::vector<double> times;
  const auto start = std::chrono::steady_clock::now();
  do {
    const auto begin = std::chrono::steady_clock::now();
    pass();
    times.push_back(seconds_since(begin));
  } while (seconds_since(start) < options_.seconds / kSteps * 0.9);
  std::ranges::sort(times);
  return times[times.size() / 4];
}

double Benchmark::decode_rate(FormatId format, bool is_nested, const DeviceMemory& memory) {
  std::vector<Matrix> matrices;
  int64_t used = 0;
  for (;;) {
    const Matrix matrix = matrix_at(memory.as<uint8_t>() + used, format, is_nested, kWidth, kWidth);
    if (used + matrix.bytes > options_.bytes) break;
    used += matrix.bytes;
    matrices.push_back(matrix);
  }
  const double seconds = pass_seconds([&] {
    for (const Matrix& matrix : matrices) {
      cancel_.check();
      multiply(matrix, 1);
    }
  });
  return static_cast<double>(used) / seconds;
}

double Benchmark::prefill_rate(FormatId format, bool is_nested) {
  const Matrix matrix = matrix_at(weights_.as<uint8_t>(), format, is_nested, kPrefillRows, kPrefillWidth);
  const double seconds = pass_seconds([&] {
    cancel_.check();
    multiply(matrix, kPrefillTokens);
  });
  return static_cast<double>(kPrefillTokens * kPrefillRows * kPrefillWidth) / seconds;
}

// Int8 stands between the formats that wait for memory and those that compute.
double Benchmark::mapped_factor() {
  const DeviceMemory mapped(table_, weights_.size());  // in pages of the usual size, as files are mapped
  fill(mapped);
  const double rate = decode_rate(FormatId::Int8, false, mapped);
  step();
  const double large = decode_rate(FormatId::Int8, false, weights_);
  step();
  return std::min(1.0, rate / large);
}

// The calls of a layer of the most common kind, so small that only calling them counts.
double Benchmark::layer_seconds() {
  constexpr int64_t kSmall = 256, kHead = 64, kTokens = 64;
  constexpr int32_t kHeads = kSmall / kHead;
  const Matrix square = matrix_at(weights_.as<uint8_t>(), FormatId::Nf4, false, kSmall, kSmall);
  float* const y = y_.as<float>();
  uint16_t* const cache = reinterpret_cast<uint16_t*>(y + 16 * kSmall);
  table_.fill_zero(exec_, y_.as<void>(), y_.size());
  const NormArgs norm{.out = y, .x = x_.as<float>(), .weight = x_.as<float>(), .rows = 1, .width = kSmall, .eps = 1e-5f};
  const RopeArgs rope{.x = y, .inv_freq = x_.as<float>(), .n_tokens = 1, .n_heads = kHeads, .head_dim = kHead, .rotary_dim = kHead};
  AttentionArgs attention{.q = x_.as<float>(), .k_cache = cache, .v_cache = cache, .out = y, .n_tokens = 1, .n_past = kTokens - 1};
  attention.capacity = kTokens;
  attention.n_heads = attention.n_kv_heads = kHeads;
  attention.head_dim = attention.value_dim = kHead;
  const GateArgs gate{.out = y, .gate = x_.as<float>(), .up = x_.as<float>(), .n_tokens = 1, .width = kSmall, .stride = kSmall};
  constexpr int kRepeats = 100;
  const double seconds = pass_seconds([&] {
    cancel_.check();
    for (int i = 0; i < kRepeats; ++i) {
      for (const int part : {0, 1}) {
        table_.rmsnorm(exec_, norm);
        multiply(square, 1);
        if (part == 0) {
          table_.rope(exec_, rope);
          table_.rope(exec_, rope);
          table_.kv_store(exec_, cache, x_.as<float>(), 1, 0, kTokens, kHeads, kHead);
          table_.kv_store(exec_, cache, x_.as<float>(), 1, 0, kTokens, kHeads, kHead);
          exec_.scratch_bytes = table_.attention_scratch(exec_, attention);
          exec_.scratch = scratch(exec_.scratch_bytes);
          table_.attention(exec_, attention);
        } else {
          table_.gate(exec_, gate);
        }
        multiply(square, 1);
        table_.add(exec_, y, x_.as<float>(), 1, kSmall);
      }
    }
  });
  return seconds / kRepeats;
}

FormatSpeed Benchmark::measure(FormatId format, bool is_nested) {
  FormatSpeed speed{.format = format, .is_nested = is_nested};
  speed.decode = decode_rate(format, is_nested, weights_);
  step();
  speed.prefill = prefill_rate(format, is_nested);
  step();
  return speed;
}

Speed Benchmark::run() {
  Speed speed;
  speed.bandwidth = measure_bandwidth(options_.bytes, pool_.size(), cancel_) * 1e9;
  step();
  speed.layer_seconds = layer_seconds();
  step();
  speed.mapped_factor = mapped_factor();
  for_each_format([&](auto format) {
    constexpr FormatId kId = decltype(format)::kId;
    speed.formats.push_back(measure(kId, false));
    if (is_four_bit(kId)) speed.formats.push_back(measure(kId, true));
  });
  return speed;
}

}  // namespace

Speed measure_speed(const SpeedOptions& options, const std::function<void(double)>& progress, const Cancel& cancel) {
  constexpr int64_t kLeast = kWidth * kWidth * 4 + kWidth * 64;  // one matrix of the widest format
  if (options.threads < 0 || options.threads > 1024)
    throw Error(ErrorCode::bad_input, text("The number of threads is ", options.threads, "; it must be between 0 and 1024."));
  if (options.bytes < kLeast)
    throw Error(ErrorCode::bad_input, text("Speed is measured with ", kLeast, " bytes of weights at least, not with ", options.bytes, "."));
  const SystemMemory system = system_memory();
  const auto needed = static_cast<uint64_t>(options.bytes) * 2 + (uint64_t{64} << 20);
  if (system.total != 0 && needed > system.available) {
    throw Error(ErrorCode::out_of_memory, text("Measuring the speed needs ", bytes_text(needed), " of memory; the system has ",
                                               bytes_text(system.available), " available. Close other programs first."));
  }
  return Benchmark(options, progress, cancel).run();
}

}  // namespace nibble
