// Quantizing to a file: golden bytes, any split into chunks, errors by name, memory that does not grow with the tensor.
#include "quant/quantize.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstring>

#include "core/text.h"
#include "formats_golden.h"
#include "harness.h"
#include "plan/system_memory.h"
#include "temp_file.h"

#ifndef _WIN32
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

using namespace nibble;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Tensors appended to one source file, and the options to quantize them.
class Source {
 public:
  QuantizeTensor& add(const std::string& name, std::vector<int64_t> shape, const std::vector<float>& values, DType stored = DType::f32) {
    QuantizeTensor tensor;
    tensor.name = name;
    tensor.shape = std::move(shape);
    tensor.encoding = stored == DType::f32 ? Encoding::f32 : stored == DType::f16 ? Encoding::f16 : Encoding::bf16;
    tensor.type = stored;
    tensor.data = {0, static_cast<int64_t>(bytes_.size()), static_cast<int64_t>(values.size() * dtype_size(stored))};
    for (const float value : values) {
      if (stored == DType::f32) {
        append(&value, 4);
      } else {
        const uint16_t half = stored == DType::f16 ? f32_to_f16(value) : f32_to_bf16(value);
        append(&half, 2);
      }
    }
    options.tensors.push_back(std::move(tensor));
    return options.tensors.back();
  }

  QuantizeTensor& add_quantized(const std::string& name, std::vector<int64_t> shape, const std::vector<float>& values,
                                const QuantizeSpec& spec, DType stored = DType::f32) {
    QuantizeTensor& tensor = add(name, std::move(shape), values, stored);
    tensor.is_quantized = true;
    tensor.spec = spec;
    return tensor;
  }

  QuantizeResult run(const Cancel& cancel = Cancel(), const std::function<void(const QuantizeProgress&)>& on_progress = {}) {
    const test::TempFile file(bytes_);
    options.files = {file.path()};
    if (options.out_path.empty()) options.out_path = out.path();
    return quantize(
        options,
        [&](const QuantizeProgress& p) {
          if (on_progress) on_progress(p);
        },
        cancel);
  }

  std::string refusal(std::string* message = nullptr) {
    return test::error_code_of([&] { run(); }, message);
  }

  // The bytes of one range of the output.
  std::vector<uint8_t> written(const QuantizeResult& result, int64_t tensor, RangeKind kind) const {
    const std::vector<uint8_t> all = out.bytes();
    for (const WrittenRange& range : result.ranges) {
      if (range.tensor != tensor || range.kind != kind) continue;
      CHECK(static_cast<uint64_t>(range.end + options.out_offset) <= all.size());
      return {all.begin() + options.out_offset + range.begin, all.begin() + options.out_offset + range.end};
    }
    throw test::Failure("the range was not written");
  }

  QuantizeOptions options = {{}, {}, {}, 0, 2};  // two threads
  test::TempFile out;

 private:
  void append(const void* data, size_t n) {
    bytes_.insert(bytes_.end(), static_cast<const uint8_t*>(data), static_cast<const uint8_t*>(data) + n);
  }
  std::vector<uint8_t> bytes_;
};

FormatId format_of(const char* name) { return std::string(name) == "nf4" ? FormatId::Nf4 : FormatId::Fp4; }
DType stored_of(const std::string& input) { return input == "lcg_fp16" ? DType::f16 : input == "lcg_bf16" ? DType::bf16 : DType::f32; }
uint64_t hash(const std::vector<uint8_t>& bytes) { return test::fnv1a(bytes.data(), bytes.size()); }

}  // namespace

TEST_CASE(four_bit_files_equal_the_golden_bytes) {
  Source source;
  source.options.out_offset = 100;
  for (const golden::Packed4Case& one : golden::kPacked4Cases) {
    source.add_quantized("w", {1, static_cast<int64_t>(one.n)}, test::random_values(one.n, 1),
                         {format_of(one.format), static_cast<int32_t>(one.block_size), false}, stored_of(one.input));
  }
  const QuantizeResult result = source.run();
  int64_t index = 0;
  for (const golden::Packed4Case& one : golden::kPacked4Cases) {
    if (hash(source.written(result, index, RangeKind::data)) != one.packed_hash ||
        hash(source.written(result, index, RangeKind::absmax)) != one.absmax_hash) {
      throw test::Failure(text(one.format, " of ", one.n, " values in blocks of ", one.block_size, " differs"));
    }
    ++index;
  }
}

