// Mixture of experts: choosing is small work on plain code, rows are moved by vectors. Included by isa_<set>.cc only.
#pragma once

#include <cstring>

#include "ops/cpu/elements.inl.h"
#include "ops/cpu/plain.h"

namespace nibble::cpu {

template <class V>
void route(Exec& exec, const RouteArgs& args) {
  parallel_ranges(exec, args.n_tokens, 16, [&](int64_t begin, int64_t end, int) { plain::route(args, begin, end - begin); });
}

// body(row), the rows shared in pieces worth a thread.
template <class V, class Body>
inline void each_row(Exec& exec, int64_t n, int64_t width, Body&& body) {
  const int64_t grain = width < kPlainElements && width > 0 ? kPlainElements / width : 1;
  parallel_ranges(exec, n, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) body(i);
  });
}

template <class V>
void gather_rows(Exec& exec, float* out, const float* x, const int32_t* ids, int64_t n, int64_t width) {
  each_row<V>(exec, n, width,
              [&](int64_t i) { std::memcpy(out + i * width, x + ids[i] * width, static_cast<size_t>(width) * sizeof(float)); });
}

template <class V>
void scatter_add_rows(Exec& exec, float* x, const float* y, const int32_t* ids, const float* weights, int64_t n, int64_t width) {
  each_row<V>(exec, n, width, [&](int64_t i) {
    float* sum = x + ids[i] * width;
    const float* y_i = y + i * width;
    const auto weight = V::set1(weights[i]);
    each_vector<V>(0, width,
                   [&](int64_t c, auto access) { access.store(sum + c, V::fma(access.load(y_i + c), weight, access.load(sum + c))); });
  });
}

template <class V>
void gate_rows(Exec& exec, float* x, const float* gates, int64_t n_tokens, int64_t width) {
  each_row<V>(exec, n_tokens, width, [&](int64_t t) {
    float* x_t = x + t * width;
    const auto share = times_sigmoid<V>(V::set1(1), V::set1(gates[t]));
    each_vector<V>(0, width, [&](int64_t c, auto access) { access.store(x_t + c, V::mul(access.load(x_t + c), share)); });
  });
}

}  // namespace nibble::cpu
