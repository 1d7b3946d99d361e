// One sequence of tokens over a model's cache: generation with reuse of what the cache already holds.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/cancel.h"
#include "model/model.h"
#include "model/sampler.h"

namespace nibble {

struct GenerateOptions {
  std::vector<int32_t> tokens;  // the whole prompt
  int64_t max_new_tokens = 0;
  SamplingOptions sampling;
  std::vector<int32_t> stop_tokens;
};

enum class StopReason { cancelled, stop_token, max_new_tokens, context_full };

struct GenerateResult {
  std::vector<int32_t> tokens;                     // a stop token drawn is the last
  StopReason stop_reason = StopReason::cancelled;  // until another one ends it
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;  // of the prompt, not computed again
  double prefill_ms = 0;      // 0 until the whole prompt was computed
  double decode_ms = 0;       // from the first new token to the last
  double time_to_first_token_ms = 0;
};

class Session {
 public:
  explicit Session(Model& model) : model_(model) {}

  // on_token gets each new token at once; false asks for a stop, which counts as a stop token. Throws bad_input for an
  // empty prompt, one that does not fit the context, or an id outside the vocabulary; bad_file for weights
  // that give no numbers or whose file changed; cancelled; what the ops throw. What was made and measured by then stands in `result`.
  using OnToken = std::function<bool(int32_t)>;
  void generate(const GenerateOptions& options, const OnToken& on_token, const Cancel& cancel, GenerateResult& result);
  GenerateResult generate(const GenerateOptions& options, const OnToken& on_token, const Cancel& cancel) {
    GenerateResult result;
    generate(options, on_token, cancel, result);
    return result;
  }

  // Forgets what the cache holds: it was overwritten by someone else.
  void forget() { cached_.clear(); }

  // Logits of every position of a fresh sequence, in order: rows [first, first + n) as fp32 [n, V].
  using LogitRows = std::function<void(int64_t first, int64_t n, std::span<const float> values)>;
  void logits(std::span<const int32_t> tokens, const LogitRows& on_rows, const Cancel& cancel);

 private:
  void check_tokens(std::span<const int32_t> tokens) const;
  int64_t reusable_prefix(std::span<const int32_t> prompt) const;
  int64_t extend(std::span<const int32_t> tokens, const Cancel& cancel);
  std::span<float> last_logits(int64_t row);

  Model& model_;
  std::vector<int32_t> cached_;  // tokens whose keys and values the cache holds
  std::vector<float> row_;       // [V] on the host
};

}  // namespace nibble
