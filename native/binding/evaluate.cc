// The handle of an evaluation: one step after the other, each a task, then its figures.
#include <atomic>
#include <cmath>

#include "binding/addon.h"
#include "plan/evaluation.h"

namespace nibble::binding {

namespace {

struct OpenEvaluation {
  std::unique_ptr<Evaluation> evaluation;
  std::atomic<bool> is_busy{false};
};
using Owned = std::shared_ptr<OpenEvaluation>;

// The right to run a step, while the evaluation lives.
class Claim {
 public:
  explicit Claim(Owned open) : open_(std::move(open)) {
    if (!open_) throw Error(ErrorCode::bad_input, "The evaluation was disposed of.");
    if (open_->is_busy.exchange(true)) throw Error(ErrorCode::busy, "The evaluation is busy; one step runs at a time.");
  }
  ~Claim() { open_->is_busy = false; }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  Evaluation& operator*() const { return *open_->evaluation; }

 private:
  Owned open_;
};

EvaluateOptions to_evaluate_options(const Fields& fields) {
  EvaluateOptions options;
  fields.each("models", [&](const Fields& model) {
    EvaluatedModel& one = options.models.emplace_back();
    one.source = to_model_source(model.object("source"));
    one.int8.threshold = static_cast<float>(model.number("threshold"));
  });
  fields.each("windows", [&](const Fields& window) {
    const std::vector<int64_t> tokens = window.integers("tokens", 0, INT32_MAX);
    options.windows.emplace_back(tokens.begin(), tokens.end());
  });
  options.compute = to_compute(fields);
  options.threads = static_cast<int>(fields.integer("threads", 0, 1024));
  options.backend = fields.text("backend");
  options.memory_limit = static_cast<uint64_t>(fields.integer("memoryLimitBytes", 0, kMaxExact));
  return options;
}

Napi::Value figures_to_js(Napi::Env env, const std::vector<ModelFigures>& figures) {
  Napi::Array result = Napi::Array::New(env, figures.size());
  for (uint32_t i = 0; i < figures.size(); ++i) {
    Napi::Object one = Napi::Object::New(env);
    one.Set("perplexity", std::exp(figures[i].loss));
    one.Set("klMean", figures[i].divergence);
    one.Set("klMax", figures[i].largest_divergence);
    one.Set("sameTopToken", figures[i].same_top);
    result.Set(i, one);
  }
  return result;
}

class EvaluationHandle : public Napi::ObjectWrap<EvaluationHandle> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeEvaluation",
                       {InstanceMethod<&EvaluationHandle::guard<&EvaluationHandle::run_step>>("runStep"),
                        InstanceMethod<&EvaluationHandle::guard<&EvaluationHandle::figures>>("figures"),
                        InstanceMethod<&EvaluationHandle::guard<&EvaluationHandle::dispose>>("dispose")});
  }

  // Made by openEvaluation only; a script that reaches the class gets an error.
  explicit EvaluationHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    if (!info[0].IsExternal()) throw to_js_error(info.Env(), ErrorCode::bad_input, "An evaluation is made by openEvaluation.");
    open_ = *info[0].As<Napi::External<Owned>>().Data();
    const auto define_number = [&](const char* name, double value) {
      info.This().As<Napi::Object>().DefineProperty(
          Napi::PropertyDescriptor::Value(name, Napi::Number::New(info.Env(), value), napi_enumerable));
    };
    const MemoryPlan& plan = open_->evaluation->plan();
    define_number("steps", static_cast<double>(open_->evaluation->steps()));
    define_number("positions", static_cast<double>(open_->evaluation->positions()));
    define_number("neededBytes", static_cast<double>(plan.total() - plan.mapped));
  }

 private:
  template <Napi::Value (EvaluationHandle::*method)(const Napi::CallbackInfo&)>
  Napi::Value guard(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return (this->*method)(info); });
  }

  Napi::Value run_step(const Napi::CallbackInfo& info) {
    const Napi::Function listener = function_argument(info, 0, "onProgress");
    const auto deliver = [](Napi::Function on_progress, double fraction) {
      on_progress.Call({Napi::Number::New(on_progress.Env(), fraction)});
    };
    const auto claim = std::make_shared<Claim>(open_);
    return start_task<double>(listener, deliver, [claim](Task<double>& task) -> ToJs {
      (**claim).run_step([&](double fraction) { task.emit(fraction); }, task.cancel());
      return [](Napi::Env env) { return env.Undefined(); };
    });
  }

  Napi::Value figures(const Napi::CallbackInfo& info) {
    const Claim claim(open_);
    return figures_to_js(info.Env(), (*claim).figures());
  }

  Napi::Value dispose(const Napi::CallbackInfo& info) {
    if (open_) const Claim claim(open_);  // refused while a step runs
    open_.reset();
    return info.Env().Undefined();
  }

  Owned open_;
};

Napi::Value open(const Napi::CallbackInfo& info) {
  const auto opened = std::make_shared<OpenEvaluation>();
  opened->evaluation = open_evaluation(to_evaluate_options(Fields(info[0], "options")));
  Owned owned = opened;
  return state_of(info.Env()).evaluation_class.New({Napi::External<Owned>::New(info.Env(), &owned)});
}

}  // namespace

void export_evaluate(Napi::Env env, Napi::Object exports) {
  state_of(env).evaluation_class = Napi::Persistent(EvaluationHandle::define(env));
  export_function(env, exports, "openEvaluation", open);
}

}  // namespace nibble::binding
