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
  if (fields.has("isMicroscaling")) q.is_microscaling = fields.boolean("isMicroscaling");
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

int32_t to_int32(const Fields& fields, const char* name) { return static_cast<int32_t>(fields.integer(name, 0, kMaxInt32)); }
float to_float(const Fields& fields, const char* name) { return static_cast<float>(fields.number(name)); }

RopeDescription to_rope(const Fields& fields) {
  RopeDescription rope;
  rope.inv_freq = fields.floats("invFreq");
  rope.inv_freq_long = fields.floats("invFreqLong");
  rope.long_above = to_int32(fields, "longAbove");
  rope.rotary_dim = to_int32(fields, "rotaryDim");
  rope.mscale = to_float(fields, "mscale");
  rope.is_interleaved = fields.boolean("isInterleaved");
  return rope;
}

LayerDescription to_layer(const Fields& fields) {
  LayerDescription layer;
  layer.window = to_int32(fields, "window");
  layer.rope = static_cast<int32_t>(fields.integer("rope", -1, kMaxInt32));
  layer.has_experts = fields.boolean("hasExperts");
  if (fields.has("attentionScale")) layer.attention_scale = to_float(fields, "attentionScale");
  return layer;
}

FfnLayout to_ffn_layout(const Fields& fields, const char* name) {
  return fields.choice<FfnLayout>(name, {{"gated", FfnLayout::gated},
                                         {"gated_stacked", FfnLayout::gated_stacked},
                                         {"gated_pairs", FfnLayout::gated_pairs},
                                         {"plain", FfnLayout::plain}});
}

NormKind to_norm_kind(const Fields& fields, const char* name) {
  return fields.choice<NormKind>(name, {{"rms", NormKind::rms}, {"layer", NormKind::layer}});
}

ExpertsDescription to_experts(const Fields& fields) {
  ExpertsDescription e;
  e.n_experts = to_int32(fields, "nExperts");
  e.n_chosen = to_int32(fields, "nChosen");
  e.ffn_width = to_int32(fields, "ffnWidth");
  e.layout = to_ffn_layout(fields, "layout");
  e.shared_width = to_int32(fields, "sharedWidth");
  e.has_shared_gate = fields.boolean("hasSharedGate");
  e.has_correction = fields.boolean("hasCorrection");
  e.is_sigmoid = fields.boolean("isSigmoid");
  e.is_normalized = fields.boolean("isNormalized");
  e.is_group_by_two = fields.boolean("isGroupByTwo");
  e.n_groups = to_int32(fields, "nGroups");
  e.n_best_groups = to_int32(fields, "nBestGroups");
  e.scale = to_float(fields, "scale");
  return e;
}

void read_norms(const Fields& fields, DecoderDescription& d) {
  d.norm = to_norm_kind(fields, "norm");
  d.norm_place = fields.choice<NormPlace>(
      "normPlace",
      {{"before", NormPlace::before}, {"after", NormPlace::after}, {"around", NormPlace::around}, {"on_residual", NormPlace::on_residual}});
  d.has_norm_weights = fields.boolean("hasNormWeights");
  d.norm_weight_offset = to_float(fields, "normWeightOffset");
  d.norm_eps = to_float(fields, "normEps");
  d.has_final_norm = fields.boolean("hasFinalNorm");
  d.has_embed_norm = fields.boolean("hasEmbedNorm");
  d.is_parallel = fields.boolean("isParallel");
  d.has_shared_norm = fields.boolean("hasSharedNorm");
  d.is_residual_normed = fields.boolean("isResidualNormed");
}

void read_attention(const Fields& fields, DecoderDescription& d) {
  d.qkv = fields.choice<QkvLayout>("qkv", {{"separate", QkvLayout::separate},
                                           {"stacked", QkvLayout::stacked},
                                           {"grouped", QkvLayout::grouped},
                                           {"quarters", QkvLayout::quarters},
                                           {"latent", QkvLayout::latent}});
  d.qk_norm = fields.choice<QkNorm>("qkNorm",
                                    {{"none", QkNorm::none}, {"shared", QkNorm::shared}, {"own", QkNorm::own}, {"full", QkNorm::full}});
  d.qk_norm_kind = to_norm_kind(fields, "qkNormKind");
  const Fields latent = fields.object("latent");
  d.latent = {to_int32(latent, "qRank"), to_int32(latent, "kvRank"), to_float(latent, "normEps")};
  d.attention_scale = to_float(fields, "attentionScale");
  d.attention_softcap = to_float(fields, "attentionSoftcap");
  d.qkv_clip = to_float(fields, "qkvClip");
  d.has_sinks = fields.boolean("hasSinks");
  d.alibi_slopes = fields.floats("alibiSlopes");
}

