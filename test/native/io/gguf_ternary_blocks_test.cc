// Types of three levels.
#include "harness.h"
#include "io/gguf_made_blocks.h"

using namespace nibble;
using test::decoded;
using test::Values;

TEST_CASE(ternary_blocks_by_hand) {
  // Digits 2 1 0 2 1 are 196 of 243: 207 (rounded up) of 256.
  const Values t1 = decoded(Encoding::tq1_0, {{1, 207}}, 4.0f, 52);
  CHECK(t1[1] == 4.0f && t1[33] == 0.0f && t1[65] == -4.0f && t1[97] == 4.0f && t1[129] == 0.0f && t1[0] == -4.0f);
  const Values t2 = decoded(Encoding::tq2_0, {{33, 2 << 4}}, 4.0f, 64);
  CHECK(t2[128 + 64 + 1] == 4.0f && t2[128 + 1] == -4.0f);
}
