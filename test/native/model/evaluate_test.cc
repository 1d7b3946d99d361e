// Evaluating stage by stage: the logits are those of the whole model, and the figures are what they say.
#include "model/evaluate.h"

#include <cmath>
#include <limits>
#include <map>

#include "harness.h"
#include "model/tiny_decoder.h"
#include "plan/evaluation.h"

using namespace nibble;
using test::TinyDecoder;
using test::TinyOptions;

namespace {

using Logits = std::map<size_t, std::vector<std::vector<float>>>;  // model, window

std::vector<std::vector<int32_t>> windows() {
  const std::vector<int32_t>& prompt = test::tiny_prompt();
  return {prompt, {5, 6, 7}, {prompt.rbegin(), prompt.rend()}};
}

EvaluateOptions options_of(const std::vector<ModelSource>& sources, int threads = 2) {
  EvaluateOptions options;
  for (const ModelSource& source : sources) options.models.push_back({source, {}});
  options.windows = windows();
  options.threads = threads;
  options.backend = "auto";
  return options;
}

std::vector<ModelFigures> run(EvaluateOptions options, Logits* logits = nullptr) {
  const auto evaluation = open_evaluation(std::move(options));
  if (logits != nullptr) {
    evaluation->observer = [&](size_t model, size_t window, int64_t, std::span<const float> values) {
      auto& of_model = (*logits)[model];
      of_model.resize(std::max(of_model.size(), window + 1));
      of_model[window].insert(of_model[window].end(), values.begin(), values.end());
    };
  }
  for (int64_t i = 0; i < evaluation->steps(); ++i) evaluation->run_step([](double) {}, Cancel());
  return evaluation->figures();
}

ModelSource quantized(ModelSource source, const QuantizeSpec& spec, bool with_tables = false) {
  for (TensorSource& tensor : source.tensors) {
    const bool is_table = tensor.role == "embed" || tensor.role == "head" || tensor.role.ends_with("router");
    if (tensor.shape.size() > 1 && (with_tables || !is_table)) tensor.quantize = spec;
  }
  return source;
}

// Logits of all but the last token of each window, by a session of the whole model.
std::vector<std::vector<float>> whole_model(const LoadOptions& load) {
  const auto model = test::load(load);
  std::vector<std::vector<float>> all;
  for (const std::vector<int32_t>& window : windows()) {
    std::vector<float> logits = test::all_logits(*model, window);
    logits.resize(logits.size() - static_cast<size_t>(load.source.decoder.vocab_size));
    all.push_back(std::move(logits));
  }
  return all;
}

}  // namespace

TEST_CASE(evaluated_logits_are_those_of_the_whole_model) {
  for (const Encoding plain : {Encoding::f32, Encoding::bf16}) {
    const TinyDecoder decoder({.plain = plain, .has_biases = true});
    for (const QuantizeSpec& spec :
         {QuantizeSpec{FormatId::Nf4, 64, false}, QuantizeSpec{FormatId::Nf4, 64, true}, QuantizeSpec{FormatId::Int8, 64, false}}) {
      Logits logits;
      run(options_of({decoder.source, quantized(decoder.source, spec)}), &logits);
      LoadOptions load = decoder.load_options();
      CHECK(logits[0] == whole_model(load));
      load.quantize = spec;
      CHECK(logits[1] == whole_model(load));
    }
  }
}

TEST_CASE(windows_that_are_longer_than_a_chunk_go_on_where_the_chunk_before_ended) {
  const TinyDecoder decoder;
  EvaluateOptions options = options_of({decoder.source});
  std::vector<int32_t> tokens;
  for (int32_t i = 0; i < Forward::kMaxTokens + 65; ++i) tokens.push_back((i * 37 + i / 90) % 96);
  options.windows = {tokens};
  Logits logits;
  run(options, &logits);
  LoadOptions load = decoder.load_options();
  load.context = static_cast<int64_t>(tokens.size());
  const auto model = test::load(load);
  std::vector<float> expected = test::all_logits(*model, tokens);
  expected.resize(expected.size() - 96);
  CHECK(logits[0][0] == expected);
}

TEST_CASE(evaluated_experts_and_tables_are_those_that_a_file_would_hold) {
  for (const bool are_fused : {false, true}) {
    for (const QuantizeSpec& spec : {QuantizeSpec{FormatId::Fp4, 64, false}, QuantizeSpec{FormatId::Nf4, 32, true}}) {
      const TinyOptions plain{.n_experts = 4, .are_fused = are_fused};
      TinyOptions stored = plain;
      stored.stored = spec;
      stored.stores_tables = true;
      const TinyDecoder decoder(plain), file(stored);
      Logits logits;
      run(options_of({quantized(decoder.source, spec, true)}), &logits);
      CHECK(logits[0] == whole_model(file.load_options()));
    }
  }
}

