// A request to stop, seen by another thread.
#include "core/cancel.h"

#include <thread>

#include "harness.h"

using namespace nibble;

TEST_CASE(a_request_is_seen_by_other_threads) {
  Cancel cancel;
  cancel.check();
  std::thread([&] { cancel.request(); }).join();
  CHECK(cancel.is_requested());
  CHECK(test::error_code_of([&] { cancel.check(); }) == "cancelled");
}
