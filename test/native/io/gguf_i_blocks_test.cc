// I types of 1 to 3 bits: scales and signs that are stored in parts.
#include "harness.h"
#include "io/gguf_made_blocks.h"

using namespace nibble;
using test::decoded;
using test::Values;

TEST_CASE(scales_of_iq1_m_stand_on_top_of_its_words) {
  // d = 0x3800 = 0.5: its nibbles, lowest first, are 0, 0, 8, 3. Values 0 to 15 have the scale 2 * 2 + 1, the others 1.
  const Values out = decoded(Encoding::iq1_m, {{48, 2}, {53, 0x80}, {55, 0x30}, {32, 8}});
  // Point 0 is all -1; the first eight values are moved down, the next up.
  CHECK(out[0] == 0.5f * 5 * -1.125f && out[8] == 0.5f * 5 * -0.875f && out[16] == 0.5f * -0.875f);
}

TEST_CASE(signs_of_iq2_and_iq3_have_an_even_count_of_minus) {
  // Signs number 1 of the first point: value 0 and, to make it two, value 7. Point 0 is all 8; the scale is 1/2.
  const Values two = decoded(Encoding::iq2_xxs, {{6, 1}}, 2.0f);
  CHECK(two[0] == -2.0f && two[1] == 2.0f && two[7] == -2.0f && two[8] == 2.0f);
  // Point 0 of IQ3_XXS is all 4; scale number 3 is 3.5.
  const Values three = decoded(Encoding::iq3_xxs, {{66, 3}, {69, 3 << 4}}, 2.0f);
  CHECK(three[0] == -14.0f && three[1] == -14.0f && three[2] == 14.0f && three[7] == 14.0f);
}
