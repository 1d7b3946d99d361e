// The kernels compiled for this instruction set; see native/CMakeLists.txt for its flags.
#include "ops/cpu/isa.h"
#include "ops/cpu/table.inl.h"
#include "ops/simd/scalar.h"

namespace nibble::cpu {

OpTable make_scalar_table(const OpTable& base) { return make_table<scalar::V>("scalar", base); }

}  // namespace nibble::cpu
