// How fast this computer multiplies weights of each format: what a speed is foretold from before a model is there. Times the products of
// the op table on matrices that no cache holds, as a model runs them.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/cancel.h"
#include "formats/weight.h"
#include "ops/ops.h"

namespace nibble {

struct SpeedOptions {
  int threads = 0;  // 0 = one per core
  Compute compute = Compute::f32;
  // Of all weights of one pass. Caches of servers hold some 100 MB.
  int64_t bytes = int64_t{256} << 20;
  // Of everything; what is begun is finished, so slow computers take longer.
  double seconds = 10;
};

struct FormatSpeed {
  FormatId format = FormatId::Fp32;
  bool is_nested = false;  // double quantization of the scales
  double decode = 0;       // bytes of codes and scales per second, one row of x
  double prefill = 0;      // multiply-adds per second, 512 rows of x
};

struct Speed {
  double bandwidth = 0;      // bytes per second of plain reading
  double layer_seconds = 0;  // what one layer takes for one token when its weights are next to nothing: calls, meeting threads
  double mapped_factor = 1;  // by how much `decode` is less, 0 .. 1, for weights that are mapped from files: their pages are small
  std::vector<FormatSpeed> formats;
};

// progress: 0 .. 1. Throws bad_input for a number of threads outside 0 .. 1024, out_of_memory when `bytes` are not there to be used, cancelled.
Speed measure_speed(const SpeedOptions& options, const std::function<void(double)>& progress, const Cancel& cancel);

}  // namespace nibble
