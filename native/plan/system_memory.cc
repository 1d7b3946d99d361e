#include "plan/system_memory.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>

#ifdef _WIN32
#include <windows.h>
//
#include <psapi.h>
#elif defined(__APPLE__)
#include <mach/mach.h>
#include <malloc/malloc.h>
#include <sys/resource.h>
#include <sys/sysctl.h>
#elif defined(__GLIBC__)
#include <malloc.h>
#endif

namespace nibble {

void release_free_memory() {
#if defined(__GLIBC__)
  malloc_trim(0);
#elif defined(__APPLE__)
  malloc_zone_pressure_relief(nullptr, 0);
#endif
}

bool reset_peak_resident() {
#ifdef __linux__
  std::ofstream file("/proc/self/clear_refs");
  return static_cast<bool>(file << "5" << std::flush);
#else
  return false;
#endif
}

#ifdef _WIN32

SystemMemory system_memory(const std::string&) {
  SystemMemory memory;
  MEMORYSTATUSEX status{};
  status.dwLength = sizeof(status);
  if (GlobalMemoryStatusEx(&status)) {
    memory.total = status.ullTotalPhys;
    memory.available = status.ullAvailPhys;
  }
  PROCESS_MEMORY_COUNTERS counters{};
  if (GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof(counters))) {
    memory.resident = counters.WorkingSetSize;
    memory.peak_resident = counters.PeakWorkingSetSize;
  }
  return memory;
}

#elif defined(__APPLE__)

SystemMemory system_memory(const std::string&) {
  SystemMemory memory;
  size_t size = sizeof(memory.total);
  sysctlbyname("hw.memsize", &memory.total, &size, nullptr, 0);
  vm_statistics64_data_t pages{};
  mach_msg_type_number_t n_pages = HOST_VM_INFO64_COUNT;
  if (host_statistics64(mach_host_self(), HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&pages), &n_pages) == KERN_SUCCESS) {
    memory.available = (uint64_t{pages.free_count} + pages.inactive_count) * vm_page_size;
  }
  mach_task_basic_info_data_t task{};
  mach_msg_type_number_t n_task = MACH_TASK_BASIC_INFO_COUNT;
  if (task_info(mach_task_self(), MACH_TASK_BASIC_INFO, reinterpret_cast<task_info_t>(&task), &n_task) == KERN_SUCCESS) {
    memory.resident = task.resident_size;
    memory.peak_resident = task.resident_size_max;
  }
  return memory;
}

#else

namespace {

// "Name:   1234 kB" of a file in /proc, in bytes; 0 when it is not there.
uint64_t proc_field(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, name.size(), name) != 0 || line[name.size()] != ':') continue;
    return std::stoull(line.substr(name.size() + 1)) * 1024;
  }
  return 0;
}

// One number of a control-group file; the largest value where there is none or it says "max".
uint64_t cgroup_number(const std::string& path) {
  std::ifstream file(path);
  uint64_t value = 0;
  return file >> value ? value : UINT64_MAX;
}

// The names that the two versions of control groups have for the same things.
struct CgroupFiles {
  std::string line_start;  // after the number, in /proc/self/cgroup
  std::string folder;
  std::string limit, usage;
  std::string reclaimable;  // field of memory.stat: file pages that would be given back but count against the limit
};

uint64_t stat_field(const std::string& path, const std::string& wanted) {
  std::ifstream file(path);
  std::string name;
  for (uint64_t value = 0; file >> name >> value;) {
    if (name == wanted) return value;
  }
  return 0;
}

// This process's group, "/a/b"; nothing when there is none.
std::optional<std::string> cgroup_of(const std::string& root, const CgroupFiles& files) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos || line.compare(colon, files.line_start.size(), files.line_start) != 0) continue;
    return line.substr(colon + files.line_start.size());
  }
  return std::nullopt;
}

// Lowers total and available to the limits of the group this process is in and of all above it.
void apply_cgroup_limits(SystemMemory& memory, const std::string& root, const CgroupFiles& files) {
  const std::optional<std::string> own = cgroup_of(root, files);
  if (!own) return;
  const uint64_t machine = memory.total;
  for (std::string group = *own;; group.resize(group.find_last_of('/'))) {
    const std::string folder = root + files.folder + group + "/";
    const uint64_t limit = cgroup_number(folder + files.limit), used = cgroup_number(folder + files.usage);
    if (limit < machine && used != UINT64_MAX) {  // also where a group below has a lower one: its siblings may have used this one up
      const uint64_t kept = used - std::min(used, stat_field(folder + "memory.stat", files.reclaimable));
      memory.total = std::min(memory.total, limit);
      memory.available = std::min(memory.available, limit - std::min(limit, kept));
    }
    if (group.find('/') == std::string::npos) return;
  }
}

}  // namespace

SystemMemory system_memory(const std::string& root) {
  SystemMemory memory;
  const std::string meminfo = root + "/proc/meminfo", status = root + "/proc/self/status";
  memory.total = proc_field(meminfo, "MemTotal");
  memory.available = proc_field(meminfo, "MemAvailable");
  if (memory.available == 0) memory.available = proc_field(meminfo, "MemFree") + proc_field(meminfo, "Cached");  // before Linux 3.14
  memory.resident = proc_field(status, "VmRSS");
  memory.peak_resident = proc_field(status, "VmHWM");
  apply_cgroup_limits(memory, root, {"::", "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"});
  apply_cgroup_limits(memory, root,
                      {":memory:", "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"});
  return memory;
}

#endif

}  // namespace nibble
