// Measuring memory: a plausible rate, and sizes that are refused.
#include "plan/bandwidth.h"

#include "harness.h"

using namespace nibble;

TEST_CASE(bandwidth_is_a_positive_rate) {
  const double rate = measure_bandwidth(4 << 20, 2, Cancel());
  CHECK(rate > 0.01 && rate < 1e6);
}

TEST_CASE(sizes_that_cannot_be_measured_are_refused) {
  CHECK(test::error_code_of([] { measure_bandwidth(1000, 1, Cancel()); }) == "bad_input");
  CHECK(test::error_code_of([] { measure_bandwidth(-1, 1, Cancel()); }) == "bad_input");
  CHECK(test::error_code_of([] { measure_bandwidth(INT64_MAX, 1, Cancel()); }) == "bad_input");
  Cancel cancel;
  cancel.request();
  CHECK(test::error_code_of([&] { measure_bandwidth(4 << 20, 2, cancel); }) == "cancelled");
}
