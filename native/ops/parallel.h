// Splitting the work of an op over the threads of its Exec. A function pointer and a context instead of std::function, and no
// inline function that is not a template over the caller's lambda: files compiled for one instruction set include this.
#pragma once

#include <cstdint>
#include <type_traits>

#include "ops/ops.h"

namespace nibble {

int worker_count(const Exec& exec);

using RangeBody = void (*)(void* context, int64_t begin, int64_t end, int worker);
void run_ranges(const Exec& exec, int64_t n, int64_t grain, RangeBody body, void* context);

// body(begin, end, worker) over [0, n) in chunks of `grain` items (the last may be short).
template <class Body>
void parallel_ranges(const Exec& exec, int64_t n, int64_t grain, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  run_ranges(
      exec, n, grain, [](void* context, int64_t begin, int64_t end, int worker) { (*static_cast<Plain*>(context))(begin, end, worker); },
      &body);
}

}  // namespace nibble