TEST_CASE(evaluated_tensors_are_rounded_to_the_type_asked_for) {
  const TinyDecoder wide({.plain = Encoding::f32}), narrow({.plain = Encoding::bf16});
  ModelSource rounded = wide.source;
  for (TensorSource& tensor : rounded.tensors) tensor.type = DType::bf16;
  Logits logits;
  run(options_of({rounded, quantized(rounded, {}), quantized(narrow.source, {})}), &logits);
  CHECK(logits[0] == whole_model(narrow.load_options()));
  CHECK(logits[0] != whole_model(wide.load_options()));
  CHECK(logits[1] == logits[2]);
}

TEST_CASE(evaluated_figures_are_those_of_the_logits) {
  const TinyDecoder decoder;
  Logits logits;
  const std::vector<ModelFigures> figures = run(
      options_of({decoder.source, quantized(decoder.source, {FormatId::Fp4, 64, false}), decoder.source}), &logits);
  const auto vocab = static_cast<size_t>(decoder.source.decoder.vocab_size);
  const auto log_softmax = [&](const float* row) {
    long double sum = 0;
    for (size_t i = 0; i < vocab; ++i) sum += std::exp(static_cast<long double>(row[i]));
    std::vector<long double> result;
    for (size_t i = 0; i < vocab; ++i) result.push_back(row[i] - std::log(sum));
    return result;
  };
  long double loss = 0, divergence = 0, largest = 0;
  int64_t same = 0, n = 0;
  for (size_t window = 0; window < windows().size(); ++window) {
    for (size_t row = 0; row + 1 < windows()[window].size(); ++row, ++n) {
      const auto p = log_softmax(logits[0][window].data() + row * vocab), q = log_softmax(logits[1][window].data() + row * vocab);
      loss -= q[static_cast<size_t>(windows()[window][row + 1])];
      long double here = 0;
      for (size_t i = 0; i < vocab; ++i) here += std::exp(p[i]) * (p[i] - q[i]);
      divergence += here;
      largest = std::max(largest, here);
      same += std::ranges::max_element(p) - p.begin() == std::ranges::max_element(q) - q.begin() ? 1 : 0;
    }
  }
  const auto is_near = [](double value, long double expected) { return std::fabs(value - static_cast<double>(expected)) < 1e-12; };
  CHECK(is_near(figures[1].loss, loss / n) && is_near(figures[1].divergence, divergence / n));
  CHECK(is_near(figures[1].largest_divergence, largest) && is_near(figures[1].same_top, static_cast<long double>(same) / n));
  CHECK(figures[1].divergence > 1e-4 && figures[1].same_top < 1);
  CHECK(figures[2].divergence == 0 && figures[2].same_top == 1 && figures[2].loss == figures[0].loss);
}

TEST_CASE(evaluated_figures_do_not_depend_on_the_number_of_threads) {
  const TinyDecoder decoder;
  const std::vector<ModelSource> sources = {decoder.source, quantized(decoder.source, {FormatId::Int8, 64, false})};
  const std::vector<ModelFigures> one = run(options_of(sources, 1)), three = run(options_of(sources, 3));
  for (size_t i = 0; i < one.size(); ++i) CHECK(one[i].loss == three[i].loss && one[i].divergence == three[i].divergence);
}

TEST_CASE(evaluation_needs_memory_for_one_layer_and_refuses_what_does_not_fit) {
  const TinyDecoder decoder;
  ModelSource deep = quantized(decoder.source, {FormatId::Int8, 64, false});
  const int32_t n_layers = 24;
  for (int32_t i = 2; i < n_layers; ++i) {
    deep.decoder.layers.push_back(deep.decoder.layers[1]);
    for (const TensorSource& tensor : std::vector(deep.tensors)) {
      if (!tensor.role.starts_with("layers.1.")) continue;
      deep.tensors.emplace_back(tensor).role = text("layers.", i, tensor.role.substr(8));
    }
  }
  deep.decoder.n_layers = n_layers;
  const Evaluation shallow(options_of({quantized(decoder.source, {FormatId::Int8, 64, false})})), evaluation(options_of({deep}));
  CHECK(evaluation.steps() == n_layers + 2);
  CHECK(evaluation.plan().total() == shallow.plan().total());
  EvaluateOptions options = options_of({deep});
  options.memory_limit = evaluation.plan().total() - evaluation.plan().mapped;
  CHECK(open_evaluation(options)->steps() == n_layers + 2);
  --options.memory_limit;
  CHECK(test::error_code_of([&] { open_evaluation(options); }) == "out_of_memory");
}

