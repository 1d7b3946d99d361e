// The op table: every operation the model code may call. This header is the specification; implementations do not
// repeat it. One filled table exists per backend: ref (plain loops, double accumulation), each CPU instruction set, and
// later CUDA. The model holds a `const OpTable&`, never branches on the device and never dereferences op memory itself.
//
// Shape legend: B batch, T tokens, C model width, H query heads, G key/value heads, D head width, F feed-forward width,
// V vocabulary. For a plain matmul M (rows of x), N (rows of W), K (the summed width).
// Row-major, last index contiguous. Activations are fp32. Pointers are device memory of the table's device, 64-byte
// aligned unless said otherwise. Outputs do not alias inputs unless an op says so.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "formats/code_map.h"
#include "formats/weight.h"

namespace nibble {

class ThreadPool;

// Where an op runs and what it may use while it runs. Owned by the caller; one op at a time per Exec.
struct Exec {
  ThreadPool* pool = nullptr;  // CPU backends; null = on the calling thread
  void* stream = nullptr;      // CUDA backend
  void* scratch = nullptr;     // 64-byte aligned, at least what the op's *_scratch function told
  size_t scratch_bytes = 0;
  int planned_workers = 1;  // without a pool: for how many threads the *_scratch functions count
};

// In what type a matmul multiplies. Sums are always at least fp32.
enum class Compute : uint8_t {
  f32,   // activations as they are; weights decoded to fp32
  bf16,  // activations rounded to bf16; weights decoded to fp32 and rounded to bf16, or the codebook rounded to bf16
         // and the scale applied in fp32 to the sum of each block (the bound covers both)
  f16,   // activations rounded to fp16, beyond 65504 to infinity as in PyTorch; weights decoded to fp32 and rounded to fp16, or
         // left in fp32 (the bound covers both); each product is exact in fp32, no sum overflows at 65504
};

// y [M,N] = x [M,K] * W [N,K]^T + bias [N]
struct MatmulOutput {
  const WeightView* weight = nullptr;
  const float* bias = nullptr;  // [N] or null
  float* y = nullptr;           // [M,N], written
};

// Several weights read the same x (q/k/v, gate/up): one call, x is prepared once and the threads meet once.
// 1 <= n_outputs <= kMaxMatmulOutputs; all weights have the same format, cols == K.
inline constexpr int kMaxMatmulOutputs = 4;
struct MatmulArgs {
  const float* x = nullptr;  // [M,K]
  int64_t m = 0;
  int64_t k = 0;
  Compute compute = Compute::f32;
  MatmulOutput outputs[kMaxMatmulOutputs];
  int n_outputs = 0;
  float threshold = 0;  // matmul_int8 only: 0 = no outliers, else positive and finite
};

// LLM.int8() (Dettmers et al., arXiv 2208.07339; bitsandbytes.md 2.6): y = x W^T + bias of MatmulArgs with W in int8 and x made int8 by rows.
//   x' = x rounded to the compute type; h = x' rounded to fp16, or x' itself where fp16 has only infinity; t = threshold, likewise
//   outlier columns O = { k : |h[m,k]| >= t for any row m of this call }; none with threshold 0
//   SCA[m] = max of the |h[m,k]| below t;  CA[m,k] = round half to even of h[m,k] * (127 * (1 / SCA[m])), 0 for k in O or SCA[m] = 0
//   y[m,n] = SCA[m] * SCB[n] / 127^2 * sum_k CA[m,k] * code[n,k] + bias[n] + sum_{k in O} x'[m,k] * w[n,k]
//   w = code * SCB / 127 rounded to the compute type, as upstream has it; or the code, exact in every compute type, and SCB / 127 applied in fp32
//   to the sum (the bound covers both)
// The sum of the codes is exact; everything else is fp32 or wider, outputs are not rounded to the compute type. A row of x that holds a NaN
// or an infinity gives a row of NaN. Differs from upstream, which casts x to fp16 (infinite from 65520 on) and multiplies by a constant 2e-5 off
// on processors.

// What a count of outliers adds to, for K columns.
struct OutlierCounts {
  int64_t* rows = nullptr;    // [K] += rows of x in which the column holds an outlier
  float* largest = nullptr;   // [K] = max with |x|
  double* squares = nullptr;  // [K] += sum of x^2
};

// Causal attention of T new tokens over a cache that already holds their keys and values.
//   score[t,h,s] = cap(scale * q[t,h,:] . k[g(h),s,:]) + slope[h] * (s - (n_past + t)),  g(h) = h / (H/G),
//     cap(x) = softcap * tanh(x / softcap) with softcap > 0 (Gemma 2, arXiv 2408.00118), x otherwise; slopes: ALiBi, arXiv 2108.12409
//   out[t,h,:] = sum_s exp(score[t,h,s]) / (exp(sink[h]) + sum_s' exp(score[t,h,s'])) * v[g(h),s,:]; no sinks: without that term
//   s in (first visible .. n_past + t); with window > 0 only the last `window` positions, the token itself included.
// Softmax and sums in fp32 or wider. Keys and values may differ in width (multi-head latent attention): D and D_v.
struct AttentionArgs {
  const float* q = nullptr;           // [T,H,D]
  const uint16_t* k_cache = nullptr;  // fp16 [G, capacity, D]
  const uint16_t* v_cache = nullptr;  // fp16 [G, capacity, D_v]
  float* out = nullptr;               // [T,H,D_v]
  int64_t n_tokens = 0;               // T
  int64_t n_past = 0;                 // positions before the first of the T tokens; n_past + T <= capacity
  int64_t capacity = 0;
  int32_t n_heads = 0, n_kv_heads = 0, head_dim = 0, value_dim = 0;  // H, G, D, D_v
  float scale = 1;
  int64_t window = 0;             // 0 = all positions
  float softcap = 0;              // 0 = none
  const float* slopes = nullptr;  // [H] or null
  const float* sinks = nullptr;   // [H] or null
};

// Normalizes rows: x [rows, width], out the same; out may alias x. Means in fp32 or wider. Row r is multiplied by row
// r % weight_rows of weight and added that of bias, each [weight_rows, width] or null (1 and 0).
struct NormArgs {
  float* out = nullptr;
  const float* x = nullptr;
  const float* weight = nullptr;
  const float* bias = nullptr;
  int64_t rows = 0;
  int64_t width = 0;
  int64_t weight_rows = 1;
  float eps = 0;
};

// Rotates x [T, n_heads, D] in place, R = rotary_dim <= D; the other elements stay. With a = position * inv_freq[d], d < R/2,
// c = mscale * cos a, s = mscale * sin a and the pair (i, j) = (d, d + R/2), or (2d, 2d + 1) when interleaved:
//   x'[i] = x[i] c - x[j] s,  x'[j] = x[j] c + x[i] s          (RoFormer, arXiv 2104.09864)
// Positions are n_past .. n_past + T - 1; the angle is formed in fp32 as PyTorch does (position as fp32 times inv_freq), its cosine
// and sine are exact to 1 ulp of fp32. Rotating only a part at the end of each head: x points at that part of the first head.
struct RopeArgs {
  float* x = nullptr;
  const float* inv_freq = nullptr;  // [R/2]
  int64_t n_tokens = 0, n_past = 0;
  int32_t n_heads = 0, head_dim = 0, rotary_dim = 0;
  float mscale = 1;
  bool is_interleaved = false;
};

// Names are those of Hugging Face's ACT2FN.
enum class Activation : uint8_t {
  silu,        // x / (1 + exp(-x))
  gelu,        // x / 2 * (1 + erf(x / sqrt 2))
  gelu_tanh,   // x / 2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))
  relu,        // max(x, 0)
  quick_gelu,  // x / (1 + exp(-1.702 x))
  relu2,       // max(x, 0)^2
};

// out [T,F] = act(gate) * up. Element f of token t: gate[t * stride + f * step], up likewise: halves of one row (stride 2F, step 1),
// pairs (stride 2F, step 2) or matrices of their own (stride F, step 1). out may alias gate or up when stride == F and step == 1.
// limit > 0 (gpt-oss): g = min(gate, limit), u = clamp(up, -limit, limit), out = g / (1 + exp(-alpha g)) * (u + 1); act is not used.
struct GateArgs {
  float* out = nullptr;
  const float* gate = nullptr;
  const float* up = nullptr;
  int64_t n_tokens = 0, width = 0;  // T, F
  int64_t stride = 0, step = 1;
  Activation act = Activation::silu;
  float limit = 0, alpha = 0;
};

// out[t * out_stride + b * out_step + i] = x[t * x_stride + b * x_step + i] for t < T, b < n_blocks, i < block: takes apart and puts
// together what is fused (queries, keys and values of a head; halves of a row). x_step = 0 repeats one block.
struct CopyBlocksArgs {
  float* out = nullptr;
  const float* x = nullptr;
  int64_t n_tokens = 0, n_blocks = 1, block = 0;
  int64_t out_stride = 0, out_step = 0;
  int64_t x_stride = 0, x_step = 0;
};

// Chooses K of E experts for each token by scores = softmax(logits) or sigmoid(logits), in fp32 or wider:
//   choice = scores + correction (when given); with n_groups > 1 only experts of the best_groups groups (of E / n_groups neighbors) whose
//   score is best: their largest choice, or the sum of the two largest when group_by_two; of equal ones the lower index wins.
//   ids [T,K] = the K experts of largest choice, largest first; weights [T,K] = their scores, divided by the sum of the K
//   when is_normalized (sigmoid: sum + 1e-20), times scale.
// (Mixtral arXiv 2401.04088; DeepSeek-V2 2405.04434, -V3 2412.19437.)
struct RouteArgs {
  int32_t* ids = nullptr;             // [T,K], written
  float* weights = nullptr;           // [T,K], written
  const float* logits = nullptr;      // [T,E]
  const float* correction = nullptr;  // [E] or null
  int64_t n_tokens = 0;
  int32_t n_experts = 0, n_chosen = 0;  // E, K
  int32_t n_groups = 1, n_best_groups = 1;
  bool is_sigmoid = false, is_normalized = false, is_group_by_two = false;
  float scale = 1;
};

struct OpTable {
  const char* name = nullptr;  // "ref", "scalar", "avx2", "avx512", "neon"

