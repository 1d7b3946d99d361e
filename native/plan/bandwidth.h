// How fast this machine reads memory: the limit of decoding.
#pragma once

#include <cstdint>

#include "core/cancel.h"

namespace nibble {

// GB/s (10^9 bytes) of reading `bytes` with `threads` threads (0 = one per core), the median of five passes.
// Throws bad_input outside 1 MiB .. 64 GiB, out_of_memory, cancelled.
double measure_bandwidth(int64_t bytes, int threads, const Cancel& cancel);

}  // namespace nibble
