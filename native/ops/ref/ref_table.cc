#include "ops/host_memory.h"
#include "ops/ref/ref.h"

namespace nibble::ref {

const OpTable& ref_table() {
  static const OpTable kTable = [] {
    OpTable table{};
    table.name = "ref";
    set_host_memory(table);
    set_weight_ops(table);
    set_int8_ops(table);
    set_norm_ops(table);
    set_attention_ops(table);
    set_activation_ops(table);
    set_expert_ops(table);
    set_encode_ops(table);
    set_map8_ops(table);
    return table;
  }();
  return kTable;
}

}  // namespace nibble::ref