  // Memory of the device. alloc: 64-byte aligned, throws out_of_memory with the size; free(null) is allowed.
  void* (*alloc)(size_t bytes);
  void (*free)(void* p);
  void (*copy)(Exec&, void* dst, const void* src, size_t bytes);  // within the device
  void (*copy_in)(Exec&, void* dst, const void* host, size_t bytes);
  void (*copy_out)(Exec&, void* host, const void* src, size_t bytes);  // returns when the bytes are there
  void (*fill_zero)(Exec&, void* dst, size_t bytes);
  void (*sync)(Exec&);

  // Matrix products; the entry is chosen by the weights' format.
  size_t (*matmul_scratch)(const Exec&, int64_t m, int64_t k, Compute compute);
  void (*matmul[16])(Exec&, const MatmulArgs&);  // index: number of formats.def; unused numbers are null

  // LLM.int8(), as above. Formats: Int8; and Fp32, Fp16 and Bf16, whose rows are made int8 while they are read, as quantize_rows does
  // (training with has_fp16_weights); a row that has no finite fp16 image gives NaN. Null for the others.
  size_t (*matmul_int8_scratch)(const Exec&, int64_t m, int64_t k);
  void (*matmul_int8[16])(Exec&, const MatmulArgs&);
  // Counts what matmul_int8 would take for outliers in x [M,K], and looks at all of it.
  void (*count_outliers)(Exec&, const OutlierCounts&, const float* x, int64_t m, int64_t k, float threshold, Compute);

