// Every backend of this machine against the reference: odd sizes, tails, unaligned codes, sentinels around outputs.
#include <algorithm>
#include <cmath>
#include <string>

#include "core/dtype.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "formats/formats.h"
#include "harness.h"
#include "ops/ops.h"

using namespace nibble;

namespace {

constexpr float kSentinel = 12345.0f;

// A weight and all that it points to; codes start at an odd address.
struct Weight {
  std::vector<uint8_t> codes, nested_codes;
  std::vector<float> scales, nested_absmax;
  WeightView view;
};

Weight make_weight(FormatId format, int64_t rows, int64_t cols, int32_t block_size, bool is_nested, uint32_t seed) {
  Weight w;
  Exec exec;
  const int64_t n = rows * cols;
  const std::vector<float> values = test::random_values(static_cast<size_t>(n), seed);
  const OpTable& ref = op_table("ref");
  w.codes.resize(static_cast<size_t>(n) * 4 + 65);
  uint8_t* codes = w.codes.data() + 1;
  w.view = {format, rows, cols, codes, nullptr, {}, nullptr, 0};
  if (is_four_bit(format)) {
    const int64_t n_blocks = (n + block_size - 1) / block_size;
    w.scales.resize(static_cast<size_t>(n_blocks));
    ref.quantize_blocks[static_cast<int>(format)](exec, codes, w.scales.data(), values.data(), DType::f32, n, block_size);
    w.view.scales = w.scales.data();
    w.view.codebook = codebook(format);
    w.view.block_size = block_size;
    if (is_nested) {
      w.nested_codes.resize(static_cast<size_t>(n_blocks));
      w.nested_absmax.resize(static_cast<size_t>((n_blocks + 255) / 256));
      const float offset = nest_scales(w.nested_codes.data(), w.nested_absmax.data(), w.scales.data(), n_blocks);
      w.view.nested = {w.nested_codes.data(), w.nested_absmax.data(), dynamic_map_signed(), offset, 256};
      w.view.scales = nullptr;
    }
  } else if (format == FormatId::Int8) {
    w.scales.resize(static_cast<size_t>(rows));
    ref.quantize_rows(exec, reinterpret_cast<int8_t*>(codes), w.scales.data(), values.data(), DType::f32, rows, cols);
    w.view.scales = w.scales.data();
  } else {
    const DType type = format == FormatId::Fp32 ? DType::f32 : format == FormatId::Fp16 ? DType::f16 : DType::bf16;
    ref.convert(exec, codes, type, values.data(), DType::f32, n);
  }
  return w;
}

struct Scratch {
  std::vector<char> bytes;
  explicit Scratch(size_t n) : bytes(n + 64) {}
  void give(Exec& exec) {
    exec.scratch = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(bytes.data()) + 63) / 64 * 64);
    exec.scratch_bytes = bytes.size() - 64;
  }
};

std::vector<float> run_matmul(const OpTable& table, Exec& exec, const Weight& w, const std::vector<float>& x, const std::vector<float>& bias,
                              int64_t m, Compute compute) {
  Scratch scratch(table.matmul_scratch(exec, m, w.view.cols, compute));
  scratch.give(exec);
  std::vector<float> y(static_cast<size_t>(m * w.view.rows) + 16, kSentinel);
  std::vector<float> second(y.size(), kSentinel);
  MatmulArgs args;
  args.x = x.data();
  args.m = m;
  args.k = w.view.cols;
  args.compute = compute;
  args.outputs[0] = {&w.view, bias.empty() ? nullptr : bias.data(), y.data() + 8};
  args.outputs[1] = {&w.view, nullptr, second.data() + 8};
  args.n_outputs = 2;
  table.matmul[static_cast<int>(w.view.format)](exec, args);
  for (size_t i = 0; i < 8; ++i) {
    CHECK(y[i] == kSentinel && y[y.size() - 1 - i] == kSentinel);
    CHECK(second[i] == kSentinel && second[y.size() - 1 - i] == kSentinel);
  }
  return {y.begin() + 8, y.end() - 8};
}

