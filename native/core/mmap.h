// A whole file mapped read-only. Pages are read by the system when they are first touched.
#pragma once

#include <cstdint>
#include <string>

#include "core/lost_pages.h"

namespace nibble {

class MappedFile {
 public:
  // Throws not_found, no_permission or bad_file with the path. An empty file has data() == null.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;

  const uint8_t* data() const { return data_; }
  int64_t size() const { return size_; }

  // Throws bad_file when a page that was touched could not be had: the file became shorter, or the disk failed. Such pages read as
  // zeros, so results made of them must not be used. (Windows lets nobody shorten a mapped file.)
  void check_whole() const;

  // Asks the system to read a range ahead of its use, without waiting. A hint: failures are ignored.
  void prefetch(int64_t offset, int64_t bytes) const;

  // Touches every page of a range, so that it is in memory and nobody waits for it later.
  void read_in(int64_t offset, int64_t bytes) const;

 private:
  std::string path_;
  const uint8_t* data_ = nullptr;
  int64_t size_ = 0;
  WatchedRegion* region_ = nullptr;
};

}  // namespace nibble
