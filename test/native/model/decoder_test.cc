// Descriptions that are impossible are refused before anything is made of them.
#include "model/decoder.h"

#include <cmath>

#include "harness.h"
#include "model/tiny_decoder.h"

using namespace nibble;

namespace {

std::string refusal(const std::function<void(DecoderDescription&)>& change, std::string* message = nullptr) {
  DecoderDescription decoder = test::TinyDecoder().source.decoder;
  change(decoder);
  return test::error_code_of([&] { check_decoder(decoder); }, message);
}

}  // namespace

TEST_CASE(a_possible_description_passes) {
  CHECK(refusal([](DecoderDescription&) {}).empty());
}

TEST_CASE(every_dimension_has_bounds) {
  int32_t DecoderDescription::*const kDimensions[] = {
      &DecoderDescription::n_layers, &DecoderDescription::width,     &DecoderDescription::n_heads,    &DecoderDescription::n_kv_heads,
      &DecoderDescription::head_dim, &DecoderDescription::ffn_width, &DecoderDescription::vocab_size, &DecoderDescription::max_context};
  for (const auto dimension : kDimensions) {
    for (const int32_t value : {0, -1, INT32_MIN, INT32_MAX}) {
      std::string message;
      CHECK(refusal([&](DecoderDescription& d) { d.*dimension = value; }, &message) == "bad_input");
      CHECK(message.find(std::to_string(value)) != std::string::npos);
    }
  }
  CHECK(refusal([](DecoderDescription& d) { d.n_layers = 4097; }) == "bad_input");
}

TEST_CASE(parts_must_fit_each_other) {
  CHECK(refusal([](DecoderDescription& d) { d.n_kv_heads = 3; }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.n_kv_heads = 8; }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) {
          d.n_heads = d.n_kv_heads = 1 << 20;
          d.head_dim = 1 << 20;
        }) == "bad_input");
}

TEST_CASE(rotary_frequencies_must_fit_the_head) {
  CHECK(refusal([](DecoderDescription& d) {
          d.rope.rotary_dim = 18;  // wider than the head
          d.rope.inv_freq.resize(9);
        }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.rope.rotary_dim = 15; }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.rope.rotary_dim = -2; }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.rope.inv_freq.pop_back(); }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.rope = {}; }).empty());  // no rotary embedding
}

TEST_CASE(numbers_must_be_usable) {
  for (const float bad : {NAN, INFINITY}) {
    CHECK(refusal([&](DecoderDescription& d) { d.norm_eps = bad; }) == "bad_input");
    CHECK(refusal([&](DecoderDescription& d) { d.attention_scale = bad; }) == "bad_input");
    CHECK(refusal([&](DecoderDescription& d) { d.rope.mscale = bad; }) == "bad_input");
  }
  CHECK(refusal([](DecoderDescription& d) { d.norm_eps = -1e-5f; }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.sliding_window = -1; }) == "bad_input");
}
