#include "plan/planner.h"

#include <utility>

#include "core/thread_pool.h"
#include "model/kv_cache.h"

namespace nibble {

namespace {

ModelPlan by_part(const Arena& arena, int64_t n_layers) {
  const std::vector<MemoryPlan>& parts = arena.parts();
  ModelPlan plan{arena.plan(), parts[kWorkPart], {}};
  for (const ModelPart& part : parts_in_order(n_layers)) {
    const auto number = static_cast<size_t>(part.number);
    plan.parts.push_back(number < parts.size() ? parts[number] : MemoryPlan());
  }
  return plan;
}

Exec exec_for(const PlanOptions& options) {
  Exec exec;
  exec.planned_workers = options.threads > 0 ? options.threads : available_cores();
  return exec;
}

ModelSource checked(ModelSource source) {
  check_decoder(source.decoder);
  return source;
}

}  // namespace

Planner::Planner(ModelSource source, std::optional<QuantizeSpec> quantize)
    : source_(checked(std::move(source))), quantize_(quantize), weights_(source_, quantize_) {}

int64_t Planner::kv_bytes_per_token() const {
  const DecoderDescription& d = decoder();
  constexpr int64_t kTokens = 1024;  // so many that rounding to whole pieces of the arena counts for nothing
  Arena arena;
  KvCache(d, kTokens).place(arena);
  return static_cast<int64_t>(arena.plan()[Owner::kv]) / kTokens;
}

int64_t Planner::trainable_parameters(const TrainingOptions& training) const {
  return Adapter(source_, training.rank, training.targets, training.optimizer).n_parameters();
}

ModelPlan Planner::plan_training(const PlanOptions& options, const TrainingOptions& training) {
  check_load_sizes(decoder(), 1, options.threads);
  Arena arena;
  weights_.place(arena);
  TrainingMemory(source_, weights_, table_named(options.backend), options.compute, training).place(arena, exec_for(options));
  return by_part(arena, decoder().n_layers);
}

ModelPlan Planner::plan(const PlanOptions& options) {
  check_load_sizes(decoder(), options.context, options.threads);
  const OpTable& table = table_named(options.backend);
  Arena arena;
  weights_.place(arena);
  KvCache cache(decoder(), options.context);
  cache.place(arena);
  Forward forward(decoder(), weights_, cache, table, options.compute);
  forward.limit(options.chunk, options.logit_rows);
  forward.place(arena, exec_for(options));
  return by_part(arena, decoder().n_layers);
}

}  // namespace nibble
