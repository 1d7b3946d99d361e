// The kernels compiled for this instruction set; see native/CMakeLists.txt for its flags.
#include "ops/cpu/isa.h"
#include "ops/cpu/table.inl.h"
#include "ops/simd/avx2.h"

namespace nibble::cpu {

OpTable make_avx2_table(const OpTable& base) { return make_table<avx2::V>("avx2", base); }

}  // namespace nibble::cpu
