// Weights by role: all are there, of the right shape and size, wherever they lie in the file.
#include "model/weights.h"

#include <algorithm>
#include <cstring>

#include "core/text.h"
#include "harness.h"
#include "model/tiny_decoder.h"

using namespace nibble;
using test::TinyDecoder;

namespace {

const QuantizeSpec kNf4{FormatId::Nf4, 64, false}, kNested{FormatId::Nf4, 64, true}, kInt8{FormatId::Int8, 64, false};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// What loading says after `change`.
std::string refusal(const test::TinyOptions& options, const std::function<void(TinyDecoder&)>& change, std::string* message = nullptr) {
  TinyDecoder decoder(options);
  change(decoder);
  return test::error_code_of([&] { test::load(decoder.load_options()); }, message);
}

std::vector<float> logits_of(const TinyDecoder& decoder, const char* backend) {
  return test::all_logits(*test::load(decoder.load_options(backend)), test::tiny_prompt());
}

}  // namespace

TEST_CASE(missing_unknown_and_double_roles_are_named) {
  std::string message;
  CHECK(refusal(
            {}, [](TinyDecoder& d) { d.source.tensors.erase(d.source.tensors.begin() + 2); }, &message) == "bad_file");
  CHECK(contains(message, "layers.0.q") && contains(message, "TinyForTests"));
  CHECK(refusal({}, [](TinyDecoder& d) { d.tensor("head").role = "lm_head"; }) == "bad_file");
  CHECK(refusal(
            {}, [](TinyDecoder& d) { d.source.tensors.emplace_back(d.tensor("embed")).role = "extra"; }, &message) == "bad_input");
  CHECK(contains(message, "extra"));
  CHECK(refusal(
            {}, [](TinyDecoder& d) { d.source.tensors.push_back(d.tensor("layers.1.up")); }, &message) == "bad_input");
  CHECK(contains(message, "layers.1.up"));
  CHECK(refusal({}, [](TinyDecoder& d) { d.source.decoder.has_tied_head = true; }) == "bad_input");  // the head is left over
}

TEST_CASE(wrong_shapes_are_named_with_both_shapes) {
  std::string message;
  CHECK(refusal(
            {},
            [](TinyDecoder& d) {
              d.tensor("layers.1.gate").shape = {64, 96};
            },
            &message) == "bad_file");
  CHECK(contains(message, "file.layers.1.gate") && contains(message, "[64, 96]") && contains(message, "[96, 64]"));
  CHECK(refusal({}, [](TinyDecoder& d) { d.tensor("final_norm").shape = {63}; }) == "bad_file");
  CHECK(refusal({}, [](TinyDecoder& d) { d.tensor("embed").shape = {96 * 64}; }) == "bad_file");
}

TEST_CASE(slices_must_lie_in_the_files) {
  std::string message;
  CHECK(refusal(
            {}, [](TinyDecoder& d) { d.tensor("embed").data.file = 1; }, &message) == "bad_input");
  CHECK(contains(message, "file.embed"));
  CHECK(refusal({}, [](TinyDecoder& d) { d.tensor("embed").data.file = -1; }) == "bad_input");
  CHECK(refusal(
            {}, [](TinyDecoder& d) { d.tensor("embed").data.offset = int64_t{1} << 62; }, &message) == "bad_file");
  CHECK(contains(message, "file.embed") && contains(message, "4611686018427387904"));
  CHECK(refusal({}, [](TinyDecoder& d) { d.tensor("layers.0.q").data.bytes -= 4; }) == "bad_file");
  CHECK(refusal({}, [](TinyDecoder& d) { d.tensor("final_norm").data.offset = -8; }) == "bad_file");
  for (const int64_t cut : {1, 4000, 100000}) {
    CHECK(refusal({}, [&](TinyDecoder& d) { d.file().resize(d.file().bytes().size() - static_cast<size_t>(cut)); }) == "bad_file");
  }
}

