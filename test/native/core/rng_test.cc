// The generator against its authors' code and its range.
#include "core/rng.h"

#include "harness.h"

using namespace nibble;

// Seed 0: rand_xoshiro's documentation has the first, all are those of the authors' C code.
TEST_CASE(splitmix_and_xoshiro_give_the_published_numbers) {
  Rng rng(0);
  for (const uint64_t expected : {0x99ec5f36cb75f2b4u, 0xbf6e1f784956452au, 0x1a5f849d4933e6e0u, 0x6aa594f1262d2d2cu})
    CHECK(rng.next() == expected);
  for (int i = 4; i < 999; ++i) rng.next();
  CHECK(rng.next() == 0x7aac8c483a2edd2fu);
}

TEST_CASE(uniform_numbers_fill_their_range) {
  Rng rng(42);
  double sum = 0, lowest = 1, highest = 0;
  for (int i = 0; i < 100000; ++i) {
    const double x = rng.uniform();
    CHECK(x >= 0 && x < 1);
    sum += x;
    lowest = x < lowest ? x : lowest;
    highest = x > highest ? x : highest;
  }
  // The mean of n has the deviation 1 / sqrt(12 n) = 0.0009: five of them.
  CHECK(std::fabs(sum / 100000 - 0.5) < 0.0046 && lowest < 0.001 && highest > 0.999);
}

TEST_CASE(seeds_differ_and_repeat) { CHECK(Rng(1).next() == Rng(1).next() && Rng(1).next() != Rng(2).next()); }
