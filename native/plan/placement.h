// Where the parts of a model lie when there are several places for them: a GPU, the computer's memory, the disk. Arithmetic alone.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/arena.h"

namespace nibble {

enum class DeviceKind : uint8_t { gpu, cpu, disk };

struct PlanDevice {
  std::string name;  // as in a device map: "0", "cpu", "disk"
  DeviceKind kind = DeviceKind::cpu;
  uint64_t usable = 0;  // bytes
};

// A part of the model that is not split.
struct PlanModule {
  std::string name;  // in the checkpoint: "model.layers.0"; the names of device maps are this or a part of it up to a dot, or ""
  MemoryPlan memory;
  int32_t shares = -1;  // index of an earlier module whose memory it uses (a tied head), which it must lie with; -1: none
};

enum class Verdict : uint8_t {
  fits,     // all on the first device, with kSpareShare of it to spare
  tight,    // all on the first device
  partly,   // some of it on devices behind the first one
  too_big,  // no room, with all devices
};

// What must be left of a device for the plan to be called easy: other programs take more at times, and a longer answer of the system's
// allocator rounds up.
inline constexpr double kSpareShare = 0.1;

struct Placement {
  std::vector<size_t> device_of;  // of each module
  std::vector<MemoryPlan> used;   // of each device, `base` not counted
  size_t home = 0;                // the device that `base` lies on
  Verdict verdict = Verdict::too_big;
};

// The rules:
// - Modules stand in the order in which a token passes them and fill the devices in order; once one does not fit, its device is closed
//   (as Accelerate's infer_auto_device_map does), so that a token changes devices as seldom as can be.
// - What is on the disk is computed by the last device before it: the device holds one module of it at a time, the largest, and what
//   of these modules changes (keys and values, adapters, optimizer) always.
// - `work` (activations, logits, scratch) lies on each device that computes; `base` (the program itself) on the CPU, or where
//   there is none on the first device.
Placement place_automatically(std::span<const PlanModule> modules, std::span<const PlanDevice> devices, const MemoryPlan& work,
                              uint64_t base);

// By hand: (module or a beginning of it, device), as Accelerate's device_map; the longest name that fits counts. Throws bad_input for a
// name that no module has, a device that does not exist, a module that no name covers, shared memory on two devices.
using DeviceMap = std::vector<std::pair<std::string, std::string>>;
Placement place_by_hand(std::span<const PlanModule> modules, std::span<const PlanDevice> devices, const MemoryPlan& work, uint64_t base,
                        const DeviceMap& map);

}  // namespace nibble
