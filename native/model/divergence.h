// What rows of logits say about the next token, and how far apart two such rows are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/thread_pool.h"

namespace nibble {

// Of one position and one of several models; p and q are the distributions that the first of them and this one give.
struct TokenFigures {
  double loss = 0;           // -ln q(target)
  double divergence = 0;     // KL(p || q) = sum p ln(p / q), in nats; 0 for the first
  bool is_same_top = false;  // the most likely token of q is that of p
};

// logits: of each model n rows [n,V]; targets [n]: the tokens that came. figures: for each model n, written. Logarithms, exponentials and
// sums are double, and each row is one thread's work, so the number of threads changes nothing. A row that holds NaN gives NaN.
void compare_rows(ThreadPool& pool, const std::vector<const float*>& logits, std::span<const int32_t> targets, int64_t vocab,
                  const std::vector<TokenFigures*>& figures);

}  // namespace nibble
