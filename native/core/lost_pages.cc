#ifndef _WIN32

#include "core/lost_pages.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mutex>

namespace nibble {

namespace {

std::atomic<WatchedRegion*> first_region{nullptr};
std::mutex regions_mutex;
struct sigaction previous_action;
uintptr_t page_bytes;

// Puts zeros where the file was, from the page of `address` to the end of its region: what lies behind is most likely gone as well.
bool replace_lost_pages(uintptr_t address) {
  for (WatchedRegion* region = first_region.load(); region != nullptr; region = region->next) {
    const uintptr_t begin = region->begin.load(), end = begin + region->bytes.load();
    if (begin == 0 || address < begin || address >= end) continue;
    const uintptr_t page = address / page_bytes * page_bytes;
    const int saved_errno = errno;
    void* zeros = mmap(reinterpret_cast<void*>(page), end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    errno = saved_errno;
    if (zeros == MAP_FAILED) return false;
    region->has_lost_pages = true;
    return true;
  }
  return false;
}

void on_bus_error(int signal, siginfo_t* info, void* context) {
  if (replace_lost_pages(reinterpret_cast<uintptr_t>(info->si_addr))) return;
  // Not ours: whoever was here before decides. Without a handler the faulting instruction runs again and ends the process.
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal, info, context);
  } else if (previous_action.sa_handler == SIG_DFL || previous_action.sa_handler == SIG_IGN) {
    ::signal(signal, SIG_DFL);
  } else {
    previous_action.sa_handler(signal);
  }
}

void install_handler() {
  page_bytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &previous_action);
}

}  // namespace

WatchedRegion* watch_pages(const void* begin, size_t bytes) {
  static std::once_flag once;
  std::call_once(once, install_handler);
  const std::lock_guard lock(regions_mutex);
  WatchedRegion* region = first_region.load();
  while (region != nullptr && region->begin.load() != 0) region = region->next;
  if (region == nullptr) {
    region = new WatchedRegion;
    region->next = first_region.load();
    first_region = region;
  }
  region->has_lost_pages = false;
  region->bytes = bytes;
  region->begin = reinterpret_cast<uintptr_t>(begin);
  return region;
}

void unwatch_pages(WatchedRegion* region) {
  const std::lock_guard lock(regions_mutex);
  region->begin = 0;
}

}  // namespace nibble

#endif
