#include "model/session.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "core/text.h"

namespace nibble {

namespace {

class Stopwatch {
 public:
  double ms() const { return std::chrono::duration<double, std::milli>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace

void Session::generate(const GenerateOptions& options, const OnToken& on_token, const Cancel& cancel, GenerateResult& result) {
  const std::span<const int32_t> prompt = options.tokens;
  check_tokens(prompt);
  Sampler sampler(options.sampling, model_.decoder().vocab_size);
  for (const int32_t token : prompt) sampler.observe(token);

  result = {};
  result.prompt_tokens = static_cast<int64_t>(prompt.size());
  const auto end = [&](StopReason reason) { result.stop_reason = reason; };
  if (options.max_new_tokens <= 0) return end(StopReason::max_new_tokens);

  const Stopwatch since_start;
  result.cached_tokens = reusable_prefix(prompt);
  cached_.resize(static_cast<size_t>(result.cached_tokens));
  int64_t row = extend(prompt.subspan(cached_.size()), cancel);
  result.prefill_ms = since_start.ms();
  for (;;) {
    const int32_t token = sampler.sample(last_logits(row));
    result.tokens.push_back(token);
    if (result.tokens.size() == 1) result.time_to_first_token_ms = since_start.ms();
    result.decode_ms = since_start.ms() - result.time_to_first_token_ms;
    const bool is_stop = std::ranges::find(options.stop_tokens, token) != options.stop_tokens.end();
    if (!on_token(token) || is_stop) return end(StopReason::stop_token);
    if (static_cast<int64_t>(result.tokens.size()) >= options.max_new_tokens) return end(StopReason::max_new_tokens);
    if (static_cast<int64_t>(cached_.size()) >= model_.context()) return end(StopReason::context_full);
    sampler.observe(token);
    row = extend({&token, 1}, cancel);
  }
}

void Session::logits(std::span<const int32_t> tokens, const LogitRows& on_rows, const Cancel& cancel) {
  check_tokens(tokens);
  cached_.clear();
  const int64_t vocab = model_.decoder().vocab_size;
  std::vector<float> rows(static_cast<size_t>(Forward::kMaxLogitRows * vocab));
  for (size_t at = 0; at < tokens.size();) {
    const auto chunk = tokens.subspan(at, std::min<size_t>(tokens.size() - at, Forward::kMaxTokens));
    extend(chunk, cancel);
    for (int64_t first = 0; first < static_cast<int64_t>(chunk.size()); first += Forward::kMaxLogitRows) {
      cancel.check();
      const int64_t n = std::min(Forward::kMaxLogitRows, static_cast<int64_t>(chunk.size()) - first);
      const float* values = model_.forward().logits(model_.exec(), first, n);
      model_.weights().check_files();
      model_.table().copy_out(model_.exec(), rows.data(), values, static_cast<size_t>(n * vocab) * sizeof(float));
      on_rows(static_cast<int64_t>(at) + first, n, {rows.data(), static_cast<size_t>(n * vocab)});
    }
    at += chunk.size();
  }
}

void Session::check_tokens(std::span<const int32_t> tokens) const {
  if (tokens.empty()) throw Error(ErrorCode::bad_input, "The prompt has no tokens.");
  if (static_cast<int64_t>(tokens.size()) > model_.context()) {
    throw Error(ErrorCode::bad_input, text("The prompt has ", tokens.size(), " tokens, more than the context of ", model_.context(), "."));
  }
  const int32_t vocab = model_.decoder().vocab_size;
  for (const int32_t token : tokens) {
    if (token < 0 || token >= vocab) {
      throw Error(ErrorCode::bad_input, text("The token id ", token, " is not in the vocabulary of ", vocab, "."));
    }
  }
}

// The last token of the prompt is computed in any case: its logits are needed.
int64_t Session::reusable_prefix(std::span<const int32_t> prompt) const {
  const auto end = prompt.begin() + static_cast<int64_t>(std::min(prompt.size() - 1, cached_.size()));
  return std::mismatch(prompt.begin(), end, cached_.begin()).first - prompt.begin();
}

// Computes tokens after those in the cache; returns the row of the last one in its chunk. What is complete stays in the
// cache when this throws.
int64_t Session::extend(std::span<const int32_t> tokens, const Cancel& cancel) {
  size_t n = 0;
  for (; !tokens.empty(); tokens = tokens.subspan(n)) {
    n = std::min<size_t>(tokens.size(), Forward::kMaxTokens);
    model_.forward().run(model_.exec(), tokens.first(n), static_cast<int64_t>(cached_.size()), cancel);
    model_.weights().check_files();
    cached_.insert(cached_.end(), tokens.begin(), tokens.begin() + static_cast<int64_t>(n));
  }
  return static_cast<int64_t>(n) - 1;
}

std::span<float> Session::last_logits(int64_t row) {
  const auto vocab = static_cast<size_t>(model_.decoder().vocab_size);
  row_.resize(vocab);
  const float* values = model_.forward().logits(model_.exec(), row, 1);
  model_.weights().check_files();
  model_.table().copy_out(model_.exec(), row_.data(), values, vocab * sizeof(float));
  return row_;
}

}  // namespace nibble
