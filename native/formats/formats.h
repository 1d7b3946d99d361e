// All weight formats, and what is derived from their list.
#pragma once

#include "formats/bf16.h"
#include "formats/fp16.h"
#include "formats/fp32.h"
#include "formats/fp4.h"
#include "formats/int8.h"
#include "formats/nf4.h"

namespace nibble {

// Calls fn with a value of each format's struct, in the order of the list.
template <class Fn>
void for_each_format(Fn&& fn) {
#define FORMAT(name, number) fn(name{});
#include "formats/formats.def"
#undef FORMAT
}

inline const char* format_name(FormatId id) {
  switch (id) {
#define FORMAT(name, number) \
  case FormatId::name:       \
    return name::kName;
#include "formats/formats.def"
#undef FORMAT
  }
  return "?";
}

inline bool is_four_bit(FormatId id) { return id == FormatId::Nf4 || id == FormatId::Fp4; }

}  // namespace nibble
