#include "model/tensor_loader.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "core/error.h"
#include "core/text.h"
#include "model/microscaling.h"
#include "model/parts.h"

namespace nibble {

namespace {

constexpr int64_t kNestedBlock = 256;  // scales of one scale, where they are made here

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

bool is_nested(const QuantizeSpec& spec) { return spec.is_nested && spec.format != FormatId::Int8; }

bool is_plain(Encoding e) { return e == Encoding::f32 || e == Encoding::f16 || e == Encoding::bf16; }

// GGUF blocks become fp16 (the type of their own scales); everything else keeps its type.
DType own_type(Encoding e) { return e == Encoding::f32 ? DType::f32 : e == Encoding::bf16 ? DType::bf16 : DType::f16; }
DType arena_type(const TensorSource& tensor) { return tensor.type.value_or(own_type(tensor.encoding)); }

// Plain elements that the ops take as they lie in the file.
bool is_mappable(const TensorSource& tensor) {
  return is_plain(tensor.encoding) && tensor.unpermute_heads == 0 && !tensor.is_transposed && tensor.value_offset == 0 &&
         arena_type(tensor) == own_type(tensor.encoding);
}

FormatId plain_format(DType type) { return type == DType::f32 ? FormatId::Fp32 : type == DType::f16 ? FormatId::Fp16 : FormatId::Bf16; }

// A view without scales.
WeightView plain_view(FormatId format, int64_t rows, int64_t cols, const void* codes) {
  WeightView view;
  view.format = format;
  view.rows = rows;
  view.cols = cols;
  view.codes = codes;
  return view;
}

void check_shape(const TensorSource& tensor, const std::vector<int64_t>& expected) {
  if (tensor.shape == expected) return;
  throw Error(ErrorCode::bad_file,
              text("Tensor ", tensor.name, " has shape ", shape_text(tensor.shape), ", expected ", shape_text(expected), "."));
}

void check_encoding(const TensorSource& tensor) {
  if (tensor.is_quantized || is_plain(tensor.encoding) || is_gguf_block(tensor.encoding)) return;
  throw Error(ErrorCode::bad_file, text("Tensor ", tensor.name, " holds ", encoding_name(tensor.encoding),
                                        " values without the scales that would make them weights."));
}

void check_bytes(const TensorSource& tensor, const char* part, int64_t bytes, int64_t expected) {
  if (bytes == expected) return;
  throw Error(ErrorCode::bad_file, text("The ", part, " of tensor ", tensor.name, " of shape ", shape_text(tensor.shape), " have ", bytes,
                                        " bytes, expected ", expected, "."));
}

// Sizes of the parts of a quantized matrix [rows, cols].
struct Parts {
  int64_t codes, scales, nested_absmax;
};

Parts parts_of(FormatId format, int64_t rows, int64_t cols, int64_t block_size, int64_t nested_block_size) {
  if (format == FormatId::Int8) return {rows * cols, rows, 0};
  const int64_t blocks = divide_up(rows * cols, block_size);
  return {divide_up(rows * cols, 2), blocks, divide_up(blocks, nested_block_size)};
}

void check_quantized(const TensorSource& tensor, const Parts& parts) {
  const QuantizedSource& q = tensor.quantized;
  if (q.is_nested && q.format == FormatId::Int8) {
    throw Error(ErrorCode::bad_file, text("Tensor ", tensor.name, " is int8 with nested scales; there is no such format."));
  }
  if (q.is_microscaling && (q.format != FormatId::Fp4 || q.is_nested || q.codebook.bytes != 0 || q.block_size != kMicroscalingBlock ||
                            tensor.shape.back() % kMicroscalingBlock != 0)) {
    throw Error(ErrorCode::bad_file, text("Tensor ", tensor.name, " of shape ", shape_text(tensor.shape), " is no MXFP4."));
  }
  check_bytes(tensor, "codes", tensor.data.bytes, parts.codes);
  check_bytes(tensor, "scales", q.absmax.bytes, q.is_nested || q.is_microscaling ? parts.scales : parts.scales * 4);
  if (q.is_nested) {
    check_bytes(tensor, "nested scales", q.nested_absmax.bytes, parts.nested_absmax * 4);
    check_bytes(tensor, "nested map", q.nested_map.bytes, 256 * 4);
  }
  if (q.codebook.bytes != 0) check_bytes(tensor, "code book", q.codebook.bytes, 16 * 4);
}

// fp32 values that the ops read must be aligned; a file may hold them anywhere.
float* place_floats(const FileSlice& slice, Arena& arena, Owner owner) {
  const bool is_aligned = slice.offset % static_cast<int64_t>(alignof(float)) == 0;
  if (!is_aligned) return arena.take<float>(owner, slice.bytes / 4);
  arena.note_mapped(owner, slice.bytes);
  return nullptr;
}

}  // namespace

void TensorLoader::add_matrix(const TensorSource& tensor, const std::vector<int64_t>& shape, int64_t rows, int64_t cols, Owner owner,
                              const std::optional<QuantizeSpec>& quantize, WeightView* view, int64_t n_parts) {
  check_shape(tensor, shape);
  check_encoding(tensor);
  const std::optional<QuantizeSpec> spec = tensor.is_quantized ? std::nullopt : tensor.quantize ? tensor.quantize : quantize;
  if (spec) check_quantize_spec(*spec);
  const auto is_cut_inside = [&](int64_t block_size, int64_t nested_block_size) {
    return n_parts > 1 && rows / n_parts * cols / block_size % nested_block_size != 0;
  };
  bool is_unnested = spec && is_nested(*spec) && is_cut_inside(spec->block_size, kNestedBlock);
  if (tensor.is_quantized) {
    const QuantizedSource& q = tensor.quantized;
    check_quantize_spec({q.format, q.block_size, q.is_nested});
    if (q.is_nested && q.nested_block_size < 1) {
      throw Error(ErrorCode::bad_file, text("Tensor ", tensor.name, " has the nested block size ", q.nested_block_size, "."));
    }
    check_quantized(tensor, parts_of(q.format, rows, cols, q.block_size, q.nested_block_size));
    is_unnested = q.is_nested && is_cut_inside(q.block_size, q.nested_block_size);
  } else if (is_mappable(tensor)) {
    check_bytes(tensor, "elements", tensor.data.bytes, stored_bytes(tensor.shape, tensor.encoding, tensor.name));
  }
  items_.push_back({&tensor, owner, rows, cols, spec, view, is_unnested, part_of_role(tensor.role), {}});
}

void TensorLoader::add_vector(const std::vector<const TensorSource*>& pieces, const std::vector<int64_t>& shape, float offset,
                              const float** view) {
  int64_t n = 1;
  for (const int64_t dim : shape) n *= dim;
  const auto count = static_cast<int64_t>(pieces.size());
  for (const TensorSource* piece : pieces) {
    // Checkpoints give the norms of heads as [H, D] or [H*D]: the number of values counts.
    if (n % count != 0 || element_count(piece->shape, piece->name) != n / count) {
      throw Error(ErrorCode::bad_file, text("Tensor ", piece->name, " has shape ", shape_text(piece->shape), ", expected ",
                                            shape_text(shape), count == 1 ? "." : text(" in ", count, " equal pieces.")));
    }
    check_encoding(*piece);
    if (piece->is_quantized) throw Error(ErrorCode::bad_file, text("Tensor ", piece->name, " is quantized; a norm or bias cannot be."));
  }
  vectors_.push_back({pieces, n, offset, view, part_of_role(pieces[0]->role)});
}

void TensorLoader::place(Arena& arena) {
  for (Vector& vector : vectors_) {
    arena.enter(vector.part);
    vector.room = arena.take<float>(Owner::unquantized, vector.n);
  }
  for (Item& item : items_) {
    arena.enter(item.part);
    item.room = {};
    if (item.quantize) {
      place_quantized(item, arena);
    } else if (item.tensor->is_quantized || is_mappable(*item.tensor)) {
      place_stored(item, arena);
    } else {
      const int64_t bytes = static_cast<int64_t>(dtype_size(arena_type(*item.tensor)));
      item.room.codes = arena.take<uint8_t>(item.owner, item.rows * item.cols * bytes);
    }
  }
}

void TensorLoader::place_stored(Item& item, Arena& arena) {
  const TensorSource& tensor = *item.tensor;
  const QuantizedSource& q = tensor.quantized;
  if (q.is_microscaling) {
    item.room.codes = arena.take<uint8_t>(item.owner, tensor.data.bytes);
    item.room.scales = arena.take<float>(Owner::scales, q.absmax.bytes);
    return;
  }
  arena.note_mapped(item.owner, tensor.data.bytes);
  if (!tensor.is_quantized) return;
  if (item.is_unnested) {
    item.room.scales = arena.take<float>(Owner::scales, q.absmax.bytes);
  } else if (q.is_nested) {
    arena.note_mapped(Owner::scales, q.absmax.bytes);
    item.room.nested_absmax = place_floats(q.nested_absmax, arena, Owner::scales);
    item.room.nested_map = place_floats(q.nested_map, arena, Owner::scales);
  } else {
    item.room.scales = place_floats(q.absmax, arena, Owner::scales);
  }
  if (q.codebook.bytes != 0) item.room.codebook = place_floats(q.codebook, arena, Owner::scales);
}

void TensorLoader::place_quantized(Item& item, Arena& arena) {
  const QuantizeSpec& spec = *item.quantize;
  const Parts parts = parts_of(spec.format, item.rows, item.cols, spec.block_size, kNestedBlock);
  item.room.codes = arena.take<uint8_t>(item.owner, parts.codes);
  if (is_nested(spec) && !item.is_unnested) {
    item.room.nested_codes = arena.take<uint8_t>(Owner::scales, parts.scales);
    item.room.nested_absmax = arena.take<float>(Owner::scales, parts.nested_absmax);
  } else {
    item.room.scales = arena.take<float>(Owner::scales, parts.scales);
  }
}

void TensorLoader::read(const OpTable& table, ThreadPool& pool, const std::function<void(double)>& progress, const Cancel& cancel) {
  maps_.resize(files_.size());
  inputs_.resize(files_.size());
  buffers_.resize(static_cast<size_t>(pool.size()));
  mapped_.clear();
  // Converting an element is much more work than reading a byte; the difference only makes the bar uneven.
  const auto work_of = [](const Item& item) { return item.room.codes == nullptr ? item.tensor->data.bytes : item.rows * item.cols; };
  for (const Vector& vector : vectors_) {
    cancel.check();
    read_vector(vector, table);
  }
  int64_t total = 1, done = 0;
  for (const Item& item : items_) total += work_of(item);
  for (const Item& item : items_) {
    cancel.check();
    if (item.quantize) {
      read_quantized(item, table, pool, cancel);
    } else if (item.tensor->quantized.is_microscaling) {
      read_microscaling(item, pool, cancel);
    } else if (item.room.codes != nullptr) {
      read_converted(item, table, pool, cancel);
    } else {
      read_stored(item);
    }
    if (item.room.codes == nullptr) continue;  // read in below
    done += work_of(item);
    progress(static_cast<double>(done) / static_cast<double>(total));
  }
  read_mapped(
      pool, [&](int64_t bytes) { progress(std::min(1.0, static_cast<double>(done += bytes) / static_cast<double>(total))); }, cancel);
  check_files();
  inputs_.clear();
  buffers_.clear();
  progress(1);
}

void TensorLoader::read_stored(const Item& item) {
  const TensorSource& tensor = *item.tensor;
  WeightView& view = *item.matrix;
  if (!tensor.is_quantized) {
    view = plain_view(plain_format(arena_type(tensor)), item.rows, item.cols, mapped(tensor.data, tensor.name));
    return;
  }
  const QuantizedSource& q = tensor.quantized;
  view = plain_view(q.format, item.rows, item.cols, mapped(tensor.data, tensor.name));
  if (q.format != FormatId::Int8) {
    view.block_size = q.block_size;
    view.codebook = q.codebook.bytes == 0 ? codebook(q.format) : floats(q.codebook, item.room.codebook, tensor.name);
  }
  read_scales(item);
}

void TensorLoader::read_scales(const Item& item) {
  const TensorSource& tensor = *item.tensor;
  const QuantizedSource& q = tensor.quantized;
  WeightView& view = *item.matrix;
  if (!q.is_nested) {
    view.scales = floats(q.absmax, item.room.scales, tensor.name);
    return;
  }
  if (!item.is_unnested) {
    view.nested = {.codes = mapped(q.absmax, tensor.name),
                   .absmax = floats(q.nested_absmax, item.room.nested_absmax, tensor.name),
                   .map = floats(q.nested_map, item.room.nested_map, tensor.name),
                   .offset = q.nested_offset,
                   .block_size = q.nested_block_size};
    return;
  }
  std::vector<float> absmax(static_cast<size_t>(q.nested_absmax.bytes / 4)), map(256);
  WeightView nested;
  nested.nested = {.codes = mapped(q.absmax, tensor.name),
                   .absmax = floats(q.nested_absmax, absmax.data(), tensor.name),
                   .map = floats(q.nested_map, map.data(), tensor.name),
                   .offset = q.nested_offset,
                   .block_size = q.nested_block_size};
  for (int64_t block = 0; block < q.absmax.bytes; ++block) item.room.scales[block] = block_scale(nested, block);
  view.scales = item.room.scales;
}

void TensorLoader::read_microscaling(const Item& item, ThreadPool& pool, const Cancel& cancel) {
  const TensorSource& tensor = *item.tensor;
  const uint8_t* stored = mapped(tensor.data, tensor.name);
  auto* codes = static_cast<uint8_t*>(item.room.codes);
  constexpr int64_t kChunk = kEncodeChunk / 2;
  pool.parallel_for(divide_up(tensor.data.bytes, kChunk), [&](int64_t chunk, int) {
    cancel.check();
    const int64_t first = chunk * kChunk;
    swap_nibbles(codes + first, stored + first, std::min(kChunk, tensor.data.bytes - first));
  });
  scales_of_exponents(item.room.scales, mapped(tensor.quantized.absmax, tensor.name), tensor.quantized.absmax.bytes, tensor.name);
  WeightView& view = *item.matrix;
  view = plain_view(FormatId::Fp4, item.rows, item.cols, codes);
  view.scales = item.room.scales;
  view.block_size = kMicroscalingBlock;
  view.codebook = e2m1_codebook();
}

void TensorLoader::read_converted(const Item& item, const OpTable& table, ThreadPool& pool, const Cancel& cancel) {
  const TensorReader reader(file_of(item.tensor->data.file), *item.tensor);
  const auto for_each_chunk = [&](auto&& body) {
    pool.parallel_for(divide_up(reader.size(), kEncodeChunk), [&](int64_t chunk, int worker) {
      cancel.check();
      const int64_t first = chunk * kEncodeChunk;
      body(first, std::min(kEncodeChunk, reader.size() - first), buffers_[static_cast<size_t>(worker)]);
    });
  };
  DType type = arena_type(*item.tensor);
  auto* out = static_cast<uint8_t*>(item.room.codes);
  const int64_t element = static_cast<int64_t>(dtype_size(type));
  std::atomic<bool> fits{true};
  for_each_chunk([&](int64_t first, int64_t n, EncodeBuffers& buffers) {
    if (reader.type() == type) return reader.read(out + first * element, first, n, buffers.raw);
    if (item.tensor->type) {
      std::memcpy(out + first * element, read_as(type, table, reader, first, n, buffers), static_cast<size_t>(n * element));
      return;
    }
    Exec exec;
    const void* decoded = read_as(DType::f32, table, reader, first, n, buffers);
    if (table.convert(exec, out + first * element, type, decoded, DType::f32, n) >= 0) fits = false;
  });
  if (!fits) {  // bf16 has the range of fp32; NaN and infinity are refused here
    type = DType::bf16;
    for_each_chunk([&](int64_t first, int64_t n, EncodeBuffers& buffers) {
      const void* values = read_as(type, table, reader, first, n, buffers);
      std::memcpy(out + first * element, values, static_cast<size_t>(n * element));
    });
  }
  *item.matrix = plain_view(plain_format(type), item.rows, item.cols, out);
}

void TensorLoader::read_quantized(const Item& item, const OpTable& table, ThreadPool& pool, const Cancel& cancel) {
  const TensorReader reader(file_of(item.tensor->data.file), *item.tensor);
  const QuantizeSpec& spec = *item.quantize;
  const DType type = item.tensor->type.value_or(reader.type());
  const Room& room = item.room;
  WeightView& view = *item.matrix;
  view = plain_view(spec.format, item.rows, item.cols, room.codes);
  view.scales = room.scales;
  if (spec.format == FormatId::Int8) {
    const int64_t rows = std::max<int64_t>(1, kEncodeChunk / item.cols);
    pool.parallel_for(divide_up(item.rows, rows), [&](int64_t chunk, int worker) {
      cancel.check();
      const int64_t first = chunk * rows;
      encode_rows(static_cast<int8_t*>(room.codes) + first * item.cols, room.scales + first, type, table, reader, first,
                  std::min(rows, item.rows - first), item.cols, buffers_[static_cast<size_t>(worker)]);
    });
    return;
  }
  const int64_t blocks = divide_up(reader.size(), spec.block_size);
  std::vector<float> plain_scales(room.scales == nullptr ? static_cast<size_t>(blocks) : 0);
  float* scales = room.scales == nullptr ? plain_scales.data() : room.scales;
  pool.parallel_for(divide_up(reader.size(), kEncodeChunk), [&](int64_t chunk, int worker) {
    cancel.check();
    const int64_t first = chunk * kEncodeChunk;
    encode_blocks(static_cast<uint8_t*>(room.codes) + first / 2, scales + first / spec.block_size, spec, type, table, reader, first,
                  std::min(kEncodeChunk, reader.size() - first), buffers_[static_cast<size_t>(worker)]);
  });
  view.block_size = spec.block_size;
  view.codebook = codebook(spec.format);
  if (!spec.is_nested) return;
  std::vector<uint8_t> codes(item.is_unnested ? static_cast<size_t>(blocks) : 0);
  std::vector<float> absmax(item.is_unnested ? static_cast<size_t>(divide_up(blocks, kNestedBlock)) : 0);
  uint8_t* nested_codes = item.is_unnested ? codes.data() : room.nested_codes;
  float* nested_absmax = item.is_unnested ? absmax.data() : room.nested_absmax;
  view.nested = {.codes = nested_codes, .absmax = nested_absmax, .map = dynamic_map_signed()};
  view.nested.offset = nest_scales(nested_codes, nested_absmax, scales, blocks);
  if (!item.is_unnested) return;
  for (int64_t block = 0; block < blocks; ++block) scales[block] = block_scale(view, block);
  view.nested = {};
}

void TensorLoader::read_vector(const Vector& vector, const OpTable& table) {
  float* out = vector.room;
  for (const TensorSource* piece : vector.pieces) {
    const TensorReader reader(file_of(piece->data.file), *piece);
    const DType type = piece->type.value_or(DType::f32);
    const void* values = read_as(type, table, reader, 0, reader.size(), buffers_[0]);
    if (type == DType::f32) {
      std::memcpy(out, values, static_cast<size_t>(reader.size()) * sizeof(float));
    } else {
      Exec exec;
      table.convert(exec, out, DType::f32, values, type, reader.size());
    }
    out += reader.size();
  }
  if (vector.offset != 0) {
    for (int64_t i = 0; i < vector.n; ++i) vector.room[i] += vector.offset;
  }
  *vector.view = vector.room;
}

// All of it is needed: what is in memory then is what the plan says, and the first token does not wait for the disk.
void TensorLoader::read_mapped(ThreadPool& pool, const std::function<void(int64_t bytes)>& on_done, const Cancel& cancel) {
  constexpr int64_t kStep = int64_t{4} << 20;
  for (const FileSlice& slice : mapped_) {
    const MappedFile& map = map_of(slice.file);
    pool.parallel_for(divide_up(slice.bytes, kStep), [&](int64_t step, int) {
      cancel.check();
      map.read_in(slice.offset + step * kStep, std::min(kStep, slice.bytes - step * kStep));
    });
    on_done(slice.bytes);
  }
}

const MappedFile& TensorLoader::map_of(int32_t file) {
  auto& map = maps_[static_cast<size_t>(file)];
  if (!map) map.emplace(files_[static_cast<size_t>(file)]);
  return *map;
}

void TensorLoader::check_files() const {
  for (const auto& map : maps_) {
    if (map) map->check_whole();
  }
}

const InputFile& TensorLoader::file_of(int32_t file) {
  auto& input = inputs_[static_cast<size_t>(file)];
  if (!input) input.emplace(files_[static_cast<size_t>(file)]);
  return *input;
}

const uint8_t* TensorLoader::mapped(const FileSlice& slice, const std::string& what) {
  const MappedFile& map = map_of(slice.file);
  check_range(slice.offset, slice.bytes, map.size(), text(files_[static_cast<size_t>(slice.file)], ": tensor ", what));
  mapped_.push_back(slice);
  return map.data() + slice.offset;
}

const float* TensorLoader::floats(const FileSlice& slice, float* room, const std::string& what) {
  const uint8_t* bytes = mapped(slice, what);
  if (room == nullptr) return reinterpret_cast<const float*>(bytes);
  std::memcpy(room, bytes, static_cast<size_t>(slice.bytes));
  return room;
}

double TensorLoader::matrix_bytes(const std::function<double(const std::string& role)>& share) const {
  double bytes = 0;
  for (const Item& item : items_) bytes += share(item.tensor->role) * static_cast<double>(bytes_of(item));
  return bytes;
}

int64_t TensorLoader::bytes_of(const Item& item) {
  const TensorSource& tensor = *item.tensor;
  if (!item.quantize && !tensor.is_quantized) return item.rows * item.cols * static_cast<int64_t>(dtype_size(arena_type(tensor)));
  const QuantizedSource& q = tensor.quantized;
  const QuantizeSpec spec = item.quantize ? *item.quantize : QuantizeSpec{q.format, q.block_size, q.is_nested};
  const Parts parts = parts_of(spec.format, item.rows, item.cols, spec.block_size, item.quantize ? kNestedBlock : q.nested_block_size);
  return parts.codes + (is_nested(spec) && !item.is_unnested ? parts.scales + parts.nested_absmax * 4 : parts.scales * 4);
}

}  // namespace nibble
