// Few rows of x: each weight row is read once, straight from memory, and multiplied in registers, four rows at a time so that
// every piece of x serves four times. Included by isa_<set>.cc only.
#pragma once

#include "core/dtype.h"
#include "ops/cpu/decode.inl.h"
#include "ops/ops.h"

namespace nibble::cpu {

// A set with products of bf16 pairs uses them when bf16 is asked for; the others multiply in fp32, which is never less exact.
template <class V>
inline constexpr bool kHasPairs = requires {
  sizeof(typename V::Pairs);
};

inline constexpr int64_t kRowsAtATime = 4;

// The rows of a group follow each other, or lie a quarter of the chunk apart where that is far enough (kStream_min): each is then the
// head of a stream that runs through memory without a gap and that the processor fetches ahead by itself. Measured on Zen 4, one core, a
// head of 57 MB in bf16: 29 GB/s in four streams, 18 to 26 from rows that follow each other.
inline constexpr int64_t kStream_min = 8192;  // bytes

template <bool kIsFar>
struct RowGroup {
  int64_t row;
  int64_t distance;
  int64_t operator[](int r) const { return row + r * distance; }
};

// Fetches what R rows that are now read at byte `at` will read soon, once for each 64 bytes. Rows that follow each other: in the order of
// addresses, since fetching in the order of use (row by row, a line of each) hides the stream from the processor. Far apart: only 4-bit
// codes, which take so long to multiply that the processor does not look far enough ahead; others get slower by it (25 GB/s).
template <class V, int R, bool kIsFar, bool kIsSlow>
inline void fetch_ahead(const void* codes, int64_t next_row, int64_t at) {
  if constexpr (requires { V::prefetch(codes); } && (kIsSlow || !kIsFar)) {
    const char* p = static_cast<const char*>(codes);
    for (int r = 0; r < R; ++r) V::prefetch(kIsFar ? p + r * next_row + at + 1024 : p + R * at + r * 64 + 4608);
  }
}

// out [R] = the sum of each vector.
template <class V, int R>
inline void sum_each(const typename V::F* sums, float* out) {
  if constexpr (R == 4 && requires { V::sum4(sums, out); }) {
    V::sum4(sums, out);
  } else {
    for (int r = 0; r < R; ++r) out[r] = V::sum(sums[r]);
  }
}

// 4-bit rows. x is split: even elements [cols/2], then odd ones. scales: those of the first row.
template <class V, int R, bool kIsFar>
inline void dot_nibbles_f32(const WeightView& w, RowGroup<kIsFar> rows, const float* scales, const float* x, float* out) {
  const int64_t bytes_per_row = w.cols / 2, n_blocks = w.cols / w.block_size;
  const int64_t next_row = rows.distance * bytes_per_row, next_scales = rows.distance * n_blocks;
  const uint8_t* bytes = static_cast<const uint8_t*>(w.codes) + rows.row * bytes_per_row;
  const auto table = V::table(w.codebook);
  typename V::F sums[R];
  for (int r = 0; r < R; ++r) sums[r] = V::zero();
  for (int64_t block = 0, j = 0; j < bytes_per_row; ++block) {
    typename V::F partial[R];
    for (int r = 0; r < R; ++r) partial[r] = V::zero();
    for (const int64_t end = j + w.block_size / 2; j < end; j += V::kWidth) {
      const auto even = V::load(x + j), odd = V::load(x + bytes_per_row + j);
      for (int r = 0; r < R; ++r) {
        const auto b = V::load_bytes(bytes + r * next_row + j);
        partial[r] = V::fma(V::lookup_high(table, b), even, partial[r]);
        partial[r] = V::fma(V::lookup_low(table, b), odd, partial[r]);
      }
      if (j % 64 < V::kWidth) fetch_ahead<V, R, kIsFar, true>(bytes, next_row, j);
    }
    for (int r = 0; r < R; ++r) sums[r] = V::fma(partial[r], V::set1(scales[r * next_scales + block]), sums[r]);
  }
  sum_each<V, R>(sums, out);
}

// kIsOneStep: the block size is 64, one step of the inner loop, as nearly all files have it; a fifth faster without that loop.
template <class V, int R, bool kIsFar, bool kIsOneStep>
inline void dot_nibbles_bf16(const WeightView& w, RowGroup<kIsFar> rows, const float* scales, const uint16_t* x, float* out,
                             typename V::PairTable table) {
  constexpr int64_t kStep = 32;  // bytes
  const int64_t bytes_per_row = w.cols / 2, block_bytes = kIsOneStep ? kStep : w.block_size / 2;
  const int64_t next_row = rows.distance * bytes_per_row, next_scales = next_row / block_bytes;
  const uint8_t* bytes = static_cast<const uint8_t*>(w.codes) + rows.row * bytes_per_row;
  const uint16_t* x_odd = x + bytes_per_row;
  typename V::F sums[R];
  for (int r = 0; r < R; ++r) sums[r] = V::zero();
  for (int64_t j = 0; j < bytes_per_row; ++scales) {
    typename V::F partial[R];
    for (int r = 0; r < R; ++r) partial[r] = V::zero();
    const int64_t end = j + block_bytes;
    do {
      const auto even = V::load_pairs(x + j), odd = V::load_pairs(x_odd + j);
      for (int r = 0; r < R; ++r) {
        const auto b = V::widen_bytes(bytes + r * next_row + j);
        partial[r] = V::dot_pairs(partial[r], V::pairs_high(table, b), even);
        partial[r] = V::dot_pairs(partial[r], V::pairs_low(table, b), odd);
      }
      if (j % 64 == 0) fetch_ahead<V, R, kIsFar, true>(bytes, next_row, j);
      j += kStep;
    } while (!kIsOneStep && j < end);
    for (int r = 0; r < R; ++r) sums[r] = V::fma(partial[r], V::set1(scales[r * next_scales]), sums[r]);
  }
  sum_each<V, R>(sums, out);
}

// Plain and int8 rows: codes times fp32 x in natural order, row scale at the end.
template <class V, class Format, int R, bool kIsFar>
inline void dot_rows_f32(const WeightView& w, RowGroup<kIsFar> rows, const float* x, float* out) {
  const int64_t cols = w.cols, next_row = rows.distance * cols;
  const char* codes = static_cast<const char*>(w.codes) + rows.row * cols * kCodeBytes<Format>;
  typename V::F sums[R];
  for (int r = 0; r < R; ++r) sums[r] = V::zero();
  for (int64_t k = 0; k < cols; k += V::kWidth) {
    const auto x_k = V::load(x + k);
    for (int r = 0; r < R; ++r) sums[r] = V::fma(load_codes<V, Format>(codes, r * next_row + k), x_k, sums[r]);
    constexpr int64_t kBytes = kCodeBytes<Format>;
    if (k * kBytes % 64 < V::kWidth * kBytes) fetch_ahead<V, R, kIsFar, false>(codes, next_row * kBytes, k * kBytes);
  }
  sum_each<V, R>(sums, out);
  for (int r = 0; r < R; ++r) out[r] *= row_scale<V, Format>(w, rows[r]);
}

// bf16 rows times bf16 x.
template <class V, int R, bool kIsFar>
inline void dot_rows_bf16(const WeightView& w, RowGroup<kIsFar> rows, const uint16_t* x, float* out) {
  const int64_t cols = w.cols, next_row = rows.distance * cols;
  const char* codes = static_cast<const char*>(w.codes) + rows.row * cols * 2;
  typename V::F sums[R];
  for (int r = 0; r < R; ++r) sums[r] = V::zero();
  for (int64_t k = 0; k < cols; k += 2 * V::kWidth) {
    const auto x_k = V::load_pairs(x + k);
    for (int r = 0; r < R; ++r) sums[r] = V::dot_pairs(sums[r], V::load_pairs(codes + (r * next_row + k) * 2), x_k);
    fetch_ahead<V, R, kIsFar, false>(codes, next_row * 2, k * 2);
  }
  sum_each<V, R>(sums, out);
}

// x [m, cols] as the rows want it: split into even and odd elements for 4-bit rows.
struct PreparedX {
  const float* floats;     // [m][stride]
  const uint16_t* halves;  // the same in bf16, or null
  int64_t stride;
};

template <class V, class Format>
struct MatVec {
  const MatmulArgs& args;
  const PreparedX& x;
  const MatmulOutput& output;
  const float* scales = nullptr;  // of the rows from first_row on; 4-bit formats
  int64_t first_row = 0;
  const uint16_t* book = nullptr;  // the code book in bf16, where pairs are multiplied

