// Draws the next token from logits. The steps, in this order (that of transformers):
//   1. repeat penalty: logits of tokens seen (prompt included) divided by it if positive, else multiplied (arXiv 1909.05858)
//   2. temperature 0: the highest logit, the lowest id among equals; the rest is skipped
//   3. logits divided by the temperature
//   4. top-k: the k highest stay (the lowest ids among equals)
//   5. top-p: the likeliest stay until their probabilities, after step 4, sum to p or more (arXiv 1904.09751)
//   6. min-p: those stay that are at least min-p times as likely as the likeliest (arXiv 2407.01082)
//   7. one draw by probability: one number of the seeded generator per token
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/rng.h"

namespace nibble {

struct SamplingOptions {
  double temperature = 0;
  int32_t top_k = 0;          // 0 = off
  double top_p = 1;           // 1 = off
  double min_p = 0;           // 0 = off
  double repeat_penalty = 1;  // 1 = off
  uint64_t seed = 0;
};

class Sampler {
 public:
  // Throws bad_input for a value outside its range, with its name.
  Sampler(const SamplingOptions& options, int64_t vocab_size);

  // Counts a token as seen. Ids are inside the vocabulary.
  void observe(int32_t token) { is_seen_[static_cast<size_t>(token)] = true; }

  // logits [V], changed in place. Throws bad_file when none of them is a number: the weights are broken.
  int32_t sample(std::span<float> logits);

 private:
  struct Candidate {
    int32_t id;
    float logit;
    double weight;  // exp(logit - highest logit), not normalized
  };

  void penalize(std::span<float> logits) const;
  void keep_top_k(std::span<const float> logits);
  void keep_top_p();
  int32_t draw();

  SamplingOptions options_;
  Rng rng_;
  std::vector<bool> is_seen_;
  std::vector<Candidate> candidates_;
};

// The index of the highest value, the lowest among equals; NaN never wins. -1 when there is no number above -infinity.
int64_t argmax(std::span<const float> values);

}  // namespace nibble
