// Which tables this processor can run, and the one to use.
#include <cstdlib>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "formats/formats.h"
#include "ops/cpu/isa.h"
#include "ops/ref/ref.h"

namespace nibble {
namespace {

struct Tables {
  std::vector<OpTable> tables;     // best first
  std::vector<const char*> names;  // null-terminated
};

const Tables& tables() {
  static const Tables kTables = [] {
    Tables t;
    const OpTable& base = ref::ref_table();
#if defined(__x86_64__) || defined(_M_X64)
    __builtin_cpu_init();
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16")) {
      t.tables.push_back(cpu::make_avx512_table(base));
    }
    if (has_avx2) t.tables.push_back(cpu::make_avx2_table(base));
#elif defined(__aarch64__) || defined(_M_ARM64)
    t.tables.push_back(cpu::make_neon_table(base));
#endif
    t.tables.push_back(cpu::make_scalar_table(base));
    t.tables.push_back(base);
    for (const OpTable& table : t.tables) {
      check_table(table);
      t.names.push_back(table.name);
    }
    t.names.push_back(nullptr);
    return t;
  }();
  return kTables;
}

}  // namespace

const char* const* op_table_names() { return tables().names.data(); }

const OpTable& op_table(const char* name) {
  for (const OpTable& table : tables().tables) {
    if (std::string(table.name) == name) return table;
  }
  std::string known;
  for (const OpTable& table : tables().tables) known += (known.empty() ? "" : ", ") + std::string(table.name);
  throw Error(ErrorCode::bad_input, text("This processor has no backend \"", name, "\"; it can run: ", known, "."));
}

const OpTable& cpu_table() {
  const char* wanted = std::getenv("ENGINE_ISA");
  return wanted != nullptr && *wanted != 0 ? op_table(wanted) : tables().tables.front();
}

void check_table(const OpTable& t) {
  const auto need = [&](bool is_there, const char* entry) {
    if (!is_there) throw Error(ErrorCode::internal, text("The backend ", t.name, " lacks ", entry, "."));
  };
  need(t.alloc && t.free && t.copy && t.copy_in && t.copy_out && t.fill_zero && t.sync, "a memory call");
  need(t.matmul_scratch && t.attention_scratch, "a scratch size");
  need(t.rmsnorm && t.layernorm, "a norm");
  need(t.rope && t.kv_store && t.attention, "an op of attention");
  need(t.gate && t.activate && t.add && t.scale && t.clamp && t.softcap && t.copy_blocks, "an op on activations");
  need(t.route && t.gather_rows && t.scatter_add_rows && t.gate_rows, "an op of experts");
  need(t.matmul_int8_scratch && t.count_outliers, "a part of LLM.int8()");
  need(t.quantize_rows && t.convert && t.quantize_map8 && t.dequantize_map8, "an encoding op");
  for_each_format([&](auto format) {
    using Format = decltype(format);
    const int i = static_cast<int>(Format::kId);
    need(t.matmul[i] && t.embed[i] && t.dequantize[i], Format::kName);
    need(is_four_bit(Format::kId) || t.matmul_int8[i], "a product of LLM.int8()");
    if (is_four_bit(Format::kId)) need(t.quantize_blocks[i], Format::kName);
  });
}

}  // namespace nibble