TEST_CASE(parts_of_quantized_weights_must_have_their_sizes) {
  using Change = std::function<void(QuantizedSource&)>;
  const Change changes[] = {[](QuantizedSource& q) { q.absmax.bytes -= 1; },       [](QuantizedSource& q) { q.nested_absmax.bytes += 4; },
                            [](QuantizedSource& q) { q.nested_map.bytes = 1020; }, [](QuantizedSource& q) { q.codebook.bytes = 60; },
                            [](QuantizedSource& q) { q.block_size = 48; },         [](QuantizedSource& q) { q.block_size = 0; },
                            [](QuantizedSource& q) { q.nested_block_size = 0; },   [](QuantizedSource& q) { q.nested_block_size = -256; },
                            [](QuantizedSource& q) { q.format = FormatId::Fp16; }, [](QuantizedSource& q) { q.nested_map.file = 7; }};
  for (const Change& change : changes) {
    const std::string code = refusal({.stored = kNested}, [&](TinyDecoder& d) { change(d.tensor("layers.0.o").quantized); });
    CHECK(code == "bad_file" || code == "bad_input");
  }
  CHECK(refusal({.stored = kNf4}, [](TinyDecoder& d) { d.tensor("layers.0.o").data.bytes += 1; }) == "bad_file");
  CHECK(refusal({.stored = kNf4}, [](TinyDecoder& d) { d.tensor("layers.0.o").quantized.absmax.offset = int64_t{1} << 40; }) == "bad_file");
}

TEST_CASE(int8_weights_have_no_nested_scales) {
  const auto nest = [](TinyDecoder& d) {
    QuantizedSource& q = d.tensor("layers.0.o").quantized;
    q.is_nested = true;  // sizes that would fit if there were such a thing
    q.absmax.bytes = 64;
    q.nested_map = {0, 0, 1024};
    q.nested_absmax = {0, 0, 0};
  };
  std::string message;
  CHECK(refusal({.stored = kInt8}, nest, &message) == "bad_file");
  CHECK(contains(message, "file.layers.0.o"));
}

TEST_CASE(codes_without_scales_are_no_weights) {
  std::string message;
  CHECK(refusal(
            {}, [](TinyDecoder& d) { d.tensor("layers.0.q").encoding = Encoding::u8; }, &message) == "bad_file");
  CHECK(contains(message, "without the scales"));
}

TEST_CASE(a_norm_cannot_be_quantized) {
  const auto change = [](TinyDecoder& d) {
    TensorSource& norm = d.tensor("final_norm");
    norm.is_quantized = true;  // codes of one byte, read as two: past the end
    norm.encoding = Encoding::u8;
    norm.data.bytes = 64;
  };
  std::string message;
  CHECK(refusal({}, change, &message) == "bad_file");
  CHECK(contains(message, "file.final_norm"));
}

TEST_CASE(weights_may_lie_at_any_address) {
  for (const char* const* backend = op_table_names(); *backend != nullptr; ++backend) {
    for (const auto& stored : {std::optional<QuantizeSpec>(), std::optional(kNf4), std::optional(kNested), std::optional(kInt8)}) {
      for (const Encoding plain : {Encoding::f32, Encoding::bf16, Encoding::f16}) {
        const std::vector<float> aligned = logits_of(TinyDecoder({.stored = stored, .plain = plain}), *backend);
        for (const int64_t lead : {1, 2, 3}) {
          const TinyDecoder shifted({.stored = stored, .plain = plain, .lead = lead, .gap = 1});
          CHECK(logits_of(shifted, *backend) == aligned);
        }
      }
    }
  }
}

TEST_CASE(embedding_and_head_may_be_quantized) {
  const std::vector<float> plain = logits_of(TinyDecoder(), "ref");
  const QuantizeSpec fp4{FormatId::Fp4, 64, false};
  for (const QuantizeSpec& spec : {kNf4, kNested, kInt8, fp4}) {
    const TinyDecoder tables({.stored = spec, .stores_tables = true});
    const std::vector<float> expected = logits_of(tables, "ref");
    CHECK(expected != plain && expected != logits_of(TinyDecoder({.stored = spec}), "ref"));
    for (const char* const* backend = op_table_names(); *backend != nullptr; ++backend) {
      // The kernels of the backends differ from the reference by roundings of fp32 sums and by those of the fp16 cache.
      test::check_close(text("quantized tables on ", *backend), logits_of(tables, *backend), expected, [](size_t) { return 8 * 0x1p-11; });
    }
    // A tied head reads the same codes.
    TinyDecoder tied({.stored = spec, .stores_tables = true});
    TinyDecoder untied({.stored = spec, .stores_tables = true});
    untied.tensor("head").data = untied.tensor("embed").data;
    untied.tensor("head").quantized = untied.tensor("embed").quantized;
    tied.source.tensors.pop_back();
    tied.source.decoder.has_tied_head = true;
    CHECK(logits_of(tied, "ref") == logits_of(untied, "ref"));
  }
}

