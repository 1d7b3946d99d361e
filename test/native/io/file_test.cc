// Files at positions: bounds and errors with their codes.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "harness.h"
#include "io/file.h"

using namespace nibble;

namespace {

std::string make_file(const char* bytes) {
  const char* folder = std::getenv("TMPDIR");
  const std::string path = std::string(folder != nullptr ? folder : ".") + "/nibble_file_test.bin";
  std::FILE* file = std::fopen(path.c_str(), "wb");
  std::fputs(bytes, file);
  std::fclose(file);
  return path;
}

}  // namespace

TEST_CASE(a_written_range_reads_back) {
  const std::string path = make_file("0123456789");
  OutputFile(path).write("abc", 4, 3);
  char text[11] = {};
  InputFile(path).read(text, 0, 10);
  CHECK(std::string(text) == "0123abc789");
  std::remove(path.c_str());
}

TEST_CASE(ranges_outside_a_file_are_refused) {
  const std::string path = make_file("0123456789");
  const InputFile file(path);
  char byte;
  const int64_t largest = INT64_MAX;
  CHECK(test::error_code_of([&] { file.read(&byte, 10, 1); }) == "bad_file");
  CHECK(test::error_code_of([&] { file.read(&byte, -1, 1); }) == "bad_file");
  CHECK(test::error_code_of([&] { file.read(&byte, largest, largest); }) == "bad_file");
  CHECK(test::error_code_of([&] { check_range(4, 6, 10, path); }).empty());
  CHECK(test::error_code_of([&] { check_range(4, 7, 10, path); }) == "bad_file");
  std::remove(path.c_str());
}

TEST_CASE(a_missing_file_is_not_found) {
  std::string message;
  CHECK(test::error_code_of([] { InputFile("no_such_file.bin"); }, &message) == "not_found");
  CHECK(message.find("no_such_file.bin") != std::string::npos);
}