TEST_CASE(models_of_different_depth_are_evaluated_side_by_side) {
  const TinyDecoder decoder;
  ModelSource shallow = decoder.source;
  shallow.decoder.n_layers = 1;
  shallow.decoder.layers.resize(1);
  std::erase_if(shallow.tensors, [](const TensorSource& tensor) { return tensor.role.starts_with("layers.1."); });
  Logits logits;
  run(options_of({shallow, decoder.source}), &logits);
  LoadOptions load = decoder.load_options();
  CHECK(logits[1] == whole_model(load));
  load.source = shallow;
  CHECK(logits[0] == whole_model(load));
}

TEST_CASE(evaluation_refuses_what_cannot_be_measured) {
  const TinyDecoder decoder;
  const auto code_of = [&](auto&& change) {
    EvaluateOptions options = options_of({decoder.source, decoder.source});
    change(options);
    return test::error_code_of([&] { run(options); });
  };
  CHECK(code_of([](EvaluateOptions& o) { o.models.clear(); }) == "bad_input");
  CHECK(code_of([](EvaluateOptions& o) { o.windows.clear(); }) == "bad_input");
  CHECK(code_of([](EvaluateOptions& o) { o.windows.push_back({1}); }) == "bad_input");
  CHECK(code_of([](EvaluateOptions& o) { o.windows.push_back({1, 96}); }) == "bad_input");
  CHECK(code_of([](EvaluateOptions& o) { o.windows.push_back({1, -1}); }) == "bad_input");
  CHECK(code_of([](EvaluateOptions& o) { o.windows.push_back(std::vector<int32_t>(2049, 1)); }) == "bad_input");
  CHECK(code_of([](EvaluateOptions& o) { o.models[1].source.decoder.vocab_size = 95; }) == "bad_input");
  CHECK(code_of([](EvaluateOptions& o) { o.models[1].int8.threshold = NAN; }) == "bad_input");
  CHECK(code_of([](EvaluateOptions& o) { o.models[1].source.tensors.pop_back(); }) == "bad_file");
  CHECK(code_of([](EvaluateOptions& o) { o.threads = -1; }) == "bad_input");
}

TEST_CASE(an_evaluation_that_was_cancelled_or_is_done_has_no_further_step) {
  const TinyDecoder decoder;
  const auto evaluation = open_evaluation(options_of({decoder.source}));
  evaluation->run_step([](double) {}, Cancel());
  CHECK(test::error_code_of([&] { evaluation->figures(); }) == "bad_input");
  Cancel cancel;
  cancel.request();
  CHECK(test::error_code_of([&] { evaluation->run_step([](double) {}, cancel); }) == "cancelled");
  CHECK(test::error_code_of([&] { evaluation->run_step([](double) {}, Cancel()); }) == "bad_input");

  const auto whole = open_evaluation(options_of({decoder.source}));
  double last = 0;
  for (int64_t i = 0; i < whole->steps(); ++i) whole->run_step([&](double fraction) { last = fraction; }, Cancel());
  CHECK(last == 1);
  CHECK(test::error_code_of([&] { whole->run_step([](double) {}, Cancel()); }) == "bad_input");
}

TEST_CASE(rows_that_hold_no_numbers_give_none_and_infinities_that_mean_never_are_fine) {
  ThreadPool pool(1);
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> p = {0, 0, -inf}, same = {1, 1, -inf}, broken = {0, NAN, 0};
  std::vector<TokenFigures> of_p(1), of_same(1), of_broken(1);
  const std::vector<int32_t> target = {1};
  compare_rows(pool, {p.data(), same.data(), broken.data()}, target, 3, {of_p.data(), of_same.data(), of_broken.data()});
  CHECK(std::fabs(of_p[0].loss - std::log(2.0)) < 1e-15 && of_same[0].loss == of_p[0].loss);
  CHECK(of_same[0].divergence == 0 && of_same[0].is_same_top);
  CHECK(std::isnan(of_broken[0].loss) && std::isnan(of_broken[0].divergence));
}