template <class Fn>
void for_each_table(Fn&& fn) {
  for (const char* const* name = op_table_names(); *name != nullptr; ++name) {
    if (std::string(*name) != "ref") fn(op_table(*name));
  }
}

}  // namespace

TEST_CASE(matmul_agrees_with_the_reference) {
  ThreadPool pool(2);
  const OpTable& ref = op_table("ref");
  struct Shape {
    int64_t rows, cols;
    int32_t block_size;
    bool is_nested;
  };
  const Shape shapes[] = {{33, 64, 64, false}, {7, 96, 64, false}, {40, 128, 32, true}, {65, 576, 64, true}, {5, 100, 64, false},
                          {19, 33, 32, false}, {36, 512, 512, false}, {2, 1536, 128, true}};
  for_each_format([&](auto format) {
    for (const Shape& shape : shapes) {
      const Weight w = make_weight(decltype(format)::kId, shape.rows, shape.cols, shape.block_size, shape.is_nested, 7);
      for (const int64_t m : {1, 2, 5, 7, 13, 29}) {
        const std::vector<float> x = test::random_values(static_cast<size_t>(m * shape.cols), 11);
        const std::vector<float> bias = test::random_values(static_cast<size_t>(shape.rows), 13);
        Exec exec;
        exec.pool = &pool;
        const std::vector<float> expected = run_matmul(ref, exec, w, x, bias, m, Compute::f32);
        // Sum of |x w| bounds every rounding: fp32 sums of K terms, and for bf16 the rounding of x, weight and product.
        std::vector<float> weights(static_cast<size_t>(shape.rows * shape.cols));
        ref.dequantize[static_cast<int>(w.view.format)](exec, weights.data(), w.view, 0, shape.rows);
        std::vector<double> size(expected.size());
        for (int64_t i = 0; i < m; ++i) {
          for (int64_t n = 0; n < shape.rows; ++n) {
            double sum = 1;  // the bias
            for (int64_t k = 0; k < shape.cols; ++k) sum += std::fabs(double{x[static_cast<size_t>(i * shape.cols + k)]} * weights[static_cast<size_t>(n * shape.cols + k)]);
            size[static_cast<size_t>(i * shape.rows + n)] = sum;
          }
        }
        for_each_table([&](const OpTable& table) {
          for (const Compute compute : {Compute::f32, Compute::bf16}) {
            const double epsilon = compute == Compute::bf16 ? 3 * 0x1p-9 : (8 + std::sqrt(static_cast<double>(shape.cols))) * 0x1p-24;
            test::check_close(text(table.name, " matmul ", decltype(format)::kName, " [", shape.rows, ", ", shape.cols, "] block ", shape.block_size,
                                   " m ", m, compute == Compute::bf16 ? " bf16" : " f32"),
                              run_matmul(table, exec, w, x, bias, m, compute), expected, [&](size_t i) { return size[i] * epsilon; });
          }
        });
      }
    }
  });
}

TEST_CASE(attention_agrees_with_the_reference) {
  ThreadPool pool(2);
  const OpTable& ref = op_table("ref");
  for (const int32_t head_dim : {16, 20, 64}) {
    for (const int64_t n_past : {0, 5, 70}) {
      for (const int64_t n_tokens : {1, 3, 37}) {
        for (const int64_t window : {0, 9}) {
          AttentionArgs args;
          args.n_heads = 6;
          args.n_kv_heads = 2;
          args.head_dim = head_dim;
          args.capacity = 120;
          args.n_past = n_past;
          args.n_tokens = n_tokens;
          args.window = window;
          args.scale = 0.3f;
          const size_t cache = static_cast<size_t>(2 * 120 * head_dim), out = static_cast<size_t>(n_tokens * 6 * head_dim);
          std::vector<uint16_t> k(cache), v(cache);
          const std::vector<float> values = test::random_values(cache * 2, 5);
          for (size_t i = 0; i < cache; ++i) {
            k[i] = f32_to_f16(values[i] * 3);
            v[i] = f32_to_f16(values[cache + i]);
          }
          const std::vector<float> q = test::random_values(out, 17);
          std::vector<float> expected(out);
          args.q = q.data();
          args.k_cache = k.data();
          args.v_cache = v.data();
          args.out = expected.data();
          Exec exec;
          exec.pool = &pool;
          ref.attention(exec, args);
          for_each_table([&](const OpTable& table) {
            std::vector<float> actual(out + 16, kSentinel);
            Scratch scratch(table.attention_scratch(exec, args));
            scratch.give(exec);
            args.out = actual.data() + 8;
            table.attention(exec, args);
            for (size_t i = 0; i < 8; ++i) CHECK(actual[i] == kSentinel && actual[actual.size() - 1 - i] == kSentinel);
            // |v| <= 1 and the weights sum to 1: errors are those of the scores (|score| <= 3 * 0.3 * head_dim) and of the sums.
            const double allowance = (head_dim + 16) * 4 * 0x1p-24 * 10;
            test::check_close(text(table.name, " attention D ", head_dim, " past ", n_past, " T ", n_tokens, " window ", window),
                              {actual.begin() + 8, actual.end() - 8}, expected, [&](size_t) { return allowance; });
          });
        }
      }
    }
  }
}

