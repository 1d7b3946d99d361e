#include "core/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#ifdef __linux__
#include <sched.h>
#endif

namespace nibble {
namespace {

// Long enough to bridge the gap between two ops of a decode step, short enough not to starve others on the machine.
constexpr auto kSpin = std::chrono::microseconds(30);

void relax() {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
  asm volatile("yield");
#else
  std::this_thread::yield();
#endif
}

// Returns once `value` is no longer `old`: spins, then sleeps.
template <class T>
void wait_while(const std::atomic<T>& value, T old) {
  const auto until = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 64; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      relax();
    }
  } while (std::chrono::steady_clock::now() < until);
  value.wait(old, std::memory_order_acquire);
}

#ifdef __linux__
// Cores granted by the cgroup's quota (version 2), or 0 where there is none.
int quota_cores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return static_cast<int>(std::ceil(std::atof(quota.c_str()) / period));
}
#endif

}  // namespace

int available_cores() {
  int cores = static_cast<int>(std::thread::hardware_concurrency());
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) cores = CPU_COUNT(&set);
  const int quota = quota_cores();
  if (quota > 0) cores = std::min(cores, quota);
#endif
  return std::max(cores, 1);
}

ThreadPool::ThreadPool(int threads) {
  const int n = threads > 0 ? threads : available_cores();
  ranges_ = std::make_unique<Range[]>(static_cast<size_t>(n));
  workers_.reserve(static_cast<size_t>(n - 1));
  try {
    for (int i = 1; i < n; ++i) workers_.emplace_back([this, i] { work(i); });
  } catch (const std::system_error&) {
    // The system gives no more threads: those there are do the work.
  }
}

ThreadPool::~ThreadPool() {
  is_stopping_.store(true);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::parallel_for(int64_t n_chunks, const std::function<void(int64_t, int)>& body) {
  if (n_chunks <= 0) return;
  const std::lock_guard lock(caller_);
  if (workers_.empty() || n_chunks == 1) {
    for (int64_t chunk = 0; chunk < n_chunks; ++chunk) body(chunk, 0);
    return;
  }
  constexpr int64_t kMost = int64_t{1} << 30;  // what the words of ranges hold
  for (int64_t first = 0; first < n_chunks; first += kMost) run(first, static_cast<uint32_t>(std::min(kMost, n_chunks - first)), body);
}

void ThreadPool::run(int64_t first_chunk, uint32_t n_chunks, const std::function<void(int64_t, int)>& body) {
  body_ = &body;
  first_chunk_ = first_chunk;
  left_.store(n_chunks, std::memory_order_relaxed);
  const auto n = static_cast<uint64_t>(size());
  for (uint64_t worker = 0; worker < n; ++worker) {
    const uint64_t begin = n_chunks * worker / n, end = n_chunks * (worker + 1) / n;
    ranges_[worker].chunks.store(begin << 32 | end, std::memory_order_release);
  }
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  take_chunks(0);
  for (uint32_t left; (left = left_.load(std::memory_order_acquire)) != 0;) wait_while(left_, left);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void ThreadPool::take_chunks(int worker) {
  uint32_t done = 0, chunk = 0;
  try {
    while (take(worker, &chunk)) {
      ++done;
      (*body_)(first_chunk_ + chunk, worker);
    }
  } catch (...) {
    {
      const std::lock_guard lock(error_mutex_);
      if (!error_) error_ = std::current_exception();
    }
    done += drop_rest();
  }
  finish(done);
}

// The next chunk of the worker's own range, then the last one of another's.
bool ThreadPool::take(int worker, uint32_t* chunk) {
  for (int i = 0; i < size(); ++i) {
    const bool is_own = i == 0;
    std::atomic<uint64_t>& range = ranges_[static_cast<size_t>((worker + i) % size())].chunks;
    for (uint64_t seen = range.load(std::memory_order_relaxed);;) {
      const auto begin = static_cast<uint32_t>(seen >> 32), end = static_cast<uint32_t>(seen);
      if (begin >= end) break;
      const uint64_t rest = is_own ? uint64_t{begin + 1} << 32 | end : uint64_t{begin} << 32 | (end - 1);
      if (!range.compare_exchange_weak(seen, rest, std::memory_order_acquire, std::memory_order_relaxed)) continue;
      *chunk = is_own ? begin : end - 1;
      return true;
    }
  }
  return false;
}

// After an error: takes what nobody has begun; returns its number.
uint32_t ThreadPool::drop_rest() {
  uint32_t n = 0;
  for (int i = 0; i < size(); ++i) {
    const uint64_t chunks = ranges_[static_cast<size_t>(i)].chunks.exchange(0, std::memory_order_acquire);
    const auto begin = static_cast<uint32_t>(chunks >> 32), end = static_cast<uint32_t>(chunks);
    n += end > begin ? end - begin : 0;
  }
  return n;
}

void ThreadPool::finish(uint32_t n_chunks) {
  if (n_chunks != 0 && left_.fetch_sub(n_chunks, std::memory_order_acq_rel) == n_chunks) left_.notify_all();
}

void ThreadPool::work(int worker) {
  for (uint32_t seen = 0;;) {
    wait_while(generation_, seen);
    seen = generation_.load(std::memory_order_acquire);
    if (is_stopping_.load()) return;
    take_chunks(worker);
  }
}

}  // namespace nibble
