// Errors are values with a code. Code below throws Error; only binding/task.h catches.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace nibble {

enum class ErrorCode {
#define ERROR_CODE(name) name,
#include "core/error_codes.def"
#undef ERROR_CODE
};

// The name as it crosses to TypeScript, for example "bad_file".
const char* error_code_name(ErrorCode code);

// The message is a whole sentence that names the file or tensor and gives the numbers.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, std::string message) : std::runtime_error(std::move(message)), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace nibble