  // out [T,C] fp32 = rows ids[t] of table [V,C]. ids int32 [T], each in [0, V).
  void (*embed[16])(Exec&, float* out, const WeightView& table, const int32_t* ids, int64_t n_tokens);

  // out [rows, cols] fp32 = decoded weight, rows first_row .. first_row + n_rows (used by tests, adapters, GGUF).
  void (*dequantize[16])(Exec&, float* out, const WeightView& w, int64_t first_row, int64_t n_rows);

  // out = x / sqrt(mean(x^2) + eps) * weight + bias, over each row (arXiv 1910.07467).
  void (*rmsnorm)(Exec&, const NormArgs&);
  // out = (x - mean(x)) / sqrt(variance(x) + eps) * weight + bias, over each row; the variance is that of the population (arXiv 1607.06450).
  void (*layernorm)(Exec&, const NormArgs&);

  void (*rope)(Exec&, const RopeArgs&);

  // Writes T new keys or values x [T, G, D] fp32 to cache [G, capacity, D] fp16 at positions n_past .. (round to nearest even).
  void (*kv_store)(Exec&, uint16_t* cache, const float* x, int64_t n_tokens, int64_t n_past, int64_t capacity, int32_t n_kv_heads,
                   int32_t head_dim);

  size_t (*attention_scratch)(const Exec&, const AttentionArgs&);  // reads only shapes; larger n_tokens never needs less
  void (*attention)(Exec&, const AttentionArgs&);

  void (*gate)(Exec&, const GateArgs&);
  // x[i] = act(x[i])
  void (*activate)(Exec&, float* x, Activation act, int64_t n);

