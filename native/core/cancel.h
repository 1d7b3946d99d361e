// A request to stop, shared by the thread that asks and the code that looks.
#pragma once

#include <atomic>

#include "core/error.h"

namespace nibble {

class Cancel {
 public:
  void request() { is_requested_.store(true, std::memory_order_relaxed); }
  bool is_requested() const { return is_requested_.load(std::memory_order_relaxed); }

  // Throws `cancelled` once a stop was asked for. Called between steps of a few milliseconds.
  void check() const {
    if (is_requested()) throw Error(ErrorCode::cancelled, "Cancelled.");
  }

 private:
  std::atomic<bool> is_requested_{false};
};

}  // namespace nibble
