// The maps of 8-bit block-wise quantization: bitsandbytes' to the last bit, and the search in them.
#include "formats/code_map.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "core/text.h"
#include "harness.h"
#include "maps_golden.h"
#include "ops/maps.h"
#include "sha256.h"

using namespace nibble;

namespace {

// The code by the rule itself: the middle of two neighbours, which belongs to the even code.
int nearest(const float* values, float x) {
  int above = 0;
  while (above < 256 && values[above] < x) ++above;
  if (above == 0 || above == 256) return std::min(above, 255);
  const float middle = (values[above - 1] + values[above]) * 0.5f;
  return x > middle || (x == middle && above % 2 == 0) ? above : above - 1;
}

void check_code(const CodeMap& map, const char* kind, float x) {
  const int code = find_code(map, x), expected = nearest(map.values, x);
  if (code != expected) throw test::Failure(text(kind, ": the code of ", x, " is ", code, ", expected ", expected));
}

}  // namespace

TEST_CASE(every_map_equals_that_of_bitsandbytes) {
  for (const golden::MapCase& one : golden::kMapCases) {
    const std::vector<float> values = test::map_values(one);
    if (test::fnv1a(values.data(), 1024) != one.hash) {
      throw test::Failure(text("the ", one.is_signed ? "signed " : "unsigned ", one.kind, " map of ", one.a, ", ", one.b, " differs"));
    }
  }
}

TEST_CASE(the_dynamic_maps_have_the_published_hashes) {
  float values[256];
  dynamic_map(values, true);
  CHECK(test::sha256_start(values, 1024) == "e732639a65f497b4" && values[127] == 0 && values[0] > -1 && values[255] == 1);
  dynamic_map(values, false);
  CHECK(test::sha256_start(values, 1024) == "305f002cc11278fb" && values[0] == 0);
}

TEST_CASE(the_normal_map_is_the_code_book_of_nf4) {
  float values[256];
  normal_map(values);
  std::vector<float> some = {0};
  for (const float value : values) {
    if (value != 0) some.push_back(value);
  }
  std::ranges::sort(some);
  CHECK(some.size() == 16);
  for (size_t i = 0; i < 16; ++i) CHECK(some[i] == codebook(FormatId::Nf4)[i]);
}

TEST_CASE(a_floating_point_map_of_four_bits_is_the_code_book_of_fp4_but_for_its_smallest_value) {
  float values[256];
  fp8_map(values, true, 2, 1, 4);
  // bitsandbytes' FP4 has 1/192 where two exponent bits and one of precision give 1/24.
  for (int code = 0; code < 16; ++code) CHECK(code % 8 == 1 || std::ranges::count(values, codebook(FormatId::Fp4)[code]) > 0);
}

TEST_CASE(arguments_that_give_no_map_are_refused_by_their_numbers) {
  float values[256];
  std::string message;
  const auto code_of = [&](auto fn) { return test::error_code_of(fn, &message); };
  CHECK(code_of([&] { dynamic_map(values, false, 3, 8); }) == "bad_input" &&
        message.find("unsigned dynamic map of 8 bits with 3") != message.npos);
  CHECK(code_of([&] { dynamic_map(values, true, 0, 8); }) == "bad_input" &&
        code_of([&] { dynamic_map(values, true, 1000000000, 8); }) == "bad_input");
  CHECK(code_of([&] { dynamic_map(values, true, 7, 9); }) == "bad_input" && code_of([&] { linear_map(values, true, 1); }) == "bad_input");
  CHECK(code_of([&] { fp8_map(values, false, 8, 0); }) == "bad_input" && message.find("8 exponent bits (1 to 7)") != message.npos);
  CHECK(code_of([&] { fp8_map(values, true, 5, 3); }) == "bad_input" && code_of([&] { fp8_map(values, true, 9, -2); }) == "bad_input");
  CHECK(code_of([&] { normal_map(values, 0.5); }) == "bad_input" && code_of([&] { normal_map(values, std::nan("")); }) == "bad_input");
  dynamic_map(values, true);
  std::swap(values[7], values[9]);
  CHECK(code_of([&] { make_code_map(values); }) == "bad_input" && message.find("Value 8 of the map") != message.npos);
  for (const float bad : {-1.0001f, -std::numeric_limits<float>::infinity(), std::nanf("")}) {
    values[0] = bad;
    CHECK(code_of([&] { make_code_map(values); }) == "bad_input" && message.find("Value 0 of the map") != message.npos);
  }
}

TEST_CASE(the_search_finds_the_nearest_value_in_every_map) {
  for (const golden::MapCase& one : golden::kMapCases) {
    const CodeMap map = make_code_map(test::map_values(one).data());
    for (int i = 0; i + 1 < 256; ++i) {
      const float middle = (map.values[i] + map.values[i + 1]) * 0.5f;
      for (const float x : {middle, std::nextafter(middle, -2.0f), std::nextafter(middle, 2.0f), map.values[i]})
        check_code(map, one.kind, x);
    }
    for (const float x : test::random_values(500, 9)) check_code(map, one.kind, x);
    for (const float x : {0.0f, -0.0f, 1.0f, -1.0f, 1.0000001f, -1.0000001f, 1e-45f, -1e-45f, 1e-38f, 3e38f, -3e38f})
      check_code(map, one.kind, x);
  }
}

TEST_CASE(one_comparison_finishes_the_search_in_the_maps_of_eight_bits) {
  for (const golden::MapCase& one : golden::kMapCases) {
    const std::string kind = one.kind;
    const bool is_whole = kind == "linear" ? one.a == 8 : kind == "fp8" ? one.b == 8 && one.a > 1 : one.a == 7 && one.b == 8;
    if (is_whole && make_code_map(test::map_values(one).data()).steps != 1) throw test::Failure(text(kind, " ", one.a, ", ", one.b));
  }
}

TEST_CASE(maps_with_equal_or_crowded_values_are_searched_too) {
  float values[256] = {};  // all equal
  const CodeMap zeros = make_code_map(values);
  CHECK(find_code(zeros, -1) == 0 && find_code(zeros, 0) == 0);
  check_code(zeros, "zeros", 0.5f);
  for (int i = 0; i < 256; ++i) values[i] = 0.5f + static_cast<float>(i) * 0x1p-23f;  // every second float above 0.5: many in one entry
  const CodeMap map = make_code_map(values);
  CHECK(map.steps > 200);
  for (int i = -3; i < 520; ++i) check_code(map, "crowded", 0.5f + static_cast<float>(i) * 0x1p-24f);
}
