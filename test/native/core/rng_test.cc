// The generator against its authors' code and its range.
#include "core/rng.h"

#include "harness.h"

using namespace nibble;

TEST_CASE(splitmix_and_xoshiro_give_the_published_numbers) {
  // State of seed 0 by splitmix64: e220a8397b1dcdaf 6e789e6aa1b965f4 06c45d188009454f f88bb8a8724c81ec (Vigna's splitmix64.c);
  // the first output is rotl(s1 * 5, 7) * 9.
  const uint64_t s1 = 0x6e789e6aa1b965f4u * 5;
  CHECK(Rng(0).next() == ((s1 << 7) | (s1 >> 57)) * 9);
  Rng rng(0);
  rng.next();
  // By the update rule: s1' = s1 ^ s2 ^ s0, again scrambled.
  const uint64_t next = (0x6e789e6aa1b965f4u ^ (0x06c45d188009454fu ^ 0xe220a8397b1dcdafu)) * 5;
  CHECK(rng.next() == ((next << 7) | (next >> 57)) * 9);
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
