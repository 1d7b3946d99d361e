// What differs between operating systems about files and memory: names, failures as errors with a code, large pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#ifdef _WIN32
#include <windows.h>
#endif

namespace nibble {

// Throws the error of the last failed system call: "<what>: <the system's words>". A missing file is not_found, a
// refusal no_permission, a full disk or quota no_space, exhausted memory out_of_memory, anything else bad_file.
[[noreturn]] void throw_os_error(const std::string& what);

// Asks for large pages in [p, p + bytes), which is all going to be used. Reading weights in a stream is half again as fast then (Zen 4).
// Where the system has none to give, nothing happens.
void prefer_large_pages(void* p, size_t bytes);

#ifdef _WIN32
// Paths are UTF-8 in the program and UTF-16 in the system.
std::wstring wide_path(const std::string& path);
#else
// Opens a file for reading and tells its size. A pipe, which could block for ever, a device or a folder is bad_file.
int open_regular_file(const std::string& path, int64_t* size);
#endif

}  // namespace nibble
