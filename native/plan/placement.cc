#include "plan/placement.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/text.h"

namespace nibble {

namespace {

constexpr size_t kNone = SIZE_MAX;

bool computes(const PlanDevice& device) { return device.kind != DeviceKind::disk; }

// What can stay on the disk while it is not used: nothing writes to it.
MemoryPlan constant_part(const MemoryPlan& memory) {
  MemoryPlan part;
  for (const Owner owner : {Owner::weights, Owner::scales, Owner::unquantized}) part[owner] = memory[owner];
  part.mapped = memory.mapped;
  return part;
}

MemoryPlan changing_part(const MemoryPlan& memory) {
  MemoryPlan part = memory;
  for (const Owner owner : {Owner::weights, Owner::scales, Owner::unquantized}) part[owner] = 0;
  part.mapped = 0;
  return part;
}

size_t home_of_base(std::span<const PlanDevice> devices) {
  const auto cpu = std::ranges::find(devices, DeviceKind::cpu, &PlanDevice::kind);
  return cpu == devices.end() ? 0 : static_cast<size_t>(cpu - devices.begin());
}

// The device that computes what lies on `device`: itself, or for the disk the last one before it that can.
size_t computing_device(std::span<const PlanDevice> devices, size_t device) {
  for (size_t d = device + 1; d-- > 0;) {
    if (computes(devices[d])) return d;
  }
  return kNone;
}

// Adds up what each device holds when the modules lie as told.
std::vector<MemoryPlan> usage(std::span<const PlanModule> modules, std::span<const PlanDevice> devices, const MemoryPlan& work,
                              const std::vector<size_t>& device_of) {
  std::vector<MemoryPlan> used(devices.size()), largest(devices.size());
  std::vector<bool> is_computing(devices.size(), false);
  for (size_t i = 0; i < modules.size(); ++i) {
    const size_t device = device_of[i], computing = computing_device(devices, device);
    if (computing != kNone) is_computing[computing] = true;
    if (modules[i].shares >= 0) continue;
    if (computes(devices[device])) {
      used[device] += modules[i].memory;
      continue;
    }
    const MemoryPlan constant = constant_part(modules[i].memory);
    used[device] += constant;
    if (computing == kNone) continue;
    used[computing] += changing_part(modules[i].memory);
    if (constant.total() > largest[computing].total()) largest[computing] = constant;
  }
  for (size_t d = 0; d < devices.size(); ++d) {
    if (!is_computing[d]) continue;
    used[d] += work;
    used[d] += largest[d];
  }
  return used;
}

Placement judged(std::span<const PlanModule> modules, std::span<const PlanDevice> devices, const MemoryPlan& work, uint64_t base,
                 std::vector<size_t> device_of) {
  const size_t home = home_of_base(devices);
  Placement placement{std::move(device_of), {}, home, Verdict::fits};
  placement.used = usage(modules, devices, work, placement.device_of);
  const auto taken = [&](size_t d) { return placement.used[d].total() + (d == home ? base : 0); };
  for (size_t d = 0; d < devices.size(); ++d) {
    if (placement.used[d].total() > 0 && taken(d) > devices[d].usable) placement.verdict = Verdict::too_big;
  }
  const bool is_computable = std::ranges::all_of(placement.device_of, [&](size_t d) { return computing_device(devices, d) != kNone; });
  if (!is_computable) placement.verdict = Verdict::too_big;
  if (placement.verdict == Verdict::too_big) return placement;
  if (std::ranges::any_of(placement.device_of, [](size_t d) { return d != 0; })) {
    placement.verdict = Verdict::partly;
  } else if (static_cast<double>(devices[0].usable - taken(0)) < kSpareShare * static_cast<double>(devices[0].usable)) {
    placement.verdict = Verdict::tight;
  }
  return placement;
}

// Modules that share memory lie together: as one, where the first of them stands.
uint64_t room_for(const PlanModule& module) { return module.shares >= 0 ? 0 : module.memory.total(); }

// Fills devices in order. `reserve`: of the last device that computes, for modules that it reads from the disk.
std::vector<size_t> fill(std::span<const PlanModule> modules, std::span<const PlanDevice> devices, const MemoryPlan& work, uint64_t base,
                         uint64_t reserve) {
  const size_t home = home_of_base(devices), last = devices.size() - 1, reader = computing_device(devices, last);
  const auto room_of = [&](size_t d) {
    const uint64_t taken = (computes(devices[d]) ? work.total() : 0) + (d == home ? base : 0) + (d == reader ? reserve : 0);
    return devices[d].usable - std::min(devices[d].usable, taken);
  };
  std::vector<size_t> device_of;
  size_t device = 0;
  uint64_t room = room_of(0);
  for (const PlanModule& module : modules) {
    if (module.shares >= 0) {
      device_of.push_back(device_of[static_cast<size_t>(module.shares)]);
      continue;
    }
    while (room_for(module) > room && device < last) room = room_of(++device);
    room -= std::min(room, room_for(module));
    device_of.push_back(device);
  }
  return device_of;
}

// What the last computing device needs for the modules on the disk: the largest of them, and what changes in all of them.
uint64_t reserve_for(std::span<const PlanModule> modules, std::span<const PlanDevice> devices, const std::vector<size_t>& device_of) {
  uint64_t largest = 0, changing = 0;
  for (size_t i = 0; i < modules.size(); ++i) {
    if (computes(devices[device_of[i]]) || modules[i].shares >= 0) continue;
    largest = std::max(largest, constant_part(modules[i].memory).total());
    changing += changing_part(modules[i].memory).total();
  }
  return largest + changing;
}

void check_devices(std::span<const PlanDevice> devices) {
  if (devices.empty()) throw Error(ErrorCode::bad_input, "There is no device to place the model on.");
  if (devices[0].kind == DeviceKind::disk) throw Error(ErrorCode::bad_input, "The first device is the disk, which computes nothing.");
  for (size_t i = 0; i < devices.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (devices[i].name == devices[j].name) throw Error(ErrorCode::bad_input, text("There are two devices ", devices[i].name, "."));
    }
  }
}

// "" fits everything, "model.layers" fits "model.layers.3", and a module's name all that is inside it.
bool covers(const std::string& name, const std::string& module) {
  return name.empty() || module == name || (module.starts_with(name) && module[name.size()] == '.');
}

size_t device_named(std::span<const PlanDevice> devices, const std::string& name, const std::string& module) {
  const auto found = std::ranges::find(devices, name, &PlanDevice::name);
  if (found != devices.end()) return static_cast<size_t>(found - devices.begin());
  std::string known;
  for (const PlanDevice& device : devices) known += (known.empty() ? "" : ", ") + device.name;
  throw Error(ErrorCode::bad_input, text("The device map puts \"", module, "\" on \"", name, "\"; the devices are ", known, "."));
}

}  // namespace

