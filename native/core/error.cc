#include "core/error.h"

namespace nibble {

const char* error_code_name(ErrorCode code) {
  switch (code) {
#define ERROR_CODE(name) \
  case ErrorCode::name:  \
    return #name;
#include "core/error_codes.def"
#undef ERROR_CODE
  }
  return "internal";
}

}  // namespace nibble
