// A file in the system's temporary folder, removed when its test ends.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "harness.h"

namespace test {

class TempFile {
 public:
  explicit TempFile(const std::vector<uint8_t>& bytes = {}) : path_(fresh_path()) {
    std::ofstream file(path_, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) throw Failure("cannot write the temporary file " + path_);
  }
  ~TempFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TempFile(TempFile&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  TempFile& operator=(TempFile&&) = delete;

  const std::string& path() const { return path_; }

  // Zeros that take no room on most file systems, or a shorter file.
  void resize(uint64_t bytes) const { std::filesystem::resize_file(path_, bytes); }

  std::vector<uint8_t> bytes() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  static std::string fresh_path() {
    std::random_device random;
    return (std::filesystem::temp_directory_path() / ("nibble-test-" + std::to_string(random()) + "-" + std::to_string(random()))).string();
  }

  std::string path_;
};

}  // namespace test