Placement place_automatically(std::span<const PlanModule> modules, std::span<const PlanDevice> devices, const MemoryPlan& work,
                              uint64_t base) {
  check_devices(devices);
  uint64_t reserve = 0;
  std::vector<size_t> device_of = fill(modules, devices, work, base, reserve);
  // The more is kept free for reading from the disk, the more goes there; the whole model is the end of it.
  for (size_t round = 0; round < modules.size(); ++round) {
    const uint64_t needed = reserve_for(modules, devices, device_of);
    if (needed <= reserve) break;
    reserve = needed;
    device_of = fill(modules, devices, work, base, reserve);
  }
  return judged(modules, devices, work, base, std::move(device_of));
}

Placement place_by_hand(std::span<const PlanModule> modules, std::span<const PlanDevice> devices, const MemoryPlan& work, uint64_t base,
                        const DeviceMap& map) {
  check_devices(devices);
  std::vector<size_t> targets;
  for (const auto& [name, device] : map) {
    targets.push_back(device_named(devices, device, name));
    const bool is_known = std::ranges::any_of(modules, [&, &name = name](const PlanModule& module) { return covers(name, module.name); });
    if (!is_known) throw Error(ErrorCode::bad_input, text("The device map names \"", name, "\"; the model has no such module."));
  }
  std::vector<size_t> device_of;
  for (const PlanModule& module : modules) {
    std::optional<size_t> best;
    for (size_t i = 0; i < map.size(); ++i) {
      if (covers(map[i].first, module.name) && (!best || map[i].first.size() >= map[*best].first.size())) best = i;
    }
    if (!best && module.shares >= 0) {
      device_of.push_back(device_of[static_cast<size_t>(module.shares)]);
      continue;
    }
    if (!best) throw Error(ErrorCode::bad_input, text("The device map says nothing of ", module.name, "."));
    const size_t device = targets[*best];
    if (module.shares >= 0 && device_of[static_cast<size_t>(module.shares)] != device) {
      const std::string& partner = modules[static_cast<size_t>(module.shares)].name;
      throw Error(ErrorCode::bad_input, text("The device map parts ", module.name, " from ", partner, ", but they are one tensor."));
    }
    device_of.push_back(device);
  }
  return judged(modules, devices, work, base, std::move(device_of));
}

}  // namespace nibble
