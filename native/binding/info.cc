// What the engine and the machine are, and small measurements of them.
#include "binding/addon.h"
#include "core/thread_pool.h"
#include "formats/formats.h"
#include "model/self_test.h"
#include "plan/bandwidth.h"
#include "plan/speed.h"
#include "plan/system_memory.h"

namespace nibble::binding {

namespace {

// Processor features that the kernels use, as far as this processor has them.
std::vector<std::string> processor_features() {
  std::vector<std::string> features;
#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
  __builtin_cpu_init();
#define FEATURE(name) \
  if (__builtin_cpu_supports(name)) features.emplace_back(name);
  FEATURE("sse4.1")
  FEATURE("avx2")
  FEATURE("fma")
  FEATURE("avx512f")
  FEATURE("avx512bw")
  FEATURE("avx512vl")
  FEATURE("avx512vnni")
  FEATURE("avx512vbmi")
  FEATURE("avx512bf16")
#undef FEATURE
#elif defined(__aarch64__) || defined(_M_ARM64)
  features.emplace_back("neon");
#endif
  return features;
}

Napi::Array texts_to_js(Napi::Env env, const std::vector<std::string>& texts) {
  Napi::Array result = Napi::Array::New(env, texts.size());
  for (size_t i = 0; i < texts.size(); ++i) result.Set(static_cast<uint32_t>(i), texts[i]);
  return result;
}

Napi::Float32Array floats_to_js(Napi::Env env, const float* values, size_t n) {
  Napi::Float32Array result = Napi::Float32Array::New(env, n);
  std::copy_n(values, n, result.Data());
  return result;
}

Napi::Value info(const Napi::CallbackInfo& call) {
  const Napi::Env env = call.Env();
  std::vector<std::string> backends, formats, codes;
  for (const char* const* name = op_table_names(); *name != nullptr; ++name) backends.emplace_back(*name);
  for_each_format([&](auto format) { formats.emplace_back(decltype(format)::kName); });
#define ERROR_CODE(name) codes.emplace_back(#name);
#include "core/error_codes.def"
#undef ERROR_CODE
  const SystemMemory memory = system_memory();
  Napi::Object result = Napi::Object::New(env);
  result.Set("version", NIBBLE_VERSION);
  result.Set("isa", cpu_table().name);
  result.Set("features", texts_to_js(env, processor_features()));
  result.Set("backends", texts_to_js(env, backends));
  result.Set("formats", texts_to_js(env, formats));
  result.Set("errorCodes", texts_to_js(env, codes));
  result.Set("logicalCores", available_cores());
  result.Set("totalMemoryBytes", static_cast<double>(memory.total));
  result.Set("availableMemoryBytes", static_cast<double>(memory.available));
  result.Set("residentBytes", static_cast<double>(memory.resident));
  result.Set("peakResidentBytes", static_cast<double>(memory.peak_resident));
  return result;
}

std::string text_argument(const Napi::CallbackInfo& call, const char* name) {
  if (!call[0].IsString()) throw_wrong(name, "a string", call[0]);
  return call[0].As<Napi::String>().Utf8Value();
}

Napi::Value run_self_test(const Napi::CallbackInfo& call) {
  const std::string backend = text_argument(call, "backend");
  const std::string difference = self_test(backend == "auto" ? cpu_table() : op_table(backend.c_str()));
  return difference.empty() ? call.Env().Null() : Napi::String::New(call.Env(), difference).As<Napi::Value>();
}

Napi::Value codebook_values(const Napi::CallbackInfo& call) {
  const std::string format = text_argument(call, "format");
  if (format != "nf4" && format != "fp4") {
    throw Error(ErrorCode::bad_input, text("The format \"", format, "\" has no code book; nf4 and fp4 have."));
  }
  return floats_to_js(call.Env(), codebook(format == "nf4" ? FormatId::Nf4 : FormatId::Fp4), 16);
}

Napi::Value start_bandwidth(const Napi::CallbackInfo& call) {
  for (const size_t i : {size_t{0}, size_t{1}}) {
    if (!call[i].IsNumber()) throw_wrong(i == 0 ? "bytes" : "threads", "a number", call[i]);
  }
  const int64_t bytes = call[0].As<Napi::Number>().Int64Value();
  const int64_t threads = call[1].As<Napi::Number>().Int64Value();
  if (threads < 0 || threads > 1024)
    throw Error(ErrorCode::bad_input, text("The number of threads is ", threads, "; it must be between 0 and 1024."));
  return start_plain_task(call.Env(), [bytes, threads](TaskBase& task) -> ToJs {
    return
        [rate = measure_bandwidth(bytes, static_cast<int>(threads), task.cancel())](Napi::Env env) { return Napi::Number::New(env, rate); };
  });
}

// As users name it: "nf4-dq".
std::string full_name(const FormatSpeed& speed) { return text(format_name(speed.format), speed.is_nested ? "-dq" : ""); }

Napi::Value speed_to_js(Napi::Env env, const Speed& speed) {
  Napi::Object result = Napi::Object::New(env), decode = Napi::Object::New(env), prefill = Napi::Object::New(env);
  for (const FormatSpeed& format : speed.formats) {
    decode.Set(full_name(format), format.decode);
    prefill.Set(full_name(format), format.prefill);
  }
  result.Set("bandwidth", speed.bandwidth);
  result.Set("layerSeconds", speed.layer_seconds);
  result.Set("mappedFactor", speed.mapped_factor);
  result.Set("decode", decode);
  result.Set("prefill", prefill);
  return result;
}

Napi::Value start_speed(const Napi::CallbackInfo& call) {
  const Fields fields(call[0], "options");
  const Napi::Function on_progress = function_argument(call, 1, "onProgress");
  SpeedOptions options;
  options.threads = static_cast<int>(fields.integer("threads", 0, 1024));
  options.compute = to_compute(fields);
  if (fields.has("bytes")) options.bytes = fields.integer("bytes", 1, kMaxExact);
  if (fields.has("seconds")) options.seconds = fields.number("seconds");
  return start_task<double>(
      on_progress, [](Napi::Function listener, const double& fraction) { listener.Call({Napi::Number::New(listener.Env(), fraction)}); },
      [options](Task<double>& task) -> ToJs {
        return
            [speed = measure_speed(
                 options, [&](double fraction) { task.emit(fraction); }, task.cancel())](Napi::Env env) { return speed_to_js(env, speed); };
      });
}

}  // namespace

void export_info(Napi::Env env, Napi::Object exports) {
  export_function(env, exports, "info", info);
  export_function(env, exports, "resetPeakResident",
                  [](const Napi::CallbackInfo& call) -> Napi::Value { return Napi::Boolean::New(call.Env(), reset_peak_resident()); });
  export_function(env, exports, "releaseFreeMemory", [](const Napi::CallbackInfo& call) -> Napi::Value {
    release_free_memory();
    return call.Env().Undefined();
  });
  export_function(env, exports, "selfTest", run_self_test);
  export_function(env, exports, "codebook", codebook_values);
  export_function(env, exports, "dynamicMap",
                  [](const Napi::CallbackInfo& call) -> Napi::Value { return floats_to_js(call.Env(), dynamic_map_signed(), 256); });
  export_function(env, exports, "measureBandwidth", start_bandwidth);
  export_function(env, exports, "measureSpeed", start_speed);
}

}  // namespace nibble::binding
