// The generated decoder of test/golden/decoder_golden.h as a file and a description, in any format and at any address.
#pragma once

#include <bit>
#include <cstring>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/text.h"
#include "decoder_golden.h"
#include "model/session.h"
#include "plan/load.h"
#include "temp_file.h"

namespace test {

struct TinyOptions {
  std::optional<nibble::QuantizeSpec> stored = std::nullopt;  // how the linear layers stand in the file; else plain
  nibble::Encoding plain = nibble::Encoding::f32;             // of everything else
  int64_t lead = 0;                                           // bytes before the first tensor
  int64_t gap = 0;                                            // bytes between tensors
  int32_t window = 0;
  bool has_biases = false;     // q, k, v and down get biases of zeros
  bool stores_tables = false;  // embedding and head stand in the file as `stored` says
  int32_t n_experts = 0;       // of the second layer, which stand in the file as `stored` says, too
  bool are_fused = false;      // the experts are one tensor
  bool is_unnested = false;    // the scales that nested ones stand for are in the file instead of them
};

class TinyDecoder {
 public:
  explicit TinyDecoder(const TinyOptions& options = {}) : options_(options), bytes_(static_cast<size_t>(options.lead), 0xee) {
    describe();
    add_all();
    file_.emplace(bytes_);
    source.files = {file_->path()};
  }

  const TempFile& file() const { return *file_; }

  nibble::TensorSource& tensor(const std::string& role) {
    for (nibble::TensorSource& one : source.tensors) {
      if (one.role == role) return one;
    }
    throw Failure("no tensor has the role " + role);
  }

  nibble::LoadOptions load_options(const std::string& backend = "auto", nibble::Compute compute = nibble::Compute::f32) const {
    nibble::LoadOptions options;
    options.source = source;
    options.context = 64;
    options.compute = compute;
    options.threads = 2;
    options.backend = backend;
    options.memory_limit = uint64_t{1} << 30;
    return options;
  }

  nibble::ModelSource source;

 private:
  void describe() {
    nibble::DecoderDescription& d = source.decoder;
    d.architecture = "TinyForTests";
    d.n_layers = 2;
    d.width = 64;
    d.n_heads = 4;
    d.n_kv_heads = 2;
    d.head_dim = d.value_dim = 16;
    d.embed_width = 64;
    d.ffn_width = 96;
    d.vocab_size = 96;
    d.max_context = 2048;
    d.norm_eps = 1e-5f;
    d.attention_scale = 0.25f;
    d.layers.assign(2, {.window = options_.window});
    if (options_.n_experts > 0) {
      d.experts = {.n_experts = options_.n_experts, .n_chosen = 2, .ffn_width = 96, .layout = nibble::FfnLayout::gated};
      d.layers[1].has_experts = true;
    }
    nibble::RopeDescription& rope = d.ropes.emplace_back();
    rope.rotary_dim = 16;
    for (const uint32_t bits : nibble::golden::kDecoderInvFreq) rope.inv_freq.push_back(std::bit_cast<float>(bits));
  }

  void add_all() {
    add("embed", {96, 64});
    for (int i = 0; i < 2; ++i) {
      const std::string prefix = nibble::text("layers.", i, ".");
      add(prefix + "attn_norm", {64});
      add(prefix + "q", {64, 64}, true);
      add(prefix + "k", {32, 64}, true);
      add(prefix + "v", {32, 64}, true);
      add(prefix + "o", {64, 64}, true);
      add(prefix + "mlp_norm", {64});
      if (i == 1 && options_.n_experts > 0) {
        add_experts(prefix);
        continue;
      }
      add(prefix + "gate", {96, 64}, true);
      add(prefix + "up", {96, 64}, true);
      add(prefix + "down", {64, 96}, true);
    }
    add("final_norm", {64});
    add("head", {96, 64});
    if (!options_.has_biases) return;
    for (const char* role : {"layers.0.q.bias", "layers.1.v.bias", "layers.1.down.bias"}) {
      add_plain(role, {tensor(std::string(role).substr(0, std::strlen(role) - 5)).shape[0]}, {});
    }
  }

  // The same values, fused or not.
  void add_experts(const std::string& prefix) {
    add(prefix + "router", {options_.n_experts, 64});
    for (const auto& [part, rows, cols] : {std::tuple("gate", 96, 64), std::tuple("up", 96, 64), std::tuple("down", 64, 96)}) {
      if (options_.are_fused) {
        add(prefix + "experts." + part, {options_.n_experts, rows, cols}, true);
        continue;
      }
      for (int e = 0; e < options_.n_experts; ++e) add(nibble::text(prefix, "experts.", e, ".", part), {rows, cols}, true);
    }
  }

  void add(const std::string& role, const std::vector<int64_t>& shape, bool is_linear = false) {
    const bool is_norm = shape.size() == 1;
    std::vector<float> values(static_cast<size_t>(nibble::element_count(shape, role)));
    for (float& value : values) {
      seed_ = 1664525u * seed_ + 1013904223u;
      value = static_cast<float>(static_cast<int32_t>(seed_) >> 8) * 0x1p-23f * 0.25f + (is_norm ? 1.0f : 0.0f);
    }
    if ((is_linear || (options_.stores_tables && !is_norm)) && options_.stored) return add_quantized(role, shape, values);
    add_plain(role, shape, values);
  }

