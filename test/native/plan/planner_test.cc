// Plans of a model that is not loaded are those of the same model loaded, and know which layer takes what.
#include "plan/planner.h"

#include "harness.h"
#include "model/tiny_decoder.h"

using namespace nibble;
using test::TinyDecoder;

namespace {

const QuantizeSpec kNf4{FormatId::Nf4, 64, false};

PlanOptions options_of(const LoadOptions& load) {
  return {.context = load.context, .compute = load.compute, .threads = load.threads, .backend = load.backend};
}

size_t index_of(const std::string& role) {
  const std::vector<ModelPart> parts = parts_in_order(2);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].role == role) return i;
  }
  return SIZE_MAX;
}

}  // namespace

TEST_CASE(a_planner_tells_what_loading_tells) {
  for (const char* backend : {"ref", "scalar", "auto"}) {
    for (const auto& quantize : {std::optional<QuantizeSpec>(), std::optional(kNf4)}) {
      const TinyDecoder decoder({.n_experts = 4});
      LoadOptions load = decoder.load_options(backend);
      load.quantize = quantize;
      Planner planner(decoder.source, quantize);
      for (const int64_t context : {1, 64, 2000}) {
        load.context = context;
        const MemoryPlan expected = plan_load(load);
        const ModelPlan plan = planner.plan(options_of(load));
        CHECK(plan.all.bytes == expected.bytes && plan.all.mapped == expected.mapped);
      }
    }
  }
}

TEST_CASE(parts_add_up_to_the_whole) {
  const TinyDecoder decoder({.plain = Encoding::bf16});
  Planner planner(decoder.source, {});
  const ModelPlan plan = planner.plan(options_of(decoder.load_options()));
  MemoryPlan sum = plan.work;
  for (const MemoryPlan& part : plan.parts) sum += part;
  CHECK(sum.bytes == plan.all.bytes && sum.mapped == plan.all.mapped);
  CHECK(plan.work[Owner::weights] == 0 && plan.work[Owner::kv] == 0 && plan.work[Owner::activations] == plan.all[Owner::activations]);
  const MemoryPlan& layer = plan.parts[index_of("layers.1")];
  CHECK(layer[Owner::weights] == (64 * 64 * 2 + 32 * 64 * 2 + 96 * 64 * 3) * 2 && layer[Owner::unquantized] == 2 * 64 * 4);
  CHECK(layer[Owner::kv] == 2 * 2 * 64 * 16 * 2);
  CHECK(plan.parts[index_of("embed")].total() == 96 * 64 * 2 && plan.parts[index_of("head")].total() == 96 * 64 * 2);
  CHECK(plan.parts[index_of("final_norm")].total() == 64 * 4 && plan.parts[index_of("positions")].total() == 0);
}

TEST_CASE(a_plan_of_what_is_in_use_is_smaller) {
  const TinyDecoder decoder;
  Planner planner(decoder.source, {});
  PlanOptions options = options_of(decoder.load_options());
  options.context = 2000;
  const ModelPlan whole = planner.plan(options);
  options.chunk = 10;
  options.logit_rows = 1;
  const ModelPlan used = planner.plan(options);
  CHECK(used.all[Owner::logits] == 96 * 4 && whole.all[Owner::logits] == 16 * 96 * 4);
  CHECK(used.all[Owner::kv] == whole.all[Owner::kv] && used.all[Owner::activations] < whole.all[Owner::activations] / 40);
}

TEST_CASE(a_planner_tells_what_a_token_reads_and_adds) {
  const TinyDecoder decoder;
  CHECK(Planner(decoder.source, {}).bytes_per_token() == test::load(decoder.load_options())->weights().bytes_per_token());
  CHECK(Planner(decoder.source, {}).kv_bytes_per_token() == 2 * 2 * 2 * 16 * 2);
}

TEST_CASE(a_planner_refuses_what_loading_refuses) {
  TinyDecoder decoder;
  Planner planner(decoder.source, {});
  PlanOptions options = options_of(decoder.load_options());
  options.context = 2049;
  CHECK(test::error_code_of([&] { planner.plan(options); }) == "bad_input");
  decoder.source.decoder.n_heads = 0;
  CHECK(test::error_code_of([&] { Planner(decoder.source, {}); }) == "bad_input");
}

TEST_CASE(parts_have_numbers_of_their_own) {
  CHECK(part_of_role("layers.3.q") == part_of_layer(3) && part_of_role("layers.3.experts.7.up.bias") == part_of_layer(3));
  CHECK(part_of_role("head.bias") == part_of_role("head") && part_of_role("embed") != part_of_role("embed_in"));
  CHECK(part_of_role("embed") != kWorkPart && test::error_code_of([] { part_of_role("other"); }) == "bad_input");
}
