// Gated and plain activations. Included by isa_<set>.cc only.
#pragma once

#include "ops/cpu/elements.inl.h"

namespace nibble::cpu {

inline constexpr int64_t kGateElements = 64;  // of a row whose elements do not lie side by side: gathered at a time

// out[i] = join(gate[i], up[i]) of one row.
template <class V, class Join>
inline void gate_row(float* out, const float* gate, const float* up, int64_t step, int64_t n, Join&& join) {
  if (step == 1) {
    return each_vector<V>(0, n, [&](int64_t i, auto access) { access.store(out + i, join(access.load(gate + i), access.load(up + i))); });
  }
  float gates[kGateElements], ups[kGateElements];
  for (int64_t first = 0; first < n; first += kGateElements) {
    const int64_t count = n - first < kGateElements ? n - first : kGateElements;
    for (int64_t i = 0; i < count; ++i) {
      gates[i] = gate[(first + i) * step];
      ups[i] = up[(first + i) * step];
    }
    each_vector<V>(0, count,
                   [&](int64_t i, auto access) { access.store(out + first + i, join(access.load(gates + i), access.load(ups + i))); });
  }
}

// Rows are cut into pieces, so that one token is shared by the threads, too.
template <class V, class Join>
inline void gate_rows_by(Exec& exec, const GateArgs& args, Join&& join) {
  const bool is_whole = args.stride == args.width && args.step == 1;
  const int64_t rows = is_whole ? 1 : args.n_tokens, width = is_whole ? args.n_tokens * args.width : args.width;
  const int64_t pieces = (width + kExpElements - 1) / kExpElements;
  parallel_ranges(exec, rows * pieces, width < kExpElements && width > 0 ? kExpElements / width : 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t t = i / pieces, first = i % pieces * kExpElements, rest = width - first;
      const int64_t from = t * args.stride + first * args.step;
      gate_row<V>(args.out + t * width + first, args.gate + from, args.up + from, args.step, rest < kExpElements ? rest : kExpElements,
                  join);
    }
  });
}

template <class V>
void gate(Exec& exec, const GateArgs& args) {
  if (args.limit > 0) {
    return gate_rows_by<V>(exec, args, [&](typename V::F g, typename V::F u) {
      g = smaller<V>(V::set1(args.limit), g);
      u = smaller<V>(V::set1(args.limit), V::max(V::set1(-args.limit), u));
      return V::mul(times_sigmoid<V>(g, V::mul(V::set1(args.alpha), g)), V::add(u, V::set1(1)));
    });
  }
  with_activation<V>(args.act, [&]<Activation kAct>() {
    gate_rows_by<V>(exec, args, [](typename V::F g, typename V::F u) { return V::mul(activation<V, kAct>(g), u); });
  });
}

template <class V>
void activate(Exec& exec, float* x, Activation act, int64_t n) {
  with_activation<V>(act, [&]<Activation kAct>() {
    change_elements<V>(exec, x, n, kExpElements, [](typename V::F x_i) { return activation<V, kAct>(x_i); });
  });
}

}  // namespace nibble::cpu
