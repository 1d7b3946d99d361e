// A fixed team of threads that shares work out in chunks. Each worker begins with a range of its own, so that it reads memory in one
// stream, and takes chunks from the others' ranges when its own is done. A worker that has lost its core, or has not woken up yet, holds
// up only the chunk it is in; waiting threads spin briefly, then sleep, so a busy machine is not made busier.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace nibble {

// Cores this process may use (the affinity mask and the cgroup's CPU quota count), at least 1.
int available_cores();

class ThreadPool {
 public:
  // `threads` counts the calling thread; 0 = one per available core. Where the system gives no more threads there are fewer.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(chunk, worker) once for each chunk in [0, n_chunks), worker in [0, size()). The caller takes part and returns
  // when all are done. The first exception is thrown again here. Not reentrant; calls from several threads wait for each other.
  void parallel_for(int64_t n_chunks, const std::function<void(int64_t chunk, int worker)>& body);

 private:
  // Chunks [begin, end) that are still to be taken, in one word: begin in the upper half. A chunk belongs to whoever changed the word, so
  // it does not matter how old the worker's idea of the work was: what it took is work of now, and the caller waits for it.
  struct alignas(64) Range {
    std::atomic<uint64_t> chunks{0};
  };

  void run(int64_t first_chunk, uint32_t n_chunks, const std::function<void(int64_t, int)>& body);
  void work(int worker);
  void take_chunks(int worker);
  bool take(int worker, uint32_t* chunk);
  uint32_t drop_rest();
  void finish(uint32_t n_chunks);

  std::vector<std::thread> workers_;
  std::unique_ptr<Range[]> ranges_;  // one per worker
  std::mutex caller_;
  const std::function<void(int64_t, int)>* body_ = nullptr;
  int64_t first_chunk_ = 0;
  alignas(64) std::atomic<uint32_t> generation_{0};
  alignas(64) std::atomic<uint32_t> left_{0};  // chunks not done
  std::atomic<bool> is_stopping_{false};
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

}  // namespace nibble
