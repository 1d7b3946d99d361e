// Keeps the process alive when a mapped file loses pages: another program shortened it, or the disk failed. The system then raises
// SIGBUS at the first touch, which by default ends the process; here the lost pages become zeros and are remembered.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace nibble {

// One watched mapping. Regions are used again and never freed, so that the signal handler can walk them at any time.
struct WatchedRegion {
  std::atomic<uintptr_t> begin{0};  // 0: free
  std::atomic<size_t> bytes{0};
  std::atomic<bool> has_lost_pages{false};
  WatchedRegion* next = nullptr;
};

WatchedRegion* watch_pages(const void* begin, size_t bytes);
void unwatch_pages(WatchedRegion* region);

}  // namespace nibble