  template <int R, bool kIsFar>
  void dot(RowGroup<kIsFar> rows, int64_t m, float* out) const {
    const WeightView& w = *output.weight;
    const float* floats = x.floats + m * x.stride;
    if constexpr (kIsFourBit<Format>) {
      const float* row_scales = scales + (rows.row - first_row) * (w.cols / w.block_size);
      if constexpr (kHasPairs<V>) {
        const uint16_t* halves = x.halves + m * x.stride;
        if (book != nullptr && w.block_size == 64)
          return dot_nibbles_bf16<V, R, kIsFar, true>(w, rows, row_scales, halves, out, V::pair_table(book));
        if (book != nullptr) return dot_nibbles_bf16<V, R, kIsFar, false>(w, rows, row_scales, halves, out, V::pair_table(book));
      }
      dot_nibbles_f32<V, R, kIsFar>(w, rows, row_scales, floats, out);
    } else {
      if constexpr (kHasPairs<V> && Format::kId == FormatId::Bf16) {
        if (x.halves != nullptr && w.cols % (2 * V::kWidth) == 0) return dot_rows_bf16<V, R, kIsFar>(w, rows, x.halves + m * x.stride, out);
      }
      dot_rows_f32<V, Format, R, kIsFar>(w, rows, floats, out);
    }
  }

