#include "plan/evaluation.h"

#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "plan/system_memory.h"

namespace nibble {

std::unique_ptr<Evaluation> open_evaluation(EvaluateOptions options) {
  auto evaluation = std::make_unique<Evaluation>(std::move(options));
  const uint64_t limit = evaluation->options().memory_limit;
  const SystemMemory system = system_memory();
  if (limit == 0 && system.total == 0) return evaluation;  // the system does not tell
  const uint64_t room = limit != 0 ? limit : system.available;
  const MemoryPlan& plan = evaluation->plan();
  const uint64_t needed = plan.total() - plan.mapped;  // pages of mapped files give way
  if (needed <= room) return evaluation;
  throw Error(ErrorCode::out_of_memory,
              text("Measuring needs ", bytes_text(needed), " of memory for ", evaluation->positions(), " tokens and one layer at a time, ",
                   limit != 0 ? "the limit is " : "the system has ", bytes_text(room), limit != 0 ? "" : " available",
                   ". Choose fewer tokens or fewer formats, or free memory."));
}

}  // namespace nibble
