// Draws against known distributions.
#include "model/sampler.h"

#include <cmath>
#include <limits>

#include "core/text.h"
#include "harness.h"

using namespace nibble;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// Frequencies of n draws from the same logits with one generator.
std::vector<double> frequencies(const SamplingOptions& options, const std::vector<float>& logits, int n) {
  Sampler sampler(options, static_cast<int64_t>(logits.size()));
  std::vector<double> counts(logits.size());
  for (int i = 0; i < n; ++i) {
    std::vector<float> copy = logits;
    ++counts[static_cast<size_t>(sampler.sample(copy))];
  }
  for (double& count : counts) count /= n;
  return counts;
}

// Each frequency lies within five deviations of its probability; what cannot be drawn never is.
void check_distribution(const std::string& what, const SamplingOptions& options, const std::vector<float>& logits,
                        const std::vector<double>& expected) {
  constexpr int kDraws = 20000;
  const std::vector<double> actual = frequencies(options, logits, kDraws);
  for (size_t i = 0; i < expected.size(); ++i) {
    const double allowance = 5 * std::sqrt(expected[i] * (1 - expected[i]) / kDraws);
    if (std::fabs(actual[i] - expected[i]) <= allowance) continue;
    throw test::Failure(text(what, ": token ", i, " drawn with frequency ", actual[i], ", expected ", expected[i], " within ", allowance));
  }
}

// Probabilities 0.1 0.4 0.2 0.25 0.05
std::vector<float> five_logits() {
  std::vector<float> logits;
  for (const double p : {0.1, 0.4, 0.2, 0.25, 0.05}) logits.push_back(static_cast<float>(std::log(p) + 3));
  return logits;
}

int32_t sample_once(const SamplingOptions& options, std::vector<float> logits, const std::vector<int32_t>& seen = {}) {
  Sampler sampler(options, static_cast<int64_t>(logits.size()));
  for (const int32_t token : seen) sampler.observe(token);
  return sampler.sample(logits);
}

std::string refusal(const SamplingOptions& options, std::string* message = nullptr) {
  return test::error_code_of([&] { Sampler(options, 5); }, message);
}

}  // namespace

TEST_CASE(greedy_takes_the_highest_and_the_lowest_id_among_equals) {
  CHECK(sample_once({}, {0, 3, -1, 3, 2}) == 1);
  CHECK(sample_once({}, {-5, -3, -4}) == 1);
  CHECK(sample_once({.temperature = 2, .top_k = 1}, {0, 1, 9, 9}) == 2);
  std::vector<float> many(1000, -1);
  many[777] = many[900] = 5;
  CHECK(argmax(many) == 777);
  CHECK(argmax(std::vector<float>{NAN, 1, NAN, 2, NAN}) == 3);
  CHECK(argmax(std::vector<float>{}) == -1 && argmax(std::vector<float>{NAN, -kInf}) == -1);
}

TEST_CASE(temperature_one_draws_by_probability) {
  check_distribution("plain", {.temperature = 1, .seed = 1}, five_logits(), {0.1, 0.4, 0.2, 0.25, 0.05});
}

TEST_CASE(temperature_sharpens_and_flattens) {
  const auto powered = [](double exponent) {
    std::vector<double> p;
    double total = 0;
    for (const double x : {0.1, 0.4, 0.2, 0.25, 0.05}) total += p.emplace_back(std::pow(x, exponent));
    for (double& x : p) x /= total;
    return p;
  };
  check_distribution("half", {.temperature = 0.5, .seed = 2}, five_logits(), powered(2));
  check_distribution("double", {.temperature = 2, .seed = 3}, five_logits(), powered(0.5));
  check_distribution("tiny", {.temperature = 1e-310, .seed = 4}, five_logits(), {0, 1, 0, 0, 0});
  check_distribution("huge", {.temperature = 1e300, .seed = 5}, five_logits(), {0.2, 0.2, 0.2, 0.2, 0.2});
}

TEST_CASE(top_k_keeps_the_k_highest) {
  check_distribution("k 2", {.temperature = 1, .top_k = 2, .seed = 6}, five_logits(), {0, 0.4 / 0.65, 0, 0.25 / 0.65, 0});
  check_distribution("k 5", {.temperature = 1, .top_k = 5, .seed = 7}, five_logits(), {0.1, 0.4, 0.2, 0.25, 0.05});
  check_distribution("k over", {.temperature = 1, .top_k = INT32_MAX, .seed = 8}, five_logits(), {0.1, 0.4, 0.2, 0.25, 0.05});
  check_distribution("equals", {.temperature = 1, .top_k = 2, .seed = 9}, {1, 1, 1, 1, 1}, {0.5, 0.5, 0, 0, 0});
}

