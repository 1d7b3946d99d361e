// One block of memory handed out in pieces. Without a block it only counts: the plan of a model is the same code run dry.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace nibble {

// What memory is for, as the plan shows it.
enum class Owner : uint8_t {
  weights,      // linear layers of the decoder's blocks, in whatever format
  scales,       // their block or row scales, code books and maps
  unquantized,  // embedding, head, norms, biases
  kv,
  activations,
  logits,
  scratch,  // working memory of the ops
  lora,     // adapter weights in training
  gradients,
  optimizer,
};
inline constexpr int kOwners = 10;

// Bytes by owner. `mapped` is the part that lies in mapped files and is not allocated.
struct MemoryPlan {
  std::array<uint64_t, kOwners> bytes{};
  uint64_t mapped = 0;

  uint64_t operator[](Owner owner) const { return bytes[static_cast<size_t>(owner)]; }
  uint64_t& operator[](Owner owner) { return bytes[static_cast<size_t>(owner)]; }
  uint64_t total() const {
    uint64_t sum = 0;
    for (const uint64_t part : bytes) sum += part;
    return sum;
  }
  MemoryPlan& operator+=(const MemoryPlan& other) {
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] += other.bytes[i];
    mapped += other.mapped;
    return *this;
  }
};

class Arena {
 public:
  static constexpr uint64_t kAlignment = 64;

  // base: null for a dry run, else 64-byte aligned memory of the size() that the dry run told.
  explicit Arena(void* base = nullptr) : base_(static_cast<std::byte*>(base)) {}

  // Room for n elements, 64-byte aligned; null in a dry run. Throws out_of_memory where the sum would wrap around: sizes come
  // from files.
  template <class T>
  T* take(Owner owner, int64_t n) {
    const uint64_t bytes = (checked(n, sizeof(T)) + kAlignment - 1) / kAlignment * kAlignment;
    std::byte* piece = base_ == nullptr ? nullptr : base_ + size_;
    count(owner, bytes);
    size_ += bytes;
    return reinterpret_cast<T*>(piece);
  }

  // Counts bytes that stay in a mapped file.
  void note_mapped(Owner owner, int64_t bytes) {
    count(owner, checked(bytes, 1));
    plan_.mapped += static_cast<uint64_t>(bytes);
    parts_[part_].mapped += static_cast<uint64_t>(bytes);
  }

  // What is counted from now on belongs to this part of the model (model/parts.h), beside its owner.
  void enter(int32_t part) {
    part_ = static_cast<size_t>(part);
    if (parts_.size() <= part_) parts_.resize(part_ + 1);
  }

  bool is_dry() const { return base_ == nullptr; }
  uint64_t size() const { return size_; }
  const MemoryPlan& plan() const { return plan_; }
  // By part, of those entered; what was counted before the first is in part 0.
  const std::vector<MemoryPlan>& parts() const { return parts_; }

 private:
  static constexpr uint64_t kMost = uint64_t{1} << 62;  // more than any machine can address

  static uint64_t checked(int64_t n, uint64_t element_bytes) {
    if (n >= 0 && static_cast<uint64_t>(n) <= kMost / element_bytes) return static_cast<uint64_t>(n) * element_bytes;
    throw Error(ErrorCode::out_of_memory, text("The model asks for ", n, " times ", element_bytes, " bytes; no machine has that."));
  }

  void count(Owner owner, uint64_t bytes) {
    if (bytes > kMost - total_) {
      throw Error(ErrorCode::out_of_memory, text("The model needs more than ", bytes_text(total_), "; no machine has that."));
    }
    total_ += bytes;
    plan_[owner] += bytes;
    parts_[part_][owner] += bytes;
  }

  std::byte* base_;
  uint64_t size_ = 0;
  uint64_t total_ = 0;
  MemoryPlan plan_;
  std::vector<MemoryPlan> parts_{1};
  size_t part_ = 0;
};

}  // namespace nibble
