#include "model/weights.h"

#include <unordered_map>

#include "core/error.h"
#include "core/text.h"

namespace nibble {

namespace {

// The tensors of a model by role; each must be asked for.
class Roles {
 public:
  explicit Roles(const ModelSource& source) : architecture_(source.decoder.architecture) {
    const auto n_files = static_cast<int32_t>(source.files.size());
    for (const TensorSource& tensor : source.tensors) {
      if (!by_role_.emplace(tensor.role, &tensor).second) {
        throw Error(ErrorCode::bad_input,
                    text("Two tensors claim the role ", tensor.role, ": ", by_role_[tensor.role]->name, " and ", tensor.name, "."));
      }
      const QuantizedSource& q = tensor.quantized;
      for (const FileSlice& slice : {tensor.data, q.absmax, q.codebook, q.nested_absmax, q.nested_map}) {
        if (slice.file < 0 || slice.file >= n_files) {
          throw Error(ErrorCode::bad_input, text("Tensor ", tensor.name, " is said to be in file ", slice.file, " of ", n_files, "."));
        }
      }
    }
  }

  // Null when there is none.
  const TensorSource* take_optional(const std::string& role) {
    const auto found = by_role_.find(role);
    if (found == by_role_.end()) return nullptr;
    const TensorSource* tensor = found->second;
    by_role_.erase(found);
    return tensor;
  }

  const TensorSource& take(const std::string& role) {
    const TensorSource* tensor = take_optional(role);
    if (tensor != nullptr) return *tensor;
    throw Error(ErrorCode::bad_file, text("The model's files have no tensor for ", role, ", which ", architecture_, " needs."));
  }

  void check_all_taken() const {
    if (by_role_.empty()) return;
    const auto& [role, tensor] = *by_role_.begin();
    throw Error(ErrorCode::bad_input, text("Tensor ", tensor->name, " has the role ", role, ", which ", architecture_, " does not have."));
  }

 private:
  const std::string& architecture_;
  std::unordered_map<std::string, const TensorSource*> by_role_;
};

}  // namespace

Weights::Weights(const ModelSource& source, const std::optional<QuantizeSpec>& quantize)
    : loader_(source.files), has_tied_head_(source.decoder.has_tied_head) {
  const DecoderDescription& d = source.decoder;
  if (quantize) check_quantize_spec(*quantize);
  Roles roles(source);

  const auto add_linear = [&](const std::string& role, Linear& linear, int64_t rows, int64_t cols) {
    loader_.add_matrix(roles.take(role), rows, cols, Owner::weights, quantize, &linear.weight);
    if (const TensorSource* bias = roles.take_optional(role + ".bias")) loader_.add_vector(*bias, rows, &linear.bias);
  };

  const int64_t q_width = int64_t{d.n_heads} * d.head_dim, kv_width = int64_t{d.n_kv_heads} * d.head_dim;
  loader_.add_matrix(roles.take("embed"), d.vocab_size, d.width, Owner::unquantized, std::nullopt, &embed_);
  layers_.resize(static_cast<size_t>(d.n_layers));
  for (int32_t i = 0; i < d.n_layers; ++i) {
    LayerWeights& layer = layers_[static_cast<size_t>(i)];
    const std::string prefix = text("layers.", i, ".");
    loader_.add_vector(roles.take(prefix + "attn_norm"), d.width, &layer.attn_norm);
    add_linear(prefix + "q", layer.q, q_width, d.width);
    add_linear(prefix + "k", layer.k, kv_width, d.width);
    add_linear(prefix + "v", layer.v, kv_width, d.width);
    add_linear(prefix + "o", layer.o, d.width, q_width);
    loader_.add_vector(roles.take(prefix + "mlp_norm"), d.width, &layer.mlp_norm);
    add_linear(prefix + "gate", layer.gate, d.ffn_width, d.width);
    add_linear(prefix + "up", layer.up, d.ffn_width, d.width);
    add_linear(prefix + "down", layer.down, d.width, d.ffn_width);
  }
  loader_.add_vector(roles.take("final_norm"), d.width, &final_norm_);
  if (!has_tied_head_) {
    loader_.add_matrix(roles.take("head"), d.vocab_size, d.width, Owner::unquantized, std::nullopt, &head_.weight);
  }
  if (const TensorSource* bias = roles.take_optional("head.bias")) loader_.add_vector(*bias, d.vocab_size, &head_.bias);
  roles.check_all_taken();
}

void Weights::read(const OpTable& table, ThreadPool& pool, const std::function<void(double)>& progress, const Cancel& cancel) {
  loader_.read(table, pool, progress, cancel);
  if (has_tied_head_) head_.weight = embed_;
}

int64_t Weights::bytes_per_token() const {
  int64_t bytes = weight_bytes(head_.weight);
  for (const LayerWeights& layer : layers_) {
    for (const Linear* linear : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
      bytes += weight_bytes(linear->weight);
    }
  }
  return bytes;
}

}  // namespace nibble
