// One maker per instruction set; which of them are linked depends on the processor family built for.
#pragma once

#include "ops/ops.h"

namespace nibble::cpu {

OpTable make_scalar_table(const OpTable& base);
OpTable make_avx2_table(const OpTable& base);
OpTable make_avx512_table(const OpTable& base);
OpTable make_neon_table(const OpTable& base);

}  // namespace nibble::cpu
