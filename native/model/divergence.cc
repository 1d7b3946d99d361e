#include "model/divergence.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nibble {

namespace {

// A row of logits as a distribution: ln p(i) = logits[i] - largest - log_sum.
struct Distribution {
  const float* logits;
  double largest = -std::numeric_limits<double>::infinity();
  double log_sum = 0;
  int64_t top = 0;

  double log_probability(int64_t i) const { return static_cast<double>(logits[i]) - largest - log_sum; }
};

// exponentials: exp(logits[i] - largest), where they are wanted.
Distribution distribution_of(const float* logits, int64_t vocab, double* exponentials) {
  Distribution d{logits};
  bool has_numbers = true;
  for (int64_t i = 0; i < vocab; ++i) {
    has_numbers = has_numbers && !std::isnan(logits[i]);
    if (logits[i] > d.largest) {
      d.largest = logits[i];
      d.top = i;
    }
  }
  if (!has_numbers) d.largest = std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (int64_t i = 0; i < vocab; ++i) {
    const double exponential = std::exp(static_cast<double>(logits[i]) - d.largest);
    if (exponentials != nullptr) exponentials[i] = exponential;
    sum += exponential;
  }
  d.log_sum = std::log(sum);
  return d;
}

// Rounding may leave a little below 0 where the two are the same; less than 0 it cannot be (Gibbs' inequality).
double divergence_of(const Distribution& p, const double* exponentials, const Distribution& q, int64_t vocab) {
  double sum = 0;
  for (int64_t i = 0; i < vocab; ++i) {
    if (exponentials[i] > 0) sum += exponentials[i] * (p.log_probability(i) - q.log_probability(i));
  }
  const double divergence = sum / std::exp(p.log_sum);
  return divergence < 0 ? 0 : divergence;
}

}  // namespace

void compare_rows(ThreadPool& pool, const std::vector<const float*>& logits, std::span<const int32_t> targets, int64_t vocab,
                  const std::vector<TokenFigures*>& figures) {
  const bool has_others = logits.size() > 1;
  std::vector<std::vector<double>> buffers(static_cast<size_t>(pool.size()));
  for (auto& buffer : buffers) buffer.resize(has_others ? static_cast<size_t>(vocab) : 0);
  pool.parallel_for(static_cast<int64_t>(targets.size()), [&](int64_t row, int worker) {
    double* exponentials = has_others ? buffers[static_cast<size_t>(worker)].data() : nullptr;
    const int64_t target = targets[static_cast<size_t>(row)];
    const Distribution p = distribution_of(logits[0] + row * vocab, vocab, exponentials);
    figures[0][row] = {-p.log_probability(target), 0, true};
    for (size_t i = 1; i < logits.size(); ++i) {
      const Distribution q = distribution_of(logits[i] + row * vocab, vocab, nullptr);
      figures[i][row] = {-q.log_probability(target), divergence_of(p, exponentials, q, vocab), p.top == q.top};
    }
  });
}

}  // namespace nibble
