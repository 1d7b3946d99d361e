// How well models predict a text, and how far they are from the first of them: perplexity, KL divergence, same most likely token. All run
// side by side, stage by stage (stage.h): of each no more than one layer's weights are in memory, so that a model can be measured that
// does not fit. Made by plan/evaluation.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/arena.h"
#include "core/cancel.h"
#include "core/thread_pool.h"
#include "model/divergence.h"
#include "model/stage.h"

namespace nibble {

// A model, or a format of one: then its tensors say what becomes of them (TensorSource::type, ::quantize).
struct EvaluatedModel {
  ModelSource source;
  Int8Products int8;
};

struct EvaluateOptions {
  std::vector<EvaluatedModel> models;         // at least one; of one vocabulary
  std::vector<std::vector<int32_t>> windows;  // each begins afresh; 2 tokens or more
  Compute compute = Compute::f32;
  int threads = 0;            // 0 = one per core that this process may use
  std::string backend;        // "auto" or a name that op_table accepts
  uint64_t memory_limit = 0;  // bytes; 0 = what the system has available
};

// Means over all positions that were predicted: of each window all but the first.
struct ModelFigures {
  double loss = 0;  // nats
  double divergence = 0;
  double largest_divergence = 0;
  double same_top = 0;  // share
};

class Evaluation {
 public:
  // Checks everything that can be checked without files. Throws bad_input for impossible options; what Weights throws.
  explicit Evaluation(EvaluateOptions options);
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  const EvaluateOptions& options() const { return options_; }
  // The most that any step takes, with what stays between them.
  const MemoryPlan& plan() const { return plan_; }

  // Input, layers, output: of a model with fewer layers than another the last are empty, and all end with the last.
  int64_t steps() const { return steps_; }
  int64_t positions() const { return positions_; }

  // Runs the next step; progress: 0 .. 1 of it. Threads change no number. Throws bad_input when there is none left or one has failed; bad_file
  // for weights that give no numbers or whose file changed; cancelled; what the ops throw.
  void run_step(const std::function<void(double)>& progress, const Cancel& cancel);
  // One for each model, when all steps are done.
  std::vector<ModelFigures> figures() const;

  // Sees the logits of rows [first, first + n) of a window, [n,V]; the last row of a window is not computed. Empty: nobody looks.
  std::function<void(size_t model, size_t window, int64_t first, std::span<const float> values)> observer;

 private:
  // Models that read the same weights at a step.
  struct Group {
    std::unique_ptr<Stage> stage;
    std::vector<size_t> models;
  };
  std::vector<Group> groups_at(int64_t step) const;
  MemoryPlan plan_of(const std::vector<Group>& groups, bool are_together) const;
  void make_plan();
  void run_output(std::vector<Group>& groups, const std::function<void(double)>& progress, const Cancel& cancel);
  void run_rows(std::vector<Group>& groups, size_t window, int64_t first, int64_t n, int64_t position);
  float* stream(size_t model, size_t window);

  EvaluateOptions options_;
  const OpTable& table_;
  mutable ThreadPool pool_;
  mutable Exec exec_;
  MemoryPlan plan_;
  int64_t steps_ = 0;
  int64_t next_ = 0;
  bool has_failed_ = false;
  int64_t longest_ = 0;  // window
  int64_t tokens_ = 0;
  int64_t positions_ = 0;
  int64_t logit_rows_ = 0;
  std::vector<int64_t> first_token_;                // of each window
  std::vector<std::unique_ptr<Buffer>> streams_;    // of each model [tokens, C]
  std::vector<std::vector<float>> logits_;          // of each model [logit_rows, V]
  std::vector<std::vector<TokenFigures>> figures_;  // of each model [positions]
};

}  // namespace nibble
