// Files read and written at positions, from several threads at once. Every range is checked against the real size of the
// file before it is read.
#pragma once

#include <cstdint>
#include <string>

namespace nibble {

class InputFile {
 public:
  // Throws not_found, no_permission or bad_file with the path.
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;

  const std::string& path() const { return path_; }
  int64_t size() const { return size_; }

  // Fills dst [bytes]. Throws bad_file when the range is not inside the file or the file became shorter meanwhile.
  void read(void* dst, int64_t offset, int64_t bytes) const;

 private:
  std::string path_;
  int64_t size_ = 0;
  intptr_t handle_ = -1;
};

class OutputFile {
 public:
  // The file exists already; what it holds outside the ranges written stays.
  explicit OutputFile(std::string path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Asks for the space of a range now, so that a disk too small is found before the work is done rather than after it.
  // Throws no_space with the numbers. Does nothing where the system or the file system cannot do it cheaply.
  void reserve(int64_t offset, int64_t bytes);

  // Throws no_space (a full disk, a quota), no_permission or bad_file, with the path, the position and the size.
  void write(const void* src, int64_t offset, int64_t bytes);

 private:
  std::string path_;
  intptr_t handle_ = -1;
};

// Throws bad_file unless [offset, offset + bytes) lies in a file of `file_size` bytes. `what` begins the message.
void check_range(int64_t offset, int64_t bytes, int64_t file_size, const std::string& what);

}  // namespace nibble
