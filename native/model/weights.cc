#include "model/weights.h"

#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace nibble {

namespace {

// Rows [first, first + n) of a matrix. Blocks of 4-bit weights must begin there, and those of their scales.
WeightView rows_of(const WeightView& w, int64_t first, int64_t n, const std::string& what) {
  WeightView part = w;
  part.rows = n;
  const int64_t at = first * w.cols;
  const auto* bytes = static_cast<const uint8_t*>(w.codes);
  switch (w.format) {
    case FormatId::Fp32: part.codes = bytes + at * 4; return part;
    case FormatId::Fp16:
    case FormatId::Bf16: part.codes = bytes + at * 2; return part;
    case FormatId::Int8:
      part.codes = bytes + at;
      part.scales = w.scales + first;
      return part;
    default: break;
  }
  const int64_t block = at / w.block_size;
  const bool is_nested = w.nested.codes != nullptr;
  if (at % w.block_size != 0) {
    throw Error(ErrorCode::unsupported,
                text("The experts of ", what, " share blocks of ", w.block_size, " weights; they cannot be told apart."));
  }
  part.codes = bytes + at / 2;
  if (!is_nested) {
    part.scales = w.scales + block;
  } else {
    part.nested.codes += block;
    part.nested.absmax += block / w.nested.block_size;
  }
  return part;
}

}  // namespace

Weights::Weights(const ModelSource& source, const std::optional<QuantizeSpec>& quantize, Part part)
    : decoder_(source.decoder), quantize_(quantize), part_(part), loader_(source.files) {
  if (quantize) check_quantize_spec(*quantize);
  Roles roles(source);
  if (part == Part::whole || part == Part::input) add_input(roles);
  if (part == Part::whole || part == Part::output) add_output(roles);
  if (part == Part::whole || part == Part::layers) layers_.resize(static_cast<size_t>(decoder_.n_layers));
  for (size_t i = 0; i < layers_.size(); ++i) add_layer(roles, i);
  roles.check_all_taken();
}

void Weights::add_linear(Roles& roles, const std::string& role, Linear& linear, int64_t rows, int64_t cols) {
  const TensorSource& tensor = roles.take(role);
  linear.weight.rows = rows;  // exists() is asked before read()
  linear.role = role;
  loader_.add_matrix(tensor, {rows, cols}, rows, cols, tensor.is_linear ? Owner::weights : Owner::unquantized,
                     tensor.is_linear ? quantize_ : std::nullopt, &linear.weight);
  if (const TensorSource* bias = roles.take_optional(role + ".bias")) loader_.add_vector({bias}, {rows}, 0, &linear.bias);
}

void Weights::add_norm(Roles& roles, const std::string& role, Norm& norm, int64_t n) {
  if (!decoder_.has_norm_weights) return;
  loader_.add_vector(roles.take_pieces(role), {n}, decoder_.norm_weight_offset, &norm.weight);
  if (roles.has(role + ".bias")) loader_.add_vector({&roles.take(role + ".bias")}, {n}, 0, &norm.bias);
}

void Weights::add_table(Roles& roles, const std::string& role, int64_t rows, int64_t cols, WeightView& view) {
  loader_.add_matrix(roles.take(role), {rows, cols}, rows, cols, Owner::unquantized, std::nullopt, &view);
}

void Weights::add_input(Roles& roles) {
  const DecoderDescription& d = decoder_;
  add_table(roles, "embed", d.vocab_size, d.embed_width, embed_);
  if (d.embed_width != d.width) add_linear(roles, "embed_in", embed_in_, d.width, d.embed_width);
  if (d.n_positions > 0) add_table(roles, "positions", d.n_positions, d.width, positions_);
  if (d.has_embed_norm) add_norm(roles, "embed_norm", embed_norm_, d.width);
}

void Weights::add_output(Roles& roles) {
  const DecoderDescription& d = decoder_;
  if (d.embed_width != d.width) add_linear(roles, "embed_out", embed_out_, d.embed_width, d.width);
  if (d.has_final_norm) add_norm(roles, "final_norm", final_norm_, d.width);
  if (d.has_tied_head && part_ == Part::output) add_table(roles, "embed", d.vocab_size, d.embed_width, embed_);
  if (!d.has_tied_head) add_linear(roles, "head", head_, d.vocab_size, d.embed_width);
  if (d.has_tied_head && roles.has("head.bias")) loader_.add_vector({&roles.take("head.bias")}, {d.vocab_size}, 0, &head_.bias);
}

