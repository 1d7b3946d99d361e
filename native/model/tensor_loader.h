// Brings stored tensors to where the ops can read them. What can be used as it lies in the file is used straight from the
// map; GGUF blocks, MXFP4, layers quantized while loading, vectors and unaligned scales go to the arena.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/arena.h"
#include "core/cancel.h"
#include "core/mmap.h"
#include "core/thread_pool.h"
#include "model/decoder.h"
#include "model/encode.h"
#include "ops/ops.h"

namespace nibble {

class TensorLoader {
 public:
  explicit TensorLoader(const std::vector<std::string>& files) : files_(files) {}

  // A tensor of this shape as a matrix [rows, cols], quantized while loading when `quantize` is given and the file does not hold it
  // quantized already. `view` is filled by read(); it and the tensor must stay where they are. `n_parts`: into how many runs of rows of
  // one size it will be cut. Throws bad_file for another shape.
  void add_matrix(const TensorSource& tensor, const std::vector<int64_t>& shape, int64_t rows, int64_t cols, Owner owner,
                  const std::optional<QuantizeSpec>& quantize, WeightView* view, int64_t n_parts = 1);
  // A norm or a bias of this shape as fp32, whatever the file holds, plus `offset`. In several pieces: [elements / number] each, in order.
  void add_vector(const std::vector<const TensorSource*>& pieces, const std::vector<int64_t>& shape, float offset, const float** view);

  // Takes room for what is not mapped: once dry, once for real. Opens no file.
  void place(Arena& arena);
  // Opens the files and fills everything. progress: 0 .. 1.
  void read(const OpTable& table, ThreadPool& pool, const std::function<void(double)>& progress, const Cancel& cancel);

  // Bytes of the matrices, codes and scales, as the ops read them, each times what `share` says of its role.
  double matrix_bytes(const std::function<double(const std::string& role)>& share) const;

  // Throws bad_file when a mapped file was damaged since: what was computed from it is wrong.
  void check_files() const;

 private:
  // Where the parts of a tensor go. Null: the part is mapped, or there is none.
  struct Room {
    void* codes = nullptr;
    float* scales = nullptr;
    uint8_t* nested_codes = nullptr;
    float* nested_absmax = nullptr;
    float* nested_map = nullptr;
    float* codebook = nullptr;
  };
  struct Item {
    const TensorSource* tensor;
    Owner owner;
    int64_t rows, cols;
    std::optional<QuantizeSpec> quantize;
    WeightView* matrix = nullptr;
    bool is_unnested = false;  // nested scales that cannot be cut become plain ones
    int32_t part = 0;
    Room room;
  };
  struct Vector {
    std::vector<const TensorSource*> pieces;
    int64_t n;  // of all pieces
    float offset;
    const float** view;
    int32_t part;
    float* room = nullptr;
  };

  static int64_t bytes_of(const Item& item);
  void place_stored(Item& item, Arena& arena);
  void place_quantized(Item& item, Arena& arena);
  void read_stored(const Item& item);
  void read_scales(const Item& item);
  void read_microscaling(const Item& item, ThreadPool& pool, const Cancel& cancel);
  void read_converted(const Item& item, const OpTable& table, ThreadPool& pool, const Cancel& cancel);
  void read_quantized(const Item& item, const OpTable& table, ThreadPool& pool, const Cancel& cancel);
  void read_vector(const Vector& vector, const OpTable& table);
  void read_mapped(ThreadPool& pool, const std::function<void(int64_t bytes)>& on_done, const Cancel& cancel);

  const MappedFile& map_of(int32_t file);
  const InputFile& file_of(int32_t file);
  const uint8_t* mapped(const FileSlice& slice, const std::string& what);
  const float* floats(const FileSlice& slice, float* room, const std::string& what);

  const std::vector<std::string>& files_;
  std::vector<Item> items_;
  std::vector<Vector> vectors_;
  std::vector<std::optional<MappedFile>> maps_;   // opened when first needed; live as long as the views
  std::vector<FileSlice> mapped_;                 // what is used straight from the maps
  std::vector<std::optional<InputFile>> inputs_;  // open while reading
  std::vector<EncodeBuffers> buffers_;            // one per thread while reading
};

}  // namespace nibble
