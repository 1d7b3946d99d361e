// Parts of a model over devices, with sizes that can be added up by hand.
#include "plan/placement.h"

#include "harness.h"

using namespace nibble;

namespace {

MemoryPlan bytes(uint64_t weights, uint64_t kv = 0) {
  MemoryPlan plan;
  plan[Owner::weights] = weights;
  plan[Owner::kv] = kv;
  return plan;
}

MemoryPlan work(uint64_t activations) {
  MemoryPlan plan;
  plan[Owner::activations] = activations;
  return plan;
}

// An embedding of 100, four layers of 50 with a cache of 10 each, a norm of 1, a head of 100.
std::vector<PlanModule> model(bool is_tied = false) {
  std::vector<PlanModule> modules{{"model.embed_tokens", bytes(100)}};
  for (const char* layer : {"model.layers.0", "model.layers.1", "model.layers.2", "model.layers.3"})
    modules.push_back({layer, bytes(50, 10)});
  modules.push_back({"model.norm", bytes(1)});
  modules.push_back({"lm_head", bytes(is_tied ? 0 : 100), is_tied ? 0 : -1});
  return modules;
}

std::vector<PlanDevice> devices(uint64_t gpu, uint64_t cpu, uint64_t disk) {
  return {{"0", DeviceKind::gpu, gpu}, {"cpu", DeviceKind::cpu, cpu}, {"disk", DeviceKind::disk, disk}};
}

using Where = std::vector<size_t>;

std::string refusal(const std::vector<PlanModule>& modules, const DeviceMap& map) {
  std::string message;
  CHECK(test::error_code_of([&] { place_by_hand(modules, devices(1000, 1000, 1000), work(20), 5, map); }, &message) == "bad_input");
  return message;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE(a_model_that_fits_lies_on_the_first_device) {
  const Placement easy = place_automatically(model(), devices(1000, 0, 0), work(20), 5);
  CHECK(easy.device_of == Where(7, 0) && easy.verdict == Verdict::fits);
  CHECK(easy.used[0].total() == 441 + 20 && easy.used[0][Owner::kv] == 40 && easy.used[1].total() == 0 && easy.home == 1);
  CHECK(place_automatically(model(), devices(461, 0, 0), work(20), 5).verdict == Verdict::tight);
  CHECK(place_automatically(model(), devices(461 * 10 / 9 + 1, 0, 0), work(20), 5).verdict == Verdict::fits);
}

TEST_CASE(what_does_not_fit_goes_on_to_the_next_device_with_its_own_working_memory) {
  const Placement placement = place_automatically(model(), devices(300, 1000, 1000), work(20), 5);
  CHECK(placement.device_of == Where({0, 0, 0, 0, 1, 1, 1}) && placement.verdict == Verdict::partly);
  CHECK(placement.used[0].total() == 100 + 3 * 60 + 20 && placement.used[1].total() == 60 + 1 + 100 + 20);
  // Once a module did not fit its device is closed, although the norm would still fit.
  CHECK(placement.device_of[5] == 1);
}

TEST_CASE(a_device_that_cannot_even_compute_is_left_out) {
  CHECK(place_automatically(model(), devices(119, 1000, 0), work(20), 5).device_of == Where(7, 1));
  CHECK(place_automatically(model(), devices(10, 1000, 0), work(20), 5).device_of == Where(7, 1));
}

TEST_CASE(what_is_on_the_disk_is_read_by_the_last_device_that_computes) {
  const Placement placement = place_automatically(model(), devices(200, 300, 1000), work(20), 5);
  CHECK(placement.verdict == Verdict::partly);
  // Room on the CPU: 300 less work, base, the largest module that is read from the disk (the head) and the caches of those on the disk.
  CHECK(placement.device_of == Where({0, 0, 1, 1, 1, 2, 2}) || placement.device_of == Where({0, 0, 1, 1, 2, 2, 2}));
  uint64_t on_disk = 0, changing = 0;
  for (size_t i = 0; i < 7; ++i) {
    if (placement.device_of[i] != 2) continue;
    on_disk += model()[i].memory[Owner::weights];
    changing += model()[i].memory[Owner::kv];
  }
  CHECK(placement.used[2].total() == on_disk && placement.used[2][Owner::kv] == 0);
  CHECK(placement.used[1].total() + 5 <= 300 && placement.used[1][Owner::kv] >= changing);
}

TEST_CASE(no_room_anywhere_is_too_big) {
  CHECK(place_automatically(model(), devices(200, 100, 50), work(20), 5).verdict == Verdict::too_big);
  CHECK(place_automatically(model(), {{{"cpu", DeviceKind::cpu, 400}}}, work(20), 5).verdict == Verdict::too_big);
  // The base lies on the CPU: 461 bytes would do without it.
  CHECK(place_automatically(model(), {{{"cpu", DeviceKind::cpu, 465}}}, work(20), 5).verdict == Verdict::too_big);
  CHECK(place_automatically(model(), {{{"cpu", DeviceKind::cpu, 466}}}, work(20), 5).verdict == Verdict::tight);
}

TEST_CASE(a_tied_head_lies_with_the_embedding) {
  const Placement placement = place_automatically(model(true), devices(200, 1000, 0), work(20), 5);
  CHECK(placement.device_of == Where({0, 0, 1, 1, 1, 1, 0}) && placement.used[0].total() == 160 + 20);
}

TEST_CASE(a_map_by_hand_is_followed_by_its_longest_names) {
  const DeviceMap map{{"", "cpu"}, {"model.layers", "0"}, {"model.layers.2", "disk"}};
  const Placement placement = place_by_hand(model(), devices(1000, 1000, 1000), work(20), 5, map);
  CHECK(placement.device_of == Where({1, 0, 0, 2, 0, 1, 1}) && placement.verdict == Verdict::partly);
  // The CPU holds a layer that it reads from the disk, and its cache.
  CHECK(placement.used[1].total() == 100 + 1 + 100 + 50 + 10 + 20 && placement.used[2].total() == 50);
  CHECK(place_by_hand(model(), devices(1000, 100, 0), work(20), 5, {{"", "0"}}).verdict == Verdict::fits);
  CHECK(place_by_hand(model(), devices(400, 1000, 0), work(20), 5, {{"", "0"}}).verdict == Verdict::too_big);
  // A tied head goes where the embedding is said to go.
  CHECK(place_by_hand(model(true), devices(1000, 1000, 0), work(0), 0, {{"model", "cpu"}}).device_of == Where(7, 1));
}

TEST_CASE(a_map_that_does_not_fit_the_model_is_refused_by_a_sentence) {
  CHECK(contains(refusal(model(), {{"", "0"}, {"model.layers.4", "cpu"}}), "\"model.layers.4\"; the model has no such module"));
  CHECK(contains(refusal(model(), {{"", "0"}, {"model.lay", "cpu"}}), "no such module"));
  CHECK(contains(refusal(model(), {{"", "1"}}), "\"1\"; the devices are 0, cpu, disk"));
  CHECK(contains(refusal(model(), {{"model", "0"}}), "says nothing of lm_head"));
  CHECK(contains(refusal(model(true), {{"model", "0"}, {"lm_head", "cpu"}}), "parts lm_head from model.embed_tokens"));
}

TEST_CASE(devices_are_checked) {
  const auto code = [](const std::vector<PlanDevice>& given) {
    return test::error_code_of([&] { place_automatically(model(), given, work(20), 5); });
  };
  CHECK(code({}) == "bad_input" && code({{"disk", DeviceKind::disk, 1000}}) == "bad_input");
  CHECK(code({{"cpu", DeviceKind::cpu, 1000}, {"cpu", DeviceKind::cpu, 1000}}) == "bad_input");
}
