// What the tests of the ops share: the backends of this machine, their scratch memory, sentinels around outputs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ops/ops.h"

namespace test {

inline constexpr float kSentinel = 12345.0f;

struct Scratch {
  std::vector<char> bytes;
  explicit Scratch(size_t n) : bytes(n + 64) {}
  void give(nibble::Exec& exec) {
    exec.scratch = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(bytes.data()) + 63) / 64 * 64);
    exec.scratch_bytes = bytes.size() - 64;
  }
};

// Every backend but the reference.
template <class Fn>
void for_each_table(Fn&& fn) {
  for (const char* const* name = nibble::op_table_names(); *name != nullptr; ++name) {
    if (std::string(*name) != "ref") fn(nibble::op_table(*name));
  }
}

}  // namespace test
