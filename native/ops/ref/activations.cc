// Activation functions and what else works element by element.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "ops/ref/ref.h"

namespace nibble::ref {
namespace {

// 1 + erf(z) as erfc(-z) and 1 + tanh(z) as 2 / (1 + exp(-2z)): they stay exact where they are small.
double activation(Activation act, double x) {
  switch (act) {
    case Activation::silu: return x / (1 + std::exp(-x));
    case Activation::gelu: return x / 2 * std::erfc(-x / std::numbers::sqrt2);
    case Activation::gelu_tanh: return x / (1 + std::exp(-2 * std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::relu: return x < 0 ? 0 : x;
    case Activation::quick_gelu: return x / (1 + std::exp(-1.702 * x));
    case Activation::relu2: return x < 0 ? 0 : x * x;
  }
  return x;
}

void gate(Exec&, const GateArgs& args) {
  for (int64_t t = 0; t < args.n_tokens; ++t) {
    for (int64_t f = 0; f < args.width; ++f) {
      const int64_t at = t * args.stride + f * args.step;
      double g = args.gate[at], u = args.up[at];
      if (args.limit > 0) {
        g = std::min<double>(g, args.limit);
        u = std::clamp<double>(u, -args.limit, args.limit) + 1;
        g = g / (1 + std::exp(-args.alpha * g));
      } else {
        g = activation(args.act, g);
      }
      args.out[t * args.width + f] = static_cast<float>(g * u);
    }
  }
}

void activate(Exec&, float* x, Activation act, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(activation(act, x[i]));
}

void add(Exec&, float* x, const float* y, float scale, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(x[i] + static_cast<double>(scale) * y[i]);
}

void scale(Exec&, float* x, float factor, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] *= factor;
}

void clamp(Exec&, float* x, float limit, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = std::clamp(x[i], -limit, limit);
}

void softcap(Exec&, float* x, float cap, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(cap * std::tanh(static_cast<double>(x[i]) / cap));
}

void copy_blocks(Exec&, const CopyBlocksArgs& args) {
  for (int64_t t = 0; t < args.n_tokens; ++t) {
    for (int64_t b = 0; b < args.n_blocks; ++b) {
      const float* x = args.x + t * args.x_stride + b * args.x_step;
      std::copy(x, x + args.block, args.out + t * args.out_stride + b * args.out_step);
    }
  }
}

}  // namespace

void set_activation_ops(OpTable& table) {
  table.gate = gate;
  table.activate = activate;
  table.add = add;
  table.scale = scale;
  table.clamp = clamp;
  table.softcap = softcap;
  table.copy_blocks = copy_blocks;
}

}  // namespace nibble::ref
