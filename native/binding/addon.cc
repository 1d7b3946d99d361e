// The module: state of an environment and the list of what is exported. Types: main/engine/addon-types.ts.
#include "binding/addon.h"

namespace nibble::binding {

AddonState& state_of(Napi::Env env) { return *env.GetInstanceData<AddonState>(); }
Tasks& tasks_of(Napi::Env env) { return state_of(env).tasks; }

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  auto* state = new AddonState;  // the environment owns it
  env.SetInstanceData(state);
  env.AddCleanupHook([state] { state->tasks.end(); });
  export_evaluate(env, exports);
  export_info(env, exports);
  export_model(env, exports);
  export_planner(env, exports);
  export_quantize(env, exports);
  return exports;
}

NODE_API_MODULE(engine, init)

}  // namespace

}  // namespace nibble::binding
