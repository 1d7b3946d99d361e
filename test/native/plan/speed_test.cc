// The speed benchmark: every format has plausible rates, progress reaches its end, sizes are refused, and a stop is obeyed.
#include "plan/speed.h"

#include <set>
#include <string>

#include "formats/formats.h"
#include "harness.h"

using namespace nibble;

namespace {

// As little as can be: one matrix of the widest format, one pass of each.
SpeedOptions shortest() {
  SpeedOptions options;
  options.threads = 1;
  options.bytes = 72 << 20;
  options.seconds = 0;
  return options;
}

}  // namespace

TEST_CASE(every_format_is_timed) {
  std::vector<double> progress;
  const Speed speed = measure_speed(
      shortest(), [&](double fraction) { progress.push_back(fraction); }, Cancel());
  CHECK(speed.bandwidth > 1e7 && speed.bandwidth < 1e13);
  CHECK(speed.layer_seconds > 0 && speed.layer_seconds < 1);
  CHECK(speed.mapped_factor > 0 && speed.mapped_factor <= 1);
  std::set<std::string> names;
  for (const FormatSpeed& format : speed.formats) {
    names.insert(std::string(format_name(format.format)) + (format.is_nested ? "-dq" : ""));
    CHECK(format.decode > 1e6 && format.decode < 1e13);
    CHECK(format.prefill > 1e6 && format.prefill < 1e15);
  }
  CHECK((names == std::set<std::string>{"bf16", "fp16", "fp32", "fp4", "fp4-dq", "int8", "nf4", "nf4-dq"}));
  CHECK(names.size() == speed.formats.size());
  for (size_t i = 1; i < progress.size(); ++i) CHECK(progress[i] > progress[i - 1]);
  CHECK(!progress.empty() && progress.back() == 1);
}

TEST_CASE(speeds_that_cannot_be_measured_are_refused) {
  const auto ignore = [](double) {};
  SpeedOptions options = shortest();
  options.bytes = 1 << 20;
  CHECK(test::error_code_of([&] { measure_speed(options, ignore, Cancel()); }) == "bad_input");
  options = shortest();
  options.threads = -1;
  CHECK(test::error_code_of([&] { measure_speed(options, ignore, Cancel()); }) == "bad_input");
  options = shortest();
  options.bytes = int64_t{1} << 60;
  CHECK(test::error_code_of([&] { measure_speed(options, ignore, Cancel()); }) == "out_of_memory");
}

TEST_CASE(a_speed_measurement_stops_when_asked_to) {
  Cancel cancel;
  int steps = 0;
  const auto stop_soon = [&](double) {
    if (++steps == 2) cancel.request();
  };
  CHECK(test::error_code_of([&] { measure_speed(shortest(), stop_soon, cancel); }) == "cancelled");
  CHECK(steps == 2);
}
