// One sequence over a model's cache: reuse of prefixes, stops, bounds, cancelling, damage.
#include "model/session.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "harness.h"
#include "model/bench.h"
#include "model/tiny_decoder.h"

using namespace nibble;
using test::TinyDecoder;

namespace {

const auto kGoOn = [](int32_t) { return true; };

struct Loaded {
  explicit Loaded(int64_t context = 64) {
    LoadOptions options = decoder.load_options();
    options.context = context;
    model = test::load(options);
  }
  TinyDecoder decoder;
  std::unique_ptr<Model> model;
};

std::vector<int32_t> joined(std::vector<int32_t> a, const std::vector<int32_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE(a_common_prefix_is_not_computed_again_and_changes_nothing) {
  const Loaded loaded;
  Session session(*loaded.model);
  const std::vector<int32_t> prompt = test::tiny_prompt();
  const GenerateResult first = session.generate(test::greedy(prompt, 8), kGoOn, Cancel());
  CHECK(first.prompt_tokens == 12 && first.cached_tokens == 0 && first.tokens.size() == 8);

  // The same prompt again: all but its last token. The last new token was never computed, so it is not in the cache.
  const GenerateResult again = session.generate(test::greedy(prompt, 8), kGoOn, Cancel());
  CHECK(again.cached_tokens == 11 && again.tokens == first.tokens);
  const GenerateResult next = session.generate(test::greedy(joined(joined(prompt, first.tokens), {7, 9}), 6), kGoOn, Cancel());
  CHECK(next.cached_tokens == 12 + 7);

  // A sequence that leaves the old one in its middle.
  std::vector<int32_t> other(prompt.begin(), prompt.begin() + 5);
  other = joined(other, {1, 2, 3});
  const GenerateResult branch = session.generate(test::greedy(other, 6), kGoOn, Cancel());
  CHECK(branch.cached_tokens == 5);

  const Loaded fresh;
  Session uncached(*fresh.model);
  CHECK(uncached.generate(test::greedy(other, 6), kGoOn, Cancel()).tokens == branch.tokens);
  uncached.forget();
  const GenerateResult whole = uncached.generate(test::greedy(joined(joined(prompt, first.tokens), {7, 9}), 6), kGoOn, Cancel());
  CHECK(whole.cached_tokens == 0 && whole.tokens == next.tokens);
}

TEST_CASE(logits_forget_what_generation_cached_and_the_other_way_round) {
  const Loaded loaded;
  Session session(*loaded.model);
  const GenerateResult first = session.generate(test::greedy(test::tiny_prompt(), 4), kGoOn, Cancel());
  session.logits(
      std::vector<int32_t>{1, 2, 3}, [](int64_t, int64_t, std::span<const float>) {}, Cancel());
  const GenerateResult again = session.generate(test::greedy(test::tiny_prompt(), 4), kGoOn, Cancel());
  CHECK(again.cached_tokens == 0 && again.tokens == first.tokens);
}

TEST_CASE(logits_come_in_rows_without_gaps) {
  const Loaded loaded(600);
  Session session(*loaded.model);
  int64_t next = 0;
  session.logits(
      std::vector<int32_t>(570, 5),
      [&](int64_t first, int64_t n, std::span<const float> values) {
        CHECK(first == next && n >= 1 && n <= Forward::kMaxLogitRows && values.size() == static_cast<size_t>(n * 96));
        next += n;
      },
      Cancel());
  CHECK(next == 570);
}

TEST_CASE(generation_stops_for_the_reason_it_tells) {
  const Loaded loaded;
  Session session(*loaded.model);
  GenerateOptions options = test::greedy(test::tiny_prompt(), 8);
  std::vector<int32_t> seen;
  const GenerateResult all = session.generate(
      options,
      [&](int32_t token) {
        seen.push_back(token);
        return true;
      },
      Cancel());
  CHECK(all.stop_reason == StopReason::max_new_tokens && seen == all.tokens);

  options.stop_tokens = {95, all.tokens[3], -1};
  const auto at = std::find(all.tokens.begin(), all.tokens.end(), all.tokens[3]) - all.tokens.begin();
  const GenerateResult stopped = session.generate(options, kGoOn, Cancel());
  CHECK(stopped.stop_reason == StopReason::stop_token && stopped.tokens.size() == static_cast<size_t>(at) + 1);
  CHECK(stopped.tokens.back() == all.tokens[3]);

  options.stop_tokens = {};
  int left = 2;
  const GenerateResult asked = session.generate(
      options, [&](int32_t) { return --left > 0; }, Cancel());
  CHECK(asked.stop_reason == StopReason::stop_token && asked.tokens.size() == 2);

  options.max_new_tokens = 0;
  CHECK(session.generate(options, kGoOn, Cancel()).tokens.empty());
}

TEST_CASE(a_full_context_ends_generation) {
  const Loaded loaded(16);
  Session session(*loaded.model);
  const GenerateResult result = session.generate(test::greedy(test::tiny_prompt(), 100), kGoOn, Cancel());
  CHECK(result.stop_reason == StopReason::context_full && result.tokens.size() == 5);  // 4 more positions, and one token after the last
  CHECK(std::equal(result.tokens.begin(), result.tokens.end(), std::begin(golden::kDecoderGreedy)));
  const GenerateResult full = session.generate(test::greedy(std::vector<int32_t>(16, 3), 5), kGoOn, Cancel());
  CHECK(full.stop_reason == StopReason::context_full && full.tokens.size() == 1);
}

TEST_CASE(prompts_that_cannot_be_are_refused_and_harm_nothing) {
  const Loaded loaded(16);
  Session session(*loaded.model);
  const GenerateResult before = session.generate(test::greedy(test::tiny_prompt(), 3), kGoOn, Cancel());
  const auto refusal = [&](const std::vector<int32_t>& tokens, std::string* message = nullptr) {
    const std::string code = test::error_code_of([&] { session.generate(test::greedy(tokens, 1), kGoOn, Cancel()); }, message);
    const auto no_rows = [](int64_t, int64_t, std::span<const float>) {};
    CHECK(code == test::error_code_of([&] { Session(*loaded.model).logits(tokens, no_rows, Cancel()); }));
    return code;
  };
  std::string message;
  CHECK(refusal({}) == "bad_input");
  CHECK(refusal({1, 96}, &message) == "bad_input" && message.find("96") != std::string::npos);
  CHECK(refusal({-1}) == "bad_input");
  CHECK(refusal({INT32_MIN, INT32_MAX}) == "bad_input");
  CHECK(refusal(std::vector<int32_t>(17, 1), &message) == "bad_input");
  CHECK(message.find("17") != std::string::npos && message.find("16") != std::string::npos);
  CHECK(session.generate(test::greedy(test::tiny_prompt(), 3), kGoOn, Cancel()).tokens == before.tokens);
}

TEST_CASE(cancelling_stops_at_once_and_leaves_the_session_usable) {
  const Loaded loaded(1000);
  Session session(*loaded.model);
  const std::vector<int32_t> prompt = test::tiny_prompt();
  const std::vector<int32_t> expected = session.generate(test::greedy(prompt, 8), kGoOn, Cancel()).tokens;
  Cancel before;
  before.request();
  GenerateResult none;
  const GenerateOptions never = test::greedy(joined({prompt[0]}, std::vector<int32_t>(700, 3)), 1);
  CHECK(test::error_code_of([&] { session.generate(never, kGoOn, before, none); }) == "cancelled");
  CHECK(none.stop_reason == StopReason::cancelled && none.prompt_tokens == 701 && none.cached_tokens == 1);
  CHECK(none.tokens.empty() && none.prefill_ms == 0 && none.decode_ms == 0 && none.time_to_first_token_ms == 0);
  CHECK(session.generate(test::greedy(prompt, 8), kGoOn, Cancel()).tokens == expected);

  Cancel during;
  int n = 0;
  const auto stop_at_third = [&](int32_t) {
    if (++n == 3) during.request();
    return true;
  };
  GenerateResult part;
  CHECK(test::error_code_of([&] { session.generate(test::greedy(prompt, 900), stop_at_third, during, part); }) == "cancelled");
  CHECK(n == 3 && part.stop_reason == StopReason::cancelled && part.prompt_tokens == 12 && part.cached_tokens == 11);
  CHECK(part.tokens == std::vector<int32_t>(expected.begin(), expected.begin() + 3) && part.prefill_ms > 0 && part.decode_ms > 0);
  const GenerateResult after = session.generate(test::greedy(prompt, 8), kGoOn, Cancel());
  CHECK(after.cached_tokens == 11 && after.tokens == expected);
}

TEST_CASE(an_error_of_the_listener_passes_through_and_the_session_lives) {
  const Loaded loaded;
  Session session(*loaded.model);
  const auto fail = [](int32_t) -> bool { throw Error(ErrorCode::no_space, "full"); };
  CHECK(test::error_code_of([&] { session.generate(test::greedy(test::tiny_prompt(), 8), fail, Cancel()); }) == "no_space");
  const GenerateResult result = session.generate(test::greedy(test::tiny_prompt(), 8), kGoOn, Cancel());
  CHECK(std::equal(result.tokens.begin(), result.tokens.end(), std::begin(golden::kDecoderGreedy)));
}

TEST_CASE(weights_that_give_no_numbers_are_told) {
  TinyDecoder decoder;
  std::vector<uint8_t> bytes = decoder.file().bytes();
  const int64_t head = decoder.tensor("head").data.offset;
  std::fill(bytes.begin() + head, bytes.begin() + head + 96 * 64 * 4, uint8_t{0xff});  // NaN everywhere; the head is mapped, not read
  const test::TempFile changed(bytes);
  decoder.source.files = {changed.path()};
  const auto model = test::load(decoder.load_options());
  Session session(*model);
  CHECK(test::error_code_of([&] { session.generate(test::greedy({1, 2}, 2), kGoOn, Cancel()); }) == "bad_file");
}

#ifndef _WIN32
TEST_CASE(a_model_file_cut_while_in_use_is_an_error_and_no_crash) {
  TinyDecoder decoder({.stored = QuantizeSpec{FormatId::Nf4, 64, false}});
  const auto model = test::load(decoder.load_options());
  Session session(*model);
  CHECK(session.generate(test::greedy(test::tiny_prompt(), 2), kGoOn, Cancel()).tokens.size() == 2);
  decoder.file().resize(100);
  std::string message;
  CHECK(test::error_code_of([&] { session.generate(test::greedy({1, 2, 3}, 4), kGoOn, Cancel()); }, &message) == "bad_file");
  CHECK(message.find(decoder.file().path()) != std::string::npos);
  CHECK(test::error_code_of([&] { session.generate(test::greedy(test::tiny_prompt(), 4), kGoOn, Cancel()); }) == "bad_file");
}
#endif

TEST_CASE(a_bench_runs_what_it_says_and_checks_its_room) {
  const Loaded loaded(40);
  const BenchResult result = run_bench(*loaded.model, 30, 10, Cancel());
  CHECK(result.prefill_ms > 0 && result.decode_ms > 0 && result.weight_bytes_per_token == loaded.model->weights().bytes_per_token());
  CHECK(test::error_code_of([&] { run_bench(*loaded.model, 30, 11, Cancel()); }) == "bad_input");
  CHECK(test::error_code_of([&] { run_bench(*loaded.model, 0, 1, Cancel()); }) == "bad_input");
  CHECK(test::error_code_of([&] { run_bench(*loaded.model, INT64_MAX, 1, Cancel()); }) == "bad_input");
}
