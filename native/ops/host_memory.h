// The memory calls of every table whose device is the host.
#pragma once

#include "ops/ops.h"

namespace nibble {

void set_host_memory(OpTable& table);

}  // namespace nibble
