#include "core/mmap.h"

#include <utility>

#include "core/error.h"
#include "core/os.h"

#ifndef _WIN32
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace nibble {

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      region_(std::exchange(other.region_, nullptr)) {}

void MappedFile::read_in(int64_t offset, int64_t bytes) const {
  constexpr int64_t kPage = 4096;  // no system has smaller ones
  const volatile uint8_t* const data = data_;
  for (int64_t at = offset; at < offset + bytes; at += kPage) (void)data[at];
  if (bytes > 0) (void)data[offset + bytes - 1];
}

void MappedFile::check_whole() const {
  if (region_ == nullptr || !region_->has_lost_pages.load()) return;
  throw Error(ErrorCode::bad_file,
              path_ + " became shorter or could not be read while it was in use. Check the file, then load the model again.");
}

#ifdef _WIN32

MappedFile::MappedFile(const std::string& path) : path_(path) {
  const HANDLE file = CreateFileW(wide_path(path).c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr, OPEN_EXISTING,
                                  FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) throw_os_error("Cannot open " + path);
  LARGE_INTEGER size;
  HANDLE mapping = nullptr;
  bool is_mapped = GetFileSizeEx(file, &size);
  if (is_mapped && size.QuadPart > 0) {
    mapping = CreateFileMappingW(file, nullptr, PAGE_READONLY, 0, 0, nullptr);
    if (mapping != nullptr) data_ = static_cast<const uint8_t*>(MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0));
    is_mapped = data_ != nullptr;
  }
  const DWORD failure = GetLastError();
  if (mapping != nullptr) CloseHandle(mapping);  // the view keeps the mapping and the file open
  CloseHandle(file);
  SetLastError(failure);
  if (!is_mapped) throw_os_error("Cannot map " + path);
  size_ = size.QuadPart;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) UnmapViewOfFile(data_);
}

void MappedFile::prefetch(int64_t offset, int64_t bytes) const {
  WIN32_MEMORY_RANGE_ENTRY range{const_cast<uint8_t*>(data_) + offset, static_cast<SIZE_T>(bytes)};
  PrefetchVirtualMemory(GetCurrentProcess(), 1, &range, 0);
}

#else

MappedFile::MappedFile(const std::string& path) : path_(path) {
  const int file = open_regular_file(path, &size_);
  if (size_ == 0) {
    close(file);
    return;
  }
  void* base = mmap(nullptr, static_cast<size_t>(size_), PROT_READ, MAP_SHARED, file, 0);
  const int failure = errno;
  close(file);  // the mapping keeps the file open
  errno = failure;
  if (base == MAP_FAILED) throw_os_error("Cannot map " + path);
  data_ = static_cast<const uint8_t*>(base);
  region_ = watch_pages(base, static_cast<size_t>(size_));
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  unwatch_pages(region_);
  munmap(const_cast<uint8_t*>(data_), static_cast<size_t>(size_));
}

void MappedFile::prefetch(int64_t offset, int64_t bytes) const {
  const int64_t page = sysconf(_SC_PAGESIZE);
  const int64_t begin = offset / page * page;  // the system wants the start of a page
  madvise(const_cast<uint8_t*>(data_) + begin, static_cast<size_t>(offset + bytes - begin), MADV_WILLNEED);
}

#endif

}  // namespace nibble
