#include "ops/host_memory.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "core/error.h"
#include "core/text.h"

namespace nibble {
namespace {

constexpr std::align_val_t kAlignment{64};

void* host_alloc(size_t bytes) {
  void* p = ::operator new(bytes == 0 ? 1 : bytes, kAlignment, std::nothrow);
  if (p == nullptr) throw Error(ErrorCode::out_of_memory, text("The system refused ", bytes_text(bytes), " of memory."));
  return p;
}
void host_free(void* p) { ::operator delete(p, kAlignment); }
void host_copy(Exec&, void* dst, const void* src, size_t bytes) {
  if (bytes != 0) std::memcpy(dst, src, bytes);
}
void host_fill_zero(Exec&, void* dst, size_t bytes) {
  if (bytes != 0) std::memset(dst, 0, bytes);
}
void host_sync(Exec&) {}

}  // namespace

void set_host_memory(OpTable& table) {
  table.alloc = host_alloc;
  table.free = host_free;
  table.copy = host_copy;
  table.copy_in = host_copy;
  table.copy_out = host_copy;
  table.fill_zero = host_fill_zero;
  table.sync = host_sync;
}

}  // namespace nibble
