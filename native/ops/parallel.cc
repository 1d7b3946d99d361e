#include "ops/parallel.h"

#include <algorithm>

#include "core/thread_pool.h"

namespace nibble {

int worker_count(const Exec& exec) { return exec.pool != nullptr ? exec.pool->size() : exec.planned_workers; }

void run_ranges(const Exec& exec, int64_t n, int64_t grain, RangeBody body, void* context) {
  if (n <= 0) return;
  if (exec.pool == nullptr || n <= grain) {
    body(context, 0, n, 0);
    return;
  }
  exec.pool->parallel_for((n + grain - 1) / grain,
                          [&](int64_t chunk, int worker) { body(context, chunk * grain, std::min(n, (chunk + 1) * grain), worker); });
}

}  // namespace nibble
