#include "model/decoder.h"

#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace nibble {

namespace {

// Far above any model; keeps every product of dimensions inside 63 bits.
constexpr int64_t kMaxDimension = int64_t{1} << 24;
constexpr int64_t kMaxLayers = 4096;

void check_dimension(const char* name, int64_t value, int64_t max) {
  if (value >= 1 && value <= max) return;
  throw Error(ErrorCode::bad_input, text("The model's ", name, " is ", value, "; it must be between 1 and ", max, "."));
}

}  // namespace

void check_decoder(const DecoderDescription& d) {
  check_dimension("number of layers", d.n_layers, kMaxLayers);
  check_dimension("width", d.width, kMaxDimension);
  check_dimension("number of heads", d.n_heads, kMaxDimension);
  check_dimension("number of key/value heads", d.n_kv_heads, kMaxDimension);
  check_dimension("head width", d.head_dim, kMaxDimension);
  check_dimension("feed-forward width", d.ffn_width, kMaxDimension);
  check_dimension("vocabulary", d.vocab_size, kMaxDimension);
  check_dimension("context", d.max_context, kMaxDimension);
  check_dimension("width of all heads", int64_t{d.n_heads} * d.head_dim, kMaxDimension);
  if (d.n_heads % d.n_kv_heads != 0) {
    throw Error(ErrorCode::bad_input,
                text("The model has ", d.n_heads, " heads, which ", d.n_kv_heads, " key/value heads cannot share evenly."));
  }
  const RopeDescription& rope = d.rope;
  if (rope.rotary_dim < 0 || rope.rotary_dim % 2 != 0 || rope.rotary_dim > d.head_dim ||
      rope.inv_freq.size() != static_cast<size_t>(rope.rotary_dim / 2)) {
    throw Error(ErrorCode::bad_input, text("The rotary embedding has ", rope.inv_freq.size(), " frequencies for a rotary width of ",
                                           rope.rotary_dim, " and a head width of ", d.head_dim, "."));
  }
  if (d.sliding_window < 0) throw Error(ErrorCode::bad_input, text("The sliding window is ", d.sliding_window, "."));
  if (!(d.norm_eps >= 0) || !std::isfinite(d.norm_eps) || !std::isfinite(d.attention_scale) || !std::isfinite(rope.mscale)) {
    throw Error(ErrorCode::bad_input, text("The model's norm epsilon ", d.norm_eps, ", attention scale ", d.attention_scale,
                                           " or rotary scale ", rope.mscale, " is not a usable number."));
  }
}

}  // namespace nibble
