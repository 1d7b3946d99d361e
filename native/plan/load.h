// Loading a model: the plan first, and only when it fits the memory.
#pragma once

#include <functional>
#include <memory>

#include "model/model.h"

namespace nibble {

// What load_model would reserve and map, by owner. Opens no file.
MemoryPlan plan_load(LoadOptions options);

// Throws out_of_memory, before anything is allocated, when the plan does not fit; what Model and the files throw.
// progress: 0 .. 1.
std::unique_ptr<Model> load_model(LoadOptions options, const std::function<void(double)>& progress, const Cancel& cancel);

// Throws out_of_memory when `plan` exceeds `limit` bytes (0: what the system has available): how much is needed, how much
// there is, which part is the largest, what to change.
void check_fits(const MemoryPlan& plan, const LoadOptions& options);

}  // namespace nibble
