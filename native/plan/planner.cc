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

ModelPlan Planner::plan(const PlanOptions& options) {
  check_load_sizes(decoder(), options.context, options.threads);
  const OpTable& table = table_named(options.backend);
  Exec exec;
  exec.planned_workers = options.threads > 0 ? options.threads : available_cores();
  Arena arena;
  weights_.place(arena);
  KvCache cache(decoder(), options.context);
  cache.place(arena);
  Forward forward(decoder(), weights_, cache, table, options.compute);
  forward.limit(options.chunk, options.logit_rows);
  forward.place(arena, exec);
  return by_part(arena, decoder().n_layers);
}

}  // namespace nibble
