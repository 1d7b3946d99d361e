// Mixture of experts.
#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/ref/ref.h"

namespace nibble::ref {
namespace {

// Index of the largest value that is not taken yet; of equal ones the lowest. Always one that is free, whatever the values.
size_t take_largest(const std::vector<double>& values, std::vector<bool>& taken) {
  size_t best = values.size();
  for (size_t i = 0; i < values.size(); ++i) {
    if (!taken[i] && (best == values.size() || values[i] > values[best])) best = i;
  }
  taken[best] = true;
  return best;
}

std::vector<double> expert_scores(const RouteArgs& args, const float* logits) {
  std::vector<double> scores(logits, logits + args.n_experts);
  if (args.is_sigmoid) {
    for (double& score : scores) score = 1 / (1 + std::exp(-score));
    return scores;
  }
  const double largest = *std::max_element(scores.begin(), scores.end());
  double total = 0;
  for (double& score : scores) total += score = std::exp(score - largest);
  for (double& score : scores) score /= total;
  return scores;
}

// Makes the choice of experts of all but the best groups impossible.
void keep_best_groups(const RouteArgs& args, std::vector<double>& choice) {
  const auto groups = static_cast<size_t>(args.n_groups), size = choice.size() / groups;
  std::vector<double> best(groups);
  for (size_t group = 0; group < groups; ++group) {
    double first = -INFINITY, second = -INFINITY;
    for (size_t i = group * size; i < (group + 1) * size; ++i) {
      second = std::max(second, std::min(first, choice[i]));
      first = std::max(first, choice[i]);
    }
    best[group] = args.is_group_by_two && size > 1 ? first + second : first;
  }
  std::vector<bool> kept(groups);
  for (int32_t i = 0; i < args.n_best_groups; ++i) take_largest(best, kept);
  for (size_t i = 0; i < choice.size(); ++i) {
    if (!kept[i / size]) choice[i] = -INFINITY;
  }
}

void route(Exec&, const RouteArgs& args) {
  const auto n_chosen = static_cast<size_t>(args.n_chosen);
  for (int64_t t = 0; t < args.n_tokens; ++t) {
    const std::vector<double> scores = expert_scores(args, args.logits + t * args.n_experts);
    std::vector<double> choice = scores;
    if (args.correction != nullptr) {
      for (size_t i = 0; i < choice.size(); ++i) choice[i] += args.correction[i];
    }
    if (args.n_groups > 1) keep_best_groups(args, choice);
    std::vector<bool> taken(choice.size());
    int32_t* ids = args.ids + t * args.n_chosen;
    double total = args.is_sigmoid ? 1e-20 : 0;
    for (size_t i = 0; i < n_chosen; ++i) {
      const size_t expert = take_largest(choice, taken);
      ids[i] = static_cast<int32_t>(expert);
      total += scores[expert];
    }
    const double factor = args.is_normalized ? args.scale / total : args.scale;
    for (size_t i = 0; i < n_chosen; ++i) {
      args.weights[t * args.n_chosen + static_cast<int64_t>(i)] = static_cast<float>(scores[static_cast<size_t>(ids[i])] * factor);
    }
  }
}

void gather_rows(Exec&, float* out, const float* x, const int32_t* ids, int64_t n, int64_t width) {
  for (int64_t i = 0; i < n; ++i) std::copy(x + ids[i] * width, x + (ids[i] + 1) * width, out + i * width);
}

void scatter_add_rows(Exec&, float* x, const float* y, const int32_t* ids, const float* weights, int64_t n, int64_t width) {
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t c = 0; c < width; ++c) {
      float& sum = x[ids[i] * width + c];
      sum = static_cast<float>(sum + static_cast<double>(weights[i]) * y[i * width + c]);
    }
  }
}

void gate_rows(Exec&, float* x, const float* gates, int64_t n_tokens, int64_t width) {
  for (int64_t t = 0; t < n_tokens; ++t) {
    const double share = 1 / (1 + std::exp(-static_cast<double>(gates[t])));
    for (int64_t c = 0; c < width; ++c) x[t * width + c] = static_cast<float>(x[t * width + c] * share);
  }
}

}  // namespace

void set_expert_ops(OpTable& table) {
  table.route = route;
  table.gather_rows = gather_rows;
  table.scatter_add_rows = scatter_add_rows;
  table.gate_rows = gate_rows;
}

}  // namespace nibble::ref
