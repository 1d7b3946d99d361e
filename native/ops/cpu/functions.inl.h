// Functions on vectors, all made from V::exp. Errors are relative; eps = 2^-24, of which V::exp has 4. Included by isa_<set>.cc only.
#pragma once

#include "ops/ops.h"

namespace nibble::cpu {

template <class V>
inline typename V::F negative(typename V::F x) {
  return V::mul(V::set1(-1), x);
}

// The smaller one; b where one of them is no number.
template <class V>
inline typename V::F smaller(typename V::F a, typename V::F b) {
  return negative<V>(V::max(negative<V>(a), negative<V>(b)));
}

// x / (1 + exp(-y)): 8 eps, and what y's own error makes; never smaller than 1e-39 |x|.
template <class V>
inline typename V::F times_sigmoid(typename V::F x, typename V::F y) {
  return V::div(x, V::add(V::set1(1), V::exp(negative<V>(y))));
}

// Below 5/8 an odd polynomial fitted to the least relative error (4.4e-9 before roundings), beyond it 1 - 2 / (exp(2x) + 1), whose terms are
// at most 1 / tanh(5/8) times the result: 14 eps. Each part gets an argument that is 0 where the other counts, and is 0 there.
template <class V>
inline typename V::F tanh(typename V::F x) {
  const auto bound = V::set1(0.625f), one = V::set1(1);
  const auto near = V::sub(V::keep_below(V::max(V::zero(), x), bound), V::keep_below(V::max(V::zero(), negative<V>(x)), bound));
  const auto far = V::sub(x, near), square = V::mul(near, near);
  auto p = V::set1(-0.00570498686f);
  p = V::fma(p, square, V::set1(0.0206390861f));
  p = V::fma(p, square, V::set1(-0.0537397154f));
  p = V::fma(p, square, V::set1(0.133314416f));
  p = V::fma(p, square, V::set1(-0.333332807f));
  const auto inner = V::fma(V::mul(near, square), p, near);
  const auto outer = V::sub(one, V::div(V::set1(2), V::add(V::exp(V::add(far, far)), one)));
  return V::add(inner, outer);
}

// x Phi(x) with the normal distribution Phi(x) = (1 + erf(x / sqrt 2)) / 2. For z = |x| the tail Phi(-z) is exp(-z^2 / 2) t P(t),
// t = 1 / (1 + 0.27 z), P fitted to the least relative error for z <= 14 (2.4e-8 before roundings; 6 eps in fp32); then
// x Phi(x) = max(x, 0) - z Phi(-z) without cancellation: 16 eps for x > 0, 16 + z^2 eps for x < 0 (the rounding of z^2 / 2 in exp). In
// absolute terms that is 3 eps |x|, what 1 + erf rounded to fp32 has.
template <class V>
inline typename V::F gelu(typename V::F x) {
  const auto z = smaller<V>(V::set1(14), V::abs(x)), one = V::set1(1);
  const auto t = V::div(one, V::fma(V::set1(0.27f), z, one));
  auto p = V::set1(0.0289152805f);
  p = V::fma(p, t, V::set1(-0.126255274f));
  p = V::fma(p, t, V::set1(0.169291392f));
  p = V::fma(p, t, V::set1(-0.0686209723f));
  p = V::fma(p, t, V::set1(0.107399426f));
  p = V::fma(p, t, V::set1(0.0722402930f));
  p = V::fma(p, t, V::set1(0.101759166f));
  p = V::fma(p, t, V::set1(0.107550509f));
  p = V::fma(p, t, V::set1(0.107720189f));
  const auto tail = V::mul(V::exp(V::mul(V::mul(V::set1(-0.5f), z), z)), V::mul(t, p));
  return V::sub(V::max(V::zero(), x), V::mul(z, tail));
}

template <class V, Activation kAct>
inline typename V::F activation(typename V::F x) {
  if constexpr (kAct == Activation::silu) {
    return times_sigmoid<V>(x, x);
  } else if constexpr (kAct == Activation::gelu) {
    return gelu<V>(x);
  } else if constexpr (kAct == Activation::gelu_tanh) {  // (1 + tanh u) / 2 = 1 / (1 + exp(-2u)), 2u = x (a + b x^2)
    return times_sigmoid<V>(x, V::mul(x, V::fma(V::mul(x, x), V::set1(0.0713548163f), V::set1(1.59576912f))));
  } else if constexpr (kAct == Activation::quick_gelu) {
    return times_sigmoid<V>(x, V::mul(V::set1(1.702f), x));
  } else {
    const auto positive = V::max(V::zero(), x);
    return kAct == Activation::relu ? positive : V::mul(positive, positive);
  }
}

// Calls body.operator()<activation>().
template <class V, class Body>
inline void with_activation(Activation act, Body&& body) {
  switch (act) {
    case Activation::silu: return body.template operator()<Activation::silu>();
    case Activation::gelu: return body.template operator()<Activation::gelu>();
    case Activation::gelu_tanh: return body.template operator()<Activation::gelu_tanh>();
    case Activation::relu: return body.template operator()<Activation::relu>();
    case Activation::quick_gelu: return body.template operator()<Activation::quick_gelu>();
    case Activation::relu2: return body.template operator()<Activation::relu2>();
  }
}

}  // namespace nibble::cpu
