// K types: one value each where its bits are spread. (All types against the gguf package: ggml-types.test.ts.)
#include "harness.h"
#include "io/gguf_made_blocks.h"

using namespace nibble;
using test::decoded;
using test::Values;

TEST_CASE(q2_k_and_q3_k_by_hand) {
  // Value 128 + 2 * 32 + 17: bits 4 and 5 of q[32 + 17]; its group of 16 is 13.
  Values out = decoded(Encoding::q2_k, {{16 + 32 + 17, 3 << 4}, {13, 5 | 2 << 4}, {83, 0x3c}}, 0.5f, 80);
  CHECK(out[209] == 0.5f * 5 * 3 - 2 && out[208] == -2 && out[0] == 0);
  // The same value of Q3_K: bit 2 is bit 6 of h[17]; group 13 has its low bits in the high nibble of byte 5, the high ones in byte 9.
  out = decoded(Encoding::q3_k, {{32 + 32 + 17, 3 << 4}, {17, 1 << 6}, {96 + 5, 9 << 4}, {96 + 9, 2 << 6}}, 0.5f, 108);
  CHECK(out[209] == 0.5f * (9 + 32 - 32) * 3 && out[208] == 0.5f * 9 * -4 && out[0] == 0.5f * -32 * -4);
}
