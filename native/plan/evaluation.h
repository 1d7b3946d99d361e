// Evaluating models on a text: the plan first, and only when it fits the memory.
#pragma once

#include <memory>

#include "model/evaluate.h"

namespace nibble {

// Throws out_of_memory, before anything is allocated, when what has to be allocated exceeds the limit (0: what the system has available);
// what Evaluation throws.
std::unique_ptr<Evaluation> open_evaluation(EvaluateOptions options);

}  // namespace nibble
