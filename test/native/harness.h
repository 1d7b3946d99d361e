// A small test harness: cases that register themselves, checks that report the worst place, seeded data.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

struct Case {
  const char* name;
  void (*run)();
};
std::vector<Case>& cases();
struct Register {
  Register(const char* name, void (*run)()) { cases().push_back({name, run}); }
};

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

#define TEST_CASE(name)                                     \
  static void name();                                       \
  static const test::Register register_##name{#name, name}; \
  static void name()

#define CHECK(condition)                                                                                             \
  do {                                                                                                               \
    if (!(condition)) throw test::Failure(std::string(__FILE__) + ":" + std::to_string(__LINE__) + ": " #condition); \
  } while (0)

// Seeded values in [-1, 1), the same on every machine (the generator of bitsandbytes.md 2.10).
std::vector<float> random_values(size_t n, uint32_t seed);

// |actual - expected| <= allowance(i) everywhere; otherwise fails naming `what` and the worst index with both values.
void check_close(const std::string& what, const std::vector<float>& actual, const std::vector<float>& expected,
                 const std::function<double(size_t)>& allowance);

uint64_t fnv1a(const void* bytes, size_t n);

// The code of the error that fn throws, "" if none.
std::string error_code_of(const std::function<void()>& fn, std::string* message = nullptr);

}  // namespace test