  nibble::TensorSource& begin(const std::string& role, const std::vector<int64_t>& shape) {
    nibble::TensorSource& tensor = source.tensors.emplace_back();
    tensor.role = role;
    tensor.name = "file." + role;
    tensor.is_linear = shape.size() == 2 && role.starts_with("layers.");
    tensor.shape = shape;
    return tensor;
  }

  void add_plain(const std::string& role, const std::vector<int64_t>& shape, std::vector<float> values) {
    nibble::TensorSource& tensor = begin(role, shape);
    values.resize(static_cast<size_t>(nibble::element_count(shape, role)));
    tensor.encoding = options_.plain;
    if (options_.plain == nibble::Encoding::f32) {
      tensor.data = append(values.data(), values.size() * 4);
      return;
    }
    std::vector<uint16_t> halves;
    for (const float value : values) {
      halves.push_back(options_.plain == nibble::Encoding::f16 ? nibble::f32_to_f16(value) : nibble::f32_to_bf16(value));
    }
    tensor.data = append(halves.data(), halves.size() * 2);
  }

  void add_quantized(const std::string& role, const std::vector<int64_t>& shape, const std::vector<float>& values) {
    const nibble::QuantizeSpec& spec = *options_.stored;
    const nibble::OpTable& ref = nibble::op_table("ref");
    nibble::Exec exec;
    const auto n = static_cast<int64_t>(values.size());
    nibble::TensorSource& tensor = begin(role, shape);
    tensor.is_quantized = true;
    tensor.quantized.format = spec.format;
    if (spec.format == nibble::FormatId::Int8) {
      std::vector<int8_t> codes(values.size());
      const int64_t rows = n / shape.back();
      std::vector<float> scales(static_cast<size_t>(rows));
      ref.quantize_rows(exec, codes.data(), scales.data(), values.data(), nibble::DType::f32, rows, shape.back());
      tensor.encoding = nibble::Encoding::i8;
      tensor.data = append(codes.data(), codes.size());
      tensor.quantized.absmax = append(scales.data(), scales.size() * 4);
      return;
    }
    const int64_t n_blocks = (n + spec.block_size - 1) / spec.block_size;
    std::vector<uint8_t> codes(values.size() / 2);
    std::vector<float> scales(static_cast<size_t>(n_blocks));
    ref.quantize_blocks[static_cast<size_t>(spec.format)](exec, codes.data(), scales.data(), values.data(), nibble::DType::f32, n,
                                                          spec.block_size);
    tensor.encoding = nibble::Encoding::u8;
    tensor.quantized.block_size = spec.block_size;
    tensor.data = append(codes.data(), codes.size());
    if (!spec.is_nested) {
      tensor.quantized.absmax = append(scales.data(), scales.size() * 4);
      return;
    }
    std::vector<uint8_t> nested(scales.size());
    std::vector<float> absmax((scales.size() + 255) / 256);
    tensor.quantized.nested_offset = nibble::nest_scales(nested.data(), absmax.data(), scales.data(), n_blocks);
    if (options_.is_unnested) {
      nibble::WeightView view;
      view.nested = {nested.data(), absmax.data(), nibble::dynamic_map_signed(), tensor.quantized.nested_offset, 256};
      for (int64_t i = 0; i < n_blocks; ++i) scales[static_cast<size_t>(i)] = nibble::block_scale(view, i);
      tensor.quantized.absmax = append(scales.data(), scales.size() * 4);
      return;
    }
    tensor.quantized.is_nested = true;
    tensor.quantized.absmax = append(nested.data(), nested.size());
    tensor.quantized.nested_absmax = append(absmax.data(), absmax.size() * 4);
    tensor.quantized.nested_map = append(nibble::dynamic_map_signed(), 256 * 4);
    tensor.quantized.codebook = append(nibble::codebook(spec.format), 16 * 4);
  }

  nibble::FileSlice append(const void* data, size_t n) {
    const nibble::FileSlice slice{0, static_cast<int64_t>(bytes_.size()), static_cast<int64_t>(n)};
    const auto* begin = static_cast<const uint8_t*>(data);
    bytes_.insert(bytes_.end(), begin, begin + n);
    bytes_.insert(bytes_.end(), static_cast<size_t>(options_.gap), uint8_t{0xee});
    return slice;
  }

  TinyOptions options_;
  std::vector<uint8_t> bytes_;
  uint32_t seed_ = 1;
  std::optional<TempFile> file_;
};

inline std::unique_ptr<nibble::Model> load(const nibble::LoadOptions& options) {
  return nibble::load_model(
      options, [](double) {}, nibble::Cancel());
}

inline const std::vector<int32_t>& tiny_prompt() {
  static const std::vector<int32_t> kPrompt(std::begin(nibble::golden::kDecoderTokens), std::end(nibble::golden::kDecoderTokens));
  return kPrompt;
}

// Logits of every position, [T, V].
inline std::vector<float> all_logits(nibble::Model& model, const std::vector<int32_t>& tokens) {
  nibble::Session session(model);
  std::vector<float> all;
  session.logits(
      tokens, [&](int64_t, int64_t, std::span<const float> values) { all.insert(all.end(), values.begin(), values.end()); },
      nibble::Cancel());
  return all;
}

inline nibble::GenerateOptions greedy(const std::vector<int32_t>& tokens, int64_t n) {
  nibble::GenerateOptions options;
  options.tokens = tokens;
  options.max_new_tokens = n;
  return options;
}

}  // namespace test
