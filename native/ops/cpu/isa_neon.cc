// The kernels compiled for this instruction set; see native/CMakeLists.txt for its flags.
#include "ops/simd/neon.h"

#include "ops/cpu/isa.h"
#include "ops/cpu/table.inl.h"

namespace nibble::cpu {

OpTable make_neon_table(const OpTable& base) { return make_table<neon::V>("neon", base); }

}  // namespace nibble::cpu
