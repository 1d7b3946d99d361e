// Every backend encodes and decodes to the golden bytes of test/golden/formats_golden.h.
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "formats/formats.h"
#include "formats_golden.h"
#include "harness.h"
#include "ops/ops.h"

using namespace nibble;

namespace {

const OpTable* const* all_tables() {
  static std::vector<const OpTable*> list = [] {
    std::vector<const OpTable*> tables;
    for (const char* const* name = op_table_names(); *name != nullptr; ++name) tables.push_back(&op_table(*name));
    tables.push_back(nullptr);
    return tables;
  }();
  return list.data();
}

std::vector<float> bits_to_floats(const uint32_t* bits, size_t n) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i) values[i] = std::bit_cast<float>(bits[i]);
  return values;
}

FormatId format_of(const char* name) { return std::string(name) == "nf4" ? FormatId::Nf4 : FormatId::Fp4; }

}  // namespace

TEST_CASE(conversions_round_like_numpy) {
  for (int i = 0; i < 42; ++i) {
    const float value = std::bit_cast<float>(golden::kRoundingInput[i]);
    if (std::isnan(value)) {  // payloads are free
      CHECK(std::isnan(f16_to_f32(f32_to_f16(value))) && std::isnan(bf16_to_f32(f32_to_bf16(value))));
      continue;
    }
    CHECK(f32_to_f16(value) == golden::kRoundingFp16[i]);
    CHECK(f32_to_bf16(value) == golden::kRoundingBf16[i]);
  }
}

TEST_CASE(every_fp16_survives_the_way_through_fp32) {
  for (uint32_t h = 0; h < 65536; ++h) {
    const bool is_nan = (h & 0x7c00u) == 0x7c00u && (h & 0x3ffu) != 0;
    if (!is_nan) CHECK(f32_to_f16(f16_to_f32(static_cast<uint16_t>(h))) == h);
  }
}

TEST_CASE(code_books_equal_the_golden_ones) {
  for (int i = 0; i < 16; ++i) {
    CHECK(std::bit_cast<uint32_t>(codebook(FormatId::Nf4)[i]) == golden::kNf4Code[i]);
    CHECK(std::bit_cast<uint32_t>(codebook(FormatId::Fp4)[i]) == golden::kFp4Code[i]);
  }
  for (int i = 0; i < 256; ++i) CHECK(std::bit_cast<uint32_t>(dynamic_map_signed()[i]) == golden::kDynamicSigned[i]);
}

TEST_CASE(four_bit_bytes_equal_the_golden_ones) {
  for (const OpTable* const* table = all_tables(); *table != nullptr; ++table) {
    for (const golden::Packed4Case& one : golden::kPacked4Cases) {
      std::vector<float> input = test::random_values(one.n, 1);
      std::vector<uint16_t> halves(one.n);
      const std::string name = one.input;
      const DType type = name == "lcg" ? DType::f32 : name == "lcg_fp16" ? DType::f16 : DType::bf16;
      for (size_t i = 0; i < one.n && type != DType::f32; ++i) {
        halves[i] = type == DType::f16 ? f32_to_f16(input[i]) : f32_to_bf16(input[i]);
        input[i] = type == DType::f16 ? f16_to_f32(halves[i]) : bf16_to_f32(halves[i]);
      }
      CHECK(test::fnv1a(input.data(), one.n * 4) == one.input_hash);
      const size_t n_blocks = (one.n + one.block_size - 1) / one.block_size;
      std::vector<uint8_t> codes((one.n + 1) / 2);
      std::vector<float> absmax(n_blocks), decoded(one.n);
      Exec exec;
      const FormatId format = format_of(one.format);
      const void* source = type == DType::f32 ? static_cast<const void*>(input.data()) : halves.data();
      CHECK((*table)->quantize_blocks[static_cast<int>(format)](exec, codes.data(), absmax.data(), source, type,
                                                                static_cast<int64_t>(one.n), static_cast<int32_t>(one.block_size)) == -1);
      CHECK(test::fnv1a(codes.data(), codes.size()) == one.packed_hash);
      CHECK(test::fnv1a(absmax.data(), n_blocks * 4) == one.absmax_hash);
      WeightView w{
          format, 1, static_cast<int64_t>(one.n), codes.data(), absmax.data(), {}, codebook(format), static_cast<int32_t>(one.block_size)};
      (*table)->dequantize[static_cast<int>(format)](exec, decoded.data(), w, 0, 1);
      CHECK(test::fnv1a(decoded.data(), one.n * 4) == one.decoded_fp32_hash);
    }
  }
}

