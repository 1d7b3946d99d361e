// Plans of a model that is not loaded: for any context, number of threads and set of devices.
#include "plan/planner.h"

#include <map>

#include "binding/addon.h"
#include "plan/placement.h"

namespace nibble::binding {

namespace {

constexpr std::pair<const char*, Owner> kOwnerNames[] = {
    {"weights", Owner::weights},         {"scales", Owner::scales},       {"unquantized", Owner::unquantized}, {"kv", Owner::kv},
    {"activations", Owner::activations}, {"logits", Owner::logits},       {"scratch", Owner::scratch},         {"lora", Owner::lora},
    {"gradients", Owner::gradients},     {"optimizer", Owner::optimizer},
};
static_assert(std::size(kOwnerNames) == kOwners);

Napi::Object memory_to_js(Napi::Env env, const MemoryPlan& memory) {
  Napi::Object result = Napi::Object::New(env);
  for (const auto& [name, owner] : kOwnerNames) result.Set(name, static_cast<double>(memory[owner]));
  result.Set("mapped", static_cast<double>(memory.mapped));
  result.Set("total", static_cast<double>(memory.total()));
  return result;
}

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::fits: return "fits";
    case Verdict::tight: return "tight";
    case Verdict::partly: return "partly";
    case Verdict::too_big: return "too_big";
  }
  return "";
}

PlanOptions to_plan_options(const Fields& fields) {
  PlanOptions options;
  options.context = fields.integer("context", 1, INT32_MAX);
  options.compute = fields.choice<Compute>("compute", {{"f32", Compute::f32}, {"bf16", Compute::bf16}, {"f16", Compute::f16}});
  options.threads = static_cast<int>(fields.integer("threads", 0, 1024));
  options.backend = fields.text("backend");
  if (fields.has("chunk")) options.chunk = fields.integer("chunk", 1, INT32_MAX);
  if (fields.has("logitRows")) options.logit_rows = fields.integer("logitRows", 1, INT32_MAX);
  return options;
}

TrainingOptions to_training_options(const Fields& fields) {
  TrainingOptions options;
  options.rank = static_cast<int32_t>(fields.integer("rank", 1, 1024));
  if (fields.has("targets")) options.targets = fields.texts("targets");
  options.sequence_length = fields.integer("sequenceLength", 1, INT32_MAX);
  options.batch_size = fields.integer("batchSize", 1, 1024);
  options.optimizer = fields.choice<OptimizerKind>("optimizer", {{"adamw", OptimizerKind::adamw},
                                                                 {"adamw8bit", OptimizerKind::adamw8bit},
                                                                 {"paged-adamw", OptimizerKind::paged_adamw},
                                                                 {"paged-adamw8bit", OptimizerKind::paged_adamw8bit},
                                                                 {"lion", OptimizerKind::lion},
                                                                 {"lion8bit", OptimizerKind::lion8bit},
                                                                 {"sgd", OptimizerKind::sgd}});
  options.has_checkpointing = fields.boolean("gradientCheckpointing");
  return options;
}

std::vector<PlanDevice> to_devices(const Fields& fields) {
  std::vector<PlanDevice> devices;
  fields.each("devices", [&](const Fields& device) {
    devices.push_back({device.text("name"),
                       device.choice<DeviceKind>("kind", {{"gpu", DeviceKind::gpu}, {"cpu", DeviceKind::cpu}, {"disk", DeviceKind::disk}}),
                       static_cast<uint64_t>(device.integer("usableBytes", 0, kMaxExact))});
  });
  return devices;
}

DeviceMap to_device_map(const Fields& fields) {
  DeviceMap map;
  fields.each("deviceMap", [&](const Fields& entry) { map.emplace_back(entry.text("module"), entry.text("device")); });
  return map;
}

