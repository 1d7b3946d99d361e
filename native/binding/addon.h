// What one environment (the main thread or a worker) holds, and the groups of functions that addon.cc exports.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/convert.h"
#include "binding/task.h"
#include "model/model.h"

namespace nibble::binding {

struct AddonState {
  Tasks tasks;
  Napi::FunctionReference model_class;
  Napi::FunctionReference evaluation_class;
  Napi::FunctionReference planner_class;
};
AddonState& state_of(Napi::Env env);

// One per file of this folder; each adds its functions to `exports`.
void export_evaluate(Napi::Env env, Napi::Object exports);
void export_info(Napi::Env env, Napi::Object exports);
void export_model(Napi::Env env, Napi::Object exports);
void export_planner(Napi::Env env, Napi::Object exports);
void export_quantize(Napi::Env env, Napi::Object exports);

// Adds a function whose engine errors become JavaScript errors. body(const Napi::CallbackInfo&) -> Napi::Value
template <class Body>
void export_function(Napi::Env env, Napi::Object exports, const char* name, Body body) {
  const auto call = [body](const Napi::CallbackInfo& info) -> Napi::Value { return guarded(info.Env(), [&] { return body(info); }); };
  exports.Set(name, Napi::Function::New(env, call, name));
}

// Conversions used by several groups (source.cc).
inline constexpr int64_t kMaxExact = int64_t{1} << 53;  // JavaScript counts exactly up to here
FileSlice to_slice(const Fields& fields);
StoredTensor to_stored_tensor(const Fields& fields);
QuantizeSpec to_quantize_spec(const Fields& fields);
FormatId to_quantized_format(const Fields& fields);
Compute to_compute(const Fields& fields);
DType to_plain_dtype(const Fields& fields);
ModelSource to_model_source(const Fields& fields);
LoadOptions to_load_options(const Fields& fields);

}  // namespace nibble::binding
