// Files at positions: bounds, and every refusal of the system as an error with its code.
#include "io/file.h"

#include <string>

#include "harness.h"
#include "temp_file.h"

#ifndef _WIN32
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

using namespace nibble;

namespace {

test::TempFile digits() {
  const std::string text = "0123456789";
  return test::TempFile({text.begin(), text.end()});
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE(a_written_range_reads_back) {
  const test::TempFile file = digits();
  OutputFile(file.path()).write("abc", 4, 3);
  char text[11] = {};
  InputFile(file.path()).read(text, 0, 10);
  CHECK(std::string(text) == "0123abc789");
}

TEST_CASE(ranges_outside_a_file_are_refused) {
  const test::TempFile place = digits();
  const InputFile file(place.path());
  char byte;
  const int64_t largest = INT64_MAX;
  CHECK(file.size() == 10);
  CHECK(test::error_code_of([&] { file.read(&byte, 10, 1); }) == "bad_file");
  CHECK(test::error_code_of([&] { file.read(&byte, -1, 1); }) == "bad_file");
  CHECK(test::error_code_of([&] { file.read(&byte, largest, largest); }) == "bad_file");
  CHECK(test::error_code_of([&] { check_range(4, 6, 10, "w"); }).empty());
  CHECK(test::error_code_of([&] { check_range(10, 0, 10, "w"); }).empty());
  CHECK(test::error_code_of([&] { check_range(4, 7, 10, "w"); }) == "bad_file");
  CHECK(test::error_code_of([&] { check_range(1, largest, 10, "w"); }) == "bad_file");
  CHECK(test::error_code_of([&] { check_range(0, -1, 10, "w"); }) == "bad_file");
}

TEST_CASE(a_file_cut_while_open_is_noticed) {
  const test::TempFile place = digits();
  const InputFile file(place.path());
  place.resize(4);
  char text[10];
  std::string message;
  CHECK(test::error_code_of([&] { file.read(text, 0, 10); }, &message) == "bad_file");
  CHECK(contains(message, "ends at byte 4") && contains(message, "had 10 bytes"));
}

TEST_CASE(a_missing_file_is_not_found) {
  std::string message;
  CHECK(test::error_code_of([] { InputFile("no_such_file.bin"); }, &message) == "not_found");
  CHECK(contains(message, "no_such_file.bin"));
  CHECK(test::error_code_of([] { OutputFile("no_such_folder/file.bin"); }, &message) == "not_found");
}

#ifndef _WIN32

TEST_CASE(what_is_no_regular_file_is_refused) {
  CHECK(test::error_code_of([] { InputFile(std::filesystem::temp_directory_path().string()); }) == "bad_file");
  CHECK(test::error_code_of([] { InputFile("/dev/null"); }) == "bad_file");
  const test::TempFile place;
  std::filesystem::remove(place.path());
  CHECK(mkfifo(place.path().c_str(), 0600) == 0);
  CHECK(test::error_code_of([&] { InputFile file(place.path()); }) == "bad_file");  // opening it to read would wait for a writer
}

TEST_CASE(a_file_of_another_user_is_no_permission) {
  const test::TempFile file = digits();
  CHECK(chmod(file.path().c_str(), 0) == 0);
  const bool is_root = geteuid() == 0;  // who may read everything
  if (is_root) CHECK(seteuid(65534) == 0);
  std::string message;
  const std::string reading = test::error_code_of([&] { InputFile input(file.path()); }, &message);
  const std::string writing = test::error_code_of([&] { OutputFile output(file.path()); });
  if (is_root) CHECK(seteuid(0) == 0);
  CHECK(reading == "no_permission" && writing == "no_permission" && contains(message, file.path()));
}

TEST_CASE(a_write_beyond_a_limit_is_no_space_and_no_signal) {
  const test::TempFile file = digits();
  rlimit before;
  CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{8192, before.rlim_max};
  CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string message, reserving;
  const std::vector<char> bytes(10000);
  const std::string code = test::error_code_of([&] { OutputFile(file.path()).write(bytes.data(), 4, 10000); }, &message);
  const std::string reserve_code = test::error_code_of([&] { OutputFile(file.path()).reserve(0, 1 << 20); }, &reserving);
  CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(code == "no_space" && contains(message, "10000 bytes at offset 4") && contains(message, file.path()));
#ifdef __linux__
  CHECK(reserve_code == "no_space" && contains(reserving, "1.0 MiB"));
#endif
}

#ifdef __linux__

TEST_CASE(a_full_disk_is_no_space) {
  std::string message;
  CHECK(test::error_code_of([] { OutputFile("/dev/full").write("abc", 0, 3); }, &message) == "no_space");
  CHECK(contains(message, "/dev/full") && contains(message, "3 bytes"));
}

TEST_CASE(room_that_does_not_exist_is_refused_at_once) {
  const test::TempFile file;
  std::string message;
  const std::string code = test::error_code_of([&] { OutputFile(file.path()).reserve(0, int64_t{1} << 52); }, &message);
  CHECK(code == "no_space" && contains(message, "4503599627370496 bytes"));
}

#endif
#endif
