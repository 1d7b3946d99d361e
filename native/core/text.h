// Sentences for messages, put together from parts.
#pragma once

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace nibble {

template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// "[49152, 576]"
inline std::string shape_text(const std::vector<int64_t>& shape) {
  std::ostringstream out;
  out << '[';
  for (size_t i = 0; i < shape.size(); ++i) out << (i ? ", " : "") << shape[i];
  out << ']';
  return out.str();
}

// "1.5 GiB"; one decimal, the largest unit that leaves at least 1.
inline std::string bytes_text(uint64_t bytes) {
  static const char* const kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  while (value >= 1024 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  std::ostringstream out;
  out.precision(1);
  out << std::fixed;
  if (unit == 0) out.precision(0);
  out << value << ' ' << kUnits[unit];
  return out.str();
}

}  // namespace nibble