  template <int R, bool kIsFar>
  void multiply(RowGroup<kIsFar> rows) const {
    for (int64_t m = 0; m < args.m; ++m) {
      float sums[R];
      dot<R, kIsFar>(rows, m, sums);
      float* y = output.y + m * output.weight->rows;
      for (int r = 0; r < R; ++r) y[rows[r]] = sums[r] + (output.bias != nullptr ? output.bias[rows[r]] : 0.0f);
    }
  }
};

template <class Format>
inline int64_t row_bytes(const WeightView& w) {
  return kIsFourBit<Format> ? w.cols / 2 : w.cols * kCodeBytes<Format>;
}

template <class V, class Format>
inline bool takes_few_rows(const WeightView& w) {
  if constexpr (kIsFourBit<Format>) return has_whole_blocks<V>(w);
  return w.cols % V::kWidth == 0;
}

// Rows [row, last) of one output. `room`: their scales.
template <class V, class Format>
inline void multiply_few(const MatmulArgs& args, const PreparedX& x, const MatmulOutput& output, int64_t row, int64_t last, float* room) {
  const WeightView& w = *output.weight;
  MatVec<V, Format> product{args, x, output};
  uint16_t book[16];
  if constexpr (kIsFourBit<Format>) {
    product.scales = row_scales<V>(w, row, last - row, room);
    product.first_row = row;
    if (x.halves != nullptr && w.block_size % 64 == 0) {
      plain::round_codebook(book, w.codebook);
      product.book = book;
    }
  }
  const int64_t n_groups = (last - row) / kRowsAtATime;
  if (n_groups * row_bytes<Format>(w) >= kStream_min) {
    for (int64_t i = 0; i < n_groups; ++i) product.template multiply<kRowsAtATime, true>({row + i, n_groups});
  } else {
    for (int64_t i = 0; i < n_groups; ++i) product.template multiply<kRowsAtATime, false>({row + i * kRowsAtATime, 1});
  }
  for (row += n_groups * kRowsAtATime; row < last; ++row) product.template multiply<1, false>({row, 1});
}

// Rows that the fast loops do not take (short, or blocks across row ends): decoded, then multiplied. `room`: a row, then its scales.
template <class V, class Format>
inline void multiply_decoded(const MatmulArgs& args, const MatmulOutput& output, int64_t row, float* room, int64_t stride) {
  const WeightView& w = *output.weight;
  decode_row<V, Format>(room, w, row, room + stride);
  for (int64_t m = 0; m < args.m; ++m) {
    const float* x = args.x + m * args.k;
    auto sums = V::zero();
    int64_t k = 0;
    for (; k + V::kWidth <= args.k; k += V::kWidth) sums = V::fma(V::load(room + k), V::load(x + k), sums);
    float sum = V::sum(sums);
    for (; k < args.k; ++k) sum += room[k] * x[k];
    output.y[m * w.rows + row] = sum + (output.bias != nullptr ? output.bias[row] : 0.0f);
  }
}

}  // namespace nibble::cpu