TEST_CASE(int8_codes_equal_the_golden_ones) {
  for (const OpTable* const* table = all_tables(); *table != nullptr; ++table) {
    for (const golden::Int8Case& one : golden::kInt8Cases) {
      const size_t n = one.rows * one.cols;
      const std::vector<float> input = test::random_values(n, 1);
      std::vector<int8_t> codes(n);
      std::vector<float> scb(one.rows);
      Exec exec;
      CHECK((*table)->quantize_rows(exec, codes.data(), scb.data(), input.data(), DType::f32, static_cast<int64_t>(one.rows),
                                    static_cast<int64_t>(one.cols)) == -1);
      CHECK(test::fnv1a(codes.data(), n) == one.codes_hash);
      CHECK(test::fnv1a(scb.data(), one.rows * 4) == one.absmax_hash);
    }
  }
}

TEST_CASE(edge_blocks_encode_to_the_golden_bytes) {
  const std::vector<float> input = bits_to_floats(golden::kEdgeInput, 237);
  for (const OpTable* const* table = all_tables(); *table != nullptr; ++table) {
    for (const FormatId format : {FormatId::Nf4, FormatId::Fp4}) {
      std::vector<uint8_t> codes(119);
      std::vector<float> absmax(8);
      Exec exec;
      CHECK((*table)->quantize_blocks[static_cast<int>(format)](exec, codes.data(), absmax.data(), input.data(), DType::f32, 237, 32) ==
            -1);
      const uint8_t* wanted = format == FormatId::Nf4 ? golden::kEdgeNf4Packed : golden::kEdgeFp4Packed;
      for (size_t i = 0; i < codes.size(); ++i) {
        if (codes[i] != wanted[i])
          throw test::Failure(
              text((*table)->name, " ", format_name(format), " byte ", i, " is ", int{codes[i]}, ", expected ", int{wanted[i]}));
      }
    }
  }
}

TEST_CASE(nan_and_infinity_are_reported_with_their_index) {
  for (const OpTable* const* table = all_tables(); *table != nullptr; ++table) {
    for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
      for (const int64_t at : {int64_t{0}, int64_t{333}, int64_t{4095}, int64_t{4097}}) {
        std::vector<float> input = test::random_values(4100, 3);
        input[static_cast<size_t>(at)] = bad;
        std::vector<uint8_t> codes(2050);
        std::vector<float> absmax(65);
        Exec exec;
        CHECK((*table)->quantize_blocks[static_cast<int>(FormatId::Nf4)](exec, codes.data(), absmax.data(), input.data(), DType::f32, 4100,
                                                                         64) == at);
        std::vector<int8_t> rows(4100);
        std::vector<float> scb(10);
        CHECK((*table)->quantize_rows(exec, rows.data(), scb.data(), input.data(), DType::f32, 10, 410) == at);
      }
    }
  }
}

TEST_CASE(conversions_are_the_same_on_every_backend) {
  // The hard cases, all fp16 numbers, tiny and huge ones; not a whole number of vectors.
  std::vector<float> values;
  for (int i = 0; i < 42; ++i) values.push_back(std::bit_cast<float>(golden::kRoundingInput[i]));
  for (uint32_t h = 0; h < 65536; ++h) values.push_back(f16_to_f32(static_cast<uint16_t>(h)));
  for (const float x : test::random_values(30001, 3)) values.insert(values.end(), {x, x * 1e-40f, x * 1e-6f, x * 65504});
  std::erase_if(values, [](float x) { return !(std::fabs(x) <= 65280); });  // those that fit fp16 by way of bf16, too
  const auto n = static_cast<int64_t>(values.size());
  ThreadPool pool(3);
  Exec exec;
  exec.pool = &pool;
  const OpTable& ref = op_table("ref");
  for (const DType from : {DType::f32, DType::f16, DType::bf16}) {
    std::vector<uint8_t> source(values.size() * 4);
    CHECK(ref.convert(exec, source.data(), from, values.data(), DType::f32, n) == -1);
    for (const DType to : {DType::f32, DType::f16, DType::bf16}) {
      std::vector<uint8_t> expected(values.size() * 4, 99), actual(values.size() * 4, 99);
      CHECK(ref.convert(exec, expected.data(), to, source.data(), from, n) == -1);
      for (const OpTable* const* table = all_tables(); *table != nullptr; ++table) {
        CHECK((*table)->convert(exec, actual.data(), to, source.data(), from, n) == -1);
        if (actual != expected)
          throw test::Failure(text((*table)->name, " converts type ", int(from), " to type ", int(to), " otherwise than ref"));
      }
    }
  }
  std::vector<uint16_t> halves(values.size());
  for (const OpTable* const* table = all_tables(); *table != nullptr; ++table) {
    for (const int64_t at : {int64_t{0}, int64_t{4095}, int64_t{70001}, n - 1}) {
      for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 65520.0f}) {
        std::vector<float> some = values;
        some[static_cast<size_t>(at)] = bad;
        some.back() = bad;  // a later one: the first is reported
        CHECK((*table)->convert(exec, halves.data(), DType::f16, some.data(), DType::f32, n) == at);
      }
    }
  }
}