void read_feed_forward(const Fields& fields, DecoderDescription& d) {
  d.ffn = to_ffn_layout(fields, "ffn");
  d.activation = fields.choice<Activation>("activation", {{"silu", Activation::silu},
                                                          {"gelu", Activation::gelu},
                                                          {"gelu_tanh", Activation::gelu_tanh},
                                                          {"relu", Activation::relu},
                                                          {"quick_gelu", Activation::quick_gelu},
                                                          {"relu2", Activation::relu2}});
  d.gate_limit = to_float(fields, "gateLimit");
  d.gate_alpha = to_float(fields, "gateAlpha");
  d.experts = to_experts(fields.object("experts"));
}

DecoderDescription to_decoder(const Fields& fields) {
  DecoderDescription d;
  d.architecture = fields.text("architecture");
  d.n_layers = to_int32(fields, "nLayers");
  d.width = to_int32(fields, "width");
  d.embed_width = to_int32(fields, "embedWidth");
  d.n_heads = to_int32(fields, "nHeads");
  d.n_kv_heads = to_int32(fields, "nKvHeads");
  d.head_dim = to_int32(fields, "headDim");
  d.value_dim = to_int32(fields, "valueDim");
  d.ffn_width = to_int32(fields, "ffnWidth");
  d.vocab_size = to_int32(fields, "vocabSize");
  d.max_context = to_int32(fields, "maxContext");
  read_norms(fields, d);
  read_attention(fields, d);
  read_feed_forward(fields, d);
  d.embed_scale = to_float(fields, "embedScale");
  d.residual_scale = to_float(fields, "residualScale");
  d.logit_scale = to_float(fields, "logitScale");
  d.logit_softcap = to_float(fields, "logitSoftcap");
  d.n_positions = to_int32(fields, "nPositions");
  d.first_position = to_int32(fields, "firstPosition");
  d.has_tied_head = fields.boolean("hasTiedHead");
  fields.each("ropes", [&](const Fields& rope) { d.ropes.push_back(to_rope(rope)); });
  fields.each("layers", [&](const Fields& layer) { d.layers.push_back(to_layer(layer)); });
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
  if (fields.has("unpermuteHeads")) tensor.unpermute_heads = static_cast<int32_t>(fields.integer("unpermuteHeads", 0, kMaxInt32));
  if (fields.has("valueOffset")) tensor.value_offset = to_float(fields, "valueOffset");
  if (fields.has("isTransposed")) tensor.is_transposed = fields.boolean("isTransposed");
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

Compute to_compute(const Fields& fields) {
  return fields.choice<Compute>("compute", {{"f32", Compute::f32}, {"bf16", Compute::bf16}, {"f16", Compute::f16}});
}

DType to_plain_dtype(const Fields& fields) {
  return fields.choice<DType>("dtype", {{"f32", DType::f32}, {"f16", DType::f16}, {"bf16", DType::bf16}});
}

ModelSource to_model_source(const Fields& fields) {
  ModelSource source;
  source.files = fields.texts("files");
  source.decoder = to_decoder(fields.object("decoder"));
  fields.each("tensors", [&](const Fields& tensor) {
    TensorSource result;
    static_cast<StoredTensor&>(result) = to_stored_tensor(tensor);
    result.role = tensor.text("role");
    result.is_quantized = tensor.has("quantized");
    if (result.is_quantized) result.quantized = to_quantized_source(tensor.object("quantized"));
    if (tensor.has("isLinear")) result.is_linear = tensor.boolean("isLinear");
    if (tensor.has("dtype")) result.type = to_plain_dtype(tensor);
    if (tensor.has("quantize")) result.quantize = to_quantize_spec(tensor.object("quantize"));
    source.tensors.push_back(std::move(result));
  });
  return source;
}

LoadOptions to_load_options(const Fields& fields) {
  LoadOptions options;
  options.source = to_model_source(fields.object("source"));
  if (fields.has("quantize")) options.quantize = to_quantize_spec(fields.object("quantize"));
  options.context = fields.integer("context", 1, kMaxInt32);
  options.compute = to_compute(fields);
  if (fields.has("threshold")) options.int8.threshold = static_cast<float>(fields.number("threshold"));
  if (fields.has("isExact")) options.int8.is_exact = fields.boolean("isExact");
  options.threads = static_cast<int>(fields.integer("threads", 0, 1024));
  options.backend = fields.text("backend");
  options.memory_limit = static_cast<uint64_t>(fields.integer("memoryLimitBytes", 0, kMaxExact));
  return options;
}

}  // namespace nibble::binding
