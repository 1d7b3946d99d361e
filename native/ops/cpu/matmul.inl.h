// y = x W^T + bias. Few rows of x: each weight row is read once from memory and multiplied in registers. Many rows: a strip of
// weight rows is decoded once into a panel in the cache, then used by all rows of x. docs/decisions/002 has the figures.
// Included by isa_<set>.cc only.
#pragma once

#include "core/dtype.h"
#include "ops/cpu/decode.inl.h"
#include "ops/parallel.h"

namespace nibble::cpu {

// A set with products of bf16 pairs uses them when bf16 is asked for; the others multiply in fp32, which is never less exact.
template <class V>
inline constexpr bool kHasPairs = requires { sizeof(typename V::Pairs); };

inline constexpr int64_t kFewRows = 6;  // up to so many rows of x the weights are multiplied straight from memory
template <class V>
inline constexpr int kPanelRows = 2 * V::kWidth;

template <class V>
inline int64_t padded_cols(int64_t k) {
  return (k + 63) / 64 * 64;
}
// Room for one worker: panel, one decoded row, scales.
template <class V>
inline size_t worker_scratch(int64_t k) {
  return static_cast<size_t>(padded_cols<V>(k)) * 4 * (static_cast<size_t>(kPanelRows<V>) + 2) + 256;
}
template <class V>
size_t matmul_scratch(const Exec& exec, int64_t m, int64_t k, Compute) {
  return static_cast<size_t>(m) * static_cast<size_t>(padded_cols<V>(k)) * 6 +
         static_cast<size_t>(worker_count(exec)) * worker_scratch<V>(k) + 256;
}

// ---- few rows of x --------------------------------------------------------------------------------------------------------

// 4-bit rows. x is split: even elements [cols/2], then odd ones, fp32 or bf16.
template <class V, int R>
inline void dot_nibbles_f32(const WeightView& w, int64_t row, const float* const* scales, const float* x, float* out) {
  const int64_t cols = w.cols, bytes_per_row = cols / 2;
  const uint8_t* bytes = static_cast<const uint8_t*>(w.codes) + row * bytes_per_row;
  const auto table = V::table(w.codebook);
  typename V::F sums[R];
  for (int r = 0; r < R; ++r) sums[r] = V::zero();
  for (int64_t block = 0, j = 0; j < bytes_per_row; ++block) {
    typename V::F partial[R];
    for (int r = 0; r < R; ++r) partial[r] = V::zero();
    for (const int64_t end = j + w.block_size / 2; j < end; j += V::kWidth) {
      const auto even = V::load(x + j), odd = V::load(x + bytes_per_row + j);
      for (int r = 0; r < R; ++r) {
        const auto b = V::load_bytes(bytes + r * bytes_per_row + j);
        partial[r] = V::fma(V::lookup_high(table, b), even, partial[r]);
        partial[r] = V::fma(V::lookup_low(table, b), odd, partial[r]);
      }
    }
    for (int r = 0; r < R; ++r) sums[r] = V::fma(partial[r], V::set1(scales[r][block]), sums[r]);
  }
  for (int r = 0; r < R; ++r) out[r] = V::sum(sums[r]);
}

template <class V, int R>
inline void dot_nibbles_bf16(const WeightView& w, int64_t row, const float* const* scales, const uint16_t* x, float* out,
                             typename V::PairTable table) {
  constexpr int64_t kAhead = 4608;  // bytes; without the prefetch half the speed (measured in prototypes/cpu, Zen 5)
  const int64_t cols = w.cols, bytes_per_row = cols / 2;
  const uint8_t* bytes = static_cast<const uint8_t*>(w.codes) + row * bytes_per_row;
  typename V::F sums[R];
  for (int r = 0; r < R; ++r) sums[r] = V::zero();
  for (int64_t block = 0, j = 0; j < bytes_per_row; ++block) {
    typename V::F partial[R];
    for (int r = 0; r < R; ++r) partial[r] = V::zero();
    for (const int64_t end = j + w.block_size / 2; j < end; j += 32) {
      const auto even = V::load_pairs(x + j), odd = V::load_pairs(x + bytes_per_row + j);
      for (int r = 0; r < R; ++r) {
        const auto b = V::widen_bytes(bytes + r * bytes_per_row + j);
        partial[r] = V::dot_pairs(partial[r], V::pairs_high(table, b), even);
        partial[r] = V::dot_pairs(partial[r], V::pairs_low(table, b), odd);
      }
      if ((j & 32) == 0) {
        for (int r = 0; r < R; ++r) V::prefetch(bytes + r * bytes_per_row + j + kAhead);
      }
    }
    for (int r = 0; r < R; ++r) sums[r] = V::fma(partial[r], V::set1(scales[r][block]), sums[r]);
  }
  for (int r = 0; r < R; ++r) out[r] = V::sum(sums[r]);
}

// Plain and int8 rows: codes times fp32 x in natural order, row scale at the end.
template <class V, class Format, int R>
inline void dot_rows_f32(const WeightView& w, int64_t row, const float* x, float* out) {
  const int64_t cols = w.cols;
  typename V::F sums[R][2];
  for (int r = 0; r < R; ++r) sums[r][0] = sums[r][1] = V::zero();
  int64_t k = 0;
  for (; k + 2 * V::kWidth <= cols; k += 2 * V::kWidth) {
    const auto x0 = V::load(x + k), x1 = V::load(x + k + V::kWidth);
    for (int r = 0; r < R; ++r) {
      sums[r][0] = V::fma(load_codes<V, Format>(w.codes, (row + r) * cols + k), x0, sums[r][0]);
      sums[r][1] = V::fma(load_codes<V, Format>(w.codes, (row + r) * cols + k + V::kWidth), x1, sums[r][1]);
    }
  }
  for (; k + V::kWidth <= cols; k += V::kWidth) {
    const auto x0 = V::load(x + k);
    for (int r = 0; r < R; ++r) sums[r][0] = V::fma(load_codes<V, Format>(w.codes, (row + r) * cols + k), x0, sums[r][0]);
  }
  for (int r = 0; r < R; ++r) out[r] = V::sum(V::add(sums[r][0], sums[r][1])) * row_scale<V, Format>(w, row + r);
}

// bf16 rows times bf16 x.
template <class V, int R>
inline void dot_rows_bf16(const WeightView& w, int64_t row, const uint16_t* x, float* out) {
  constexpr int64_t kAhead = 4608;
  const int64_t cols = w.cols;
  const char* codes = static_cast<const char*>(w.codes) + row * cols * 2;
  typename V::F sums[R];
  for (int r = 0; r < R; ++r) sums[r] = V::zero();
  for (int64_t k = 0; k < cols; k += 2 * V::kWidth) {
    const auto x0 = V::load_pairs(x + k);
    for (int r = 0; r < R; ++r) {
      sums[r] = V::dot_pairs(sums[r], V::load_pairs(codes + (r * cols + k) * 2), x0);
      V::prefetch(codes + (r * cols + k) * 2 + kAhead);
    }
  }
  for (int r = 0; r < R; ++r) out[r] = V::sum(sums[r]);
}

template <class V>
struct FewRows {
  static constexpr int kRows = 4;  // weight rows at a time

