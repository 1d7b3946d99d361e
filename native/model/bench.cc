#include "model/bench.h"

#include "core/error.h"
#include "core/text.h"
#include "model/session.h"

namespace nibble {

BenchResult run_bench(Model& model, int64_t prompt_tokens, int64_t new_tokens, const Cancel& cancel) {
  if (prompt_tokens < 1 || new_tokens < 1 || prompt_tokens > model.context() || new_tokens > model.context() - prompt_tokens) {
    throw Error(ErrorCode::bad_input,
                text(prompt_tokens, " prompt tokens and ", new_tokens, " new ones do not fit the context of ", model.context(), "."));
  }
  GenerateOptions options;
  for (int64_t i = 0; i < prompt_tokens; ++i) {
    options.tokens.push_back(static_cast<int32_t>(i * 7919 % model.decoder().vocab_size));  // spread over the embedding
  }
  options.max_new_tokens = new_tokens + 1;  // the first one comes with the prefill
  Session session(model);                   // knows nothing of the cache: all is computed
  const GenerateResult result = session.generate(
      options, [](int32_t) { return true; }, cancel);
  return {result.prefill_ms, result.decode_ms, model.weights().bytes_per_token()};
}

}  // namespace nibble