TEST_CASE(nested_codes_name_the_nearest_value_of_the_map) {
  const float* map = dynamic_map_signed();
  // Scales whose largest distance from the mean is 1, so that those of the first block are looked up as they are: every middle of two
  // values, the floats beside it, and what lies between.
  std::vector<float> x = {1, -1};
  for (int i = 0; i < 255; ++i) {
    const float middle = (map[i] + map[i + 1]) * 0.5f;
    x.insert(x.end(), {middle, std::nextafter(middle, -2.0f), std::nextafter(middle, 2.0f), map[i]});
  }
  for (const float value : test::random_values(2000, 9)) x.push_back(value);
  for (const float value : x) {
    float scales[4] = {value, -value, 1, -1};  // the mean is 0
    uint8_t codes[4];
    float absmax = 0;
    CHECK(nest_scales(codes, &absmax, scales, 4) == 0 && absmax == 1);
    for (int i = 0; i < 4; ++i) {
      int best = 0;
      for (int j = 1; j < 256; ++j) {
        const float middle = (map[j - 1] + map[j]) * 0.5f;
        if (scales[i] > middle || (scales[i] == middle && j % 2 == 0)) best = j;
      }
      if (codes[i] != best) throw test::Failure(text("the code of ", scales[i], " is ", int{codes[i]}, ", expected ", best));
    }
  }
}

TEST_CASE(tensors_of_no_elements_give_nothing) {
  for (const OpTable* const* table = all_tables(); *table != nullptr; ++table) {
    Exec exec;
    for (const FormatId format : {FormatId::Nf4, FormatId::Fp4}) {
      CHECK((*table)->quantize_blocks[static_cast<int>(format)](exec, nullptr, nullptr, nullptr, DType::f32, 0, 64) == -1);
    }
    float scb[3] = {5, 5, 5};
    CHECK((*table)->quantize_rows(exec, nullptr, scb, nullptr, DType::f32, 3, 0) == -1 && scb[0] == 0 && scb[2] == 0);
    CHECK((*table)->quantize_rows(exec, nullptr, nullptr, nullptr, DType::bf16, 0, 64) == -1);
    CHECK((*table)->convert(exec, nullptr, DType::f16, nullptr, DType::f32, 0) == -1);
  }
}

TEST_CASE(one_row_one_column_and_odd_rows_encode_as_the_reference_does) {
  const OpTable& ref = op_table("ref");
  Exec exec;
  for (const OpTable* const* table = all_tables(); *table != nullptr; ++table) {
    for (const auto& [rows, cols] : std::vector<std::pair<int64_t, int64_t>>{{1, 100}, {100, 1}, {7, 33}, {5, 65}, {1, 1}, {300, 400}}) {
      const auto n = static_cast<size_t>(rows * cols);
      const std::vector<float> input = test::random_values(n, 12);
      for (const FormatId format : {FormatId::Nf4, FormatId::Fp4}) {
        const auto at = static_cast<size_t>(format);
        std::vector<uint8_t> codes((n + 1) / 2), expected_codes = codes;
        std::vector<float> absmax(n / 64 + 1), expected_absmax = absmax, decoded(n), expected(n);
        (*table)->quantize_blocks[at](exec, codes.data(), absmax.data(), input.data(), DType::f32, rows * cols, 64);
        ref.quantize_blocks[at](exec, expected_codes.data(), expected_absmax.data(), input.data(), DType::f32, rows * cols, 64);
        CHECK(codes == expected_codes && absmax == expected_absmax);
        // Blocks run across the rows: bitsandbytes' AVX-512 code begins anew with each row, and decodes to other values.
        const WeightView w{format, rows, cols, codes.data(), absmax.data(), {}, codebook(format), 64};
        (*table)->dequantize[at](exec, decoded.data(), w, 0, rows);
        for (size_t i = 0; i < n; ++i) expected[i] = codebook(format)[nibble_at(codes.data(), static_cast<int64_t>(i))] * absmax[i / 64];
        CHECK(decoded == expected);
      }
      std::vector<int8_t> codes(n), expected(n);
      std::vector<float> scb(static_cast<size_t>(rows)), expected_scb = scb;
      CHECK((*table)->quantize_rows(exec, codes.data(), scb.data(), input.data(), DType::f32, rows, cols) == -1);
      CHECK(ref.quantize_rows(exec, expected.data(), expected_scb.data(), input.data(), DType::f32, rows, cols) == -1);
      CHECK(codes == expected && scb == expected_scb);
    }
  }
}

