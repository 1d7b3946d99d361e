// What the machine and this process have of memory, in bytes. All but `available` are 0 where the system does not tell; it counts
// where `total` is known.
#pragma once

#include <cstdint>
#include <string>

namespace nibble {

struct SystemMemory {
  uint64_t total = 0;      // of the machine, or the limit of this process's cgroup where that is lower
  uint64_t available = 0;  // can be taken without swapping: MemAvailable on Linux, free + inactive on macOS
  uint64_t resident = 0;   // of this process now
  uint64_t peak_resident = 0;
};

// Lets peak_resident begin again at what is resident now. False where the system cannot (all but Linux).
bool reset_peak_resident();

// Gives pages that malloc holds without need back to the system, where it has a call for that (glibc, macOS).
void release_free_memory();

// root: the folder that /proc and /sys are read from, for tests on Linux.
SystemMemory system_memory(const std::string& root = {});

}  // namespace nibble
