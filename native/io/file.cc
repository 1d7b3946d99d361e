#include "io/file.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/error.h"
#include "core/os.h"
#include "core/text.h"

#ifndef _WIN32
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#endif

namespace nibble {

namespace {

// One system call moves at most this much: Linux stops at 2 GiB less a page, Windows counts in 32 bits.
constexpr int64_t kMaxTransfer = int64_t{1} << 30;

#ifdef _WIN32

HANDLE handle_of(intptr_t handle) { return reinterpret_cast<HANDLE>(handle); }

intptr_t open_input(const std::string& path, int64_t* size) {
  const HANDLE file = CreateFileW(wide_path(path).c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr, OPEN_EXISTING,
                                  FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) throw_os_error("Cannot open " + path);
  LARGE_INTEGER bytes;
  if (!GetFileSizeEx(file, &bytes)) {
    const DWORD failure = GetLastError();
    CloseHandle(file);
    SetLastError(failure);
    throw_os_error("Cannot read the size of " + path);
  }
  *size = bytes.QuadPart;
  return reinterpret_cast<intptr_t>(file);
}

intptr_t open_output(const std::string& path) {
  const HANDLE file = CreateFileW(wide_path(path).c_str(), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_DELETE | FILE_SHARE_WRITE, nullptr,
                                  OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  return file == INVALID_HANDLE_VALUE ? -1 : reinterpret_cast<intptr_t>(file);
}

void close_file(intptr_t handle) { CloseHandle(handle_of(handle)); }

OVERLAPPED position(int64_t offset) {
  OVERLAPPED at{};
  at.Offset = static_cast<DWORD>(offset);
  at.OffsetHigh = static_cast<DWORD>(offset >> 32);
  return at;
}

int64_t read_some(intptr_t handle, void* dst, int64_t bytes, int64_t offset) {
  OVERLAPPED at = position(offset);
  DWORD n = 0;
  if (ReadFile(handle_of(handle), dst, static_cast<DWORD>(bytes), &n, &at)) return n;
  return GetLastError() == ERROR_HANDLE_EOF ? 0 : -1;
}

int64_t write_some(intptr_t handle, const void* src, int64_t bytes, int64_t offset) {
  OVERLAPPED at = position(offset);
  DWORD n = 0;
  return WriteFile(handle_of(handle), src, static_cast<DWORD>(bytes), &n, &at) ? static_cast<int64_t>(n) : -1;
}

bool is_interrupted() { return false; }

#else

intptr_t open_input(const std::string& path, int64_t* size) { return open_regular_file(path, size); }

// A process that passes its limit of file size gets a signal whose default is the end; ignored, the write fails as on a full disk.
void ignore_size_signal() {
  struct sigaction current;
  if (sigaction(SIGXFSZ, nullptr, &current) == 0 && (current.sa_flags & SA_SIGINFO) == 0 && current.sa_handler == SIG_DFL) {
    signal(SIGXFSZ, SIG_IGN);
  }
}

intptr_t open_output(const std::string& path) {
  ignore_size_signal();
  return open(path.c_str(), O_WRONLY | O_CLOEXEC);
}

void close_file(intptr_t handle) { close(static_cast<int>(handle)); }

int64_t read_some(intptr_t handle, void* dst, int64_t bytes, int64_t offset) {
  return pread(static_cast<int>(handle), dst, static_cast<size_t>(bytes), offset);
}

int64_t write_some(intptr_t handle, const void* src, int64_t bytes, int64_t offset) {
  return pwrite(static_cast<int>(handle), src, static_cast<size_t>(bytes), offset);
}

bool is_interrupted() { return errno == EINTR; }

#endif

}  // namespace

void check_range(int64_t offset, int64_t bytes, int64_t file_size, const std::string& what) {
  if (offset >= 0 && bytes >= 0 && offset <= file_size && bytes <= file_size - offset) return;
  throw Error(ErrorCode::bad_file, text(what, ": ", bytes, " bytes at offset ", offset, " are not inside the file, which has ", file_size,
                                        " bytes; it may be cut short."));
}

InputFile::InputFile(std::string path) : path_(std::move(path)), handle_(open_input(path_, &size_)) {}

InputFile::~InputFile() {
  if (handle_ != -1) close_file(handle_);
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)), size_(other.size_), handle_(std::exchange(other.handle_, -1)) {}

void InputFile::read(void* dst, int64_t offset, int64_t bytes) const {
  check_range(offset, bytes, size_, path_);
  for (int64_t done = 0; done < bytes;) {
    const int64_t n = read_some(handle_, static_cast<char*>(dst) + done, std::min(bytes - done, kMaxTransfer), offset + done);
    if (n > 0) {
      done += n;
    } else if (n == 0) {
      throw Error(ErrorCode::bad_file,
                  text(path_, " became shorter while it was read: it ends at byte ", offset + done, ", had ", size_, " bytes."));
    } else if (!is_interrupted()) {
      throw_os_error(text("Cannot read ", bytes, " bytes at offset ", offset, " of ", path_));
    }
  }
}

OutputFile::OutputFile(std::string path) : path_(std::move(path)), handle_(open_output(path_)) {
  if (handle_ == -1) throw_os_error("Cannot open " + path_ + " for writing");
}

OutputFile::~OutputFile() { close_file(handle_); }

void OutputFile::reserve([[maybe_unused]] int64_t offset, [[maybe_unused]] int64_t bytes) {
#ifdef __linux__
  // Not posix_fallocate: where the file system has no such call, that writes zeros everywhere.
  while (bytes > 0 && fallocate(static_cast<int>(handle_), 0, offset, bytes) != 0) {
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
      throw_os_error(text("No room for ", bytes_text(static_cast<uint64_t>(bytes)), " (", bytes, " bytes) in ", path_));
    if (errno != EINTR) return;
  }
#endif
}

void OutputFile::write(const void* src, int64_t offset, int64_t bytes) {
  for (int64_t done = 0; done < bytes;) {
    const int64_t n = write_some(handle_, static_cast<const char*>(src) + done, std::min(bytes - done, kMaxTransfer), offset + done);
    if (n > 0) {
      done += n;
    } else if (n == 0) {
      throw Error(ErrorCode::no_space, text(path_, " takes no more bytes at offset ", offset + done, "."));
    } else if (!is_interrupted()) {
      throw_os_error(text("Cannot write ", bytes, " bytes at offset ", offset, " of ", path_));
    }
  }
}

}  // namespace nibble
