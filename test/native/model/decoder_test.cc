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
      &DecoderDescription::n_layers,   &DecoderDescription::width,      &DecoderDescription::n_heads,     &DecoderDescription::n_kv_heads,
      &DecoderDescription::head_dim,   &DecoderDescription::value_dim,  &DecoderDescription::embed_width, &DecoderDescription::ffn_width,
      &DecoderDescription::vocab_size, &DecoderDescription::max_context};
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

TEST_CASE(quarters_need_heads_in_fours_with_a_key_each) {
  const auto with_heads = [](int32_t heads, int32_t kv_heads) {
    return refusal([=](DecoderDescription& d) {
      d.qkv = QkvLayout::quarters;
      d.n_heads = heads;
      d.n_kv_heads = kv_heads;
    });
  };
  CHECK(with_heads(4, 4).empty());
  CHECK(with_heads(8, 8).empty());
  CHECK(with_heads(6, 6) == "bad_input");
  CHECK(with_heads(4, 2) == "bad_input");
}

TEST_CASE(the_attention_scale_of_a_layer_must_be_usable) {
  CHECK(refusal([](DecoderDescription& d) { d.layers[1].attention_scale = 0.5f; }).empty());
  CHECK(refusal([](DecoderDescription& d) { d.layers[1].attention_scale = -1; }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.layers[1].attention_scale = INFINITY; }) == "bad_input");
}

TEST_CASE(rotary_frequencies_must_fit_the_head) {
  CHECK(refusal([](DecoderDescription& d) {
          d.ropes[0].rotary_dim = 18;  // wider than the head
          d.ropes[0].inv_freq.resize(9);
        }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.ropes[0].rotary_dim = 15; }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.ropes[0].rotary_dim = -2; }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.ropes[0].inv_freq.pop_back(); }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.ropes[0] = {}; }).empty());  // no rotary embedding
}

TEST_CASE(numbers_must_be_usable) {
  for (const float bad : {NAN, INFINITY}) {
    CHECK(refusal([&](DecoderDescription& d) { d.norm_eps = bad; }) == "bad_input");
    CHECK(refusal([&](DecoderDescription& d) { d.attention_scale = bad; }) == "bad_input");
    CHECK(refusal([&](DecoderDescription& d) { d.ropes[0].mscale = bad; }) == "bad_input");
  }
  CHECK(refusal([](DecoderDescription& d) { d.norm_eps = -1e-5f; }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.layers[1].window = -1; }) == "bad_input");
}

TEST_CASE(layers_name_what_exists) {
  CHECK(refusal([](DecoderDescription& d) { d.layers.pop_back(); }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.layers[0].rope = 1; }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.layers[0].rope = -2; }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.layers[0].rope = -1; }).empty());
  CHECK(refusal([](DecoderDescription& d) { d.layers[0].has_experts = true; }) == "bad_input");
}

TEST_CASE(experts_must_be_reachable) {
  const auto with = [](const std::function<void(ExpertsDescription&)>& change) {
    return refusal([&](DecoderDescription& d) {
      d.experts = {.n_experts = 8, .n_chosen = 2, .ffn_width = 32};
      change(d.experts);
    });
  };
  CHECK(with([](ExpertsDescription&) {}).empty());
  CHECK(with([](ExpertsDescription& e) { e.n_chosen = 9; }) == "bad_input");
  CHECK(with([](ExpertsDescription& e) { e.n_chosen = 0; }) == "bad_input");
  CHECK(with([](ExpertsDescription& e) { e.n_groups = 3; }) == "bad_input");
  CHECK(with([](ExpertsDescription& e) { e.n_groups = 8; }) == "bad_input");  // one expert can be reached, two are wanted
  CHECK(with([](ExpertsDescription& e) { e.n_groups = e.n_best_groups = 8; }).empty());
  CHECK(with([](ExpertsDescription& e) {
          e.n_groups = e.n_best_groups = 8;
          e.is_group_by_two = true;
        }) == "bad_input");
}

TEST_CASE(positions_must_reach_the_context) {
  CHECK(refusal([](DecoderDescription& d) { d.n_positions = 2047; }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.n_positions = 2048; }).empty());
  CHECK(refusal([](DecoderDescription& d) {
          d.n_positions = 2048;
          d.first_position = 2;
        }) == "bad_input");
}

TEST_CASE(slopes_are_one_for_each_head) {
  CHECK(refusal([](DecoderDescription& d) { d.alibi_slopes = {1, 0.5f}; }) == "bad_input");
  CHECK(refusal([](DecoderDescription& d) { d.alibi_slopes = {1, 0.5f, 0.25f, 0.125f}; }).empty());
  CHECK(refusal([](DecoderDescription& d) { d.alibi_slopes = {1, 0.5f, NAN, 0.125f}; }) == "bad_input");
}
