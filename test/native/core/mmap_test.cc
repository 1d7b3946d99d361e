// Mapped files: their bytes, their errors, and files that lose their end while they are mapped.
#include "core/mmap.h"

#include <cstring>
#include <memory>

#include "harness.h"
#include "temp_file.h"

#ifndef _WIN32
#include <sys/stat.h>
#endif

using namespace nibble;

namespace {

std::vector<uint8_t> counting_bytes(size_t n) {
  std::vector<uint8_t> bytes(n);
  for (size_t i = 0; i < n; ++i) bytes[i] = static_cast<uint8_t>(i * 7 + i / 256);
  return bytes;
}

}  // namespace

TEST_CASE(a_mapped_file_shows_its_bytes) {
  const std::vector<uint8_t> bytes = counting_bytes(10001);
  const test::TempFile file(bytes);
  MappedFile map(file.path());
  map.prefetch(5000, 5001);
  CHECK(map.size() == 10001 && std::memcmp(map.data(), bytes.data(), bytes.size()) == 0);
  const MappedFile moved(std::move(map));
  CHECK(map.data() == nullptr && map.size() == 0 && moved.size() == 10001 && moved.data()[10000] == bytes[10000]);
}

TEST_CASE(an_empty_file_maps_to_nothing) {
  const test::TempFile file;
  const MappedFile map(file.path());
  CHECK(map.size() == 0 && map.data() == nullptr);
}

TEST_CASE(files_that_cannot_be_mapped_are_refused_by_name) {
  std::string message;
  CHECK(test::error_code_of([] { MappedFile("no_such_file.bin"); }, &message) == "not_found");
  CHECK(message.find("no_such_file.bin") != std::string::npos);
  const std::string folder = std::filesystem::temp_directory_path().string();
  CHECK(test::error_code_of([&] { MappedFile map(folder); }, &message) == "bad_file");
  CHECK(message.find(folder) != std::string::npos);
}

#ifndef _WIN32

TEST_CASE(a_pipe_is_refused_instead_of_waited_for) {
  const test::TempFile place;
  std::filesystem::remove(place.path());
  CHECK(mkfifo(place.path().c_str(), 0600) == 0);
  CHECK(test::error_code_of([&] { MappedFile map(place.path()); }) == "bad_file");
}

TEST_CASE(a_file_that_loses_its_end_reads_as_zeros_and_is_noticed) {
  const std::vector<uint8_t> bytes = counting_bytes(size_t{1} << 20);
  const test::TempFile file(bytes), other(bytes);
  const MappedFile map(file.path()), intact(other.path());
  map.check_whole();
  file.resize(4096);
  const volatile uint8_t* data = map.data();
  CHECK(data[100] == bytes[100]);
  CHECK(data[1 << 19] == 0 && data[(1 << 20) - 1] == 0);  // without care: the end of the process
  std::string message;
  CHECK(test::error_code_of([&] { map.check_whole(); }, &message) == "bad_file");
  CHECK(message.find(file.path()) != std::string::npos);
  intact.check_whole();
}

TEST_CASE(many_maps_come_and_go) {
  const test::TempFile file(counting_bytes(5000));
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<MappedFile>> maps;
    for (int i = 0; i < 600; ++i) maps.push_back(std::make_unique<MappedFile>(file.path()));
    for (const auto& map : maps) map->check_whole();
  }
}

#endif
