// Plain code that the kernels of every instruction set call for rare cases and small work. Not inline: each function exists
// once, compiled for the base processor.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/dtype.h"
#include "formats/weight.h"
#include "ops/ops.h"

namespace nibble::plain {

// out [n]: scales of blocks first .. first + n - 1, nested or not.
void expand_scales(float* out, const WeightView& w, int64_t first, int64_t n);

// out [cols]: one decoded row of any weight, whatever its blocks.
void decode_row(float* out, const WeightView& w, int64_t row);

// The code book rounded to bf16, [16].
void round_codebook(uint16_t* out, const float* codebook);

// cos and sin of position * inv_freq[d], times mscale; [half] each.
void rope_angles(float* cosine, float* sine, const float* inv_freq, int64_t position, int32_t half, float mscale);

uint16_t to_f16(float x);
float round_f16(float x);
float round_f16_finite(float x);

// The reference's choice of experts for the tokens first .. first + n.
void route(const RouteArgs& args, int64_t first, int64_t n);

// out [n] fp32 from any kind of fp16 row.
void load_f16_row(float* out, const uint16_t* row, int64_t n);

// out [n]: src[begin .. begin + n) of any type as fp32; returns the largest magnitude, or NaN or infinity if there is one.
float load_values(float* out, const void* src, DType type, int64_t begin, int64_t n);

// dst[begin .. begin + n) of any type = x [n] * scale, rounded to fp32 and then to the type.
void store_scaled(void* dst, DType type, int64_t begin, const float* x, float scale, int64_t n);

// The smallest index that any thread noted; -1 if none did.
class FirstIndex {
 public:
  void note(int64_t index);  // -1 is ignored
  int64_t get() const;

 private:
  std::atomic<int64_t> index_{-1};
};

// Index of the first NaN or infinity among src[begin .. begin + n), or -1; the second after rounding to fp16.
int64_t first_not_finite(const void* src, DType type, int64_t begin, int64_t n);
int64_t first_not_finite_f16(const void* src, DType type, int64_t begin, int64_t n);

// The reference's encoding of the elements rest .. n (rest begins a block), and of whole rows.
int64_t quantize_rest(FormatId format, uint8_t* codes, float* scales, const void* src, DType type, int64_t rest, int64_t n,
                      int32_t block_size);
int64_t quantize_rows(int8_t* codes, float* scb, const void* src, DType type, int64_t rows, int64_t cols);

// The reference's product of LLM.int8().
void matmul_int8(Exec& exec, const MatmulArgs& args);

// The reference's conversion of the elements begin .. begin + n; the index of the first that is not finite, or -1.
int64_t convert(void* dst, DType dst_type, const void* src, DType src_type, int64_t begin, int64_t n);

// [15] ascending limits; the number of them strictly below x is the NF4 code, or the rank that fp4_codes [16] turns into a code.
const float* nf4_thresholds();
const float* fp4_thresholds();
const uint8_t* fp4_codes();

// Ranks by steps, each of which has at most one limit: the rank of x is that of its step, and one more if x is strictly above the step's
// limit. Limits keep far enough from the ends of steps (a test tries all floats around both) that rounding `position` does no harm.
struct RankSteps {
  float limits[32];  // infinity where the step has none
  int32_t ranks[32];
};
// Of x in [-1, 1]: step = floor(position), position = x * kNf4StepsPerUnit + kNf4FirstStep.
inline constexpr float kNf4StepsPerUnit = 15.5f, kNf4FirstStep = 15.75f;
const RankSteps& nf4_steps();
// Of the magnitude |x| in [0, 1]: step = floor(|x| * 16). The code is fp4_codes()[8 + rank], and 8 more below zero.
inline constexpr float kFp4StepsPerUnit = 16;
const RankSteps& fp4_steps();

}  // namespace nibble::plain