TEST_CASE(nested_files_equal_the_golden_bytes) {
  Source source;
  for (const golden::NestedCase& one : golden::kNestedCases) {
    source.add_quantized("w", {1, static_cast<int64_t>(one.n)}, test::random_values(one.n, 1),
                         {format_of(one.format), static_cast<int32_t>(one.block_size), true}, stored_of(one.input));
  }
  const QuantizeResult result = source.run();
  int64_t index = 0;
  for (const golden::NestedCase& one : golden::kNestedCases) {
    CHECK(hash(source.written(result, index, RangeKind::absmax)) == one.codes_hash);
    CHECK(hash(source.written(result, index, RangeKind::nested_absmax)) == one.nested_absmax_hash);
    CHECK(result.nested_offsets[static_cast<size_t>(index)].first == index);
    CHECK(std::bit_cast<uint32_t>(result.nested_offsets[static_cast<size_t>(index)].second) == one.offset_bits);
    ++index;
  }
}

TEST_CASE(int8_files_equal_the_golden_bytes) {
  Source source;
  for (const golden::Int8Case& one : golden::kInt8Cases) {
    source.add_quantized("w", {static_cast<int64_t>(one.rows), static_cast<int64_t>(one.cols)}, test::random_values(one.rows * one.cols, 1),
                         {FormatId::Int8, 64, false});
  }
  const QuantizeResult result = source.run();
  int64_t index = 0;
  for (const golden::Int8Case& one : golden::kInt8Cases) {
    CHECK(hash(source.written(result, index, RangeKind::data)) == one.codes_hash);
    CHECK(hash(source.written(result, index, RangeKind::scb)) == one.absmax_hash);
    ++index;
  }
}

TEST_CASE(chunks_and_threads_do_not_change_the_bytes) {
  const int64_t rows = 13, cols = 61440;  // three chunks and a part, with a short last block of 4096
  const std::vector<float> values = test::random_values(static_cast<size_t>(rows * cols), 9);
  for (const QuantizeSpec& spec :
       {QuantizeSpec{FormatId::Nf4, 64, false}, QuantizeSpec{FormatId::Fp4, 4096, true}, QuantizeSpec{FormatId::Int8, 64, false}}) {
    std::vector<uint8_t> first;
    for (const int threads : {1, 3}) {
      Source source;
      source.options.threads = threads;
      source.add_quantized("w", {rows, cols}, values, spec);
      source.run();
      if (threads == 1) first = source.out.bytes();
      CHECK(source.out.bytes() == first);
    }
    Exec exec;
    const OpTable& ref = op_table("ref");
    std::vector<uint8_t> codes(values.size());
    std::vector<float> scales(values.size() / 32);
    if (spec.format == FormatId::Int8) {
      ref.quantize_rows(exec, reinterpret_cast<int8_t*>(codes.data()), scales.data(), values.data(), DType::f32, rows, cols);
    } else {
      ref.quantize_blocks[static_cast<size_t>(spec.format)](exec, codes.data(), scales.data(), values.data(), DType::f32, rows * cols,
                                                            spec.block_size);
      codes.resize(values.size() / 2);
    }
    CHECK(std::equal(codes.begin(), codes.end(), first.begin()));
  }
}

TEST_CASE(copies_keep_or_change_their_type) {
  Source source;
  const std::vector<float> values = test::random_values(300000, 5);
  source.add("same", {300000}, values, DType::bf16);
  source.add("narrowed", {3, 100000}, values).type = DType::f16;
  source.add("widened", {300000}, values, DType::bf16).type = DType::f32;
  source.add("empty", {0, 7}, {});
  QuantizeProgress last;
  const QuantizeResult result = source.run(Cancel(), [&](const QuantizeProgress& p) { last = p; });
  CHECK(last.tensors_done == 4 && last.parameters_done == 900000 && last.bytes_written == 300000 * 8 && result.parameters_quantized == 0);
  const std::vector<uint8_t> same = source.written(result, 0, RangeKind::data), narrowed = source.written(result, 1, RangeKind::data);
  const std::vector<uint8_t> widened = source.written(result, 2, RangeKind::data);
  CHECK(source.written(result, 3, RangeKind::data).empty());
  for (size_t i = 0; i < values.size(); i += 997) {
    uint16_t half;
    float whole;
    std::memcpy(&half, &same[i * 2], 2);
    CHECK(half == f32_to_bf16(values[i]));
    std::memcpy(&half, &narrowed[i * 2], 2);
    CHECK(half == f32_to_f16(values[i]));
    std::memcpy(&whole, &widened[i * 4], 4);
    CHECK(whole == bf16_to_f32(f32_to_bf16(values[i])));
  }
}

