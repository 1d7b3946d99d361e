// The reference: plain loops, sums in double. Each file fills its part of the table; ref_table() is the whole.
#pragma once

#include "ops/ops.h"

namespace nibble::ref {

void set_weight_ops(OpTable& table);      // matmul embed dequantize
void set_activation_ops(OpTable& table);  // rmsnorm rope kv_store attention silu_mul add
void set_encode_ops(OpTable& table);      // quantize_blocks quantize_rows convert

const OpTable& ref_table();

}  // namespace nibble::ref
