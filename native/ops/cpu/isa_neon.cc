// The kernels compiled for this instruction set; see native/CMakeLists.txt for its flags.
#include "ops/cpu/isa.h"
#include "ops/cpu/table.inl.h"
#include "ops/simd/neon.h"

namespace nibble::cpu {

OpTable make_neon_table(const OpTable& base) { return make_table<neon::V>("neon", base); }

}  // namespace nibble::cpu
