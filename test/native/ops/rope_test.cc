// Rotation of every backend against the reference, and what is written to the cache.
#include <cmath>

#include "core/thread_pool.h"
#include "ops/row_cases.h"

using namespace nibble;

namespace {

struct Case {
  int64_t n_tokens, n_past;
  int32_t n_heads, head_dim, rotary_dim, first;  // first: where the rotated part of a head begins
  float mscale;
};

std::vector<float> frequencies(int32_t half) {
  std::vector<float> out;
  for (int32_t d = 0; d < half; ++d) out.push_back(static_cast<float>(std::pow(10000.0, -static_cast<double>(d) / half)));
  return out;
}

void check_rope(const OpTable& table, Exec& exec, const Case& c, bool is_interleaved) {
  const std::vector<float> inv_freq = frequencies(c.rotary_dim / 2);
  const std::vector<float> x = test::random_values(static_cast<size_t>(c.n_tokens * c.n_heads * c.head_dim), 37);
  std::vector<float> expected = x;
  RopeArgs args{.x = expected.data() + c.first,
                .inv_freq = inv_freq.data(),
                .n_tokens = c.n_tokens,
                .n_past = c.n_past,
                .n_heads = c.n_heads,
                .head_dim = c.head_dim,
                .rotary_dim = c.rotary_dim,
                .mscale = c.mscale,
                .is_interleaved = is_interleaved};
  op_table("ref").rope(exec, args);
  test::Guarded actual(x);
  args.x = actual.data() + c.first;
  table.rope(exec, args);
  // Cosine, sine, two products and a sum of numbers below 1 each.
  const std::string what = text(table.name, " rope R ", c.rotary_dim, " of ", c.head_dim, is_interleaved ? " interleaved" : "");
  test::check_close(what, actual.values(), expected, [&](size_t) { return 4 * 0x1p-24 * c.mscale; });
  CHECK(actual.is_intact());
  for (size_t i = 0; i < x.size(); ++i) {
    const auto d = static_cast<int32_t>(i) % c.head_dim - c.first;
    CHECK((d >= 0 && d < c.rotary_dim) || actual.values()[i] == x[i]);
  }
}

}  // namespace

TEST_CASE(rope_agrees_with_the_reference) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    Exec exec;
    exec.pool = &pool;
    test::for_each_table([&](const OpTable& table) {
      for (const bool is_interleaved : {false, true}) {
        for (const Case& c : {Case{5, 1000, 3, 24, 20, 0, 1.5f}, Case{1, 0, 2, 64, 64, 0, 1}, Case{19, 7, 4, 128, 32, 0, 1},
                              Case{3, 100000, 2, 192, 64, 128, 1.2f}, Case{2, 5, 1, 576, 64, 512, 1}, Case{2, 3, 2, 36, 2, 0, 1},
                              Case{1, 9, 1, 2600, 2500, 50, 1}}) {
          check_rope(table, exec, c, is_interleaved);
        }
      }
    });
  }
}

TEST_CASE(rope_turns_pairs_by_the_formula) {
  Exec exec;
  for (const char* const* name = op_table_names(); *name != nullptr; ++name) {
    const float inv_freq[] = {0.5f, 0.1f};
    std::vector<float> halves = {1, 0, 0, 2}, pairs = {1, 0, 0, 2};
    RopeArgs args{.x = halves.data(), .inv_freq = inv_freq, .n_tokens = 1, .n_past = 3, .n_heads = 1, .head_dim = 4, .rotary_dim = 4};
    op_table(*name).rope(exec, args);
    args.x = pairs.data();
    args.is_interleaved = true;
    op_table(*name).rope(exec, args);
    const double a = 1.5, b = static_cast<double>(3 * 0.1f);
    const std::vector<double> want_halves = {std::cos(a), -2 * std::sin(b), std::sin(a), 2 * std::cos(b)};  // (0, 2) by a, (1, 3) by b
    const std::vector<double> want_pairs = {std::cos(a), std::sin(a), -2 * std::sin(b), 2 * std::cos(b)};   // (0, 1) by a, (2, 3) by b
    for (size_t i = 0; i < 4; ++i) CHECK(std::fabs(halves[i] - want_halves[i]) < 1e-6 && std::fabs(pairs[i] - want_pairs[i]) < 1e-6);
  }
}

TEST_CASE(kv_store_rounds_as_the_reference_and_leaves_the_rest) {
  ThreadPool pool(3);
  Exec exec;
  exec.pool = &pool;
  test::for_each_table([&](const OpTable& table) {
    for (const int32_t width : {16, 20, 36, 128}) {
      for (const int64_t n_tokens : {1, 4, 70}) {
        const std::vector<float> x = test::random_values(static_cast<size_t>(n_tokens * 2 * width), 59);
        std::vector<uint16_t> stored(static_cast<size_t>(2 * (n_tokens + 5) * width), 7), wanted(stored);
        op_table("ref").kv_store(exec, wanted.data(), x.data(), n_tokens, 3, n_tokens + 5, 2, width);
        table.kv_store(exec, stored.data(), x.data(), n_tokens, 3, n_tokens + 5, 2, width);
        CHECK(stored == wanted);
      }
    }
  });
}
