// Norms of rows.
#include <cmath>

#include "ops/ref/ref.h"

namespace nibble::ref {
namespace {

// Row r: out = (x - mean) * scale * weight + bias.
void write_row(const NormArgs& args, int64_t row, double mean, double scale) {
  const int64_t first = row * args.width, weight_first = row % args.weight_rows * args.width;
  for (int64_t c = 0; c < args.width; ++c) {
    const double weight = args.weight == nullptr ? 1 : args.weight[weight_first + c];
    const double bias = args.bias == nullptr ? 0 : args.bias[weight_first + c];
    args.out[first + c] = static_cast<float>((args.x[first + c] - mean) * scale * weight + bias);
  }
}

void rmsnorm(Exec&, const NormArgs& args) {
  for (int64_t row = 0; row < args.rows; ++row) {
    const float* x = args.x + row * args.width;
    double squares = 0;
    for (int64_t c = 0; c < args.width; ++c) squares += static_cast<double>(x[c]) * x[c];
    write_row(args, row, 0, 1 / std::sqrt(squares / static_cast<double>(args.width) + args.eps));
  }
}

void layernorm(Exec&, const NormArgs& args) {
  for (int64_t row = 0; row < args.rows; ++row) {
    const float* x = args.x + row * args.width;
    double sum = 0, squares = 0;
    for (int64_t c = 0; c < args.width; ++c) sum += x[c];
    const double mean = sum / static_cast<double>(args.width);
    for (int64_t c = 0; c < args.width; ++c) squares += (x[c] - mean) * (x[c] - mean);
    write_row(args, row, mean, 1 / std::sqrt(squares / static_cast<double>(args.width) + args.eps));
  }
}

}  // namespace

void set_norm_ops(OpTable& table) {
  table.rmsnorm = rmsnorm;
  table.layernorm = layernorm;
}

}  // namespace nibble::ref