  // x[i] += scale * y[i]
  void (*add)(Exec&, float* x, const float* y, float scale, int64_t n);
  // x[i] *= factor
  void (*scale)(Exec&, float* x, float factor, int64_t n);
  // x[i] = min(max(x[i], -limit), limit)
  void (*clamp)(Exec&, float* x, float limit, int64_t n);
  // x[i] = cap * tanh(x[i] / cap)
  void (*softcap)(Exec&, float* x, float cap, int64_t n);
  void (*copy_blocks)(Exec&, const CopyBlocksArgs&);

  // Mixture of experts.
  void (*route)(Exec&, const RouteArgs&);
  // out [n,C]: row i = row ids[i] of x [.,C]
  void (*gather_rows)(Exec&, float* out, const float* x, const int32_t* ids, int64_t n, int64_t width);
  // Row ids[i] of x [.,C] += weights[i] * row i of y [n,C]. No id occurs twice in one call.
  void (*scatter_add_rows)(Exec&, float* x, const float* y, const int32_t* ids, const float* weights, int64_t n, int64_t width);
  // Row t of x [T,C] *= 1 / (1 + exp(-gates[t]))
  void (*gate_rows)(Exec&, float* x, const float* gates, int64_t n_tokens, int64_t width);

  // Encoding. src: n elements of fp32, fp16 or bf16; a NaN or infinity is reported, never stored: the return value is the
  // index of the first one, or -1. Rules of bitsandbytes.md 2.1 to 2.3 (CUDA rule for FP4, zero block 0x77 / 0x00).
  //   4-bit: codes [ceil(n/2)], absmax [ceil(n/block_size)]; n may end in a short block (and an odd element).
  int64_t (*quantize_blocks[16])(Exec&, uint8_t* codes, float* absmax, const void* src, DType src_type, int64_t n, int32_t block_size);
  //   Int8 (LLM.int8() weights, 2.6): src [rows, cols] is rounded to fp16 first; codes int8 [rows, cols], scb [rows];
  //   code = round half to even of w * (127 * (1 / scb)): by the reciprocal, as bitsandbytes' CPU backend does.
  //   A row whose fp16 image has an infinity counts as one.
  int64_t (*quantize_rows)(Exec&, int8_t* codes, float* scb, const void* src, DType src_type, int64_t rows, int64_t cols);
  //   Conversion between plain types (fp32, fp16, bf16), same NaN/infinity report (infinity that arises by rounding, too).
  int64_t (*convert)(Exec&, void* dst, DType dst_type, const void* src, DType src_type, int64_t n);

  // 8-bit block-wise quantization by a map (code_map.h; bitsandbytes.md 2.4): optimizer states, scales, statistics.
  //   codes [n], absmax [ceil(n/block_size)]: absmax = max |w| of a block, code = nearest value of the map to w * (1/absmax), all in
  //   fp32; an exact tie goes to the even code; a block of zeros has the code of 0. Blocks run over the flat array, the last may be short.
  // src: n elements of fp32, fp16 or bf16, reported as above where not finite. n >= 0, block_size >= 1. map is in device memory, too.
  int64_t (*quantize_map8)(Exec&, uint8_t* codes, float* absmax, const void* src, DType src_type, int64_t n, const CodeMap& map,
                           int64_t block_size);
  // dst [n] of fp32, fp16 or bf16 = map.values[codes[i]] * absmax[i / block_size], the product rounded to fp32, then to dst_type.
  void (*dequantize_map8)(Exec&, void* dst, DType dst_type, const uint8_t* codes, const float* absmax, int64_t n, const CodeMap& map,
                          int64_t block_size);
};

// Double quantization of scales (bitsandbytes.md 2.5): plain code on every backend, it is a 64th of the work.
// codes [n], absmax2 [ceil(n/256)]; returns the offset: the mean of absmax to the very bit that PyTorch computes on one thread of a CPU
// (nested_scales.cc), so that files agree. absmax must be finite; n = 0 gives 0.
float nest_scales(uint8_t* codes, float* absmax2, const float* absmax, int64_t n);
// The signed dynamic map [256] used for it (bitsandbytes.md 2.4).
const float* dynamic_map_signed();
// The code book [16] of a 4-bit format.
const float* codebook(FormatId format);

// Throws internal and names the first empty entry that the formats of formats.def need. Called when a table is chosen.
void check_table(const OpTable& table);

// The tables this processor can run, best first; the reference comes last. ENGINE_ISA=scalar|avx2|avx512|neon|ref picks one.
// Throws bad_input when the wanted one does not exist or cannot run here, naming those that can.
const OpTable& cpu_table();
const OpTable& op_table(const char* name);
// Null-terminated list of names that op_table accepts on this processor.
const char* const* op_table_names();

}  // namespace nibble
