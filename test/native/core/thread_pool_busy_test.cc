// The thread pool on a machine that is busier than it has cores: every chunk once, errors passed on, no waiting for workers that are late.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/thread_pool.h"
#include "harness.h"

using namespace nibble;

TEST_CASE(each_chunk_runs_once_in_every_one_of_many_calls) {
  ThreadPool pool(7);
  for (int64_t call = 0; call < 2000; ++call) {
    const int64_t n = call % 41;
    std::vector<std::atomic<int>> runs(static_cast<size_t>(n));
    pool.parallel_for(n, [&](int64_t chunk, int worker) {
      CHECK(chunk >= 0 && chunk < n && worker >= 0 && worker < 7);
      runs[static_cast<size_t>(chunk)].fetch_add(1);
    });
    for (const std::atomic<int>& count : runs) CHECK(count.load() == 1);
  }
}

TEST_CASE(workers_begin_with_neighbouring_chunks_and_finish_those_of_a_slow_one) {
  ThreadPool pool(2);
  std::atomic<int> done{0};
  std::vector<int> ran_by(64, -1);
  pool.parallel_for(64, [&](int64_t chunk, int worker) {
    ran_by[static_cast<size_t>(chunk)] = worker;
    if (chunk == 32) {  // the first of worker 1: holds until the others are done
      while (done.load() < 63) std::this_thread::yield();
    }
    done.fetch_add(1);
  });
  for (int chunk = 0; chunk < 32; ++chunk) CHECK(ran_by[static_cast<size_t>(chunk)] == ran_by[0]);
  CHECK(ran_by[63] >= 0);
}

TEST_CASE(an_error_in_a_chunk_comes_back_and_the_pool_goes_on) {
  ThreadPool pool(4);
  for (int call = 0; call < 200; ++call) {
    std::atomic<int> ran{0};
    std::string message;
    try {
      pool.parallel_for(50, [&](int64_t chunk, int) {
        ran.fetch_add(1);
        if (chunk == call % 50) throw std::runtime_error("chunk " + std::to_string(chunk));
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    CHECK(message == "chunk " + std::to_string(call % 50));
    CHECK(ran.load() >= 1 && ran.load() <= 50);
    int64_t sum = 0;
    pool.parallel_for(1, [&](int64_t chunk, int) { sum += chunk + 1; });
    CHECK(sum == 1);
  }
}
