// Memory handed out in pieces, dry and for real.
#include "core/arena.h"

#include "harness.h"

using namespace nibble;

namespace {

struct Pieces {
  float* a;
  uint8_t* b;
  uint16_t* c;
};

Pieces take_all(Arena& arena) {
  return {arena.take<float>(Owner::weights, 3), arena.take<uint8_t>(Owner::kv, 65), arena.take<uint16_t>(Owner::weights, 32)};
}

}  // namespace

TEST_CASE(a_dry_run_tells_what_the_real_one_takes) {
  Arena dry;
  const Pieces none = take_all(dry);
  CHECK(dry.is_dry() && none.a == nullptr && none.b == nullptr && none.c == nullptr);
  CHECK(dry.size() == 64 + 128 + 64);
  alignas(64) static std::byte memory[256];
  Arena real(memory);
  const Pieces pieces = take_all(real);
  CHECK(!real.is_dry() && real.size() == dry.size() && real.plan().bytes == dry.plan().bytes);
  CHECK(reinterpret_cast<std::byte*>(pieces.a) == memory && reinterpret_cast<std::byte*>(pieces.b) == memory + 64);
  CHECK(reinterpret_cast<std::byte*>(pieces.c) == memory + 192);
}

TEST_CASE(a_plan_sums_owners_and_knows_what_is_mapped) {
  Arena arena;
  take_all(arena);
  arena.note_mapped(Owner::scales, 1000);
  const MemoryPlan& plan = arena.plan();
  CHECK(plan[Owner::weights] == 128 && plan[Owner::kv] == 128 && plan[Owner::scales] == 1000);
  CHECK(plan.mapped == 1000 && plan.total() == 1256 && arena.size() == 256);
}

TEST_CASE(a_plan_beyond_what_can_be_counted_is_refused) {
  const auto take = [](int64_t n) {
    Arena arena;
    for (int i = 0; i < 4; ++i) arena.take<float>(Owner::weights, n);
  };
  CHECK(test::error_code_of([&] { take(int64_t{1} << 40); }).empty());
  CHECK(test::error_code_of([&] { take(int64_t{1} << 60); }) == "out_of_memory");
  CHECK(test::error_code_of([&] { take(INT64_MAX); }) == "out_of_memory");
  CHECK(test::error_code_of([&] { take(-1); }) == "out_of_memory");
  CHECK(test::error_code_of([] {
          Arena arena;
          for (int i = 0; i < 4; ++i) arena.note_mapped(Owner::weights, INT64_MAX);
        }) == "out_of_memory");
}

TEST_CASE(an_arena_counts_by_part_too) {
  Arena arena;
  arena.take<float>(Owner::activations, 16);
  arena.enter(2);
  arena.take<float>(Owner::weights, 16);
  arena.note_mapped(Owner::weights, 100);
  arena.enter(0);
  arena.take<float>(Owner::logits, 16);
  CHECK(arena.parts().size() == 3 && arena.parts()[0].total() == 128 && arena.parts()[1].total() == 0);
  CHECK(arena.parts()[2][Owner::weights] == 164 && arena.parts()[2].mapped == 100 && arena.plan().total() == 292);
}
