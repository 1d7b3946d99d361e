// Where a model comes from and how it is loaded, from JavaScript.
#include "binding/addon.h"

namespace nibble::binding {

namespace {

constexpr int64_t kMaxInt32 = INT32_MAX;

Encoding to_encoding(const Fields& fields) {
  const std::string wanted = fields.text("encoding");
  for (int i = 0; i < kEncodings; ++i) {
    if (wanted == encoding_name(static_cast<Encoding>(i))) return static_cast<Encoding>(i);
  }
  throw Error(ErrorCode::bad_input, text("The encoding \"", wanted, "\" is not known."));
}

QuantizedSource to_quantized_source(const Fields& fields) {
  QuantizedSource q;
  q.format = to_quantized_format(fields);
  q.block_size = static_cast<int32_t>(fields.integer("blockSize", 0, kMaxInt32));
  q.absmax = to_slice(fields.object("absmax"));
  if (fields.has("codebook")) q.codebook = to_slice(fields.object("codebook"));
  if (!fields.has("nested")) return q;
  const Fields nested = fields.object("nested");
  q.is_nested = true;
  q.nested_absmax = to_slice(nested.object("absmax"));
  q.nested_map = to_slice(nested.object("map"));
  q.nested_offset = static_cast<float>(nested.number("offset"));
  q.nested_block_size = static_cast<int32_t>(nested.integer("blockSize", 1, kMaxInt32));
  return q;
}

DecoderDescription to_decoder(const Fields& fields) {
  const auto int32 = [&](const char* name) { return static_cast<int32_t>(fields.integer(name, 0, kMaxInt32)); };
  DecoderDescription d;
  d.architecture = fields.text("architecture");
  d.n_layers = int32("nLayers");
  d.width = int32("width");
  d.n_heads = int32("nHeads");
  d.n_kv_heads = int32("nKvHeads");
  d.head_dim = int32("headDim");
  d.ffn_width = int32("ffnWidth");
  d.vocab_size = int32("vocabSize");
  d.max_context = int32("maxContext");
  d.norm_eps = static_cast<float>(fields.number("normEps"));
  d.attention_scale = static_cast<float>(fields.number("attentionScale"));
  d.sliding_window = int32("slidingWindow");
  d.has_tied_head = fields.boolean("hasTiedHead");
  const Fields rope = fields.object("rope");
  d.rope.inv_freq = rope.floats("invFreq");
  d.rope.rotary_dim = static_cast<int32_t>(rope.integer("rotaryDim", 0, kMaxInt32));
  d.rope.mscale = static_cast<float>(rope.number("mscale"));
  return d;
}

}  // namespace

FileSlice to_slice(const Fields& fields) {
  return {static_cast<int32_t>(fields.integer("file", 0, kMaxInt32)), fields.integer("offset", 0, kMaxExact),
          fields.integer("bytes", 0, kMaxExact)};
}

StoredTensor to_stored_tensor(const Fields& fields) {
  StoredTensor tensor;
  tensor.name = fields.text("name");
  tensor.data = to_slice(fields.object("data"));
  tensor.encoding = to_encoding(fields);
  tensor.shape = fields.integers("shape", 0, kMaxExact);
  if (fields.has("isTransposed")) tensor.is_transposed = fields.boolean("isTransposed");
  if (fields.has("unpermuteHeads")) tensor.unpermute_heads = static_cast<int32_t>(fields.integer("unpermuteHeads", 0, kMaxInt32));
  return tensor;
}

FormatId to_quantized_format(const Fields& fields) {
  return fields.choice<FormatId>("format", {{"int8", FormatId::Int8}, {"nf4", FormatId::Nf4}, {"fp4", FormatId::Fp4}});
}

QuantizeSpec to_quantize_spec(const Fields& fields) {
  const QuantizeSpec spec{to_quantized_format(fields), static_cast<int32_t>(fields.integer("blockSize", 0, kMaxInt32)),
                          fields.boolean("isNested")};
  check_quantize_spec(spec);
  return spec;
}

LoadOptions to_load_options(const Fields& fields) {
  LoadOptions options;
  const Fields source = fields.object("source");
  options.source.files = source.texts("files");
  options.source.decoder = to_decoder(source.object("decoder"));
  source.each("tensors", [&](const Fields& tensor) {
    TensorSource result{to_stored_tensor(tensor), tensor.text("role"), tensor.has("quantized"), {}};
    if (result.is_quantized) result.quantized = to_quantized_source(tensor.object("quantized"));
    options.source.tensors.push_back(std::move(result));
  });
  if (fields.has("quantize")) options.quantize = to_quantize_spec(fields.object("quantize"));
  options.context = fields.integer("context", 1, kMaxInt32);
  options.compute = fields.choice<Compute>("compute", {{"f32", Compute::f32}, {"bf16", Compute::bf16}, {"f16", Compute::f16}});
  options.threads = static_cast<int>(fields.integer("threads", 0, 1024));
  options.backend = fields.text("backend");
  options.memory_limit = static_cast<uint64_t>(fields.integer("memoryLimitBytes", 0, kMaxExact));
  return options;
}

}  // namespace nibble::binding
