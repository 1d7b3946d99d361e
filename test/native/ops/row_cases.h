// What the tests of ops on activations share: memory with sentinels around it.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/text.h"
#include "harness.h"
#include "ops/backends.h"
#include "ops/ops.h"

namespace test {

// Floats with eight sentinels before and after them.
class Guarded {
 public:
  explicit Guarded(const std::vector<float>& values) : all_(values.size() + 16, kSentinel) {
    std::copy(values.begin(), values.end(), all_.begin() + 8);
  }
  explicit Guarded(size_t n) : Guarded(std::vector<float>(n, kSentinel)) {}

  float* data() { return all_.data() + 8; }
  std::vector<float> values() const { return {all_.begin() + 8, all_.end() - 8}; }
  bool is_intact() const {
    for (size_t i = 0; i < 8; ++i) {
      if (all_[i] != kSentinel || all_[all_.size() - 1 - i] != kSentinel) return false;
    }
    return true;
  }

 private:
  std::vector<float> all_;
};

}  // namespace test
