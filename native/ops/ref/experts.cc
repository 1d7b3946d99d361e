// Mixture of experts: who gets which token, and what comes back.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "ops/ref/ref.h"

namespace nibble::ref {
namespace {

std::vector<double> scores_of(const float* logits, int32_t n, bool is_sigmoid) {
  std::vector<double> scores(logits, logits + n);
  if (is_sigmoid) {
    for (double& score : scores) score = 1 / (1 + std::exp(-score));
    return scores;
  }
  const double largest = *std::max_element(scores.begin(), scores.end());
  double total = 0;
  for (double& score : scores) total += score = std::exp(score - largest);
  for (double& score : scores) score /= total;
  return scores;
}

// Indices of the k largest values, largest first; of equal ones the lower index.
std::vector<int32_t> best(const std::vector<double>& values, int32_t k) {
  std::vector<int32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return values[static_cast<size_t>(a)] > values[static_cast<size_t>(b)]; });
  order.resize(static_cast<size_t>(k));
  return order;
}

// Leaves only experts of the best groups.
void keep_best_groups(std::vector<double>& choice, const RouteArgs& a) {
  const auto size = static_cast<std::ptrdiff_t>(a.n_experts / a.n_groups);
  std::vector<double> groups;
  for (auto first = choice.begin(); first != choice.end(); first += size) {
    std::vector<double> members(first, first + size);
    std::sort(members.begin(), members.end(), std::greater<>());
    groups.push_back(a.is_group_by_two ? members[0] + members[1] : members[0]);
  }
  const std::vector<int32_t> kept = best(groups, a.n_best_groups);
  for (int32_t g = 0; g < a.n_groups; ++g) {
    if (std::find(kept.begin(), kept.end(), g) != kept.end()) continue;
    std::fill_n(choice.begin() + g * size, size, -INFINITY);
  }
}

void route(Exec&, const RouteArgs& a) {
  for (int64_t t = 0; t < a.n_tokens; ++t) {
    const std::vector<double> scores = scores_of(a.logits + t * a.n_experts, a.n_experts, a.is_sigmoid);
    std::vector<double> choice = scores;
    for (size_t e = 0; a.correction != nullptr && e < choice.size(); ++e) choice[e] += a.correction[e];
    if (a.n_groups > 1) keep_best_groups(choice, a);
    const std::vector<int32_t> ids = best(choice, a.n_chosen);
    double total = a.is_sigmoid ? 1e-20 : 0;
    for (const int32_t id : ids) total += scores[static_cast<size_t>(id)];
    for (int32_t i = 0; i < a.n_chosen; ++i) {
      const int32_t id = ids[static_cast<size_t>(i)];
      a.ids[t * a.n_chosen + i] = id;
      a.weights[t * a.n_chosen + i] = static_cast<float>(scores[static_cast<size_t>(id)] / (a.is_normalized ? total : 1) * a.scale);
    }
  }
}

void gather_rows(Exec&, float* out, const float* x, const int32_t* ids, int64_t n, int64_t width) {
  for (int64_t i = 0; i < n; ++i) std::copy_n(x + ids[i] * width, width, out + i * width);
}

void scatter_add_rows(Exec&, float* x, const float* y, const int32_t* ids, const float* weights, int64_t n, int64_t width) {
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t c = 0; c < width; ++c) x[ids[i] * width + c] += weights[i] * y[i * width + c];
  }
}

void gate_rows(Exec&, float* x, const float* gates, int64_t n_tokens, int64_t width) {
  for (int64_t t = 0; t < n_tokens; ++t) {
    const double factor = 1 / (1 + std::exp(-static_cast<double>(gates[t])));
    for (int64_t c = 0; c < width; ++c) x[t * width + c] = static_cast<float>(x[t * width + c] * factor);
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
