// Few rows of x: odd sizes, tails, unaligned codes, nested scales over several chunks of rows.
#include "ops/matmul_cases.h"

using namespace nibble;

TEST_CASE(matvec_agrees_with_the_reference) {
  const test::MatmulShape shapes[] = {{33, 64, 64, false},  {7, 96, 64, false},   {40, 128, 32, true},   {65, 576, 64, true},
                                      {5, 100, 64, false},  {19, 33, 32, false},  {36, 512, 512, false}, {2, 1536, 128, true},
                                      {403, 192, 64, true}, {301, 320, 64, false}};
  for_each_format([&](auto format) {
    for (const test::MatmulShape& shape : shapes) {
      for (const int64_t m : {1, 2, 5}) test::check_matmul(decltype(format)::kId, shape, m);
    }
  });
}