TEST_CASE(small_ops_agree_with_the_reference) {
  ThreadPool pool(2);
  const OpTable& ref = op_table("ref");
  for_each_table([&](const OpTable& table) {
    for (const int64_t width : {1, 15, 64, 100, 577}) {
      const int64_t n_tokens = 19;
      const size_t n = static_cast<size_t>(n_tokens * width);
      const std::vector<float> x = test::random_values(n, 23), up = test::random_values(n, 29), weight = test::random_values(static_cast<size_t>(width), 31);
      Exec exec;
      exec.pool = &pool;
      std::vector<float> expected(n), actual(n);
      ref.rmsnorm(exec, expected.data(), x.data(), weight.data(), n_tokens, width, 1e-5f);
      table.rmsnorm(exec, actual.data(), x.data(), weight.data(), n_tokens, width, 1e-5f);
      test::check_close(text(table.name, " rmsnorm ", width), actual, expected, [&](size_t i) { return 16 * 0x1p-24 * (std::fabs(expected[i]) + 1e-6); });

      std::vector<float> gate = x;
      for (float& g : gate) g *= 100;  // exp must not overflow at the ends
      ref.silu_mul(exec, expected.data(), gate.data(), up.data(), static_cast<int64_t>(n));
      table.silu_mul(exec, actual.data(), gate.data(), up.data(), static_cast<int64_t>(n));
      test::check_close(text(table.name, " silu_mul ", width), actual, expected, [&](size_t i) { return 16 * 0x1p-24 * std::fabs(expected[i]) + 1e-30; });

      expected = actual = x;
      ref.add(exec, expected.data(), up.data(), static_cast<int64_t>(n));
      table.add(exec, actual.data(), up.data(), static_cast<int64_t>(n));
      CHECK(actual == expected);
    }
    const std::vector<float> inv_freq = {1.0f, 0.3f, 0.1f, 0.04f, 0.01f, 0.003f, 0.001f, 0.0004f, 0.0001f, 0.00003f};
    const std::vector<float> q = test::random_values(5 * 3 * 24, 37);
    std::vector<float> expected = q, actual = q;
    Exec exec;
    exec.pool = &pool;
    ref.rope(exec, expected.data(), inv_freq.data(), 5, 1000, 3, 24, 20, 1.5f);
    table.rope(exec, actual.data(), inv_freq.data(), 5, 1000, 3, 24, 20, 1.5f);
    test::check_close(text(table.name, " rope"), actual, expected, [](size_t) { return 8 * 0x1p-24; });

    std::vector<uint16_t> stored(2 * 9 * 20, 7), wanted(stored);
    ref.kv_store(exec, wanted.data(), q.data(), 4, 3, 9, 2, 20);
    table.kv_store(exec, stored.data(), q.data(), 4, 3, 9, 2, 20);
    CHECK(stored == wanted);
  });
}

TEST_CASE(an_unknown_backend_is_refused_by_name) {
  std::string message;
  CHECK(test::error_code_of([] { op_table("mmx"); }, &message) == "bad_input");
  CHECK(message.find("mmx") != std::string::npos && message.find("ref") != std::string::npos);
}
