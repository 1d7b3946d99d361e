// 8-bit block-wise quantization by a map on every backend: golden bytes, equality with the plain version, odd sizes, refusals.
#include <bit>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "harness.h"
#include "ops/maps.h"
#include "ops/ops.h"

using namespace nibble;

namespace {

template <class Fn>
void for_every_table(Fn&& fn) {
  for (const char* const* name = op_table_names(); *name != nullptr; ++name) fn(op_table(*name));
}

// values as bytes of the type, rounded.
std::vector<uint8_t> as_type(const std::vector<float>& values, DType type) {
  std::vector<uint8_t> bytes(values.size() * dtype_size(type));
  Exec exec;
  CHECK(op_table("ref").convert(exec, bytes.data(), type, values.data(), DType::f32, static_cast<int64_t>(values.size())) == -1);
  return bytes;
}

struct Coded {
  std::vector<uint8_t> codes;
  std::vector<float> absmax;
  bool operator==(const Coded&) const = default;
};

constexpr uint8_t kSentinelByte = 0xa5;

// Quantizes and checks that nothing is written beyond the outputs.
Coded quantize(const OpTable& table, Exec& exec, const std::vector<uint8_t>& source, DType type, const CodeMap& map, int64_t block_size) {
  const size_t n = source.size() / dtype_size(type), blocks = n == 0 ? 0 : (n - 1) / static_cast<size_t>(block_size) + 1;
  Coded coded{std::vector<uint8_t>(n + 1, kSentinelByte), std::vector<float>(blocks + 1, 12345.0f)};
  CHECK(table.quantize_map8(exec, coded.codes.data(), coded.absmax.data(), source.data(), type, static_cast<int64_t>(n), map, block_size) ==
        -1);
  CHECK(coded.codes.back() == kSentinelByte && coded.absmax.back() == 12345.0f);
  coded.codes.pop_back();
  coded.absmax.pop_back();
  return coded;
}

std::vector<uint8_t> dequantize(const OpTable& table, Exec& exec, const Coded& coded, DType type, const CodeMap& map, int64_t block_size) {
  const size_t bytes = coded.codes.size() * dtype_size(type);
  std::vector<uint8_t> out(bytes + 4, kSentinelByte);
  table.dequantize_map8(exec, out.data(), type, coded.codes.data(), coded.absmax.data(), static_cast<int64_t>(coded.codes.size()), map,
                        block_size);
  for (size_t i = bytes; i < out.size(); ++i) CHECK(out[i] == kSentinelByte);
  out.resize(bytes);
  return out;
}

// Every middle between two values of the map and the floats beside it, after a 1 that makes them their own x; zeros of both signs.
std::vector<float> edges_of(const CodeMap& map) {
  std::vector<float> x = {1, 0, -0.0f, -1};
  for (int i = 0; i + 1 < 256; ++i) {
    const float middle = (map.values[i] + map.values[i + 1]) * 0.5f;
    x.insert(x.end(), {middle, std::nextafter(middle, -2.0f), std::nextafter(middle, 2.0f), map.values[i]});
  }
  return x;
}

DType type_of(const std::string& name) { return name == "f32" ? DType::f32 : name == "f16" ? DType::f16 : DType::bf16; }

}  // namespace

TEST_CASE(map_codes_equal_the_golden_ones) {
  for_every_table([](const OpTable& table) {
    Exec exec;
    for (const golden::Map8Case& one : golden::kMap8Cases) {
      const CodeMap map = make_code_map(test::map_values(one.map).data());
      const DType type = type_of(one.type);
      const Coded coded = quantize(table, exec, as_type(test::random_values(one.n, 1), type), type, map, one.block_size);
      const auto hash = [&](DType to) {
        const std::vector<uint8_t> bytes = dequantize(table, exec, coded, to, map, one.block_size);
        return test::fnv1a(bytes.data(), bytes.size());
      };
      if (test::fnv1a(coded.codes.data(), one.n) != one.codes_hash ||
          test::fnv1a(coded.absmax.data(), coded.absmax.size() * 4) != one.absmax_hash || hash(DType::f32) != one.decoded_fp32_hash ||
          hash(DType::f16) != one.decoded_fp16_hash || hash(DType::bf16) != one.decoded_bf16_hash) {
        throw test::Failure(text(table.name, ": ", one.map.kind, " map ", one.map.a, ", ", one.map.b, ", ", one.type, ", ", one.n,
                                 " values in blocks of ", one.block_size, " differ"));
      }
    }
  });
}

