// The maps that the golden files name.
#pragma once

#include <string>
#include <vector>

#include "formats/code_map.h"
#include "maps_golden.h"
#include "ops/ops.h"

namespace test {

inline std::vector<float> map_values(const nibble::golden::MapCase& one) {
  const std::string kind = one.kind;
  std::vector<float> values(256);
  if (kind == "dynamic") nibble::dynamic_map(values.data(), one.is_signed, one.a, one.b);
  if (kind == "linear") nibble::linear_map(values.data(), one.is_signed, one.a, one.b != 0);
  if (kind == "fp8") nibble::fp8_map(values.data(), one.is_signed, one.a, one.b - one.a - (one.is_signed ? 1 : 0), one.b);
  if (kind == "normal") nibble::normal_map(values.data(), 0.9677083, one.a != 0);
  return values;
}

inline const nibble::CodeMap& dynamic_code_map(bool is_signed) {
  static const auto make = [](bool s) {
    float values[256];
    nibble::dynamic_map(values, s);
    return nibble::make_code_map(values);
  };
  static const nibble::CodeMap kMaps[2] = {make(false), make(true)};
  return kMaps[is_signed ? 1 : 0];
}

}  // namespace test
