// One tiny matrix product per format on a backend, against the reference: what `doctor` runs.
#pragma once

#include <string>

#include "ops/ops.h"

namespace nibble {

// Empty when all agree within the rounding of their arithmetic, else what differed, with the numbers.
std::string self_test(const OpTable& table);

}  // namespace nibble
