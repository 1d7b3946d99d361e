// What the machine has, and what is left of it in control groups of both versions.
#include "plan/system_memory.h"

#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "harness.h"
#include "temp_file.h"

using namespace nibble;

TEST_CASE(this_machine_has_memory_and_uses_some) {
  const SystemMemory memory = system_memory();
  CHECK(memory.total > (64u << 20) && memory.available <= memory.total);
  CHECK(memory.resident > 100000 && memory.peak_resident >= memory.resident);
}

// Sanitizers have an allocator of their own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)

TEST_CASE(free_memory_goes_back_to_the_system) {
  // Blocks that malloc keeps when they are freed: too small for pages of their own, and the last one, which stays, lies above them.
  std::vector<std::unique_ptr<char[]>> blocks;
  for (int i = 0; i < 32 << 10; ++i) {
    blocks.push_back(std::make_unique<char[]>(2 << 10));
    std::memset(blocks.back().get(), 1, 2 << 10);
  }
  const std::unique_ptr<char[]> last = std::move(blocks.back());
  blocks.clear();
  const uint64_t before = system_memory().resident;
  release_free_memory();
  CHECK(system_memory().resident + (48u << 20) < before);
}

#endif

#ifdef __linux__

namespace {

constexpr uint64_t kMiB = 1 << 20;

using Files = std::map<std::string, std::string>;  // text by path

// A folder with files like those of the system.
class FakeSystem {
 public:
  explicit FakeSystem(const Files& files) : root_(place_.path() + ".d") {
    for (const auto& [path, text] : files) {
      const std::filesystem::path file = root_ + path;
      std::filesystem::create_directories(file.parent_path());
      std::ofstream(file) << text;
    }
  }
  ~FakeSystem() { std::filesystem::remove_all(root_); }
  SystemMemory memory() const { return system_memory(root_); }

 private:
  test::TempFile place_;
  std::string root_;
};

const std::string kMemInfo = "MemTotal:  16777216 kB\nMemFree:  1024 kB\nMemAvailable:  8388608 kB\nCached:  2048 kB\n";  // 16 and 8 GiB

}  // namespace

TEST_CASE(without_groups_the_machine_counts) {
  const SystemMemory memory =
      FakeSystem(Files{{"/proc/meminfo", kMemInfo}, {"/proc/self/status", "VmHWM:\t 20 kB\nVmRSS:\t 10 kB\n"}}).memory();
  CHECK(memory.total == 16384 * kMiB && memory.available == 8192 * kMiB);
  CHECK(memory.resident == 10240 && memory.peak_resident == 20480);
  const SystemMemory old = FakeSystem(Files{{"/proc/meminfo", "MemTotal: 4096 kB\nMemFree: 1024 kB\nCached: 2048 kB\n"}}).memory();
  CHECK(old.available == 3 * kMiB);
  CHECK(FakeSystem(Files{{"/etc/empty", ""}}).memory().total == 0);
}

TEST_CASE(the_second_version_limits_by_its_own_group) {
  const SystemMemory memory = FakeSystem(Files{{"/proc/meminfo", kMemInfo},
                                               {"/proc/self/cgroup", "0::/app/job\n"},
                                               {"/sys/fs/cgroup/app/job/memory.max", "1073741824\n"},     // 1024 MiB
                                               {"/sys/fs/cgroup/app/job/memory.current", "734003200\n"},  // 700
                                               {"/sys/fs/cgroup/app/job/memory.stat", "anon 5\ninactive_file 209715200\nslab 1\n"}})  // 200
                                  .memory();
  CHECK(memory.total == 1024 * kMiB && memory.available == (1024 - 500) * kMiB);
}

TEST_CASE(a_group_above_limits_too_even_where_its_limit_is_higher) {
  const auto files = [](const std::string& parent_max) {
    return Files{{"/proc/meminfo", kMemInfo},
                 {"/proc/self/cgroup", "0::/app/job\n"},
                 {"/sys/fs/cgroup/app/job/memory.max", "1073741824"},
                 {"/sys/fs/cgroup/app/job/memory.current", "0"},
                 {"/sys/fs/cgroup/app/memory.max", parent_max},
                 {"/sys/fs/cgroup/app/memory.current", "2097152000"}};  // 2000 MiB
  };
  CHECK(FakeSystem(files("max")).memory().available == 1024 * kMiB);
  const SystemMemory memory = FakeSystem(files("2147483648")).memory();  // 2048 MiB: siblings left 48
  CHECK(memory.total == 1024 * kMiB && memory.available == 48 * kMiB);
}

TEST_CASE(a_full_group_leaves_nothing) {
  const SystemMemory memory = FakeSystem(Files{{"/proc/meminfo", kMemInfo},
                                               {"/proc/self/cgroup", "0::/\n"},
                                               {"/sys/fs/cgroup/memory.max", "1048576"},
                                               {"/sys/fs/cgroup/memory.current", "2097152"}})
                                  .memory();
  CHECK(memory.total == kMiB && memory.available == 0);
}

TEST_CASE(the_first_version_has_other_names_and_a_number_for_no_limit) {
  const auto files = [](const std::string& limit) {
    return Files{{"/proc/meminfo", kMemInfo},
                 {"/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n"},
                 {"/sys/fs/cgroup/memory/memory.limit_in_bytes", limit},  // the group itself is not visible
                 {"/sys/fs/cgroup/memory/memory.usage_in_bytes", "104857600"},
                 {"/sys/fs/cgroup/memory/memory.stat", "cache 1\ntotal_inactive_file 52428800\n"}};
  };
  const SystemMemory limited = FakeSystem(files("536870912")).memory();
  CHECK(limited.total == 512 * kMiB && limited.available == (512 - 50) * kMiB);
  CHECK(FakeSystem(files("9223372036854771712")).memory().available == 8192 * kMiB);
}

#endif
