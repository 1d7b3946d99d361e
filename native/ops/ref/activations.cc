// Ops on activations: norms, rotation, gates and what else works element by element.
#include <algorithm>
#include <cmath>

#include "core/dtype.h"
#include "ops/ref/ref.h"

namespace nibble::ref {
namespace {

void store_normed(const NormArgs& a, int64_t row, double mean, double scale) {
  const int64_t first = row % a.weight_rows * a.width;
  for (int64_t c = 0; c < a.width; ++c) {
    const double weight = a.weight == nullptr ? 1 : a.weight[first + c], bias = a.bias == nullptr ? 0 : a.bias[first + c];
    a.out[row * a.width + c] = static_cast<float>((a.x[row * a.width + c] - mean) * scale * weight + bias);
  }
}

void rmsnorm(Exec&, const NormArgs& a) {
  for (int64_t row = 0; row < a.rows; ++row) {
    const float* x = a.x + row * a.width;
    double squares = 0;
    for (int64_t c = 0; c < a.width; ++c) squares += static_cast<double>(x[c]) * x[c];
    store_normed(a, row, 0, 1 / std::sqrt(squares / static_cast<double>(a.width) + a.eps));
  }
}

void layernorm(Exec&, const NormArgs& a) {
  for (int64_t row = 0; row < a.rows; ++row) {
    const float* x = a.x + row * a.width;
    double sum = 0, squares = 0;
    for (int64_t c = 0; c < a.width; ++c) sum += x[c];
    const double mean = sum / static_cast<double>(a.width);
    for (int64_t c = 0; c < a.width; ++c) squares += (x[c] - mean) * (x[c] - mean);
    store_normed(a, row, mean, 1 / std::sqrt(squares / static_cast<double>(a.width) + a.eps));
  }
}

void rope(Exec&, const RopeArgs& a) {
  const int32_t half = a.rotary_dim / 2;
  for (int64_t t = 0; t < a.n_tokens; ++t) {
    for (int32_t d = 0; d < half; ++d) {
      const float angle = static_cast<float>(a.n_past + t) * a.inv_freq[d];
      const double cosine = std::cos(static_cast<double>(angle)) * a.mscale;
      const double sine = std::sin(static_cast<double>(angle)) * a.mscale;
      for (int32_t h = 0; h < a.n_heads; ++h) {
        float* head = a.x + (t * a.n_heads + h) * a.head_dim;
        float& first = head[a.is_interleaved ? 2 * d : d];
        float& second = head[a.is_interleaved ? 2 * d + 1 : d + half];
        const double x = first, y = second;
        first = static_cast<float>(x * cosine - y * sine);
        second = static_cast<float>(y * cosine + x * sine);
      }
    }
  }
}

void kv_store(Exec&, uint16_t* cache, const float* x, int64_t n_tokens, int64_t n_past, int64_t capacity, int32_t n_kv_heads,
              int32_t head_dim) {
  for (int64_t t = 0; t < n_tokens; ++t) {
    for (int32_t g = 0; g < n_kv_heads; ++g) {
      const float* x_tg = x + (t * n_kv_heads + g) * head_dim;
      uint16_t* cache_gt = cache + (g * capacity + n_past + t) * head_dim;
      for (int32_t d = 0; d < head_dim; ++d) cache_gt[d] = f32_to_f16(x_tg[d]);
    }
  }
}

double activated(double x, Activation act) {
  constexpr double kHalfRoot = 0.70710678118654752440, kTanhScale = 0.79788456080286535588;
  switch (act) {
    case Activation::silu: return x / (1 + std::exp(-x));
    case Activation::gelu: return x / 2 * (1 + std::erf(x * kHalfRoot));
    case Activation::gelu_tanh: return x / 2 * (1 + std::tanh(kTanhScale * (x + 0.044715 * x * x * x)));
    case Activation::relu: return std::max(x, 0.0);
    case Activation::quick_gelu: return x / (1 + std::exp(-1.702 * x));
    case Activation::relu2: return x > 0 ? x * x : 0;
  }
  return 0;
}

void gate(Exec&, const GateArgs& a) {
  for (int64_t t = 0; t < a.n_tokens; ++t) {
    for (int64_t f = 0; f < a.width; ++f) {
      const double g = a.gate[t * a.stride + f * a.step], u = a.up[t * a.stride + f * a.step];
      double value = activated(g, a.act) * u;
      if (a.limit > 0) {
        const double limit = a.limit, clamped = std::min(g, limit);
        value = clamped / (1 + std::exp(-static_cast<double>(a.alpha) * clamped)) * (std::clamp(u, -limit, limit) + 1);
      }
      a.out[t * a.width + f] = static_cast<float>(value);
    }
  }
}

void activate(Exec&, float* x, Activation act, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(activated(x[i], act));
}

void add(Exec&, float* x, const float* y, float scale, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(x[i] + static_cast<double>(scale) * y[i]);
}

void scale(Exec&, float* x, float factor, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] *= factor;
}

void clamp(Exec&, float* x, float limit, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = std::min(std::max(x[i], -limit), limit);
}

void softcap(Exec&, float* x, float cap, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(cap * std::tanh(static_cast<double>(x[i]) / cap));
}

void copy_blocks(Exec&, const CopyBlocksArgs& a) {
  for (int64_t t = 0; t < a.n_tokens; ++t) {
    for (int64_t b = 0; b < a.n_blocks; ++b) {
      std::copy_n(a.x + t * a.x_stride + b * a.x_step, a.block, a.out + t * a.out_stride + b * a.out_step);
    }
  }
}

}  // namespace

void set_activation_ops(OpTable& table) {
  table.rmsnorm = rmsnorm;
  table.layernorm = layernorm;
  table.rope = rope;
  table.kv_store = kv_store;
  table.gate = gate;
  table.activate = activate;
  table.add = add;
  table.scale = scale;
  table.clamp = clamp;
  table.softcap = softcap;
  table.copy_blocks = copy_blocks;
}

}  // namespace nibble::ref
