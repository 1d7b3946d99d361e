// Every chunk once, errors of workers in the caller, pools within pools.
#include "core/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <set>
#include <stdexcept>
#include <thread>

#include "core/error.h"
#include "core/text.h"
#include "harness.h"

#ifdef __linux__
#include <sys/resource.h>
#include <unistd.h>
#endif

using namespace nibble;

namespace {

// How often each chunk ran; fails when a worker number is out of range or used by two threads at once.
std::vector<int> run_counts(ThreadPool& pool, int64_t n) {
  std::vector<std::atomic<int>> counts(static_cast<size_t>(n));
  std::vector<std::atomic<int>> inside(static_cast<size_t>(pool.size()));
  std::atomic<bool> is_shared{false};
  pool.parallel_for(n, [&](int64_t chunk, int worker) {
    if (worker < 0 || worker >= pool.size()) throw test::Failure(text("worker ", worker, " of ", pool.size()));
    if (inside[static_cast<size_t>(worker)].fetch_add(1) != 0) is_shared = true;
    counts[static_cast<size_t>(chunk)].fetch_add(1);
    inside[static_cast<size_t>(worker)].fetch_sub(1);
  });
  CHECK(!is_shared);
  return {counts.begin(), counts.end()};
}

}  // namespace

TEST_CASE(every_chunk_runs_exactly_once) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    CHECK(pool.size() == threads);
    for (const int64_t n : {0, 1, 2, 7, 1000}) {
      for (int repeat = 0; repeat < 20; ++repeat) {
        const std::vector<int> counts = run_counts(pool, n);
        CHECK(std::ranges::all_of(counts, [](int count) { return count == 1; }));
      }
    }
  }
  CHECK(ThreadPool(0).size() == available_cores() && available_cores() >= 1);
}

TEST_CASE(an_error_in_a_worker_reaches_the_caller_and_the_pool_goes_on) {
  ThreadPool pool(3);
  for (int repeat = 0; repeat < 200; ++repeat) {
    std::atomic<int> ran{0};
    std::string message;
    const std::string code = test::error_code_of(
        [&] {
          pool.parallel_for(100, [&](int64_t chunk, int) {
            ++ran;
            if (chunk % 10 == 3) throw Error(ErrorCode::bad_file, text("chunk ", chunk));
          });
        },
        &message);
    CHECK(code == "bad_file" && message.starts_with("chunk "));
    CHECK(ran >= 1 && ran <= 100);
    const std::vector<int> counts = run_counts(pool, 50);
    CHECK(std::ranges::all_of(counts, [](int count) { return count == 1; }));
  }
}

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
TEST_CASE(a_system_without_threads_gets_a_smaller_pool) {
  rlimit before;
  CHECK(getrlimit(RLIMIT_AS, &before) == 0);
  rlimit small = before;
  long pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  small.rlim_cur = static_cast<rlim_t>(pages) * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + (100u << 20);  // a dozen stacks
  CHECK(setrlimit(RLIMIT_AS, &small) == 0);
  {
    ThreadPool pool(200);
    CHECK(setrlimit(RLIMIT_AS, &before) == 0);
    CHECK(pool.size() >= 1 && pool.size() <= 200);
    const std::vector<int> counts = run_counts(pool, 500);
    CHECK(std::ranges::all_of(counts, [](int count) { return count == 1; }));
  }
}
#endif

TEST_CASE(other_exceptions_pass_too) {
  ThreadPool pool(2);
  bool is_caught = false;
  try {
    pool.parallel_for(8, [](int64_t, int) { throw std::out_of_range("here"); });
  } catch (const std::out_of_range& error) {
    is_caught = std::string(error.what()) == "here";
  }
  CHECK(is_caught);
}

TEST_CASE(a_pool_used_inside_the_work_of_another_runs_all) {
  ThreadPool outer(2), inner(2);
  std::atomic<int> ran{0};
  outer.parallel_for(6, [&](int64_t, int) { inner.parallel_for(5, [&](int64_t, int) { ++ran; }); });
  CHECK(ran == 30);
}

TEST_CASE(callers_on_several_threads_wait_for_each_other) {
  ThreadPool pool(2);
  std::atomic<int> ran{0}, inside[4] = {};
  std::atomic<bool> is_mixed{false};
  std::vector<std::thread> callers;
  for (int id = 0; id < 4; ++id) {
    callers.emplace_back([&, id] {
      for (int repeat = 0; repeat < 50; ++repeat) {
        pool.parallel_for(10, [&](int64_t, int) {
          ++inside[id];
          for (int other = 0; other < 4; ++other) {
            if (other != id && inside[other] != 0) is_mixed = true;
          }
          ++ran;
          --inside[id];
        });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(ran == 4 * 50 * 10 && !is_mixed);
}

TEST_CASE(a_slow_chunk_does_not_hold_up_the_others) {
  ThreadPool pool(2);
  std::atomic<int> by_other{0};
  pool.parallel_for(20, [&](int64_t chunk, int) {
    if (chunk == 0) {
      const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (by_other < 19 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    } else {
      ++by_other;
    }
  });
  CHECK(by_other == 19);
}
