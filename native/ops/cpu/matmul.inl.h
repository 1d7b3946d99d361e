// y = x W^T + bias: prepares x, shares the rows of all outputs out to the threads, and takes one of two ways through them: matvec.inl.h
// for few rows of x, panel.inl.h for many. docs/decisions/002 has the reasons. Included by isa_<set>.cc only.
#pragma once

#include "ops/cpu/matvec.inl.h"
#include "ops/cpu/panel.inl.h"
#include "ops/parallel.h"

namespace nibble::cpu {

inline constexpr int64_t kFewRows = 6;  // up to so many rows of x the weights are multiplied straight from memory
// Codes in one chunk of work for few rows: an eighth of a thread's share within these limits. Small enough that the threads end together
// and that one that has lost its core does not hold up the others for long; no smaller, since memory is read fastest in long streams
// (matvec.inl.h). One thread alone has nobody to share with.
inline constexpr int64_t kChunkBytes_min = 8192, kChunkBytes_max = 262144;

// Bytes of room for one worker: a panel, one decoded row, scales (of a chunk of rows for few rows of x).
template <class V>
inline size_t worker_scratch(int64_t k) {
  const size_t scales_of_chunk = kChunkBytes_max * 2 / 32 * sizeof(float);  // the smallest block has 32 elements
  return static_cast<size_t>(padded_cols<V>(k)) * 4 * (static_cast<size_t>(kPanelRows<V>) + 2) + scales_of_chunk + 256;
}
template <class V>
size_t matmul_scratch(const Exec& exec, int64_t m, int64_t k, Compute compute) {
  const size_t bytes_per_value = compute == Compute::f16 ? 10 : 6;
  return static_cast<size_t>(m) * static_cast<size_t>(padded_cols<V>(k)) * bytes_per_value +
         static_cast<size_t>(worker_count(exec)) * worker_scratch<V>(k) + 256;
}

// One row of x as the kernels want it: split into even and odd elements for 4-bit rows, and/or in bf16, padded with zeros.
template <class V>
inline void prepare_row(const MatmulArgs& args, int64_t m, bool is_split, float* floats, uint16_t* halves, int64_t stride) {
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

// Scratch: room for each worker, then x, then x rounded to fp16 if asked for.
template <class V, class Format>
struct Matmul {
  Exec& exec;
  const MatmulArgs& args;
  const int64_t stride = padded_cols<V>(args.k);
  const bool is_bf16 = kHasPairs<V> && args.compute == Compute::bf16;

  float* worker_room(int worker) const {
    return reinterpret_cast<float*>(static_cast<char*>(exec.scratch) + static_cast<size_t>(worker) * worker_scratch<V>(args.k));
  }

  // body(output, first row, last row, worker) over the rows of all outputs in pieces of `grain`.
  template <class Body>
  void for_rows(int64_t grain, Body&& body) const {
    int64_t first_chunk[kMaxMatmulOutputs + 1] = {0};
    for (int o = 0; o < args.n_outputs; ++o) first_chunk[o + 1] = first_chunk[o] + (args.outputs[o].weight->rows + grain - 1) / grain;
    parallel_ranges(exec, first_chunk[args.n_outputs], 1, [&](int64_t begin, int64_t end, int worker) {
      for (int64_t chunk = begin; chunk < end; ++chunk) {
        int o = 0;
        while (chunk >= first_chunk[o + 1]) ++o;
        const int64_t row = (chunk - first_chunk[o]) * grain, rows = args.outputs[o].weight->rows;
        body(args.outputs[o], row, row + grain < rows ? row + grain : rows, worker);
      }
    });
  }

  int64_t few_rows_grain() const {
    const int64_t row_bytes = kIsFourBit<Format> ? (args.k + 1) / 2 : args.k * kCodeBytes<Format>;
    int64_t rows = 0;
    for (int o = 0; o < args.n_outputs; ++o) rows += args.outputs[o].weight->rows;
    int64_t bytes = worker_count(exec) == 1 ? kChunkBytes_max : rows * row_bytes / (worker_count(exec) * 8);
    bytes = bytes < kChunkBytes_min ? kChunkBytes_min : bytes > kChunkBytes_max ? kChunkBytes_max : bytes;
    const int64_t groups = bytes / (row_bytes * kRowsAtATime + 1);
    return (groups < 1 ? 1 : groups) * kRowsAtATime;
  }

  void few_rows() const {
    float* floats = worker_room(worker_count(exec));
    uint16_t* halves = is_bf16 ? reinterpret_cast<uint16_t*>(floats + args.m * stride) : nullptr;
    const bool is_split = kIsFourBit<Format> && args.k % 2 == 0;
    for (int64_t m = 0; m < args.m; ++m) {
      prepare_row<V>(args, m, is_split, floats + m * stride, halves != nullptr ? halves + m * stride : nullptr, stride);
    }
    const PreparedX x{floats, halves, stride};
    for_rows(few_rows_grain(), [&](const MatmulOutput& output, int64_t row, int64_t last, int worker) {
      float* room = worker_room(worker);
      if (takes_few_rows<V, Format>(*output.weight)) return multiply_few<V, Format>(args, x, output, row, last, room);
      for (; row < last; ++row) multiply_decoded<V, Format>(args, output, row, room, stride);
    });
  }

  void many_rows() const {
    uint16_t* halves = reinterpret_cast<uint16_t*>(worker_room(worker_count(exec)));
    if (is_bf16) {
      parallel_ranges(exec, args.m, 16, [&](int64_t begin, int64_t end, int worker) {
        float* row = worker_room(worker);
        for (int64_t m = begin; m < end; ++m) prepare_row<V>(args, m, false, row, halves + m * stride, stride);
      });
    }
    for_rows(kPanelRows<V>, [&](const MatmulOutput& output, int64_t row, int64_t last, int worker) {
      if constexpr (kHasPairs<V>) {
        if (is_bf16) return panel_bf16<V, Format>(args, output, row, last - row, halves, stride, worker_room(worker));
      }
      panel_f32<V, Format>(args, output, row, last - row, worker_room(worker));
    });
  }
};

// No set here multiplies fp16: x is rounded and the product made in fp32.
template <class V>
inline MatmulArgs round_x_to_f16(Exec& exec, const MatmulArgs& args) {
  const size_t before = static_cast<size_t>(worker_count(exec)) * worker_scratch<V>(args.k);
  const size_t prepared = static_cast<size_t>(args.m * padded_cols<V>(args.k)) * 6;
  float* rounded = reinterpret_cast<float*>(static_cast<char*>(exec.scratch) + before + prepared);
  parallel_ranges(exec, args.m, 16, [&](int64_t begin, int64_t end, int) {
    const int64_t last = end * args.k;
    int64_t i = begin * args.k;
    for (; i + V::kWidth <= last; i += V::kWidth) V::store(rounded + i, V::round_f16(V::load(args.x + i)));
    for (; i < last; ++i) rounded[i] = plain::round_f16(args.x[i]);
  });
  MatmulArgs result = args;
  result.x = rounded;
  result.compute = Compute::f32;
  return result;
}

template <class V, class Format>
void matmul(Exec& exec, const MatmulArgs& args) {
  if (args.compute == Compute::f16) return matmul<V, Format>(exec, round_x_to_f16<V>(exec, args));
  const Matmul<V, Format> product{exec, args};
  if (args.m <= kFewRows) {
    product.few_rows();
  } else {
    product.many_rows();
  }
}

}  // namespace nibble::cpu