  const MatmulArgs& args;
  const float* x_floats;      // [m][padded]: natural or split order
  const uint16_t* x_halves;   // the same in bf16, or null
  float* worker_room;         // scales of kRows rows
  int64_t stride;

  template <class Format, int R>
  void rows(const WeightView& w, int64_t row, int64_t m, const float* const* scales, float* out) const {
    const float* x = x_floats + m * stride;
    if constexpr (kIsFourBit<Format>) {
      if constexpr (kHasPairs<V>) {
        if (x_halves != nullptr && w.block_size % 64 == 0) {
          uint16_t book[16];
          plain::round_codebook(book, w.codebook);
          return dot_nibbles_bf16<V, R>(w, row, scales, x_halves + m * stride, out, V::pair_table(book));
        }
      }
      dot_nibbles_f32<V, R>(w, row, scales, x, out);
    } else {
      if constexpr (kHasPairs<V> && Format::kId == FormatId::Bf16) {
        if (x_halves != nullptr && w.cols % (2 * V::kWidth) == 0) return dot_rows_bf16<V, R>(w, row, x_halves + m * stride, out);
      }
      dot_rows_f32<V, Format, R>(w, row, x, out);
    }
  }

  template <class Format, int R>
  void group(const MatmulOutput& output, int64_t row) const {
    const WeightView& w = *output.weight;
    const float* scales[R];
    if constexpr (kIsFourBit<Format>) {
      for (int r = 0; r < R; ++r) scales[r] = row_scales<V>(w, row + r, worker_room + r * (w.cols / w.block_size));
    }
    for (int64_t m = 0; m < args.m; ++m) {
      float sums[R];
      rows<Format, R>(w, row, m, scales, sums);
      for (int r = 0; r < R; ++r) output.y[m * w.rows + row + r] = sums[r] + (output.bias != nullptr ? output.bias[row + r] : 0.0f);
    }
  }
};

// Rows that the fast loops do not take (short, or blocks across row ends): decoded, then multiplied.
template <class V, class Format>
inline void decoded_row(const MatmulArgs& args, const MatmulOutput& output, int64_t row, float* floats, float* buffer) {
  const WeightView& w = *output.weight;
  decode_row<V, Format>(floats, w, row, buffer);
  for (int64_t m = 0; m < args.m; ++m) {
    const float* x = args.x + m * args.k;
    auto sums = V::zero();
    int64_t k = 0;
    for (; k + V::kWidth <= args.k; k += V::kWidth) sums = V::fma(V::load(floats + k), V::load(x + k), sums);
    float sum = V::sum(sums);
    for (; k < args.k; ++k) sum += floats[k] * x[k];
    output.y[m * w.rows + row] = sum + (output.bias != nullptr ? output.bias[row] : 0.0f);
  }
}

template <class V, class Format>
inline bool takes_few_rows(const WeightView& w) {
  if constexpr (kIsFourBit<Format>) return has_whole_blocks<V>(w);
  return w.cols % V::kWidth == 0;
}

// ---- many rows of x -------------------------------------------------------------------------------------------------------

// y [MR, 2 vectors] = x [MR, k] * panel [k, 2 vectors]; the sums stay in registers.
template <class V, int MR>
inline void micro_f32(const float* panel, const float* x, int64_t x_stride, int64_t k, float* out) {
  typename V::F sums[MR][2];
  for (int m = 0; m < MR; ++m) sums[m][0] = sums[m][1] = V::zero();
  for (int64_t i = 0; i < k; ++i) {
    const auto w0 = V::load(panel + i * kPanelRows<V>), w1 = V::load(panel + i * kPanelRows<V> + V::kWidth);
    for (int m = 0; m < MR; ++m) {
      const auto b = V::set1(x[m * x_stride + i]);
      sums[m][0] = V::fma(w0, b, sums[m][0]);
      sums[m][1] = V::fma(w1, b, sums[m][1]);
    }
  }
  for (int m = 0; m < MR; ++m) {
    V::store(out + m * kPanelRows<V>, sums[m][0]);
    V::store(out + m * kPanelRows<V> + V::kWidth, sums[m][1]);
  }
}

// The same over bf16 pairs: panel [k/2, 2 vectors of pairs], x bf16.
template <class V, int MR>
inline void micro_bf16(const uint32_t* panel, const uint16_t* x, int64_t x_stride, int64_t n_pairs, float* out) {
  typename V::F sums[MR][2];
  for (int m = 0; m < MR; ++m) sums[m][0] = sums[m][1] = V::zero();
  for (int64_t i = 0; i < n_pairs; ++i) {
    const auto w0 = V::load_pairs(panel + i * kPanelRows<V>), w1 = V::load_pairs(panel + i * kPanelRows<V> + V::kWidth);
    for (int m = 0; m < MR; ++m) {
      const auto b = V::broadcast_pair(x + m * x_stride + 2 * i);
      sums[m][0] = V::dot_pairs(sums[m][0], w0, b);
      sums[m][1] = V::dot_pairs(sums[m][1], w1, b);
    }
  }
  for (int m = 0; m < MR; ++m) {
    V::store(out + m * kPanelRows<V>, sums[m][0]);
    V::store(out + m * kPanelRows<V> + V::kWidth, sums[m][1]);
  }
}

// Multiplies one panel with all rows of x; `micro(rows)` is called with 12 (or the set's number), 4 and 1 rows.
template <class V, class Micro>
inline void use_panel(const MatmulArgs& args, const MatmulOutput& output, int64_t row, int64_t n_rows, Micro&& micro) {
  const int64_t n = output.weight->rows;
  float sums[V::kMicroRows * kPanelRows<V>];
  const auto write = [&](int64_t m, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      float* y = output.y + (m + i) * n + row;
      const float* s = sums + i * kPanelRows<V>;
      if (output.bias == nullptr) {
        for (int64_t r = 0; r < n_rows; ++r) y[r] = s[r];
      } else {
        for (int64_t r = 0; r < n_rows; ++r) y[r] = s[r] + output.bias[row + r];
      }
    }
  };
  int64_t m = 0;
  for (; m + V::kMicroRows <= args.m; m += V::kMicroRows) {
    micro.template operator()<V::kMicroRows>(m, sums);
    write(m, V::kMicroRows);
  }
  for (; m + 4 <= args.m; m += 4) {
    micro.template operator()<4>(m, sums);
    write(m, 4);
  }
  for (; m < args.m; ++m) {
    micro.template operator()<1>(m, sums);
    write(m, 1);
  }
}

