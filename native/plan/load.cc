#include "plan/load.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "plan/system_memory.h"

namespace nibble {

namespace {

const char* owner_text(Owner owner) {
  switch (owner) {
    case Owner::weights: return "the weights";
    case Owner::scales: return "the scales of the weights";
    case Owner::unquantized: return "embedding and head";
    case Owner::kv: return "the context";
    case Owner::activations: return "the activations";
    case Owner::logits: return "the logits";
    case Owner::scratch: return "working memory";
    case Owner::lora: return "the adapter";
    case Owner::gradients: return "the gradients";
    case Owner::optimizer: return "the states of the optimizer";
  }
  return "";
}

const char* advice(Owner largest, const LoadOptions& options) {
  if (largest == Owner::kv) return "Choose a shorter context";
  if (largest != Owner::weights && largest != Owner::scales) return "Choose a smaller model";
  return options.quantize ? "Choose a format with fewer bits or a smaller model" : "Quantize it to fewer bits, or choose a smaller model";
}

}  // namespace

void check_fits(const MemoryPlan& plan, const LoadOptions& options) {
  const bool has_limit = options.memory_limit != 0;
  const SystemMemory system = system_memory();
  if (!has_limit && system.total == 0) return;  // the system does not tell
  const uint64_t room = has_limit ? options.memory_limit : system.available;
  if (plan.total() <= room) return;
  const auto largest = static_cast<Owner>(std::ranges::max_element(plan.bytes) - plan.bytes.begin());
  throw Error(
      ErrorCode::out_of_memory,
      text("The model needs ", bytes_text(plan.total()), " of memory (", plan.total(), " bytes), ",
           has_limit ? "the limit is " : "the system has ", bytes_text(room), has_limit ? "" : " available", ". The largest part is ",
           owner_text(largest), " with ", bytes_text(plan[largest]), largest == Owner::kv ? text(" for ", options.context, " tokens") : "",
           ". ", advice(largest, options), ", or free memory."));
}

MemoryPlan plan_load(LoadOptions options) { return Model(std::move(options)).plan(); }

std::unique_ptr<Model> load_model(LoadOptions options, const std::function<void(double)>& progress, const Cancel& cancel) {
  auto model = std::make_unique<Model>(std::move(options));
  check_fits(model->plan(), model->options());
  cancel.check();
  model->load(progress, cancel);
  return model;
}

}  // namespace nibble