void Weights::add_layer(Roles& roles, size_t i) {
  const DecoderDescription& d = decoder_;
  LayerWeights& layer = layers_[i];
  const std::string prefix = text("layers.", i, ".");
  if (d.norm_place != NormPlace::after) {
    add_norm(roles, prefix + "attn_norm", layer.attn_norm, d.width);
    if (!d.has_shared_norm) add_norm(roles, prefix + "mlp_norm", layer.mlp_norm, d.width);
  }
  if (d.norm_place == NormPlace::after || d.norm_place == NormPlace::around) {
    add_norm(roles, prefix + "attn_post_norm", layer.attn_post_norm, d.width);
    add_norm(roles, prefix + "mlp_post_norm", layer.mlp_post_norm, d.width);
  }
  if (d.qkv == QkvLayout::latent) {
    add_latent_attention(roles, prefix, layer);
  } else {
    add_attention(roles, prefix, layer);
  }
  if (d.has_sinks) loader_.add_vector({&roles.take(prefix + "sinks")}, {d.n_heads}, 0, &layer.sinks);
  add_linear(roles, prefix + "o", layer.o, d.width, int64_t{d.n_heads} * d.value_dim);
  if (d.layers[i].has_experts) {
    add_experts(roles, prefix, layer.moe);
  } else {
    add_ffn(roles, prefix, d.ffn, d.ffn_width, layer.ffn);
  }
}

void Weights::add_attention(Roles& roles, const std::string& prefix, LayerWeights& layer) {
  const DecoderDescription& d = decoder_;
  const int64_t q_width = int64_t{d.n_heads} * d.head_dim, k_width = int64_t{d.n_kv_heads} * d.head_dim;
  const int64_t v_width = int64_t{d.n_kv_heads} * d.value_dim;
  if (d.qkv == QkvLayout::separate) {
    add_linear(roles, prefix + "q", layer.q, q_width, d.width);
    add_linear(roles, prefix + "k", layer.k, k_width, d.width);
    add_linear(roles, prefix + "v", layer.v, v_width, d.width);
  } else {
    add_linear(roles, prefix + "qkv", layer.qkv, q_width + k_width + v_width, d.width);
  }
  if (d.qk_norm == QkNorm::none) return;
  const bool is_shared = d.qk_norm == QkNorm::shared;
  add_norm(roles, prefix + "q_norm", layer.q_norm, is_shared ? d.head_dim : q_width);
  add_norm(roles, prefix + "k_norm", layer.k_norm, is_shared ? d.head_dim : k_width);
}

void Weights::add_latent_attention(Roles& roles, const std::string& prefix, LayerWeights& layer) {
  const DecoderDescription& d = decoder_;
  const LatentDescription& latent = d.latent;
  const int64_t rotary = d.ropes[0].rotary_dim, q_width = int64_t{d.n_heads} * d.head_dim;
  if (latent.q_rank == 0) {
    add_linear(roles, prefix + "q", layer.q, q_width, d.width);
  } else {
    add_linear(roles, prefix + "q_a", layer.q_a, latent.q_rank, d.width);
    add_norm(roles, prefix + "q_a_norm", layer.q_a_norm, latent.q_rank);
    add_linear(roles, prefix + "q_b", layer.q_b, q_width, latent.q_rank);
  }
  add_linear(roles, prefix + "kv_a", layer.kv_a, latent.kv_rank + rotary, d.width);
  add_norm(roles, prefix + "kv_a_norm", layer.kv_a_norm, latent.kv_rank);
  add_linear(roles, prefix + "kv_b", layer.kv_b, int64_t{d.n_heads} * (d.head_dim - rotary + d.value_dim), latent.kv_rank);
}

void Weights::add_ffn(Roles& roles, const std::string& prefix, FfnLayout layout, int64_t width, FfnWeights& ffn) {
  if (layout == FfnLayout::gated) add_linear(roles, prefix + "gate", ffn.gate, width, decoder_.width);
  if (layout == FfnLayout::gated || layout == FfnLayout::plain) {
    add_linear(roles, prefix + "up", ffn.up, width, decoder_.width);
  } else {
    add_linear(roles, prefix + "gate_up", ffn.gate_up, 2 * width, decoder_.width);
  }
  add_linear(roles, prefix + "down", ffn.down, decoder_.width, width);
}

