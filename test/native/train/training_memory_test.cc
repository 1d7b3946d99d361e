// What a training run takes, dry and for real, counted by hand for a small decoder.
#include "train/training_memory.h"

#include "harness.h"
#include "model/tiny_decoder.h"
#include "plan/planner.h"

using namespace nibble;
using test::TinyDecoder;

namespace {

constexpr int64_t kTokens = 48, kLayers = 2, kWidth = 64, kHidden = 96, kHeads = 4;
// Rows and columns of the seven linear layers of a layer.
constexpr int64_t kSides = (64 + 64) + (32 + 64) * 2 + (64 + 64) + (96 + 64) * 2 + (64 + 96);

TrainingOptions options() {
  TrainingOptions result;
  result.rank = 4;
  result.sequence_length = kTokens;
  return result;
}

MemoryPlan planned(const TrainingOptions& training, const TinyDecoder& decoder = TinyDecoder()) {
  Planner planner(decoder.source, {});
  return planner.plan_training({.compute = Compute::f32, .threads = 2, .backend = "scalar"}, training).all;
}

uint64_t optimizer_bytes(OptimizerKind kind, int32_t rank = 4) {
  TrainingOptions training = options();
  training.optimizer = kind;
  training.rank = rank;
  return planned(training)[Owner::optimizer];
}

std::string refusal(const TrainingOptions& training) {
  std::string message;
  CHECK(test::error_code_of([&] { planned(training); }, &message) == "bad_input");
  return message;
}

}  // namespace

TEST_CASE(training_takes_for_real_what_the_dry_run_tells) {
  for (const bool has_checkpointing : {true, false}) {
    const TinyDecoder decoder({.n_experts = 4});
    TrainingOptions training = options();
    training.has_checkpointing = has_checkpointing;
    const Weights weights(decoder.source, {});
    TrainingMemory memory(decoder.source, weights, op_table("scalar"), Compute::f32, training);
    Exec exec;
    Arena dry;
    memory.place(dry, exec);
    CHECK(memory.input(0) == nullptr && dry.size() > 0);
    void* block = op_table("scalar").alloc(dry.size());
    Arena real(block);
    memory.place(real, exec);
    CHECK(real.size() == dry.size() && real.plan().bytes == dry.plan().bytes);
    const auto* begin = static_cast<const float*>(block);
    const auto is_inside = [&](const float* p) { return p >= begin && p < begin + real.size() / 4; };
    CHECK(is_inside(memory.input(0)) && is_inside(memory.input(1)) && memory.input(0) != memory.input(1));
    CHECK((memory.room(0) != nullptr) == !has_checkpointing);
    CHECK((memory.extra(0).middle == memory.extra(1).middle) == has_checkpointing);
    for (const LoraPair& pair : memory.adapter().pairs()) CHECK(is_inside(pair.a.values) && is_inside(pair.b.gradient));
    op_table("scalar").free(block);
  }
}

TEST_CASE(adapters_gradients_and_states_follow_the_rank) {
  const MemoryPlan plan = planned(options());
  const uint64_t parameters = 4 * kSides * kLayers;
  CHECK(plan[Owner::lora] == parameters * 4 && plan[Owner::gradients] == parameters * 4);
  const TinyDecoder decoder;
  CHECK(Planner(decoder.source, {}).trainable_parameters(options()) == static_cast<int64_t>(parameters));
  TrainingOptions few = options();
  few.targets = {"layers.0.q", "layers.1.down"};
  CHECK(planned(few)[Owner::lora] == 4 * ((64 + 64) + (64 + 96)) * 4);
}

TEST_CASE(states_have_the_sizes_of_bitsandbytes) {
  const uint64_t parameters = 4 * kSides * kLayers;
  CHECK(optimizer_bytes(OptimizerKind::adamw) == parameters * 8 && optimizer_bytes(OptimizerKind::paged_adamw) == parameters * 8);
  CHECK(optimizer_bytes(OptimizerKind::lion) == parameters * 4 && optimizer_bytes(OptimizerKind::sgd) == 0);
  // All tensors are small here: their states stay in 32 bits, and only the code maps come on top.
  CHECK(optimizer_bytes(OptimizerKind::adamw8bit) == parameters * 8 + 2048);
  // At rank 64 each has 4096 or more but the 32 rows of k and v: 2048.
  const uint64_t large = 64 * (kSides - 2 * 32) * kLayers, small = 64 * 2 * 32 * kLayers;
  const uint64_t scales = large / 256 * 4;
  const uint64_t rounding = 2 * 12 * kLayers * 64;  // each piece of scales is rounded up to 64 bytes
  const uint64_t bytes = optimizer_bytes(OptimizerKind::adamw8bit, 64), exact = 2 * (large + scales) + small * 8 + 2048;
  CHECK(bytes >= exact && bytes <= exact + rounding);
  CHECK(optimizer_bytes(OptimizerKind::lion8bit, 64) < bytes * 6 / 10);
  CHECK(optimizer_traits(OptimizerKind::paged_adamw8bit).is_paged && !optimizer_traits(OptimizerKind::adamw8bit).is_paged);
}

TEST_CASE(checkpointing_keeps_inputs_only) {
  TrainingOptions training = options();
  const MemoryPlan with = planned(training);
  training.has_checkpointing = false;
  const MemoryPlan without = planned(training);
  // Per layer a room (q, k, v, attended, gate, up) and what the backward pass needs beside it; with checkpointing there is one extra.
  const uint64_t room = 64 + 32 + 32 + 64 + 2 * kHidden, extra = kWidth + kHidden + kHeads + 4 * 7;
  CHECK(without[Owner::activations] - with[Owner::activations] == kTokens * 4 * (room * kLayers + extra * (kLayers - 1)));
  training.has_checkpointing = true;
  training.sequence_length = 2 * kTokens;
  const MemoryPlan twice = planned(training);
  training.sequence_length = kTokens;
  training.batch_size = 2;
  CHECK(planned(training).bytes == twice.bytes && twice[Owner::activations] > with[Owner::activations] * 19 / 10);
  CHECK(twice[Owner::lora] == with[Owner::lora]);
}

TEST_CASE(the_loss_is_computed_in_chunks) {
  TrainingOptions training = options();
  CHECK(planned(training)[Owner::logits] == kTokens * 96 * 4);
  training.sequence_length = 2048;
  CHECK(planned(training)[Owner::logits] == TrainingMemory::kLossTokens * 96 * 4);
}

TEST_CASE(impossible_runs_are_refused_by_a_sentence) {
  TrainingOptions training = options();
  training.sequence_length = 4096;
  CHECK(refusal(training).find("4096 tokens") != std::string::npos);
  training = options();
  training.batch_size = 0;
  CHECK(refusal(training).find("batch size is 0") != std::string::npos);
  training = options();
  training.rank = 0;
  CHECK(refusal(training).find("rank") != std::string::npos);
  training = options();
  training.targets = {"layers.7.q"};
  CHECK(refusal(training).find("layers.7.q") != std::string::npos);
  training.targets = {"layers.0.attn_norm"};
  CHECK(refusal(training).find("no matrix") != std::string::npos);
}