TEST_CASE(ranges_stand_in_order_or_where_they_are_wanted) {
  Source source;
  source.options.out_offset = 40;
  source.add_quantized("a", {4, 64}, test::random_values(256, 1), {FormatId::Nf4, 64, false});
  QuantizeTensor& placed = source.add_quantized("b", {4, 64}, test::random_values(256, 2), {FormatId::Nf4, 64, true});
  placed.data_at = 1000;
  placed.scales_at = 600;
  const QuantizeResult result = source.run();
  const auto is_range = [&](size_t i, int64_t tensor, RangeKind kind, int64_t begin, int64_t end) {
    const WrittenRange& r = result.ranges[i];
    return r.tensor == tensor && r.kind == kind && r.begin == begin && r.end == end;
  };
  CHECK(result.ranges.size() == 5);
  CHECK(is_range(0, 0, RangeKind::data, 0, 128) && is_range(1, 0, RangeKind::absmax, 128, 144));
  CHECK(is_range(2, 1, RangeKind::data, 960, 1088) && is_range(3, 1, RangeKind::absmax, 560, 564));
  CHECK(is_range(4, 1, RangeKind::nested_absmax, 564, 568));
  Source before;
  before.options.out_offset = 40;
  before.add("c", {4}, {1, 2, 3, 4}).data_at = 39;
  CHECK(before.refusal() == "bad_input");
}

TEST_CASE(values_that_are_no_numbers_are_named_with_their_place) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    for (const FormatId format : {FormatId::Nf4, FormatId::Fp4, FormatId::Int8, FormatId::Fp32}) {
      Source source;
      std::vector<float> values = test::random_values(400 * 1024, 3);
      values[300 * 1024 + 17] = bad;
      source.add("fine", {2}, {1, 2});
      QuantizeTensor& tensor = source.add("layer.3.w", {400, 1024}, values);
      tensor.is_quantized = format != FormatId::Fp32;
      tensor.spec.format = format;
      if (!tensor.is_quantized) tensor.type = DType::bf16;
      std::string message;
      CHECK(source.refusal(&message) == "bad_file");
      CHECK(contains(message, "layer.3.w") && contains(message, "[300, 17]") && contains(message, std::isnan(bad) ? "NaN" : "inf"));
    }
  }
  Source large;
  large.add_quantized("w", {1, 64}, std::vector<float>(64, 1e30f), {FormatId::Int8, 64, false});
  std::string message;
  CHECK(large.refusal(&message) == "bad_file" && contains(message, "fp16") && contains(message, "1e+30"));
}

TEST_CASE(options_that_cannot_be_are_refused) {
  const auto refusal = [](const std::function<void(QuantizeTensor&)>& change) {
    Source source;
    change(source.add_quantized("w", {4, 64}, test::random_values(256, 1), {FormatId::Nf4, 64, false}));
    return source.refusal();
  };
  CHECK(refusal([](QuantizeTensor&) {}).empty());
  CHECK(refusal([](QuantizeTensor& t) { t.spec.block_size = 48; }) == "bad_input");
  CHECK(refusal([](QuantizeTensor& t) { t.spec.block_size = 8192; }) == "bad_input");
  CHECK(refusal([](QuantizeTensor& t) { t.spec.format = FormatId::Bf16; }) == "bad_input");
  CHECK(refusal([](QuantizeTensor& t) { t.shape = {256}; }) == "bad_input");
  CHECK(refusal([](QuantizeTensor& t) { t.data.file = 1; }) == "bad_input");
  CHECK(refusal([](QuantizeTensor& t) { t.data.file = -1; }) == "bad_input");
  CHECK(refusal([](QuantizeTensor& t) { t.encoding = Encoding::i8; }) == "bad_input");
  CHECK(refusal([](QuantizeTensor& t) { t.data.offset = 4; }) == "bad_file");
  CHECK(refusal([](QuantizeTensor& t) { t.shape = {int64_t{1} << 62, 2}; }) == "bad_input");
  for (const FormatId format : {FormatId::Nf4, FormatId::Int8}) {
    for (const std::vector<int64_t>& shape : {std::vector<int64_t>{0, 64}, std::vector<int64_t>{64, 0}}) {
      CHECK(refusal([&](QuantizeTensor& t) {
              t.shape = shape;
              t.data.bytes = 0;
              t.spec.format = format;
            }) == "bad_input");
    }
  }
}

