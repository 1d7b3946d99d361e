#include "plan/bandwidth.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>

#include "core/error.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "plan/system_memory.h"

namespace nibble {

double measure_bandwidth(int64_t bytes, int threads, const Cancel& cancel) {
  constexpr int64_t kChunk = 1 << 20;  // bytes
  constexpr int64_t kWords = kChunk / static_cast<int64_t>(sizeof(uint64_t));
  if (bytes < kChunk || bytes > int64_t{64} << 30) {
    throw Error(ErrorCode::bad_input, text("The bandwidth of ", bytes, " bytes cannot be measured; 1 MiB to 64 GiB can."));
  }
  const SystemMemory system = system_memory();
  if (system.total != 0 && static_cast<uint64_t>(bytes) > system.available) {
    throw Error(ErrorCode::out_of_memory, text("Measuring with ", bytes_text(static_cast<uint64_t>(bytes)), " needs more than the ",
                                               bytes_text(system.available), " that the system has available."));
  }
  const int64_t n_chunks = bytes / kChunk;
  ThreadPool pool(threads);
  const auto memory = std::make_unique_for_overwrite<uint64_t[]>(static_cast<size_t>(n_chunks * kWords));
  // Every page gets memory of its own; untouched pages would all be the same zeros.
  pool.parallel_for(n_chunks, [&](int64_t chunk, int) {
    cancel.check();
    std::fill_n(memory.get() + chunk * kWords, kWords, static_cast<uint64_t>(chunk));
  });
  std::atomic<uint64_t> total{0};  // the sums are used, or the compiler would leave the reading out
  std::array<double, 5> rates;
  for (double& rate : rates) {
    const auto start = std::chrono::steady_clock::now();
    pool.parallel_for(n_chunks, [&](int64_t chunk, int) {
      cancel.check();
      const uint64_t* words = memory.get() + chunk * kWords;
      uint64_t sum = 0;
      for (int64_t i = 0; i < kWords; ++i) sum += words[i];
      total.fetch_add(sum, std::memory_order_relaxed);
    });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    rate = static_cast<double>(n_chunks * kChunk) / seconds * 1e-9;
  }
  std::ranges::sort(rates);
  return rates[rates.size() / 2];
}

}  // namespace nibble
