// The tensors of a model by role. Each must be asked for, and each that is needed must be there.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "model/decoder.h"

namespace nibble {

class Roles {
 public:
  // Throws bad_input when two tensors claim a role or one lies in a file that is not listed. `source` must outlive it.
  explicit Roles(const ModelSource& source);

  bool has(const std::string& role) const { return by_role_.contains(role); }
  // Throws bad_file when there is none.
  const TensorSource& take(const std::string& role);
  // Null when there is none.
  const TensorSource* take_optional(const std::string& role);
  // The tensor of the role, or the pieces <role>.0, <role>.1, … Throws bad_file when there is neither.
  std::vector<const TensorSource*> take_pieces(const std::string& role);

  // Throws bad_input and names a tensor that nobody took.
  void check_all_taken() const;

 private:
  const std::string& architecture_;
  std::unordered_map<std::string, const TensorSource*> by_role_;
};

}  // namespace nibble
