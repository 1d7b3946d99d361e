// The harness itself: a check that cannot fail is worth nothing.
#include "harness.h"

#include "core/error.h"
#include "temp_file.h"

namespace {

std::string failure_of(const std::function<void()>& fn) {
  try {
    fn();
  } catch (const test::Failure& failure) {
    return failure.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const auto kTenth = [](size_t) { return 0.1; };

}  // namespace

TEST_CASE(a_false_check_fails_with_file_line_and_condition) {
  const std::string failure = failure_of([] { CHECK(1 + 1 == 3); });
  CHECK(contains(failure, "harness_test.cc:") && contains(failure, "1 + 1 == 3"));
  CHECK(failure_of([] { CHECK(1 + 1 == 2); }).empty());
}

TEST_CASE(check_close_names_the_worst_place) {
  const std::string failure = failure_of([] { test::check_close("sum", {1, 2.2f, 3.5f}, {1, 2, 3}, kTenth); });
  CHECK(contains(failure, "sum") && contains(failure, "index 2 of 3") && contains(failure, "3.5") && contains(failure, "expected 3"));
  CHECK(failure_of([] { test::check_close("sum", {1.09f}, {1}, kTenth); }).empty());
}

TEST_CASE(check_close_refuses_nan_infinity_and_other_sizes) {
  CHECK(contains(failure_of([] { test::check_close("x", {1, NAN, 1}, {1, 1, 1}, kTenth); }), "index 1"));
  CHECK(!failure_of([] { test::check_close("x", {1}, {NAN}, kTenth); }).empty());
  CHECK(!failure_of([] { test::check_close("x", {INFINITY}, {1}, kTenth); }).empty());
  CHECK(!failure_of([] { test::check_close("x", {1}, {1, 1}, kTenth); }).empty());
  CHECK(!failure_of([] { test::check_close("x", {1.5f}, {1}, [](size_t) { return 0.0; }); }).empty());
}

TEST_CASE(random_values_are_those_of_the_golden_files) {
  const std::vector<float> values = test::random_values(3, 1);
  CHECK(values[0] == static_cast<float>(static_cast<int32_t>(1015568748u) >> 8) * 0x1p-23f);
  for (const float value : test::random_values(1000, 7)) CHECK(value >= -1 && value < 1);
}

TEST_CASE(fnv1a_is_the_published_hash) {
  CHECK(test::fnv1a("", 0) == 0xcbf29ce484222325u);
  CHECK(test::fnv1a("foobar", 6) == 0x85944171f73967e8u);
}

TEST_CASE(error_code_of_tells_code_and_message) {
  std::string message;
  CHECK(test::error_code_of([] { throw nibble::Error(nibble::ErrorCode::no_space, "Full."); }, &message) == "no_space");
  CHECK(message == "Full.");
  CHECK(test::error_code_of([] {}).empty());
}

TEST_CASE(a_temporary_file_goes_with_its_test) {
  std::string path;
  {
    const test::TempFile file({1, 2, 3});
    path = file.path();
    CHECK((file.bytes() == std::vector<uint8_t>{1, 2, 3}));
  }
  CHECK(!std::filesystem::exists(path));
}
