// Ops that read weights: one template each, instantiated for every format of formats.def.
#include "core/error.h"
#include "formats/formats.h"
#include "ops/parallel.h"
#include "ops/ref/ref.h"

namespace nibble::ref {
namespace {

template <class Format>
void matmul(Exec& exec, const MatmulArgs& args) {
  for (int o = 0; o < args.n_outputs; ++o) {
    const MatmulOutput& output = args.outputs[o];
    const WeightView& w = *output.weight;
    parallel_ranges(exec, w.rows, 16, [&](int64_t begin, int64_t end, int) {
      for (int64_t n = begin; n < end; ++n) {
        for (int64_t m = 0; m < args.m; ++m) {
          double sum = 0;
          for (int64_t k = 0; k < args.k; ++k) {
            const float weight = round_to(args.compute, Format::decode(w, n * args.k + k));
            sum += static_cast<double>(round_to(args.compute, args.x[m * args.k + k])) * weight;
          }
          if (output.bias != nullptr) sum += output.bias[n];
          output.y[m * w.rows + n] = static_cast<float>(sum);
        }
      }
    });
  }
}

template <class Format>
void embed(Exec&, float* out, const WeightView& table, const int32_t* ids, int64_t n_tokens) {
  for (int64_t t = 0; t < n_tokens; ++t) {
    for (int64_t c = 0; c < table.cols; ++c) out[t * table.cols + c] = Format::decode(table, ids[t] * table.cols + c);
  }
}

template <class Format>
void dequantize(Exec&, float* out, const WeightView& w, int64_t first_row, int64_t n_rows) {
  for (int64_t i = 0; i < n_rows * w.cols; ++i) out[i] = Format::decode(w, first_row * w.cols + i);
}

size_t matmul_scratch(const Exec&, int64_t, int64_t, Compute) { return 0; }

}  // namespace

void set_weight_ops(OpTable& table) {
  table.matmul_scratch = matmul_scratch;
  for_each_format([&](auto format) {
    using Format = decltype(format);
    const int i = static_cast<int>(Format::kId);
    table.matmul[i] = matmul<Format>;
    table.embed[i] = embed<Format>;
    table.dequantize[i] = dequantize<Format>;
  });
}

}  // namespace nibble::ref
