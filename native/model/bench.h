// Times a model on fixed token ids, without a tokenizer.
#pragma once

#include <cstdint>

#include "core/cancel.h"
#include "model/model.h"

namespace nibble {

struct BenchResult {
  double prefill_ms = 0;  // of all prompt tokens, logits of the last included
  double decode_ms = 0;   // of new_tokens steps of one token, greedy
  int64_t weight_bytes_per_token = 0;
};

// Throws bad_input when prompt and new tokens do not fit the context together. Overwrites the model's cache.
BenchResult run_bench(Model& model, int64_t prompt_tokens, int64_t new_tokens, const Cancel& cancel);

}  // namespace nibble