TEST_CASE(a_transposed_matrix_in_the_file_is_turned) {
  TinyDecoder decoder;
  const std::vector<float> expected = logits_of(decoder, "ref");
  TensorSource& up = decoder.tensor("layers.0.up");
  std::vector<uint8_t> bytes = decoder.file().bytes();
  std::vector<float> values(96 * 64), turned(96 * 64);
  std::memcpy(values.data(), bytes.data() + up.data.offset, values.size() * 4);
  for (size_t row = 0; row < 96; ++row) {
    for (size_t col = 0; col < 64; ++col) turned[col * 96 + row] = values[row * 64 + col];
  }
  std::memcpy(bytes.data() + up.data.offset, turned.data(), turned.size() * 4);
  const test::TempFile changed(bytes);
  decoder.source.files = {changed.path()};
  CHECK(logits_of(decoder, "ref") != expected);
  up.is_transposed = true;
  CHECK(logits_of(decoder, "ref") == expected);
  LoadOptions straight = TinyDecoder().load_options("ref"), quantized = decoder.load_options("ref");
  straight.quantize = quantized.quantize = kNf4;
  const TinyDecoder original;
  straight.source = original.source;
  CHECK(test::all_logits(*test::load(quantized), test::tiny_prompt()) == test::all_logits(*test::load(straight), test::tiny_prompt()));
}

TEST_CASE(a_file_may_bring_its_own_code_book) {
  TinyDecoder decoder({.stored = kNested});
  const std::vector<float> before = logits_of(decoder, "ref");
  // The code book of one tensor, halved in the file, halves what that tensor gives: other logits.
  const FileSlice book = decoder.tensor("layers.1.down").quantized.codebook;
  std::vector<uint8_t> bytes = decoder.file().bytes();
  float values[16];
  std::memcpy(values, bytes.data() + book.offset, 64);
  CHECK(std::equal(values, values + 16, codebook(FormatId::Nf4)));
  for (float& value : values) value /= 2;
  std::memcpy(bytes.data() + book.offset, values, 64);
  const test::TempFile changed(bytes);
  decoder.source.files = {changed.path()};
  CHECK(logits_of(decoder, "ref") != before);
}

TEST_CASE(nan_in_a_weight_quantized_while_loading_is_named) {
  TinyDecoder decoder;
  std::vector<uint8_t> bytes = decoder.file().bytes();
  const float bad = NAN;
  std::memcpy(bytes.data() + decoder.tensor("layers.1.up").data.offset + (3 * 64 + 7) * 4, &bad, 4);
  const test::TempFile changed(bytes);
  decoder.source.files = {changed.path()};
  for (const QuantizeSpec& spec : {kNf4, kInt8}) {
    LoadOptions options = decoder.load_options();
    options.quantize = spec;
    std::string message;
    CHECK(test::error_code_of([&] { test::load(options); }, &message) == "bad_file");
    CHECK(contains(message, "file.layers.1.up") && contains(message, "NaN") && contains(message, "[3, 7]"));
  }
}

TEST_CASE(bytes_per_token_are_those_of_layers_and_head) {
  const int64_t linear = 2 * (64 * 64 * 2 + 32 * 64 * 2 + 96 * 64 * 3), head = 96 * 64 * 4;
  CHECK(test::load(TinyDecoder().load_options())->weights().bytes_per_token() == linear * 4 + head);
  CHECK(test::load(TinyDecoder({.stored = kNf4}).load_options())->weights().bytes_per_token() == linear / 2 + linear / 64 * 4 + head);
  const int64_t rows = 2 * (64 + 32 + 32 + 64 + 96 + 96 + 64);
  CHECK(test::load(TinyDecoder({.stored = kInt8}).load_options())->weights().bytes_per_token() == linear + rows * 4 + head);
}
