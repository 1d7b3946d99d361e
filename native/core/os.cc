#include "core/os.h"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "core/error.h"
#include "core/text.h"

#ifndef _WIN32
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace nibble {

namespace {

ErrorCode code_of(const std::error_code& failure) {
#ifndef _WIN32
  if (failure.value() == EDQUOT) return ErrorCode::no_space;  // a quota; std::errc has no name for it
#endif
  const std::error_condition condition = failure.default_error_condition();
  if (condition == std::errc::no_such_file_or_directory || condition == std::errc::not_a_directory) {
    return ErrorCode::not_found;
  }
  if (condition == std::errc::permission_denied || condition == std::errc::operation_not_permitted ||
      condition == std::errc::read_only_file_system) {
    return ErrorCode::no_permission;
  }
  if (condition == std::errc::no_space_on_device || condition == std::errc::file_too_large) return ErrorCode::no_space;
  if (condition == std::errc::not_enough_memory) return ErrorCode::out_of_memory;
  return ErrorCode::bad_file;
}

}  // namespace

void throw_os_error(const std::string& what) {
#ifdef _WIN32
  const std::error_code failure(static_cast<int>(GetLastError()), std::system_category());
#else
  const std::error_code failure(errno, std::system_category());
#endif
  throw Error(code_of(failure), text(what, ": ", failure.message(), "."));
}

void prefer_large_pages([[maybe_unused]] void* p, [[maybe_unused]] size_t bytes) {
#ifdef __linux__
  constexpr uintptr_t kPage = 4096;  // the system rounds to its own pages
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(p) + kPage - 1) / kPage * kPage,
                  end = (reinterpret_cast<uintptr_t>(p) + bytes) / kPage * kPage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

#ifdef _WIN32
std::wstring wide_path(const std::string& path) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, path.data(), static_cast<int>(path.size()), nullptr, 0);
  std::wstring wide(static_cast<size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.data(), static_cast<int>(path.size()), wide.data(), length);
  return wide;
}
#else
int open_regular_file(const std::string& path, int64_t* size) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // not blocking: only a pipe could, and it is refused below
  if (file < 0) throw_os_error("Cannot open " + path);
  struct stat status;
  const bool is_known = fstat(file, &status) == 0;
  if (is_known && S_ISREG(status.st_mode)) {
    *size = status.st_size;
    return file;
  }
  const int failure = errno;
  close(file);
  errno = failure;
  if (!is_known) throw_os_error("Cannot read the size of " + path);
  throw Error(ErrorCode::bad_file, path + " is not a regular file.");
}
#endif

}  // namespace nibble