class PlannerHandle : public Napi::ObjectWrap<PlannerHandle> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativePlanner",
                       {InstanceMethod<&PlannerHandle::guard<&PlannerHandle::plan>>("plan"),
                        InstanceMethod<&PlannerHandle::guard<&PlannerHandle::place>>("place")});
  }

  // Made by openPlanner only; a script that reaches the class gets an error.
  explicit PlannerHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    if (!info[0].IsExternal()) throw to_js_error(info.Env(), ErrorCode::bad_input, "A planner is made by openPlanner.");
    planner_ = *info[0].As<Napi::External<std::shared_ptr<Planner>>>().Data();
    const auto define_number = [&](const char* name, int64_t value) {
      info.This().As<Napi::Object>().DefineProperty(
          Napi::PropertyDescriptor::Value(name, Napi::Number::New(info.Env(), static_cast<double>(value)), napi_enumerable));
    };
    define_number("weightBytesPerToken", planner_->bytes_per_token());
    define_number("kvBytesPerToken", planner_->kv_bytes_per_token());
  }

 private:
  template <Napi::Value (PlannerHandle::*method)(const Napi::CallbackInfo&)>
  Napi::Value guard(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return (this->*method)(info); });
  }

  Napi::Value plan(const Napi::CallbackInfo& info) {
    return memory_to_js(info.Env(), planner_->plan(to_plan_options(Fields(info[0], "options"))).all);
  }

  Napi::Value place(const Napi::CallbackInfo& info);
  std::vector<PlanModule> modules_of(const Fields& fields, const ModelPlan& plan) const;

  std::shared_ptr<Planner> planner_;
};

// The parts that have a name in the checkpoint, in order; the others must be empty.
std::vector<PlanModule> PlannerHandle::modules_of(const Fields& fields, const ModelPlan& plan) const {
  std::map<std::string, std::string> names;
  fields.each("modules", [&](const Fields& module) { names[module.text("part")] = module.text("name"); });
  const DecoderDescription& decoder = planner_->decoder();
  const std::vector<ModelPart> parts = parts_in_order(decoder.n_layers);
  std::vector<PlanModule> modules;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto found = names.find(parts[i].role);
    if (found == names.end()) {
      if (plan.parts[i].total() == 0) continue;
      throw Error(ErrorCode::bad_input, text("options.modules has no name for the part ", parts[i].role, "."));
    }
    const bool is_tied = parts[i].role == "head" && decoder.has_tied_head;
    modules.push_back({found->second, plan.parts[i], is_tied ? 0 : -1});
  }
  return modules;
}

Napi::Value PlannerHandle::place(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Fields fields(info[0], "options");
  std::optional<TrainingOptions> training;
  if (fields.has("train")) training = to_training_options(fields.object("train"));
  const PlanOptions options = to_plan_options(fields);
  const ModelPlan plan = training ? planner_->plan_training(options, *training) : planner_->plan(options);
  const std::vector<PlanDevice> devices = to_devices(fields);
  const std::vector<PlanModule> modules = modules_of(fields, plan);
  const auto base = static_cast<uint64_t>(fields.integer("baseBytes", 0, kMaxExact));
  const Placement placement = fields.has("deviceMap") ? place_by_hand(modules, devices, plan.work, base, to_device_map(fields))
                                                      : place_automatically(modules, devices, plan.work, base);
  Napi::Object result = Napi::Object::New(env);
  result.Set("plan", memory_to_js(env, plan.all));
  result.Set("verdict", verdict_name(placement.verdict));
  Napi::Object map = Napi::Object::New(env);
  for (size_t i = 0; i < modules.size(); ++i) map.Set(modules[i].name, devices[placement.device_of[i]].name);
  result.Set("deviceMap", map);
  Napi::Array used = Napi::Array::New(env, devices.size());
  for (uint32_t i = 0; i < devices.size(); ++i) used.Set(i, memory_to_js(env, placement.used[i]));
  result.Set("used", used);
  result.Set("trainableParameters", static_cast<double>(training ? planner_->trainable_parameters(*training) : 0));
  result.Set("home", static_cast<double>(placement.home));
  return result;
}

Napi::Value open(const Napi::CallbackInfo& info) {
  const Fields fields(info[0], "options");
  std::optional<QuantizeSpec> quantize;
  if (fields.has("quantize")) quantize = to_quantize_spec(fields.object("quantize"));
  auto planner = std::make_shared<Planner>(to_model_source(fields.object("source")), quantize);
  return state_of(info.Env()).planner_class.New({Napi::External<std::shared_ptr<Planner>>::New(info.Env(), &planner)});
}

}  // namespace

void export_planner(Napi::Env env, Napi::Object exports) {
  state_of(env).planner_class = Napi::Persistent(PlannerHandle::define(env));
  export_function(env, exports, "openPlanner", open);
}

}  // namespace nibble::binding
