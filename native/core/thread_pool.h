// A fixed team of threads that takes chunks of work from a shared counter. A worker that has lost its core holds up only the
// chunk it is in; waiting threads spin briefly, then sleep, so a busy machine is not made busier.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace nibble {

// Cores this process may use (the affinity mask and the cgroup's CPU quota count), at least 1.
int available_cores();

class ThreadPool {
 public:
  // `threads` counts the calling thread; 0 = one per available core.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(chunk, worker) once for each chunk in [0, n_chunks), worker in [0, size()). The caller takes part and returns
  // when all are done. The first exception is thrown again here. Not reentrant; calls from several threads wait for each other.
  void parallel_for(int64_t n_chunks, const std::function<void(int64_t chunk, int worker)>& body);

 private:
  void work(int worker);
  void take_chunks(int worker);

  std::vector<std::thread> workers_;
  std::mutex caller_;
  const std::function<void(int64_t, int)>* body_ = nullptr;
  int64_t n_chunks_ = 0;
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<uint32_t> generation_{0};
  alignas(64) std::atomic<int> busy_{0};
  std::atomic<bool> is_stopping_{false};
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

}  // namespace nibble
