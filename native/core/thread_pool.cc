#include "core/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <fstream>
#include <string>
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
  for (int i = 1; i < n; ++i) workers_.emplace_back([this, i] { work(i); });
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
  body_ = &body;
  n_chunks_ = n_chunks;
  next_.store(0, std::memory_order_relaxed);
  busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  take_chunks(0);
  for (int left; (left = busy_.load(std::memory_order_acquire)) != 0;) wait_while(busy_, left);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void ThreadPool::take_chunks(int worker) {
  try {
    for (int64_t chunk; (chunk = next_.fetch_add(1, std::memory_order_relaxed)) < n_chunks_;) (*body_)(chunk, worker);
  } catch (...) {
    next_.store(n_chunks_, std::memory_order_relaxed);
    const std::lock_guard lock(error_mutex_);
    if (!error_) error_ = std::current_exception();
  }
}

void ThreadPool::work(int worker) {
  for (uint32_t seen = 0;; ++seen) {
    wait_while(generation_, seen);
    if (is_stopping_.load()) return;
    take_chunks(worker);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_all();
  }
}

}  // namespace nibble
