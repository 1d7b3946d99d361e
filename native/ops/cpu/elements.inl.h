// Ops that work element by element, and the loop over vectors they share. Included by isa_<set>.cc only.
#pragma once

#include <cstring>

#include "ops/cpu/functions.inl.h"
#include "ops/ops.h"
#include "ops/parallel.h"

namespace nibble::cpu {

// How a loop reads and writes: whole vectors, or the rest of a row, padded with zeros.
template <class V>
struct WholeVector {
  static typename V::F load(const float* p) { return V::load(p); }
  static void store(float* p, typename V::F x) { V::store(p, x); }
};

template <class V>
struct PartOfVector {
  int64_t n;

  typename V::F load(const float* p) const {
    float buffer[V::kWidth] = {};
    for (int64_t i = 0; i < n; ++i) buffer[i] = p[i];
    return V::load(buffer);
  }
  void store(float* p, typename V::F x) const {
    float buffer[V::kWidth];
    V::store(buffer, x);
    for (int64_t i = 0; i < n; ++i) p[i] = buffer[i];
  }
};

// body(i, access) for the vectors of [begin, end).
template <class V, class Body>
inline void each_vector(int64_t begin, int64_t end, Body&& body) {
  int64_t i = begin;
  for (; i + V::kWidth <= end; i += V::kWidth) body(i, WholeVector<V>{});
  if (i < end) body(i, PartOfVector<V>{end - i});
}

inline constexpr int64_t kPlainElements = 32768;  // per piece of work: when elements are only moved or added,
inline constexpr int64_t kExpElements = 8192;     // and when each costs an exp

// x[i] = change(x[i])
template <class V, class Change>
inline void change_elements(Exec& exec, float* x, int64_t n, int64_t grain, Change&& change) {
  parallel_ranges(exec, n, grain, [&](int64_t begin, int64_t end, int) {
    each_vector<V>(begin, end, [&](int64_t i, auto access) { access.store(x + i, change(access.load(x + i))); });
  });
}

template <class V>
void add(Exec& exec, float* x, const float* y, float scale, int64_t n) {
  parallel_ranges(exec, n, kPlainElements, [&](int64_t begin, int64_t end, int) {
    const auto factor = V::set1(scale);
    each_vector<V>(begin, end,
                   [&](int64_t i, auto access) { access.store(x + i, V::fma(access.load(y + i), factor, access.load(x + i))); });
  });
}

template <class V>
void scale(Exec& exec, float* x, float factor, int64_t n) {
  change_elements<V>(exec, x, n, kPlainElements, [&](typename V::F x_i) { return V::mul(x_i, V::set1(factor)); });
}

template <class V>
void clamp(Exec& exec, float* x, float limit, int64_t n) {
  change_elements<V>(exec, x, n, kPlainElements,
                     [&](typename V::F x_i) { return smaller<V>(V::set1(limit), V::max(V::set1(-limit), x_i)); });
}

template <class V>
void softcap(Exec& exec, float* x, float cap, int64_t n) {
  change_elements<V>(exec, x, n, kExpElements, [&](typename V::F x_i) { return V::mul(V::set1(cap), tanh<V>(V::div(x_i, V::set1(cap)))); });
}

template <class V>
void copy_blocks(Exec& exec, const CopyBlocksArgs& args) {
  const int64_t block = args.block, row = args.n_blocks * block;
  parallel_ranges(exec, args.n_tokens, row < kPlainElements ? kPlainElements / (row < 1 ? 1 : row) : 1,
                  [&](int64_t first, int64_t last, int) {
                    for (int64_t t = first; t < last; ++t) {
                      for (int64_t b = 0; b < args.n_blocks; ++b) {
                        std::memcpy(args.out + t * args.out_stride + b * args.out_step, args.x + t * args.x_stride + b * args.x_step,
                                    static_cast<size_t>(block) * sizeof(float));
                      }
                    }
                  });
}

}  // namespace nibble::cpu