template <class V, class Format>
inline void panel_f32(const MatmulArgs& args, const MatmulOutput& output, int64_t row, int64_t n_rows, float* room) {
  const int64_t k = args.k;
  float* panel = room;
  float* floats = panel + padded_cols<V>(k) * kPanelRows<V>;
  float* buffer = floats + padded_cols<V>(k);
  for (int64_t r = 0; r < kPanelRows<V>; ++r) {
    if (r < n_rows) decode_row<V, Format>(floats, *output.weight, row + r, buffer);
    for (int64_t i = 0; i < k; ++i) panel[i * kPanelRows<V> + r] = r < n_rows ? floats[i] : 0.0f;
  }
  use_panel<V>(args, output, row, n_rows, [&]<int MR>(int64_t m, float* sums) {
    micro_f32<V, MR>(panel, args.x + m * k, k, k, sums);
  });
}

template <class V, class Format>
inline void panel_bf16(const MatmulArgs& args, const MatmulOutput& output, int64_t row, int64_t n_rows, const uint16_t* x, int64_t stride,
                       float* room) {
  const int64_t n_pairs = (args.k + 1) / 2;
  uint32_t* panel = reinterpret_cast<uint32_t*>(room);
  uint32_t* pairs = panel + padded_cols<V>(args.k) / 2 * kPanelRows<V>;
  float* floats = reinterpret_cast<float*>(pairs + padded_cols<V>(args.k));
  float* buffer = floats + padded_cols<V>(args.k);
  for (int64_t r = 0; r < kPanelRows<V>; ++r) {
    if (r < n_rows) decode_pairs<V, Format>(pairs, *output.weight, row + r, floats, buffer);
    for (int64_t i = 0; i < n_pairs; ++i) panel[i * kPanelRows<V> + r] = r < n_rows ? pairs[i] : 0u;
  }
  use_panel<V>(args, output, row, n_rows, [&]<int MR>(int64_t m, float* sums) {
    micro_bf16<V, MR>(panel, x + m * stride, stride, n_pairs, sums);
  });
}