TEST_CASE(top_p_keeps_the_likeliest_that_reach_p) {
  check_distribution("p 0.6", {.temperature = 1, .top_p = 0.6, .seed = 10}, five_logits(), {0, 0.4 / 0.65, 0, 0.25 / 0.65, 0});
  check_distribution("p 0.66", {.temperature = 1, .top_p = 0.66, .seed = 11}, five_logits(), {0, 0.4 / 0.85, 0.2 / 0.85, 0.25 / 0.85, 0});
  check_distribution("p tiny", {.temperature = 1, .top_p = 1e-9, .seed = 12}, five_logits(), {0, 1, 0, 0, 0});
  // After top-k: of 0.4 0.25 0.2, the first two have 0.765.
  check_distribution("k 3 p 0.76", {.temperature = 1, .top_k = 3, .top_p = 0.76, .seed = 13}, five_logits(),
                     {0, 0.4 / 0.65, 0, 0.25 / 0.65, 0});
}

TEST_CASE(min_p_keeps_what_is_near_the_likeliest) {
  check_distribution("m 0.45", {.temperature = 1, .min_p = 0.45, .seed = 14}, five_logits(), {0, 0.4 / 0.85, 0.2 / 0.85, 0.25 / 0.85, 0});
  check_distribution("m 1", {.temperature = 1, .min_p = 1, .seed = 15}, {2, 2, 1}, {0.5, 0.5, 0});
}

TEST_CASE(the_repeat_penalty_divides_positive_and_multiplies_negative_logits) {
  CHECK(sample_once({.repeat_penalty = 2}, {4, 3, 1}, {0}) == 1);
  CHECK(sample_once({.repeat_penalty = 2}, {-2, -3, -9}, {0}) == 1);
  CHECK(sample_once({.repeat_penalty = 0.5}, {1, 1.5f, 1}, {2}) == 2);
  CHECK(sample_once({.repeat_penalty = 2}, {4, 3, 1}) == 0);  // nothing seen
  // exp: 4 / 2 = 2 against 3 and 1.
  const double total = std::exp(2.0) + std::exp(3.0) + std::exp(1.0);
  Sampler sampler({.temperature = 1, .repeat_penalty = 2, .seed = 16}, 3);
  sampler.observe(0);
  int drawn = 0;
  for (int i = 0; i < 20000; ++i) {
    std::vector<float> logits = {4, 3, 1};
    drawn += sampler.sample(logits) == 0 ? 1 : 0;
  }
  const double p = std::exp(2.0) / total;
  CHECK(std::fabs(drawn / 20000.0 - p) < 5 * std::sqrt(p * (1 - p) / 20000));
}

TEST_CASE(a_seed_gives_the_same_draws_and_another_seed_others) {
  const std::vector<float> logits = test::random_values(200, 3);
  const auto draws = [&](uint64_t seed) {
    Sampler sampler({.temperature = 1, .top_k = 150, .top_p = 0.95, .seed = seed}, 200);
    std::vector<int32_t> tokens;
    for (int i = 0; i < 50; ++i) {
      std::vector<float> copy = logits;
      tokens.push_back(sampler.sample(copy));
    }
    return tokens;
  };
  CHECK(draws(5) == draws(5) && draws(5) != draws(6));
  CHECK((uint64_t{1} << 53) - 1 != 0 && draws((uint64_t{1} << 53) - 1) != draws(0));
}

TEST_CASE(logits_that_are_no_numbers_are_never_drawn) {
  check_distribution("nan", {.temperature = 1, .seed = 17}, {NAN, 1, NAN, 1, -kInf}, {0, 0.5, 0, 0.5, 0});
  for (const double temperature : {0.0, 1.0}) {
    for (const float bad : {NAN, -kInf, kInf}) {
      CHECK(test::error_code_of([&] { sample_once({.temperature = temperature}, {bad, bad, bad}); }) == "bad_file");
    }
    CHECK(test::error_code_of([&] { sample_once({.temperature = temperature}, {0, kInf, 0}); }) == "bad_file");
  }
}

TEST_CASE(options_outside_their_range_are_named) {
  std::string message;
  for (const double bad : {-1.0, double{NAN}, double{INFINITY}}) {
    CHECK(refusal({.temperature = bad}, &message) == "bad_input" && message.find("temperature") != std::string::npos);
    CHECK(refusal({.repeat_penalty = bad}, &message) == "bad_input" && message.find("repeatPenalty") != std::string::npos);
    CHECK(refusal({.top_p = bad}, &message) == "bad_input" && message.find("topP") != std::string::npos);
    CHECK(refusal({.min_p = bad}, &message) == "bad_input" && message.find("minP") != std::string::npos);
  }
  CHECK(refusal({.top_k = -1}) == "bad_input" && refusal({.top_p = 0}) == "bad_input" && refusal({.top_p = 1.01}) == "bad_input");
  CHECK(refusal({.min_p = 1.01}) == "bad_input" && refusal({.repeat_penalty = 0}) == "bad_input");
  // Logits times or by such numbers are no numbers any more, which would look like damaged weights.
  CHECK(refusal({.repeat_penalty = 1e-46}) == "bad_input" && refusal({.repeat_penalty = 1e300}) == "bad_input");
}