TEST_CASE(fast_map_codes_equal_those_of_the_plain_version) {
  ThreadPool pool(3);
  Exec alone, shared;
  shared.pool = &pool;
  const OpTable& ref = op_table("ref");
  for (const golden::MapCase& one : golden::kMapCases) {
    const CodeMap map = make_code_map(test::map_values(one).data());
    const std::vector<uint8_t> source = as_type(edges_of(map), DType::f32);
    const Coded expected = quantize(ref, alone, source, DType::f32, map, 5000);
    for_every_table([&](const OpTable& table) { CHECK(quantize(table, shared, source, DType::f32, map, 5000) == expected); });
  }
  for (const bool is_signed : {true, false}) {
    const CodeMap& map = test::dynamic_code_map(is_signed);
    for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
      const std::vector<uint8_t> source = as_type(test::random_values(200003, 17), type);
      for (const int64_t block_size : {int64_t{7}, int64_t{64}, int64_t{1000}, int64_t{2048}, int64_t{4096}, int64_t{70001}}) {
        const Coded expected = quantize(ref, alone, source, type, map, block_size);
        const std::vector<uint8_t> decoded = dequantize(ref, alone, expected, type, map, block_size);
        for_every_table([&](const OpTable& table) {
          const bool is_same = quantize(table, shared, source, type, map, block_size) == expected &&
                               dequantize(table, shared, expected, type, map, block_size) == decoded;
          if (!is_same) throw test::Failure(text(table.name, " differs from ref in blocks of ", block_size, ", type ", int(type)));
        });
      }
    }
  }
}

TEST_CASE(a_block_of_zeros_has_the_code_of_zero) {
  for_every_table([](const OpTable& table) {
    Exec exec;
    for (const bool is_signed : {true, false}) {
      const CodeMap& map = test::dynamic_code_map(is_signed);
      std::vector<float> values(300, 0.0f);
      values[3] = -0.0f;
      values[260] = 5;
      const Coded coded = quantize(table, exec, as_type(values, DType::f32), DType::f32, map, 64);
      for (size_t i = 0; i < 300; ++i) CHECK(map.values[coded.codes[i]] == (i == 260 ? 1.0f : 0.0f));
      CHECK(coded.absmax[0] == 0 && coded.absmax[4] == 5);
      const std::vector<uint8_t> decoded = dequantize(table, exec, coded, DType::f32, map, 64);
      CHECK(std::memcmp(decoded.data(), std::vector<float>(256, 0.0f).data(), 1024) == 0);
    }
  });
}

TEST_CASE(scales_without_a_finite_reciprocal_give_codes_near_zero) {
  for_every_table([](const OpTable& table) {
    Exec exec;
    const Coded coded = quantize(table, exec, as_type({1e-40f, 0.0f, -1e-40f, 1e-45f}, DType::f32), DType::f32,
                                 test::dynamic_code_map(true), 4);
    CHECK(coded.absmax[0] == 1e-40f && coded.codes[1] == 127);
    CHECK(coded.codes[0] > 127 && coded.codes[2] < 127 && coded.codes[0] + coded.codes[2] == 254);  // x = 0.01: 1e-40 / 1e-38
    CHECK(test::dynamic_code_map(true).values[coded.codes[0]] < 0.011f);
  });
}

TEST_CASE(one_element_and_none_are_coded) {
  for_every_table([](const OpTable& table) {
    Exec exec;
    const CodeMap& map = test::dynamic_code_map(true);
    for (const int64_t block_size : {int64_t{1}, int64_t{256}, std::numeric_limits<int64_t>::max()}) {
      const Coded one = quantize(table, exec, as_type({-0.5f}, DType::bf16), DType::bf16, map, block_size);
      CHECK(one.codes[0] == 0 && one.absmax[0] == 0.5f);  // the smallest value of the map, -0.99296874: there is no -1
      CHECK(quantize(table, exec, {}, DType::f32, map, block_size).codes.empty());
      CHECK(dequantize(table, exec, {}, DType::f16, map, block_size).empty());
    }
  });
}

TEST_CASE(nan_and_infinity_never_become_map_codes) {
  ThreadPool pool(2);
  for_every_table([&](const OpTable& table) {
    Exec exec;
    exec.pool = &pool;
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity}) {
      for (const size_t at : {size_t{0}, size_t{17}, size_t{1030}, size_t{4096}, size_t{4098}}) {
        for (const int64_t block_size : {int64_t{3}, int64_t{256}, int64_t{5000}}) {
          std::vector<float> values = test::random_values(4099, 5);
          values[at] = values.back() = bad;
          std::vector<uint8_t> codes(4099);
          std::vector<float> absmax(4099, 7);
          const int64_t index = table.quantize_map8(exec, codes.data(), absmax.data(), values.data(), DType::f32, 4099,
                                                    test::dynamic_code_map(true), block_size);
          CHECK(index == static_cast<int64_t>(at));
          CHECK(absmax[at / static_cast<size_t>(block_size)] == 7);  // that block was not written
        }
      }
    }
    const uint16_t halves[3] = {0x3c00, 0x7c00, 0x7e01};  // fp16: 1, infinity, NaN
    uint8_t codes[3];
    float absmax[1];
    CHECK(table.quantize_map8(exec, codes, absmax, halves, DType::f16, 3, test::dynamic_code_map(true), 256) == 1);
  });
}