TEST_CASE(cancelling_stops_soon) {
  Source source;
  source.options.threads = 2;
  source.add_quantized("w", {64, 65536}, std::vector<float>(size_t{64} * 65536, 0.5f), {FormatId::Nf4, 64, true});
  Cancel cancel;
  std::atomic<int> after{0};
  const auto stop_at_once = [&](const QuantizeProgress&) {
    if (cancel.is_requested()) ++after;
    cancel.request();
  };
  CHECK(test::error_code_of([&] { source.run(cancel, stop_at_once); }) == "cancelled");
  CHECK(after <= 2);  // chunks that had begun, of 16
}

TEST_CASE(an_error_of_the_listener_ends_the_work) {
  Source source;
  source.add_quantized("w", {4, 64}, test::random_values(256, 1), {FormatId::Nf4, 64, false});
  const auto fail = [](const QuantizeProgress&) { throw Error(ErrorCode::busy, "no"); };
  CHECK(test::error_code_of([&] { source.run(Cancel(), fail); }) == "busy");
}

TEST_CASE(memory_does_not_grow_with_the_tensor) {
  const test::TempFile file;
  constexpr int64_t kRows = 1024, kCols = 16384;
  file.resize(kRows * kCols * 2);
  const test::TempFile out;
  for (const QuantizeSpec& spec : {QuantizeSpec{FormatId::Nf4, 64, false}, QuantizeSpec{FormatId::Int8, 64, false}}) {
    QuantizeOptions options;
    options.files = {file.path()};
    options.out_path = out.path();
    options.threads = 2;
    QuantizeTensor tensor;
    tensor.name = "w";
    tensor.shape = {kRows, kCols};
    tensor.encoding = Encoding::bf16;
    tensor.data = {0, 0, kRows * kCols * 2};
    tensor.is_quantized = true;
    tensor.spec = spec;
    tensor.type = DType::bf16;
    options.tensors = {tensor};
    const uint64_t before = system_memory().resident;
    uint64_t most = before;
    quantize(
        options, [&](const QuantizeProgress&) { most = std::max(most, system_memory().resident); }, Cancel());
    CHECK(most < before + (12 << 20));  // the tensor has 32 MiB, its codes 8 or 16
  }
}

#ifndef _WIN32

TEST_CASE(a_disk_that_is_too_small_is_found_before_the_work) {
  Source source;
  source.add_quantized("w", {64, 4096}, test::random_values(64 * 4096, 1), {FormatId::Nf4, 64, false});
  rlimit before;
  CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
  bool is_begun = false;
  std::string message;
  const std::string code = test::error_code_of(
      [&] {
        const auto limit_once = [&] {
          const rlimit small{65536, before.rlim_max};
          CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
        };
        const test::TempFile file(std::vector<uint8_t>(64 * 4096 * 4));
        source.options.files = {file.path()};
        source.options.out_path = source.out.path();
        limit_once();
        quantize(
            source.options, [&](const QuantizeProgress&) { is_begun = true; }, Cancel());
      },
      &message);
  CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(code == "no_space" && contains(message, source.out.path()));
#ifdef __linux__
  CHECK(!is_begun && contains(message, "147456 bytes"));
#endif
}

#ifdef __linux__
TEST_CASE(a_disk_that_fills_up_while_writing_is_no_space) {
  Source source;
  source.options.out_path = "/dev/full";
  source.add_quantized("w", {4, 64}, test::random_values(256, 1), {FormatId::Nf4, 64, false});
  std::string message;
  CHECK(source.refusal(&message) == "no_space" && contains(message, "/dev/full"));
}
#endif

TEST_CASE(an_output_that_may_not_be_written_is_no_permission) {
  Source source;
  source.add_quantized("w", {4, 64}, test::random_values(256, 1), {FormatId::Nf4, 64, false});
  CHECK(chmod(source.out.path().c_str(), 0400) == 0);
  const bool is_root = geteuid() == 0;  // who may write everything
  if (is_root) CHECK(seteuid(65534) == 0);
  std::string message;
  const std::string code = source.refusal(&message);
  if (is_root) CHECK(seteuid(0) == 0);
  CHECK(code == "no_permission" && contains(message, source.out.path()));
}

#endif

TEST_CASE(missing_files_are_named) {
  Source source;
  source.options.out_path = "no_such_folder/out.bin";
  source.add("w", {1}, {1});
  std::string message;
  CHECK(source.refusal(&message) == "not_found" && contains(message, "no_such_folder/out.bin"));
}
