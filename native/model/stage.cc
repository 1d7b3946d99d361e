#include "model/stage.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "core/text.h"

namespace nibble {

namespace {

bool is_of(std::string_view role, std::string_view name) {
  return role.starts_with(name) && (role.size() == name.size() || role[name.size()] == '.');
}

bool belongs_to(Part part, const std::string& role, bool has_tied_head) {
  const bool is_output = is_of(role, "final_norm") || is_of(role, "embed_out") || is_of(role, "head");
  if (part == Part::output) return is_output || (has_tied_head && role == "embed");
  return !is_output && !role.starts_with("layers.");
}

}  // namespace

Part stage_part(const DecoderDescription& decoder, int64_t stage) {
  return stage == 0 ? Part::input : stage <= decoder.n_layers ? Part::layers : Part::output;
}

ModelSource stage_source(const ModelSource& model, int64_t stage) {
  const Part part = stage_part(model.decoder, stage);
  ModelSource source{model.files, model.decoder, {}};
  source.decoder.n_layers = 0;
  source.decoder.layers.clear();
  if (part != Part::layers) {
    std::ranges::copy_if(model.tensors, std::back_inserter(source.tensors),
                         [&](const TensorSource& tensor) { return belongs_to(part, tensor.role, model.decoder.has_tied_head); });
    return source;
  }
  source.decoder.n_layers = 1;
  source.decoder.layers = {model.decoder.layers[static_cast<size_t>(stage - 1)]};
  const std::string prefix = text("layers.", stage - 1, ".");
  for (const TensorSource& tensor : model.tensors) {
    if (!tensor.role.starts_with(prefix)) continue;
    TensorSource& copy = source.tensors.emplace_back(tensor);
    copy.role = "layers.0." + tensor.role.substr(prefix.size());
  }
  return source;
}

Stage::Stage(ModelSource source, Part part, int64_t n_tokens, int64_t logit_rows, const OpTable& table, Compute compute, Int8Products int8)
    : source_(std::move(source)),
      table_(table),
      weights_(source_, std::nullopt, part),
      cache_(source_.decoder, part == Part::output ? logit_rows : n_tokens),
      forward_(source_.decoder, weights_, cache_, table, compute, int8) {
  forward_.allow_logit_rows(part == Part::output ? logit_rows : 0);
}

Stage::~Stage() { table_.free(memory_); }

void Stage::place(Arena& arena, const Exec& exec) {
  weights_.place(arena);
  cache_.place(arena);
  forward_.place(arena, exec);
}

MemoryPlan Stage::plan(const Exec& exec) {
  Arena dry;
  place(dry, exec);
  return dry.plan();
}

void Stage::load(Exec& exec, const std::function<void(double)>& progress, const Cancel& cancel) {
  Arena dry;
  place(dry, exec);
  memory_ = table_.alloc(dry.size());
  Arena arena(memory_);
  place(arena, exec);
  forward_.prepare(exec);
  weights_.read(table_, *exec.pool, progress, cancel);
}

void Stage::copy_out(Exec& exec, float* host, int64_t n) {
  weights_.check_files();
  table_.copy_out(exec, host, forward_.stream(), static_cast<size_t>(n * source_.decoder.width) * sizeof(float));
}

void Stage::run_input(Exec& exec, std::span<const int32_t> tokens, float* x, const Cancel& cancel) {
  for (size_t at = 0; at < tokens.size();) {
    cancel.check();
    const auto chunk = tokens.subspan(at, std::min<size_t>(tokens.size() - at, Forward::kMaxTokens));
    forward_.embed(exec, chunk, static_cast<int64_t>(at), cancel);
    copy_out(exec, x + static_cast<int64_t>(at) * source_.decoder.width, static_cast<int64_t>(chunk.size()));
    at += chunk.size();
  }
}

void Stage::run_layer(Exec& exec, float* x, int64_t n_tokens, const Cancel& cancel) {
  const int64_t width = source_.decoder.width;
  for (int64_t at = 0; at < n_tokens; at += Forward::kMaxTokens) {
    const int64_t n = std::min(n_tokens - at, Forward::kMaxTokens);
    table_.copy_in(exec, forward_.stream(), x + at * width, static_cast<size_t>(n * width) * sizeof(float));
    forward_.run_layers(exec, n, at, cancel);
    copy_out(exec, x + at * width, n);
  }
}

void Stage::run_output(Exec& exec, const float* x, int64_t n, float* out) {
  const DecoderDescription& d = source_.decoder;
  table_.copy_in(exec, forward_.stream(), x, static_cast<size_t>(n * d.width) * sizeof(float));
  const float* logits = forward_.logits(exec, 0, n);
  weights_.check_files();
  table_.copy_out(exec, out, logits, static_cast<size_t>(n * d.vocab_size) * sizeof(float));
}

}  // namespace nibble
