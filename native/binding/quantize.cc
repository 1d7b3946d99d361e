// Quantizing a checkpoint to a file.
#include "quant/quantize.h"

#include "binding/addon.h"

namespace nibble::binding {

namespace {

void read_place(QuantizeTensor& tensor, const Fields& place) {
  const auto read = [&](const char* name, int64_t& at) {
    if (place.has(name)) at = place.integer(name, 0, kMaxExact);
  };
  read("data", tensor.data_at);
  read("scales", tensor.scales_at);
  read("nested", tensor.nested_at);
}

QuantizeOptions to_quantize_options(const Fields& fields) {
  QuantizeOptions options;
  options.files = fields.texts("files");
  fields.each("tensors", [&](const Fields& tensor) {
    const Fields action = tensor.object("action");
    QuantizeTensor result{
        to_stored_tensor(tensor), action.choice<bool>("kind", {{"copy", false}, {"quantize", true}}), {}, to_plain_dtype(action)};
    if (result.is_quantized) result.spec = to_quantize_spec(action.object("spec"));
    if (tensor.has("place")) read_place(result, tensor.object("place"));
    options.tensors.push_back(std::move(result));
  });
  options.out_path = fields.text("outPath");
  options.out_offset = fields.integer("outOffset", 0, kMaxExact);
  options.threads = static_cast<int>(fields.integer("threads", 0, 1024));
  if (fields.has("withErrors")) options.with_errors = fields.boolean("withErrors");
  return options;
}

const char* range_kind_name(RangeKind kind) {
  switch (kind) {
    case RangeKind::data: return "data";
    case RangeKind::absmax: return "absmax";
    case RangeKind::nested_absmax: return "nested_absmax";
    case RangeKind::scb: return "scb";
  }
  return "";
}

Napi::Object result_to_js(Napi::Env env, const QuantizeResult& quantized) {
  Napi::Array ranges = Napi::Array::New(env, quantized.ranges.size());
  for (size_t i = 0; i < quantized.ranges.size(); ++i) {
    const WrittenRange& range = quantized.ranges[i];
    Napi::Object item = Napi::Object::New(env);
    item.Set("tensor", static_cast<double>(range.tensor));
    item.Set("kind", range_kind_name(range.kind));
    item.Set("begin", static_cast<double>(range.begin));
    item.Set("end", static_cast<double>(range.end));
    ranges.Set(static_cast<uint32_t>(i), item);
  }
  Napi::Object offsets = Napi::Object::New(env);
  for (const auto& [tensor, offset] : quantized.nested_offsets) offsets.Set(static_cast<uint32_t>(tensor), static_cast<double>(offset));
  Napi::Object result = Napi::Object::New(env);
  result.Set("ranges", ranges);
  result.Set("nestedOffsets", offsets);
  result.Set("seconds", quantized.seconds);
  result.Set("parametersQuantized", static_cast<double>(quantized.parameters_quantized));
  return result;
}

Napi::Value start_quantize(const Napi::CallbackInfo& info) {
  const auto options = std::make_shared<const QuantizeOptions>(to_quantize_options(Fields(info[0], "options")));
  const Napi::Function listener = function_argument(info, 1, "onProgress");
  const auto deliver = [options](Napi::Function on_progress, const QuantizeProgress& progress) {
    Napi::Object event = Napi::Object::New(on_progress.Env());
    event.Set("tensorsDone", static_cast<double>(progress.tensors_done));
    event.Set("parametersDone", static_cast<double>(progress.parameters_done));
    event.Set("bytesWritten", static_cast<double>(progress.bytes_written));
    event.Set("tensor", options->tensors[static_cast<size_t>(progress.tensor)].name);
    Napi::Array errors = Napi::Array::New(on_progress.Env(), progress.errors.size());
    for (size_t i = 0; i < progress.errors.size(); ++i) {
      Napi::Object item = Napi::Object::New(on_progress.Env());
      item.Set("name", options->tensors[static_cast<size_t>(progress.errors[i].tensor)].name);
      item.Set("error", progress.errors[i].error);
      errors.Set(static_cast<uint32_t>(i), item);
    }
    event.Set("errors", errors);
    on_progress.Call({event});
  };
  return start_task<QuantizeProgress>(listener, deliver, [options](Task<QuantizeProgress>& task) -> ToJs {
    const auto on_progress = [&](const QuantizeProgress& progress) { task.emit(progress); };
    return [quantized = quantize(*options, on_progress, task.cancel())](Napi::Env env) { return result_to_js(env, quantized); };
  });
}

}  // namespace

void export_quantize(Napi::Env env, Napi::Object exports) { export_function(env, exports, "quantize", start_quantize); }

}  // namespace nibble::binding
