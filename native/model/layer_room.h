// What one layer computes on its way, for a chunk of tokens. The forward pass has one room for all layers; training has another for the
// gradients, and one for each layer where nothing is computed twice.
#pragma once

#include <cstdint>

#include "core/arena.h"
#include "model/decoder.h"

namespace nibble {

// Row widths of the parts of a layer, in elements.
struct LayerWidths {
  explicit LayerWidths(const DecoderDescription& decoder);

  int64_t q, k, v, attended;
  int64_t fused;   // the widest matrix whose rows belong to several things; 0: there is none
  int64_t hidden;  // of the feed-forward part, the widest
};

// Parts that the description has no use for are null and take no room.
struct LayerRoom {
  float* q = nullptr;               // [T,H,D]
  float* k = nullptr;               // [T,G,D]
  float* v = nullptr;               // [T,G,D_v]
  float* attended = nullptr;        // [T,H,D_v]
  float* fused = nullptr;           // [T, widest fused matrix]
  float* gate = nullptr;            // [T,F]
  float* up = nullptr;              // [T,F]
  float* latent_q = nullptr;        // [T,L_q]
  float* latent_kv = nullptr;       // [T, L + R]
  float* latent = nullptr;          // [T,L]
  float* router = nullptr;          // [T,X]
  int32_t* chosen = nullptr;        // [T,K] experts; then [T*K] tokens by expert
  float* chosen_weights = nullptr;  // likewise
  float* expert_in = nullptr;       // [T,C]
  float* expert_out = nullptr;      // [T,C]
  float* shared_gates = nullptr;    // [T]

  // Takes room of the part that the arena is in.
  static LayerRoom place(Arena& arena, const DecoderDescription& decoder, int64_t n_tokens);
};

}  // namespace nibble
