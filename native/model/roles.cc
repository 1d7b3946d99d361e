#include "model/roles.h"

#include "core/error.h"
#include "core/text.h"

namespace nibble {

Roles::Roles(const ModelSource& source) : architecture_(source.decoder.architecture) {
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

const TensorSource* Roles::take_optional(const std::string& role) {
  const auto found = by_role_.find(role);
  if (found == by_role_.end()) return nullptr;
  const TensorSource* tensor = found->second;
  by_role_.erase(found);
  return tensor;
}

const TensorSource& Roles::take(const std::string& role) {
  const TensorSource* tensor = take_optional(role);
  if (tensor != nullptr) return *tensor;
  throw Error(ErrorCode::bad_file, text("The model's files have no tensor for ", role, ", which ", architecture_, " needs."));
}

std::vector<const TensorSource*> Roles::take_pieces(const std::string& role) {
  if (!has(text(role, ".0"))) return {&take(role)};
  std::vector<const TensorSource*> pieces;
  while (const TensorSource* piece = take_optional(text(role, ".", pieces.size()))) pieces.push_back(piece);
  return pieces;
}

void Roles::check_all_taken() const {
  if (by_role_.empty()) return;
  const auto& [role, tensor] = *by_role_.begin();
  throw Error(ErrorCode::bad_input, text("Tensor ", tensor->name, " has the role ", role, ", which ", architecture_, " does not have."));
}

}  // namespace nibble