TEST_CASE(blocks_whose_scale_has_no_finite_reciprocal_keep_their_zeros) {
  std::vector<float> input(64, 0.0f);
  input[3] = 1e-40f;
  input[4] = -1e-45f;
  for (const OpTable* const* table = all_tables(); *table != nullptr; ++table) {
    for (const auto& [format, zero] : {std::pair{FormatId::Nf4, uint8_t{7}}, std::pair{FormatId::Fp4, uint8_t{0}}}) {
      std::vector<uint8_t> codes(32);
      float absmax = 0;
      Exec exec;
      CHECK((*table)->quantize_blocks[static_cast<int>(format)](exec, codes.data(), &absmax, input.data(), DType::f32, 64, 64) == -1);
      CHECK(absmax == 1e-40f);
      for (int64_t i = 0; i < 64; ++i) CHECK(i == 3 || i == 4 || nibble_at(codes.data(), i) == zero);
      CHECK(std::fabs(codebook(format)[nibble_at(codes.data(), 3)]) <= 0.01f);
    }
  }
}

TEST_CASE(elements_beyond_two_to_the_31_are_found) {
  // One row far down a matrix of 2^31 + 2^16 weights: memory that is asked for, but of which only a few pages are touched.
  constexpr int64_t kCols = 1 << 16, kRows = (int64_t{1} << 15) + 1, kElements = kCols * kRows;
  const std::unique_ptr<void, decltype(&std::free)> codes(std::calloc(kElements / 2, 1), std::free);
  const std::unique_ptr<void, decltype(&std::free)> scales(std::calloc(kElements / 4096, 4), std::free);
  CHECK(codes != nullptr && scales != nullptr);
  static_cast<uint8_t*>(codes.get())[kElements / 2 - 1] = 0x2f;
  static_cast<float*>(scales.get())[kElements / 4096 - 1] = 3;
  const WeightView w{FormatId::Nf4, kRows, kCols, codes.get(), static_cast<float*>(scales.get()), {}, codebook(FormatId::Nf4), 4096};
  std::vector<float> row(kCols);
  for (const OpTable* const* table = all_tables(); *table != nullptr; ++table) {
    Exec exec;
    (*table)->dequantize[static_cast<int>(FormatId::Nf4)](exec, row.data(), w, kRows - 1, 1);
    CHECK(row[kCols - 1] == 3 && row[kCols - 2] == codebook(FormatId::Nf4)[2] * 3 && row[kCols - 4096] == -3 && row[0] == 0);
  }
}

// Encoders look codes up by steps of x: every float around a limit and around the end of a step (of any of the widths in use) must get the
// code of the reference.
TEST_CASE(floats_around_limits_and_steps_encode_as_the_reference_does) {
  std::vector<float> values;
  const auto add_around = [&](float x) {
    for (int i = 0; i < 40; ++i) x = std::nextafter(x, -2.0f);
    for (int i = 0; i < 80; ++i, x = std::nextafter(x, 2.0f)) {
      if (std::fabs(x) <= 1) values.push_back(x);
    }
  };
  for (int i = 0; i < 15; ++i) add_around(Nf4::thresholds()[i]);
  for (int i = 0; i < 7; ++i) {
    add_around(Fp4::thresholds()[i]);
    add_around(-Fp4::thresholds()[i]);
  }
  for (int i = -16; i <= 32; ++i) {
    add_around(static_cast<float>(i) / 16);
    add_around((static_cast<float>(i) - 15.75f) / 15.5f);
  }
  for (int i = -4000; i <= 4000; ++i) values.push_back(static_cast<float>(i) / 4000);
  // One block of 4096 after another, each led by a 1, which makes its scale 1.
  std::vector<float> blocks;
  for (const float value : values) {
    if (blocks.size() % 4096 == 0) blocks.push_back(1);
    blocks.push_back(value);
  }
  blocks.resize((blocks.size() + 4095) / 4096 * 4096, -0.0f);
  const auto n = static_cast<int64_t>(blocks.size());
  for (const FormatId format : {FormatId::Nf4, FormatId::Fp4}) {
    const auto encode = [&](const OpTable& table) {
      std::vector<uint8_t> codes(blocks.size() / 2);
      std::vector<float> scales(blocks.size() / 4096);
      Exec exec;
      CHECK(table.quantize_blocks[static_cast<int>(format)](exec, codes.data(), scales.data(), blocks.data(), DType::f32, n, 4096) == -1);
      return codes;
    };
    const std::vector<uint8_t> expected = encode(op_table("ref"));
    for (const OpTable* const* table = all_tables(); *table != nullptr; ++table) CHECK(encode(**table) == expected);
  }
}
