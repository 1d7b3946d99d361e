// Loading a model, and the handle of a loaded one: generate, logits, bench, dispose.
#include <atomic>

#include "binding/addon.h"
#include "io/file.h"
#include "model/bench.h"
#include "model/outliers.h"
#include "model/session.h"
#include "plan/load.h"

namespace nibble::binding {

namespace {

// A model and the one sequence it works on. Shared by its handle and the task that uses it.
struct LoadedModel {
  explicit LoadedModel(std::unique_ptr<Model> loaded) : model(std::move(loaded)), session(*model) {}
  std::unique_ptr<Model> model;
  Session session;
  std::atomic<bool> is_busy{false};
};

// The right to work with a model, while it lives.
class Claim {
 public:
  explicit Claim(std::shared_ptr<LoadedModel> loaded) : loaded_(std::move(loaded)) {
    if (!loaded_) throw Error(ErrorCode::bad_input, "The model was disposed of.");
    if (loaded_->is_busy.exchange(true)) throw Error(ErrorCode::busy, "The model is busy; one job runs at a time.");
  }
  ~Claim() { loaded_->is_busy = false; }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  LoadedModel& operator*() const { return *loaded_; }
  LoadedModel* operator->() const { return loaded_.get(); }

 private:
  std::shared_ptr<LoadedModel> loaded_;
};

Napi::Object plan_to_js(Napi::Env env, const MemoryPlan& plan) {
  Napi::Object result = Napi::Object::New(env);
  const auto set = [&](const char* name, uint64_t bytes) { result.Set(name, static_cast<double>(bytes)); };
  set("weights", plan[Owner::weights]);
  set("scales", plan[Owner::scales]);
  set("unquantized", plan[Owner::unquantized]);
  set("kv", plan[Owner::kv]);
  set("activations", plan[Owner::activations]);
  set("logits", plan[Owner::logits]);
  set("scratch", plan[Owner::scratch]);
  set("mapped", plan.mapped);
  set("total", plan.total());
  return result;
}

Napi::Array tokens_to_js(Napi::Env env, const std::vector<int32_t>& tokens) {
  Napi::Array result = Napi::Array::New(env, tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) result.Set(static_cast<uint32_t>(i), tokens[i]);
  return result;
}

std::vector<int32_t> to_tokens(const Fields& fields, const char* name) {
  const std::vector<int64_t> ids = fields.integers(name, 0, INT32_MAX);
  return {ids.begin(), ids.end()};
}

GenerateOptions to_generate_options(const Fields& fields) {
  GenerateOptions options;
  options.tokens = to_tokens(fields, "tokens");
  options.max_new_tokens = fields.integer("maxNewTokens", 0, INT32_MAX);
  options.stop_tokens = to_tokens(fields, "stopTokens");
  const Fields sampling = fields.object("sampling");
  options.sampling = {.temperature = sampling.number("temperature"),
                      .top_k = static_cast<int32_t>(sampling.integer("topK", 0, INT32_MAX)),
                      .top_p = sampling.number("topP"),
                      .min_p = sampling.number("minP"),
                      .repeat_penalty = sampling.number("repeatPenalty"),
                      .seed = static_cast<uint64_t>(sampling.integer("seed", 0, kMaxExact - 1))};
  return options;
}

const char* stop_reason_name(StopReason reason) {
  switch (reason) {
    case StopReason::cancelled: return "cancelled";
    case StopReason::stop_token: return "stop_token";
    case StopReason::max_new_tokens: return "max_new_tokens";
    case StopReason::context_full: return "context_full";
  }
  return "";
}

Napi::Object generated_to_js(Napi::Env env, const GenerateResult& generated) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("tokens", tokens_to_js(env, generated.tokens));
  result.Set("stopReason", stop_reason_name(generated.stop_reason));
  result.Set("promptTokens", static_cast<double>(generated.prompt_tokens));
  result.Set("cachedTokens", static_cast<double>(generated.cached_tokens));
  result.Set("prefillMs", generated.prefill_ms);
  result.Set("decodeMs", generated.decode_ms);
  result.Set("timeToFirstTokenMs", generated.time_to_first_token_ms);
  return result;
}

Napi::Array outliers_to_js(Napi::Env env, const std::vector<LayerOutliers>& layers) {
  Napi::Array result = Napi::Array::New(env, layers.size());
  for (uint32_t i = 0; i < layers.size(); ++i) {
    const Napi::HandleScope scope(env);
    const LayerOutliers& layer = layers[i];
    Napi::Object item = Napi::Object::New(env);
    item.Set("role", layer.role);
    item.Set("cols", static_cast<double>(layer.cols));
    item.Set("tokens", static_cast<double>(layer.tokens));
    item.Set("outlierColumns", static_cast<double>(layer.outlier_columns));
    item.Set("outlierValues", static_cast<double>(layer.outlier_values));
    item.Set("largest", layer.largest);
    item.Set("squareShare", layer.square_share);
    Napi::Array most_frequent = Napi::Array::New(env, layer.most_frequent.size());
    for (uint32_t j = 0; j < layer.most_frequent.size(); ++j) {
      Napi::Object column = Napi::Object::New(env);
      column.Set("column", layer.most_frequent[j].first);
      column.Set("tokens", static_cast<double>(layer.most_frequent[j].second));
      most_frequent.Set(j, column);
    }
    item.Set("mostFrequent", most_frequent);
    result.Set(i, item);
  }
  return result;
}

class ModelHandle : public Napi::ObjectWrap<ModelHandle> {
 public:
  using Owned = std::shared_ptr<LoadedModel>;

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeModel",
                       {InstanceMethod<&ModelHandle::guard<&ModelHandle::generate>>("generate"),
                        InstanceMethod<&ModelHandle::guard<&ModelHandle::logits>>("logits"),
                        InstanceMethod<&ModelHandle::guard<&ModelHandle::bench>>("bench"),
                        InstanceMethod<&ModelHandle::guard<&ModelHandle::outliers>>("outliers"),
                        InstanceMethod<&ModelHandle::guard<&ModelHandle::used>>("used"),
                        InstanceMethod<&ModelHandle::guard<&ModelHandle::dispose>>("dispose")});
  }

  // Made by loadModel only; a script that reaches the class gets an error.
  explicit ModelHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    if (!info[0].IsExternal()) throw to_js_error(info.Env(), ErrorCode::bad_input, "A model is made by loadModel.");
    loaded_ = *info[0].As<Napi::External<Owned>>().Data();
    info.This().As<Napi::Object>().DefineProperty(
        Napi::PropertyDescriptor::Value("plan", plan_to_js(info.Env(), loaded_->model->plan()), napi_enumerable));
  }

 private:
  template <Napi::Value (ModelHandle::*method)(const Napi::CallbackInfo&)>
  Napi::Value guard(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return (this->*method)(info); });
  }

  Napi::Value generate(const Napi::CallbackInfo& info);
  Napi::Value logits(const Napi::CallbackInfo& info);
  Napi::Value bench(const Napi::CallbackInfo& info);
  Napi::Value outliers(const Napi::CallbackInfo& info);
  Napi::Value used(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);

  Owned loaded_;
};

