#include "model/evaluate.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace nibble {

namespace {

constexpr int64_t kMostLogits = int64_t{1} << 22;  // values of one model's rows at once
constexpr int64_t kMostLogitRows = 128;

void check_model(const EvaluatedModel& model, int32_t vocab, int64_t longest) {
  const DecoderDescription& d = model.source.decoder;
  check_decoder(d);
  if (d.vocab_size != vocab) {
    throw Error(ErrorCode::bad_input,
                text("The models have vocabularies of ", vocab, " and ", d.vocab_size, " tokens; they cannot be compared."));
  }
  if (longest > d.max_context) {
    throw Error(ErrorCode::bad_input,
                text("A window has ", longest, " tokens, more than the ", d.max_context, " that ", d.architecture, " was made for."));
  }
  if (!(model.int8.threshold >= 0) || !std::isfinite(model.int8.threshold)) {
    throw Error(ErrorCode::bad_input, text("The outlier threshold is ", model.int8.threshold, "; it must be 0 or a positive number."));
  }
  const Weights all(model.source, std::nullopt);  // roles and shapes, with the names of the whole model
}

EvaluateOptions checked(EvaluateOptions options) {
  if (options.models.empty() || options.windows.empty()) throw Error(ErrorCode::bad_input, "There is no model or no text to evaluate.");
  const int32_t vocab = options.models[0].source.decoder.vocab_size;
  size_t longest = 0;
  for (const std::vector<int32_t>& window : options.windows) {
    if (window.size() < 2) throw Error(ErrorCode::bad_input, "A window needs two tokens: one to read and one to predict.");
    longest = std::max(longest, window.size());
    for (const int32_t token : window) {
      if (token >= 0 && token < vocab) continue;
      throw Error(ErrorCode::bad_input, text("The token id ", token, " is not in the vocabulary of ", vocab, "."));
    }
  }
  for (const EvaluatedModel& model : options.models) check_model(model, vocab, static_cast<int64_t>(longest));
  if (options.threads < 0 || options.threads > 1024) {
    throw Error(ErrorCode::bad_input, text("The number of threads is ", options.threads, "; it must be between 0 and 1024."));
  }
  return options;
}

uint64_t allocated(const MemoryPlan& plan) { return plan.total() - plan.mapped; }

}  // namespace

Evaluation::Evaluation(EvaluateOptions options)
    : options_(checked(std::move(options))),
      table_(options_.backend == "auto" ? cpu_table() : op_table(options_.backend.c_str())),
      pool_(options_.threads) {
  exec_.pool = &pool_;
  for (const EvaluatedModel& model : options_.models) steps_ = std::max(steps_, stage_count(model.source.decoder));
  for (const std::vector<int32_t>& window : options_.windows) {
    const auto n = static_cast<int64_t>(window.size());
    first_token_.push_back(tokens_);
    tokens_ += n;
    positions_ += n - 1;
    longest_ = std::max(longest_, n);
  }
  const int64_t vocab = options_.models[0].source.decoder.vocab_size;
  logit_rows_ = std::clamp(kMostLogits / vocab, Forward::kMaxLogitRows, kMostLogitRows);
  make_plan();
}

std::vector<Evaluation::Group> Evaluation::groups_at(int64_t step) const {
  std::vector<std::pair<ModelSource, std::vector<size_t>>> shared;
  std::vector<Part> parts;
  for (size_t i = 0; i < options_.models.size(); ++i) {
    const EvaluatedModel& model = options_.models[i];
    const int64_t stages = stage_count(model.source.decoder);
    if (step != steps_ - 1 && step >= stages - 1) continue;  // the end waits for the longest
    const int64_t stage = step == steps_ - 1 ? stages - 1 : step;
    ModelSource source = stage_source(model.source, stage);
    const auto same = std::ranges::find_if(shared, [&](const auto& other) {
      const Int8Products& int8 = options_.models[other.second.front()].int8;
      return int8.is_exact == model.int8.is_exact && int8.threshold == model.int8.threshold && other.first == source;
    });
    if (same != shared.end()) {
      same->second.push_back(i);
    } else {
      shared.emplace_back(std::move(source), std::vector<size_t>{i});
      parts.push_back(stage_part(model.source.decoder, stage));
    }
  }
  std::vector<Group> groups;
  for (size_t i = 0; i < shared.size(); ++i) {
    auto& [source, models] = shared[i];
    groups.push_back({std::make_unique<Stage>(std::move(source), parts[i], longest_, logit_rows_, table_, options_.compute,
                                              options_.models[models.front()].int8),
                      models});
  }
  return groups;
}

// Of groups that are in memory one after the other, or all together.
MemoryPlan Evaluation::plan_of(const std::vector<Group>& groups, bool are_together) const {
  MemoryPlan sum;
  for (const Group& group : groups) {
    const MemoryPlan plan = group.stage->plan(exec_);
    if (!are_together && allocated(plan) <= allocated(sum)) continue;
    if (!are_together) sum = {};
    for (size_t i = 0; i < plan.bytes.size(); ++i) sum.bytes[i] += plan.bytes[i];
    sum.mapped += plan.mapped;
  }
  return sum;
}

