// The kernels compiled for this instruction set; see native/CMakeLists.txt for its flags.
#include "ops/cpu/isa.h"
#include "ops/cpu/table.inl.h"
#include "ops/simd/avx512.h"

namespace nibble::cpu {

OpTable make_avx512_table(const OpTable& base) { return make_table<avx512::V>("avx512", base); }

}  // namespace nibble::cpu