Napi::Value ModelHandle::generate(const Napi::CallbackInfo& info) {
  auto options = to_generate_options(Fields(info[0], "options"));
  const Napi::Function listener = function_argument(info, 1, "onTokens");
  const auto claim = std::make_shared<Claim>(loaded_);
  const auto is_stopped = std::make_shared<std::atomic<bool>>(false);
  using Tokens = std::vector<int32_t>;
  const auto deliver = [is_stopped](Napi::Function on_tokens, const Tokens& tokens) {
    const Napi::Value answer = on_tokens.Call({tokens_to_js(on_tokens.Env(), tokens)});
    if (answer.IsBoolean() && !answer.As<Napi::Boolean>().Value()) *is_stopped = true;
  };
  return start_task<Tokens>(listener, deliver, [claim, is_stopped, options = std::move(options)](Task<Tokens>& task) -> ToJs {
    const auto on_token = [&](int32_t token) {
      task.emit({token});
      return !*is_stopped;
    };
    const auto generated = std::make_shared<GenerateResult>();
    const ToJs to_js = [generated](Napi::Env env) { return generated_to_js(env, *generated); };
    task.keep_when_cancelled(to_js);
    (*claim)->session.generate(options, on_token, task.cancel(), *generated);
    return to_js;
  });
}

