#include "model/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/text.h"

namespace nibble {

namespace {

void check(bool is_good, const char* name, double value, const char* range) {
  if (is_good) return;
  throw Error(ErrorCode::bad_input, text("The sampling option ", name, " is ", value, "; it must be ", range, "."));
}

}  // namespace

int64_t argmax(std::span<const float> values) {
  // Independent running maxima, so that the compiler can use vector instructions without reordering what matters.
  constexpr size_t kLanes = 16;
  float lanes[kLanes];
  std::fill_n(lanes, kLanes, -std::numeric_limits<float>::infinity());
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = values[i + lane] > lanes[lane] ? values[i + lane] : lanes[lane];
  }
  float highest = *std::max_element(lanes, lanes + kLanes);
  for (; i < values.size(); ++i) highest = values[i] > highest ? values[i] : highest;
  if (highest == -std::numeric_limits<float>::infinity()) return -1;
  return std::find(values.begin(), values.end(), highest) - values.begin();
}

Sampler::Sampler(const SamplingOptions& o, int64_t vocab_size) : options_(o), rng_(o.seed), is_seen_(static_cast<size_t>(vocab_size)) {
  check(o.temperature >= 0 && std::isfinite(o.temperature), "temperature", o.temperature, "0 (greedy) or more");
  check(o.top_k >= 0, "topK", o.top_k, "0 (off) or more");
  check(o.top_p > 0 && o.top_p <= 1, "topP", o.top_p, "above 0 and at most 1");
  check(o.min_p >= 0 && o.min_p <= 1, "minP", o.min_p, "between 0 and 1");
  check(o.repeat_penalty >= 0.01 && o.repeat_penalty <= 100, "repeatPenalty", o.repeat_penalty, "between 0.01 and 100");
}

int32_t Sampler::sample(std::span<float> logits) {
  penalize(logits);
  const int64_t best = argmax(logits);
  if (best < 0 || !std::isfinite(logits[static_cast<size_t>(best)])) {
    throw Error(ErrorCode::bad_file, "The model's output is not a number: its weights are damaged or overflow.");
  }
  if (options_.temperature == 0 || options_.top_k == 1) return static_cast<int32_t>(best);

  keep_top_k(logits);
  const double highest = logits[static_cast<size_t>(best)];
  for (Candidate& c : candidates_) c.weight = std::exp((static_cast<double>(c.logit) - highest) / options_.temperature);
  if (options_.top_p < 1) keep_top_p();
  std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < options_.min_p; });  // the likeliest has weight 1
  return draw();
}

void Sampler::penalize(std::span<float> logits) const {
  if (options_.repeat_penalty == 1) return;
  const auto penalty = static_cast<float>(options_.repeat_penalty);
  for (size_t id = 0; id < logits.size(); ++id) {
    if (is_seen_[id]) logits[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
  }
}

void Sampler::keep_top_k(std::span<const float> logits) {
  candidates_.clear();
  candidates_.reserve(logits.size());
  for (size_t id = 0; id < logits.size(); ++id) {
    if (!std::isnan(logits[id])) candidates_.push_back({static_cast<int32_t>(id), logits[id], 0});
  }
  const auto k = static_cast<size_t>(options_.top_k);
  if (k == 0 || k >= candidates_.size()) return;
  const auto is_before = [](const Candidate& a, const Candidate& b) { return a.logit > b.logit || (a.logit == b.logit && a.id < b.id); };
  std::nth_element(candidates_.begin(), candidates_.begin() + static_cast<int64_t>(k), candidates_.end(), is_before);
  candidates_.resize(k);
  // The draw below walks candidates in this order; nth_element's own order differs between standard libraries.
  std::sort(candidates_.begin(), candidates_.end(), [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
}

void Sampler::keep_top_p() {
  double total = 0;
  for (const Candidate& c : candidates_) total += c.weight;
  // A heap, because few of many are taken.
  const auto is_after = [](const Candidate& a, const Candidate& b) { return a.weight < b.weight || (a.weight == b.weight && a.id > b.id); };
  std::make_heap(candidates_.begin(), candidates_.end(), is_after);
  auto end = candidates_.end();
  for (double sum = 0; end != candidates_.begin() && sum < options_.top_p * total;) {
    std::pop_heap(candidates_.begin(), end, is_after);
    sum += (--end)->weight;
  }
  candidates_.erase(candidates_.begin(), end);  // those taken stand at the back, the likeliest last
  std::reverse(candidates_.begin(), candidates_.end());
}

int32_t Sampler::draw() {
  double total = 0;
  for (const Candidate& c : candidates_) total += c.weight;
  double left = rng_.uniform() * total;
  for (const Candidate& c : candidates_) {
    left -= c.weight;
    if (left < 0) return c.id;
  }
  // The sums round differently by a few ulp: the last candidate that can be drawn at all.
  const auto last = std::find_if(candidates_.rbegin(), candidates_.rend(), [](const Candidate& c) { return c.weight > 0; });
  return last->id;
}

}  // namespace nibble
