#include "ops/cpu/plain.h"

#include <cmath>
#include <limits>

#include "core/dtype.h"
#include "formats/formats.h"
#include "ops/ref/ref.h"

namespace nibble::plain {

void expand_scales(float* out, const WeightView& w, int64_t first, int64_t n) {
  const NestedScales& nested = w.nested;
  if (nested.codes == nullptr) {
    for (int64_t i = 0; i < n; ++i) out[i] = w.scales[first + i];
    return;
  }
  const float* map = nested.map;
  // Runs of blocks that share an absmax. Product and sum are rounded separately here, too: contraction is off (CMakeLists.txt).
  for (int64_t i = 0; i < n;) {
    const int64_t block = first + i, rest = nested.block_size - block % nested.block_size;
    const float absmax = nested.absmax[block / nested.block_size];
    const uint8_t* codes = nested.codes + first;
    for (const int64_t end = i + rest < n ? i + rest : n; i < end; ++i) out[i] = map[codes[i]] * absmax + nested.offset;
  }
}

void decode_row(float* out, const WeightView& w, int64_t row) {
  for_each_format([&](auto format) {
    using Format = decltype(format);
    if (Format::kId != w.format) return;
    for (int64_t k = 0; k < w.cols; ++k) out[k] = Format::decode(w, row * w.cols + k);
  });
}

void round_codebook(uint16_t* out, const float* codebook) {
  for (int i = 0; i < 16; ++i) out[i] = f32_to_bf16(codebook[i]);
}

void rope_angles(float* cosine, float* sine, const float* inv_freq, int64_t position, int32_t half, float mscale) {
  for (int32_t d = 0; d < half; ++d) {
    const float angle = static_cast<float>(position) * inv_freq[d];
    cosine[d] = static_cast<float>(std::cos(static_cast<double>(angle)) * mscale);
    sine[d] = static_cast<float>(std::sin(static_cast<double>(angle)) * mscale);
  }
}

uint16_t to_f16(float x) { return f32_to_f16(x); }

float round_f16(float x) { return f16_to_f32(f32_to_f16(x)); }

float round_f16_finite(float x) { return nibble::round_f16_finite(x); }

void route(const RouteArgs& args, int64_t first, int64_t n) {
  Exec exec;
  RouteArgs part = args;
  part.ids += first * args.n_chosen;
  part.weights += first * args.n_chosen;
  part.logits += first * args.n_experts;
  part.n_tokens = n;
  ref::ref_table().route(exec, part);
}

void load_f16_row(float* out, const uint16_t* row, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = f16_to_f32(row[i]);
}

float load_values(float* out, const void* src, DType type, int64_t begin, int64_t n) {
  float largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    out[i] = ref::load(src, type, begin + i);
    if (!(std::fabs(out[i]) <= largest)) largest = std::fabs(out[i]);
    if (std::isnan(largest)) return largest;
  }
  return largest;
}

void store_scaled(void* dst, DType type, int64_t begin, const float* x, float scale, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const float value = x[i] * scale;
    if (type == DType::f32) {
      static_cast<float*>(dst)[begin + i] = value;
    } else {
      static_cast<uint16_t*>(dst)[begin + i] = type == DType::f16 ? f32_to_f16(value) : f32_to_bf16(value);
    }
  }
}

void FirstIndex::note(int64_t index) {
  if (index < 0) return;
  for (int64_t seen = index_.load(); seen < 0 || index < seen;) {
    if (index_.compare_exchange_weak(seen, index)) return;
  }
}

int64_t FirstIndex::get() const { return index_.load(); }

int64_t first_not_finite(const void* src, DType type, int64_t begin, int64_t n) {
  for (int64_t i = begin; i < begin + n; ++i) {
    if (!std::isfinite(ref::load(src, type, i))) return i;
  }
  return -1;
}

int64_t first_not_finite_f16(const void* src, DType type, int64_t begin, int64_t n) {
  for (int64_t i = begin; i < begin + n; ++i) {
    if (!std::isfinite(f16_to_f32(f32_to_f16(ref::load(src, type, i))))) return i;
  }
  return -1;
}

int64_t quantize_rest(FormatId format, uint8_t* codes, float* scales, const void* src, DType type, int64_t rest, int64_t n,
                      int32_t block_size) {
  Exec exec;
  const int64_t bad = ref::ref_table().quantize_blocks[static_cast<int>(format)](
      exec, codes + rest / 2, scales + rest / block_size, static_cast<const char*>(src) + rest * static_cast<int64_t>(dtype_size(type)),
      type, n - rest, block_size);
  return bad < 0 ? bad : rest + bad;
}

int64_t quantize_rows(int8_t* codes, float* scb, const void* src, DType type, int64_t rows, int64_t cols) {
  Exec exec;
  return ref::ref_table().quantize_rows(exec, codes, scb, src, type, rows, cols);
}

void matmul_int8(Exec& exec, const MatmulArgs& args) {
  ref::ref_table().matmul_int8[static_cast<int>(args.outputs[0].weight->format)](exec, args);
}

int64_t convert(void* dst, DType dst_type, const void* src, DType src_type, int64_t begin, int64_t n) {
  Exec exec;
  const int64_t bad = ref::ref_table().convert(exec, static_cast<char*>(dst) + begin * static_cast<int64_t>(dtype_size(dst_type)), dst_type,
                                               static_cast<const char*>(src) + begin * static_cast<int64_t>(dtype_size(src_type)), src_type,
                                               n);
  return bad < 0 ? bad : begin + bad;
}

const float* nf4_thresholds() { return Nf4::thresholds(); }

// Ranks of FP4 from the most negative magnitude to the largest: 7 limits below zero, zero itself, 7 above. A negative x has
// the larger magnitude where x < -t, so "strictly above the float below -t" begins the smaller one.
const float* fp4_thresholds() {
  struct Limits {
    float values[15];
    Limits() {
      for (int i = 0; i < 7; ++i) {
        values[i] = std::nextafter(-Fp4::thresholds()[6 - i], -INFINITY);
        values[8 + i] = Fp4::thresholds()[i];
      }
      values[7] = -std::numeric_limits<float>::denorm_min();
    }
  };
  static const Limits kLimits;
  return kLimits.values;
}

const uint8_t* fp4_codes() {
  struct Codes {
    uint8_t values[16];
    Codes() {
      for (int i = 0; i < 8; ++i) {
        values[i] = static_cast<uint8_t>(8 | Fp4::codes_by_magnitude()[7 - i]);
        values[8 + i] = Fp4::codes_by_magnitude()[i];
      }
    }
  };
  static const Codes kCodes;
  return kCodes.values;
}

namespace {

RankSteps make_steps(const float* limits, int n, float steps_per_unit, float first) {
  RankSteps steps;
  int rank = 0;
  for (int step = 0; step < 32; ++step) {
    steps.ranks[step] = rank;
    const bool has_limit = rank < n && limits[rank] * steps_per_unit + first < static_cast<float>(step + 1);
    steps.limits[step] = has_limit ? limits[rank++] : std::numeric_limits<float>::infinity();
  }
  return steps;
}

}  // namespace

const RankSteps& nf4_steps() {
  static const RankSteps kSteps = make_steps(Nf4::thresholds(), 15, kNf4StepsPerUnit, kNf4FirstStep);
  return kSteps;
}

const RankSteps& fp4_steps() {
  static const RankSteps kSteps = make_steps(Fp4::thresholds(), 7, kFp4StepsPerUnit, 0);
  return kSteps;
}

}  // namespace nibble::plain