Napi::Value ModelHandle::logits(const Napi::CallbackInfo& info) {
  const Fields fields(info[0], "options");
  auto tokens = to_tokens(fields, "tokens");
  const std::string path = fields.text("path");
  const int64_t offset = fields.integer("offset", 0, kMaxExact);
  const auto claim = std::make_shared<Claim>(loaded_);
  return start_plain_task(info.Env(), [claim, tokens = std::move(tokens), path, offset](TaskBase& task) -> ToJs {
    const int64_t vocab = (*claim)->model->decoder().vocab_size;
    OutputFile out(path);
    const auto on_rows = [&](int64_t first, int64_t, std::span<const float> values) {
      out.write(values.data(), offset + first * vocab * static_cast<int64_t>(sizeof(float)), static_cast<int64_t>(values.size_bytes()));
    };
    (*claim)->session.logits(tokens, on_rows, task.cancel());
    return [rows = tokens.size(), vocab](Napi::Env env) {
      Napi::Object result = Napi::Object::New(env);
      result.Set("rows", static_cast<double>(rows));
      result.Set("cols", static_cast<double>(vocab));
      return result;
    };
  });
}

Napi::Value ModelHandle::bench(const Napi::CallbackInfo& info) {
  const Fields fields(info[0], "options");
  const int64_t prompt_tokens = fields.integer("promptTokens", 1, INT32_MAX);
  const int64_t new_tokens = fields.integer("newTokens", 1, INT32_MAX);
  const auto claim = std::make_shared<Claim>(loaded_);
  return start_plain_task(info.Env(), [claim, prompt_tokens, new_tokens](TaskBase& task) -> ToJs {
    (*claim)->session.forget();
    return [timed = run_bench(*(*claim)->model, prompt_tokens, new_tokens, task.cancel())](Napi::Env env) {
      Napi::Object result = Napi::Object::New(env);
      result.Set("prefillMs", timed.prefill_ms);
      result.Set("decodeMs", timed.decode_ms);
      result.Set("weightBytesPerToken", static_cast<double>(timed.weight_bytes_per_token));
      return result;
    };
  });
}

Napi::Value ModelHandle::outliers(const Napi::CallbackInfo& info) {
  const Fields fields(info[0], "options");
  std::vector<std::vector<int32_t>> sequences;
  fields.each("sequences", [&](const Fields& sequence) { sequences.push_back(to_tokens(sequence, "tokens")); });
  const double threshold = fields.number("threshold");
  const auto claim = std::make_shared<Claim>(loaded_);
  return start_plain_task(info.Env(), [claim, sequences = std::move(sequences), threshold](TaskBase& task) -> ToJs {
    (*claim)->session.forget();
    return [layers = measure_outliers(*(*claim)->model, sequences, threshold, task.cancel())](Napi::Env env) {
      return outliers_to_js(env, layers);
    };
  });
}

Napi::Value ModelHandle::used(const Napi::CallbackInfo& info) {
  const Claim claim(loaded_);
  const Forward::Used& used = claim->model->forward().used();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("tokens", static_cast<double>(used.tokens));
  result.Set("chunk", static_cast<double>(used.chunk));
  result.Set("logitRows", static_cast<double>(used.logit_rows));
  return result;
}

Napi::Value ModelHandle::dispose(const Napi::CallbackInfo& info) {
  if (loaded_) const Claim claim(loaded_);  // refused while a job runs
  loaded_.reset();
  return info.Env().Undefined();
}

Napi::Value load(const Napi::CallbackInfo& info) {
  auto options = to_load_options(Fields(info[0], "options"));
  const Napi::Function listener = function_argument(info, 1, "onProgress");
  const auto deliver = [](Napi::Function on_progress, double fraction) {
    on_progress.Call({Napi::Number::New(on_progress.Env(), fraction)});
  };
  return start_task<double>(listener, deliver, [options = std::move(options)](Task<double>& task) -> ToJs {
    const auto progress = [&](double fraction) { task.emit(fraction); };
    auto loaded = std::make_shared<LoadedModel>(load_model(options, progress, task.cancel()));
    return
        [loaded](Napi::Env env) mutable { return state_of(env).model_class.New({Napi::External<ModelHandle::Owned>::New(env, &loaded)}); };
  });
}

}  // namespace

void export_model(Napi::Env env, Napi::Object exports) {
  state_of(env).model_class = Napi::Persistent(ModelHandle::define(env));
  export_function(env, exports, "loadModel", load);
  export_function(env, exports, "plan", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return plan_to_js(info.Env(), plan_load(to_load_options(Fields(info[0], "options"))));
  });
}

}  // namespace nibble::binding