void Weights::add_experts(Roles& roles, const std::string& prefix, ExpertWeights& moe) {
  const ExpertsDescription& e = decoder_.experts;
  const int64_t width = decoder_.width;
  add_linear(roles, prefix + "router", moe.router, e.n_experts, width);
  if (e.has_correction) loader_.add_vector({&roles.take(prefix + "router_correction")}, {e.n_experts}, 0, &moe.correction);
  moe.experts.resize(static_cast<size_t>(e.n_experts));
  if (roles.has(prefix + "experts.down")) {
    if (e.layout == FfnLayout::gated) add_fused(roles, prefix + "experts.gate", e.ffn_width, width, moe, &FfnWeights::gate);
    if (e.layout == FfnLayout::gated || e.layout == FfnLayout::plain) {
      add_fused(roles, prefix + "experts.up", e.ffn_width, width, moe, &FfnWeights::up);
    } else {
      add_fused(roles, prefix + "experts.gate_up", int64_t{2} * e.ffn_width, width, moe, &FfnWeights::gate_up);
    }
    add_fused(roles, prefix + "experts.down", width, e.ffn_width, moe, &FfnWeights::down);
  } else {
    for (size_t i = 0; i < moe.experts.size(); ++i) {
      add_ffn(roles, text(prefix, "experts.", i, "."), e.layout, e.ffn_width, moe.experts[i]);
    }
  }
  if (e.shared_width > 0) add_ffn(roles, prefix + "shared.", decoder_.ffn, e.shared_width, moe.shared);
  if (e.has_shared_gate) add_linear(roles, prefix + "shared_gate", moe.shared_gate, 1, width);
}

void Weights::add_fused(Roles& roles, const std::string& role, int64_t rows, int64_t cols, ExpertWeights& moe, Linear FfnWeights::*part) {
  const TensorSource& tensor = roles.take(role);
  const int64_t n = decoder_.experts.n_experts;
  Fused& fused = *fused_.emplace_back(std::make_unique<Fused>(Fused{{}, part, &moe.experts}));
  loader_.add_matrix(tensor, {n, rows, cols}, n * rows, cols, tensor.is_linear ? Owner::weights : Owner::unquantized,
                     tensor.is_linear ? quantize_ : std::nullopt, &fused.whole.weight, n);
  if (const TensorSource* bias = roles.take_optional(role + ".bias")) loader_.add_vector({bias}, {n, rows}, 0, &fused.whole.bias);
  for (size_t i = 0; i < moe.experts.size(); ++i) {
    Linear& linear = moe.experts[i].*part;
    linear.weight.rows = rows;
    linear.role = text(role, ".", i);
  }
}

void Weights::read(const OpTable& table, ThreadPool& pool, const std::function<void(double)>& progress, const Cancel& cancel) {
  loader_.read(table, pool, progress, cancel);
  if (decoder_.has_tied_head && part_ != Part::layers) {
    head_.weight = embed_;
    head_.role = "head";
  }
  for (const auto& fused : fused_) {
    const Linear& whole = fused->whole;
    const int64_t rows = whole.weight.rows / decoder_.experts.n_experts;
    for (size_t i = 0; i < fused->experts->size(); ++i) {
      Linear& linear = (*fused->experts)[i].*(fused->part);
      const auto first = static_cast<int64_t>(i) * rows;
      linear.weight = rows_of(whole.weight, first, rows, decoder_.architecture);
      if (whole.bias != nullptr) linear.bias = whole.bias + first;
    }
  }
}

int64_t Weights::bytes_per_token() const {
  const ExpertsDescription& e = decoder_.experts;
  const auto share = [&](const std::string& role) -> double {
    if (role == "embed") return decoder_.has_tied_head ? 1 : 0;
    if (role == "positions") return 0;
    return role.find(".experts.") == std::string::npos ? 1 : static_cast<double>(e.n_chosen) / e.n_experts;
  };
  return std::llround(loader_.matrix_bytes(share));
}

}  // namespace nibble
