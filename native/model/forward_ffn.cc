// The feed-forward part of one layer: dense, or a mixture of experts.
#include <numeric>

#include "model/forward.h"

namespace nibble {

void Forward::feed_forward(const Chunk& chunk, size_t layer, const float* input, float* out) {
  const LayerWeights& w = weights_.layers()[layer];
  if (!w.moe.experts.empty()) return experts(chunk, w.moe, input, out);
  ffn(chunk.exec, w.ffn, decoder_.ffn, decoder_.ffn_width, input, chunk.n, out);
  observe("gated", layer, room_.gate, chunk.n * decoder_.ffn_width);
}

// Leaves the activations between in room_.gate.
void Forward::ffn(Exec& exec, const FfnWeights& w, FfnLayout layout, int64_t width, const float* input, int64_t n, float* out) {
  GateArgs args{.out = room_.gate, .n_tokens = n, .width = width, .act = decoder_.activation};
  args.limit = decoder_.gate_limit;
  args.alpha = decoder_.gate_alpha;
  switch (layout) {
    case FfnLayout::plain:
      project(exec, input, n, {{&w.up, room_.gate}});
      table_.activate(exec, room_.gate, decoder_.activation, n * width);
      return project(exec, room_.gate, n, {{&w.down, out}});
    case FfnLayout::gated:
      project(exec, input, n, {{&w.gate, room_.gate}, {&w.up, room_.up}});
      args.gate = room_.gate;
      args.up = room_.up;
      args.stride = width;
      break;
    case FfnLayout::gated_stacked:
    case FfnLayout::gated_pairs:
      project(exec, input, n, {{&w.gate_up, room_.fused}});
      args.gate = room_.fused;
      args.step = layout == FfnLayout::gated_pairs ? 2 : 1;
      args.up = room_.fused + (layout == FfnLayout::gated_pairs ? 1 : width);
      args.stride = 2 * width;
  }
  table_.gate(exec, args);
  project(exec, room_.gate, n, {{&w.down, out}});
}

void Forward::experts(const Chunk& chunk, const ExpertWeights& w, const float* input, float* out) {
  Exec& exec = chunk.exec;
  const ExpertsDescription& e = decoder_.experts;
  const int64_t width = decoder_.width;
  project(exec, input, chunk.n, {{&w.router, room_.router}});
  table_.route(exec, {.ids = room_.chosen,
                      .weights = room_.chosen_weights,
                      .logits = room_.router,
                      .correction = w.correction,
                      .n_tokens = chunk.n,
                      .n_experts = e.n_experts,
                      .n_chosen = e.n_chosen,
                      .n_groups = e.n_groups,
                      .n_best_groups = e.n_best_groups,
                      .is_sigmoid = e.is_sigmoid,
                      .is_normalized = e.is_normalized,
                      .is_group_by_two = e.is_group_by_two,
                      .scale = e.scale});
  sort_by_expert(chunk);
  table_.fill_zero(exec, out, static_cast<size_t>(chunk.n * width) * sizeof(float));
  for (size_t i = 0; i < w.experts.size(); ++i) {
    const int64_t first = routing_.first[i], n = routing_.first[i + 1] - first;
    if (n == 0) continue;
    chunk.cancel.check();
    // The row of a single token is there already.
    const float* rows = chunk.n == 1 ? input : room_.expert_in;
    if (chunk.n > 1) table_.gather_rows(exec, room_.expert_in, input, room_.chosen + first, n, width);
    ffn(exec, w.experts[i], e.layout, e.ffn_width, rows, n, room_.expert_out);
    table_.scatter_add_rows(exec, out, room_.expert_out, room_.chosen + first, room_.chosen_weights + first, n, width);
  }
  if (e.shared_width > 0) shared_expert(chunk, w, input, out);
}

// Turns room_.chosen from experts by token into tokens by expert, in the order of the tokens; routing_.first says where each expert's begin.
// The numbers pass through the host: which products there are to compute depends on them.
void Forward::sort_by_expert(const Chunk& chunk) {
  const ExpertsDescription& e = decoder_.experts;
  const auto n = static_cast<size_t>(chunk.n * e.n_chosen);
  routing_.experts.resize(n);
  routing_.tokens.resize(n);
  routing_.weights.resize(n);
  routing_.sorted_weights.resize(n);
  table_.copy_out(chunk.exec, routing_.experts.data(), room_.chosen, n * sizeof(int32_t));
  table_.copy_out(chunk.exec, routing_.weights.data(), room_.chosen_weights, n * sizeof(float));
  routing_.first.assign(static_cast<size_t>(e.n_experts) + 1, 0);
  for (const int32_t expert : routing_.experts) ++routing_.first[static_cast<size_t>(expert) + 1];
  std::partial_sum(routing_.first.begin(), routing_.first.end(), routing_.first.begin());
  std::vector<int64_t> next(routing_.first.begin(), routing_.first.end() - 1);
  for (size_t i = 0; i < n; ++i) {
    const auto at = static_cast<size_t>(next[static_cast<size_t>(routing_.experts[i])]++);
    routing_.tokens[at] = static_cast<int32_t>(i) / e.n_chosen;
    routing_.sorted_weights[at] = routing_.weights[i];
  }
  table_.copy_in(chunk.exec, room_.chosen, routing_.tokens.data(), n * sizeof(int32_t));
  table_.copy_in(chunk.exec, room_.chosen_weights, routing_.sorted_weights.data(), n * sizeof(float));
}

void Forward::shared_expert(const Chunk& chunk, const ExpertWeights& w, const float* input, float* out) {
  const ExpertsDescription& e = decoder_.experts;
  ffn(chunk.exec, w.shared, decoder_.ffn, e.shared_width, input, chunk.n, room_.expert_out);
  if (e.has_shared_gate) {
    project(chunk.exec, input, chunk.n, {{&w.shared_gate, room_.shared_gates}});
    table_.gate_rows(chunk.exec, room_.expert_out, room_.shared_gates, chunk.n, decoder_.width);
  }
  table_.add(chunk.exec, out, room_.expert_out, 1, chunk.n * decoder_.width);
}

}  // namespace nibble
