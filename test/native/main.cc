#include <cstdio>
#include <cstring>

#include "core/error.h"
#include "harness.h"

namespace test {

std::vector<Case>& cases() {
  static std::vector<Case> list;
  return list;
}

std::vector<float> random_values(size_t n, uint32_t seed) {
  std::vector<float> values(n);
  for (float& value : values) {
    seed = 1664525u * seed + 1013904223u;
    value = static_cast<float>(static_cast<int32_t>(seed) >> 8) * 0x1p-23f;
  }
  return values;
}

void check_close(const std::string& what, const std::vector<float>& actual, const std::vector<float>& expected,
                 const std::function<double(size_t)>& allowance) {
  if (actual.size() != expected.size()) throw Failure(what + ": sizes differ");
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double used = std::fabs(static_cast<double>(actual[i]) - expected[i]) / allowance(i);
    if (!(used <= worst)) {
      worst = used;
      at = i;
    }
    if (std::isnan(used)) break;
  }
  if (worst <= 1) return;
  std::ostringstream text;
  text << what << ": index " << at << " of " << actual.size() << " is " << actual[at] << ", expected " << expected[at] << " within "
       << allowance(at) << " (" << worst << " of the allowance)";
  throw Failure(text.str());
}

uint64_t fnv1a(const void* bytes, size_t n) {
  uint64_t h = 0xcbf29ce484222325u;
  for (size_t i = 0; i < n; ++i) h = (h ^ static_cast<const uint8_t*>(bytes)[i]) * 0x100000001b3u;
  return h;
}

std::string error_code_of(const std::function<void()>& fn, std::string* message) {
  try {
    fn();
  } catch (const nibble::Error& error) {
    if (message != nullptr) *message = error.what();
    return nibble::error_code_name(error.code());
  }
  return "";
}

}  // namespace test

// Runs all cases, or those whose name contains the argument. ENGINE_ISA picks the instruction set.
int main(int argc, char** argv) {
  int passed = 0, failed = 0;
  for (const test::Case& one : test::cases()) {
    if (argc > 1 && std::strstr(one.name, argv[1]) == nullptr) continue;
    try {
      one.run();
      ++passed;
    } catch (const std::exception& error) {
      ++failed;
      std::printf("FAILED %s\n  %s\n", one.name, error.what());
    }
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}
