// The forward pass of every backend against PyTorch's logits of the generated decoder.
#include "model/forward.h"

#include <algorithm>
#include <set>

#include "harness.h"
#include "model/tiny_decoder.h"

using namespace nibble;
using test::TinyDecoder;

namespace {

// What separates our logits (up to 3 in size) from PyTorch's fp32 ones: keys and values rounded to fp16 (2^-11 each), and for bf16 the
// rounding of every factor (2^-9), through two layers. Half of this is used at most, by the reference as well.
constexpr double kFp32Allowance = 8 * 0x1p-11, kBf16Allowance = 32 * 0x1p-9;
// Int8 weights are multiplied with activations as they are: what LLM.int8() makes of them is compared in test/addon/logits.test.ts.
void check_golden(LoadOptions options, const uint32_t (&golden_bits)[288], const std::string& what) {
  options.int8.is_exact = true;
  const auto model = test::load(options);
  const std::vector<float> logits = test::all_logits(*model, test::tiny_prompt());
  CHECK(logits.size() == 12 * 96);
  std::vector<float> actual, expected;
  for (size_t i = 0; i < 3; ++i) {
    const auto row = logits.begin() + static_cast<int64_t>(golden::kDecoderRows[i] * 96);
    actual.insert(actual.end(), row, row + 96);
  }
  for (const uint32_t bits : golden_bits) expected.push_back(std::bit_cast<float>(bits));
  const double allowance = options.compute == Compute::bf16 ? kBf16Allowance : kFp32Allowance;
  test::check_close(text(what, " on ", options.backend, options.compute == Compute::bf16 ? " in bf16" : ""), actual, expected,
                    [&](size_t) { return allowance; });
}

template <class Fn>
void for_each_backend(Fn&& fn) {
  for (const char* const* name = op_table_names(); *name != nullptr; ++name) {
    for (const Compute compute : {Compute::f32, Compute::bf16}) fn(*name, compute);
  }
}

const QuantizeSpec kNf4{FormatId::Nf4, 64, false}, kInt8{FormatId::Int8, 64, false};

}  // namespace

TEST_CASE(logits_of_plain_weights_equal_pytorchs) {
  const TinyDecoder plain, window({.window = 4});
  for_each_backend([&](const char* backend, Compute compute) {
    check_golden(plain.load_options(backend, compute), golden::kDecoderLogits, "plain");
    check_golden(window.load_options(backend, compute), golden::kDecoderLogitsWindow, "window");
  });
}

TEST_CASE(logits_of_stored_and_of_just_quantized_weights_equal_pytorchs) {
  const TinyDecoder plain, nf4({.stored = kNf4}), int8({.stored = kInt8});
  for_each_backend([&](const char* backend, Compute compute) {
    check_golden(nf4.load_options(backend, compute), golden::kDecoderLogitsNf4, "stored nf4");
    check_golden(int8.load_options(backend, compute), golden::kDecoderLogitsInt8, "stored int8");
    LoadOptions options = plain.load_options(backend, compute);
    options.quantize = kNf4;
    check_golden(options, golden::kDecoderLogitsNf4, "nf4 while loading");
    options.quantize = kInt8;
    check_golden(options, golden::kDecoderLogitsInt8, "int8 while loading");
  });
}

// Between backends only the order of fp32 sums differs: a few 1e-6. Now and then that tips a key or value over to the next fp16, which
// moves all logits after it; so most prompts must agree closely, and all of them within what fp16 may cost. With LLM.int8() it may tip an
// activation over to the next of 127 steps as well: 2^-7 of what the largest adds, in each of the products of two layers.
TEST_CASE(every_backend_gives_the_logits_of_the_reference) {
  for (const auto& stored :
       {std::optional<QuantizeSpec>(), std::optional(kNf4), std::optional(QuantizeSpec{FormatId::Fp4, 32, true}), std::optional(kInt8)}) {
    const TinyDecoder decoder({.stored = stored});
    const auto reference = test::load(decoder.load_options("ref"));
    for_each_backend([&](const char* backend, Compute compute) {
      if (compute == Compute::bf16) return;
      const auto model = test::load(decoder.load_options(backend));
      const bool is_int8 = stored && stored->format == FormatId::Int8;
      const double allowance = is_int8 ? 8 * 0x1p-7 : kFp32Allowance;
      int n_close = 0;
      for (int32_t token = 0; token < 32; ++token) {
        const std::vector<int32_t> prompt = {token * 3, token};
        const std::vector<float> expected = test::all_logits(*reference, prompt), actual = test::all_logits(*model, prompt);
        test::check_close(backend, actual, expected, [&](size_t) { return allowance; });
        double worst = 0;
        for (size_t i = 0; i < actual.size(); ++i) worst = std::max(worst, std::fabs(static_cast<double>(actual[i]) - expected[i]));
        n_close += worst < 6e-6 ? 1 : 0;
      }
      if (n_close < (is_int8 ? 20 : 26)) throw test::Failure(text(backend, ": only ", n_close, " of 32 prompts agree closely"));
    });
  }
}

TEST_CASE(biases_of_zero_change_nothing) {
  const TinyDecoder decoder({.has_biases = true});
  check_golden(decoder.load_options(), golden::kDecoderLogits, "zero biases");
}

TEST_CASE(the_greedy_continuation_is_pytorchs) {
  const TinyDecoder decoder;
  for_each_backend([&](const char* backend, Compute compute) {
    const auto model = test::load(decoder.load_options(backend, compute));
    Session session(*model);
    const GenerateResult result = session.generate(
        test::greedy(test::tiny_prompt(), 8), [](int32_t) { return true; }, Cancel());
    CHECK(std::equal(result.tokens.begin(), result.tokens.end(), std::begin(golden::kDecoderGreedy), std::end(golden::kDecoderGreedy)));
  });
}

TEST_CASE(chunks_of_a_long_prompt_give_the_logits_of_single_steps) {
  const TinyDecoder decoder;
  LoadOptions options = decoder.load_options();
  options.context = 600;
  const auto model = test::load(options);
  std::vector<int32_t> tokens;
  for (int32_t i = 0; i < 530; ++i) tokens.push_back(i * 31 % 96);  // more than one chunk of Forward::kMaxTokens
  const std::vector<float> together = test::all_logits(*model, tokens);
  for (const size_t position : {size_t{0}, size_t{300}, size_t{511}, size_t{512}, size_t{529}}) {
    std::vector<float> alone;
    for (size_t i = 0; i <= position; ++i) {
      model->forward().run(model->exec(), {&tokens[i], 1}, static_cast<int64_t>(i), Cancel());
      if (i == position) alone.assign(model->forward().logits(model->exec(), 0, 1), model->forward().logits(model->exec(), 0, 1) + 96);
    }
    const auto row = together.begin() + static_cast<int64_t>(position * 96);
    // The same numbers summed in another order; keys and values may round to the other fp16.
    test::check_close(text("position ", position), alone, {row, row + 96}, [](size_t) { return kFp32Allowance; });
  }
}

TEST_CASE(an_observer_sees_every_stage_in_order) {
  const TinyDecoder decoder;
  const auto model = test::load(decoder.load_options());
  std::vector<std::string> stages;
  model->forward().observer = [&](const std::string& stage, const float* values, int64_t n) {
    CHECK(n > 0 && std::isfinite(values[n - 1]));
    stages.push_back(stage);
  };
  test::all_logits(*model, {1, 2, 3});
  CHECK(stages.size() == 2 + 2 * 7);
  CHECK(stages.front() == "embed" && stages[1] == "layers.0.q" && stages[14] == "layers.1.after_mlp" && stages.back() == "logits");
}
