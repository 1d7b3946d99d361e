// Norms of rows. Included by isa_<set>.cc only.
#pragma once

#include "ops/cpu/elements.inl.h"

namespace nibble::cpu {

inline constexpr int kNormSums = 4;  // vectors of partial sums: adding waits less, and rounding errors grow less

// The sum over a row of term(x). What a term makes of the zeros that pad the row must be 0.
template <class V, class Term>
inline float sum_row(const float* x, int64_t width, Term&& term) {
  typename V::F sums[kNormSums];
  for (auto& sum : sums) sum = V::zero();
  int64_t c = 0;
  for (; c + kNormSums * V::kWidth <= width; c += kNormSums * V::kWidth) {
    for (int i = 0; i < kNormSums; ++i) sums[i] = V::add(sums[i], term(V::load(x + c + i * V::kWidth)));
  }
  each_vector<V>(c, width, [&](int64_t i, auto access) { sums[0] = V::add(sums[0], term(access.load(x + i))); });
  return V::sum(V::add(V::add(sums[0], sums[1]), V::add(sums[2], sums[3])));
}

// out = (x - mean) * scale * weight + bias of one row.
template <class V>
inline void write_row(const NormArgs& args, int64_t row, const float* x, float mean, float scale) {
  float* out = args.out + row * args.width;
  const int64_t weight_first = row % args.weight_rows * args.width;
  const float* weight = args.weight == nullptr ? nullptr : args.weight + weight_first;
  const float* bias = args.bias == nullptr ? nullptr : args.bias + weight_first;
  const auto mean_v = V::set1(mean), scale_v = V::set1(scale);
  each_vector<V>(0, args.width, [&](int64_t c, auto access) {
    auto y = V::mul(V::sub(access.load(x + c), mean_v), scale_v);
    if (weight != nullptr) y = V::mul(y, access.load(weight + c));
    if (bias != nullptr) y = V::add(y, access.load(bias + c));
    access.store(out + c, y);
  });
}

template <class V, class Row>
inline void norm_rows(Exec& exec, const NormArgs& args, Row&& norm_row) {
  const int64_t grain = args.width < kPlainElements && args.width > 0 ? kPlainElements / args.width : 1;
  parallel_ranges(exec, args.rows, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) norm_row(row, args.x + row * args.width);
  });
}

template <class V>
void rmsnorm(Exec& exec, const NormArgs& args) {
  norm_rows<V>(exec, args, [&](int64_t row, const float* x) {
    const double squares = sum_row<V>(x, args.width, [](typename V::F x_c) { return V::mul(x_c, x_c); });
    write_row<V>(args, row, x, 0, static_cast<float>(1 / __builtin_sqrt(squares / static_cast<double>(args.width) + args.eps)));
  });
}

// The deviations from the mean, which out holds meanwhile, give the variance and what the mean was off by: rows far from zero lose nothing.
template <class V>
void layernorm(Exec& exec, const NormArgs& args) {
  const double n = static_cast<double>(args.width);
  norm_rows<V>(exec, args, [&](int64_t row, const float* x) {
    float* out = args.out + row * args.width;
    const auto mean = V::set1(static_cast<float>(sum_row<V>(x, args.width, [](typename V::F x_c) { return x_c; }) / n));
    each_vector<V>(0, args.width, [&](int64_t c, auto access) { access.store(out + c, V::sub(access.load(x + c), mean)); });
    const double off = sum_row<V>(out, args.width, [](typename V::F d) { return d; }) / n;
    const double variance = sum_row<V>(out, args.width, [](typename V::F d) { return V::mul(d, d); }) / n - off * off;
    const double scale = 1 / __builtin_sqrt((variance > 0 ? variance : 0) + args.eps);
    write_row<V>(args, row, out, static_cast<float>(off), static_cast<float>(scale));
  });
}

}  // namespace nibble::cpu
