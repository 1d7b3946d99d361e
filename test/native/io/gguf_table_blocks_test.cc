// Types whose codes are levels of a table.
#include "harness.h"
#include "io/gguf_made_blocks.h"

using namespace nibble;
using test::decoded;
using test::Values;

TEST_CASE(microscaling_blocks_by_hand) {
  // 127 is 1; codes 7 and 15 are 6 and -6, 1 is 1/2.
  const Values mx = decoded(Encoding::mxfp4, {{0, 127}, {1, 7 | 15 << 4}, {16, 1}});
  CHECK(mx[0] == 6.0f && mx[16] == -6.0f && mx[15] == 0.5f && mx[1] == 0.0f);
  CHECK(decoded(Encoding::mxfp4, {{0, 0}, {1, 2}})[0] == 0x1p-127f && decoded(Encoding::mxfp4, {{0, 1}, {1, 2}})[0] == 0x1p-126f);
  // E4M3: 0x38 is 1, 0x01 the smallest subnormal 2^-9, 0x7e the largest number 448, 0x7f no number.
  const Values nv = decoded(Encoding::nvfp4, {{0, 0x38}, {1, 0x01}, {2, 0x7e}, {3, 0x7f}, {4, 2 | 10 << 4}, {12, 2}, {20, 2}, {28, 2}});
  CHECK(nv[0] == 1.0f && nv[8] == -1.0f && nv[16] == 0x1p-9f && nv[32] == 448.0f && nv[48] == 0.0f);
}

TEST_CASE(levels_of_iq4_are_not_evenly_spaced) {
  const Values nl = decoded(Encoding::iq4_nl, {{2, 0 | 15 << 4}}, 0.5f);
  CHECK(nl[0] == -63.5f && nl[16] == 56.5f);
  // Group 5: low bits in the high nibble of byte 2 of scales, high bits at 10 of h.
  const Values xs = decoded(Encoding::iq4_xs, {{3, 2 << 2}, {4 + 2, 1 << 4}, {8 + 5 * 16 + 1, 8}}, 0.5f);
  CHECK(xs[161] == 0.5f * (33 - 32) * 1 && xs[160] == 0.5f * -127 && xs[0] == 0.5f * -32 * -127);
}