void Evaluation::make_plan() {
  for (int64_t step = 0; step < steps_; ++step) {
    const MemoryPlan plan = plan_of(groups_at(step), step == steps_ - 1);
    if (allocated(plan) > allocated(plan_)) plan_ = plan;
  }
  Arena kept;
  for (const EvaluatedModel& model : options_.models) {
    const DecoderDescription& d = model.source.decoder;
    kept.take<float>(Owner::activations, tokens_ * d.width);
    kept.take<float>(Owner::logits, logit_rows_ * d.vocab_size);
    kept.take<TokenFigures>(Owner::scratch, positions_);
  }
  for (size_t i = 0; i < plan_.bytes.size(); ++i) plan_.bytes[i] += kept.plan().bytes[i];
}

float* Evaluation::stream(size_t model, size_t window) {
  const int64_t width = options_.models[model].source.decoder.width;
  auto* all = static_cast<float*>(streams_[model]->at_least(static_cast<size_t>(tokens_ * width) * sizeof(float)));
  return all + first_token_[window] * width;
}

void Evaluation::run_step(const std::function<void(double)>& progress, const Cancel& cancel) {
  if (has_failed_ || next_ >= steps_) throw Error(ErrorCode::bad_input, "The evaluation has ended.");
  has_failed_ = true;  // until it has not
  if (next_ == 0) {
    for (size_t i = 0; i < options_.models.size(); ++i) streams_.push_back(std::make_unique<Buffer>());
  }
  std::vector<Group> groups = groups_at(next_);
  if (next_ == steps_ - 1) {
    run_output(groups, progress, cancel);
  } else {
    const size_t n_windows = options_.windows.size();
    const double total = static_cast<double>(options_.models.size() * n_windows);
    size_t done = 0;
    for (Group& group : groups) {
      group.stage->load(
          exec_, [](double) {}, cancel);
      for (const size_t model : group.models) {
        for (size_t window = 0; window < n_windows; ++window) {
          const std::vector<int32_t>& tokens = options_.windows[window];
          if (next_ == 0) {
            group.stage->run_input(exec_, tokens, stream(model, window), cancel);
          } else {
            group.stage->run_layer(exec_, stream(model, window), static_cast<int64_t>(tokens.size()), cancel);
          }
          progress(static_cast<double>(++done) / total);
        }
      }
      group.stage.reset();
    }
  }
  progress(1);
  has_failed_ = false;
  ++next_;
}

void Evaluation::run_output(std::vector<Group>& groups, const std::function<void(double)>& progress, const Cancel& cancel) {
  const auto vocab = static_cast<size_t>(options_.models[0].source.decoder.vocab_size);
  for (Group& group : groups) {
    group.stage->load(
        exec_, [](double) {}, cancel);
  }
  logits_.assign(options_.models.size(), std::vector<float>(static_cast<size_t>(logit_rows_) * vocab));
  figures_.assign(options_.models.size(), std::vector<TokenFigures>(static_cast<size_t>(positions_)));
  int64_t position = 0;
  for (size_t window = 0; window < options_.windows.size(); ++window) {
    const auto rows = static_cast<int64_t>(options_.windows[window].size()) - 1;
    for (int64_t first = 0; first < rows; first += logit_rows_) {
      cancel.check();
      const int64_t n = std::min(logit_rows_, rows - first);
      run_rows(groups, window, first, n, position);
      position += n;
      progress(static_cast<double>(position) / static_cast<double>(positions_));
    }
  }
  streams_.clear();
  logits_.clear();
}

void Evaluation::run_rows(std::vector<Group>& groups, size_t window, int64_t first, int64_t n, int64_t position) {
  const int64_t vocab = options_.models[0].source.decoder.vocab_size;
  for (Group& group : groups) {
    for (const size_t model : group.models) {
      const int64_t width = options_.models[model].source.decoder.width;
      group.stage->run_output(exec_, stream(model, window) + first * width, n, logits_[model].data());
      if (observer) observer(model, window, first, {logits_[model].data(), static_cast<size_t>(n * vocab)});
    }
  }
  std::vector<const float*> rows;
  std::vector<TokenFigures*> figures;
  for (size_t i = 0; i < options_.models.size(); ++i) {
    rows.push_back(logits_[i].data());
    figures.push_back(figures_[i].data() + position);
  }
  const std::span<const int32_t> targets = std::span(options_.windows[window]).subspan(static_cast<size_t>(first) + 1);
  compare_rows(pool_, rows, targets.first(static_cast<size_t>(n)), vocab, figures);
  for (size_t i = 0; i < options_.models.size(); ++i) {
    for (int64_t row = 0; row < n; ++row) {
      if (std::isfinite(figures[i][row].loss) && std::isfinite(figures[i][row].divergence)) continue;
      throw Error(ErrorCode::bad_file, text("The model ", options_.models[i].source.decoder.architecture, " gives no numbers at token ",
                                            first + row, " of window ", window, ": its weights are damaged or out of range."));
    }
  }
}

std::vector<ModelFigures> Evaluation::figures() const {
  if (has_failed_ || next_ < steps_) throw Error(ErrorCode::bad_input, "The evaluation has not come to its end.");
  const auto n = static_cast<double>(positions_);
  std::vector<ModelFigures> all;
  for (const std::vector<TokenFigures>& tokens : figures_) {
    ModelFigures& sums = all.emplace_back();
    for (const TokenFigures& token : tokens) {
      sums.loss += token.loss;
      sums.divergence += token.divergence;
      sums.largest_divergence = std::max(sums.largest_divergence, token.divergence);
      sums.same_top += token.is_same_top ? 1 : 0;
    }
    sums.loss /= n;
    sums.divergence /= n;
    sums.same_top /= n;
  }
  return all;
}

}  // namespace nibble