// ---- the op ---------------------------------------------------------------------------------------------------------------

// x as the kernels want it: split into even and odd elements for 4-bit rows, and/or in bf16, padded with zeros.
template <class V>
inline void prepare_x(const MatmulArgs& args, int64_t m, bool is_split, float* floats, uint16_t* halves, int64_t stride) {
  const float* x = args.x + m * args.k;
  const int64_t k = args.k;
  if (is_split) {
    for (int64_t i = 0; i < k / 2; ++i) {
      floats[i] = x[2 * i];
      floats[k / 2 + i] = x[2 * i + 1];
    }
  } else {
    for (int64_t i = 0; i < k; ++i) floats[i] = x[i];
  }
  for (int64_t i = k; i < stride; ++i) floats[i] = 0;
  if (halves == nullptr) return;
  for (int64_t i = 0; i < stride; i += V::kWidth) V::store_bf16(halves + i, V::load(floats + i));
}

template <class V, class Format>
void matmul(Exec& exec, const MatmulArgs& args) {
  const int64_t stride = padded_cols<V>(args.k);
  const bool is_few = args.m <= kFewRows;
  const bool is_bf16 = kHasPairs<V> && args.compute == Compute::bf16;
  float* floats = static_cast<float*>(exec.scratch);
  // Scratch: room for each worker, then x in fp32 and in bf16.
  const auto worker_room = [&](int worker) {
    return reinterpret_cast<float*>(reinterpret_cast<char*>(floats) + static_cast<size_t>(worker) * worker_scratch<V>(args.k));
  };
  float* x_floats = worker_room(worker_count(exec));
  uint16_t* x_halves = nullptr;
  const bool is_split = kIsFourBit<Format> && is_few && args.k % 2 == 0;
  if (is_few) {
    if (is_bf16) x_halves = reinterpret_cast<uint16_t*>(x_floats + args.m * stride);
    for (int64_t m = 0; m < args.m; ++m) {
      prepare_x<V>(args, m, is_split, x_floats + m * stride, x_halves != nullptr ? x_halves + m * stride : nullptr, stride);
    }
  } else if (is_bf16) {
    x_halves = reinterpret_cast<uint16_t*>(x_floats);
    parallel_ranges(exec, args.m, 16, [&](int64_t begin, int64_t end, int worker) {
      float* row = worker_room(worker);
      for (int64_t m = begin; m < end; ++m) prepare_x<V>(args, m, false, row, x_halves + m * stride, stride);
    });
  }

  // One list of chunks over all outputs: about 32 KiB of codes each for few rows, one panel for many.
  const int64_t row_bytes = kIsFourBit<Format> ? (args.k + 1) / 2 : args.k * (Format::kId == FormatId::Int8 ? 1 : Format::kId == FormatId::Fp32 ? 4 : 2);
  int64_t grain = kPanelRows<V>;
  if (is_few) grain = (32768 / (row_bytes + 1) + 4) / 4 * 4;
  int64_t first_chunk[kMaxMatmulOutputs + 1] = {0};
  for (int o = 0; o < args.n_outputs; ++o) first_chunk[o + 1] = first_chunk[o] + (args.outputs[o].weight->rows + grain - 1) / grain;

  parallel_ranges(exec, first_chunk[args.n_outputs], 1, [&](int64_t begin, int64_t end, int worker) {
    float* room = worker_room(worker);
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      int o = 0;
      while (chunk >= first_chunk[o + 1]) ++o;
      const MatmulOutput& output = args.outputs[o];
      int64_t row = (chunk - first_chunk[o]) * grain;
      const int64_t last = row + grain < output.weight->rows ? row + grain : output.weight->rows;
      if (!is_few) {
        if constexpr (kHasPairs<V>) {
          if (is_bf16) {
            panel_bf16<V, Format>(args, output, row, last - row, x_halves, stride, room);
            continue;
          }
        }
        panel_f32<V, Format>(args, output, row, last - row, room);
      } else if (takes_few_rows<V, Format>(*output.weight)) {
        const FewRows<V> few{args, x_floats, x_halves, room, stride};
        for (; row + FewRows<V>::kRows <= last; row += FewRows<V>::kRows) few.template group<Format, FewRows<V>::kRows>(output, row);
        for (; row < last; ++row) few.template group<Format, 1>(output, row);
      } else {
        for (; row < last; ++row) decoded_row<V, Format>(args, output, row, room, room + stride);
      }
    }
  });
}

template <class V, class Format>
void embed(Exec&, float* out, const WeightView& table, const int32_t* ids, int64_t n_tokens) {
  for (int64_t t = 0; t < n_tokens; ++t) plain::decode_row(out + t * table.cols, table, ids[t]);
}

template <class V, class Format>
void dequantize(Exec& exec, float* out, const WeightView& w, int64_t first_row, int64_t n_rows) {
  parallel_ranges(exec, n_rows, 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) plain::decode_row(out + r * w.cols, w, first_row + r);
  });
}

}  // namespace nibble::cpu
