#include "binding/task.h"

#include <new>
#include <system_error>

namespace nibble::binding {

Napi::Error to_js_error(Napi::Env env, ErrorCode code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Value().Set("code", error_code_name(code));
  return error;
}

std::pair<ErrorCode, std::string> current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return {ErrorCode::out_of_memory, "The system refused memory that this needs."};
  } catch (const std::exception& error) {
    return {ErrorCode::internal, error.what()};
  } catch (...) {
    return {ErrorCode::internal, "An unknown exception was thrown."};
  }
}

Napi::Object start(std::shared_ptr<TaskBase> task, Napi::Value listener, std::function<ToJs(TaskBase&)> work) {
  const Napi::Env env = task->env_;
  const napi_status status = napi_create_threadsafe_function(env, listener.IsFunction() ? static_cast<napi_value>(listener) : nullptr,
                                                             nullptr, Napi::String::New(env, "nibble task"), 0, 1, nullptr, nullptr,
                                                             task.get(), TaskBase::on_wake, &task->wake_function_);
  if (status != napi_ok) throw Napi::Error::New(env);
  Napi::Object handle = Napi::Object::New(env);
  handle.Set("promise", task->deferred_.Promise());
  handle.Set("cancel", Napi::Function::New(
                           env, [cancel = task->cancel_](const Napi::CallbackInfo&) { cancel->request(); }, "cancel"));
  task->work_ = std::move(work);
  tasks_of(env).running.emplace(task.get(), task);
  try {
    task->thread_ = std::thread([raw = task.get()] { raw->run(); });
  } catch (const std::system_error&) {
    tasks_of(env).running.erase(task.get());
    napi_release_threadsafe_function(task->wake_function_, napi_tsfn_release);
    throw Error(ErrorCode::out_of_memory, "The system gives this process no more threads.");
  }
  return handle;
}

Napi::Object start_plain_task(Napi::Env env, std::function<ToJs(TaskBase&)> work) {
  struct PlainTask : TaskBase {
    using TaskBase::TaskBase;
    void deliver(Napi::Env, Napi::Function) override {}
  };
  return start(std::make_shared<PlainTask>(env), env.Undefined(), std::move(work));
}

void TaskBase::run() {
  try {
    result_ = work_(*this);
  } catch (...) {
    error_ = current_error();
  }
  if (error_ && error_->first == ErrorCode::cancelled && kept_) {
    error_.reset();
    result_ = std::move(kept_);
  }
  wake(true);
  if (!is_closing_) napi_release_threadsafe_function(wake_function_, napi_tsfn_release);
}

void TaskBase::wake(bool is_done) {
  {
    const std::lock_guard lock(mutex_);
    is_done_ = is_done;
    if (std::exchange(is_wake_pending_, true)) return;
  }
  if (is_closing_) return;
  is_closing_ = napi_call_threadsafe_function(wake_function_, nullptr, napi_tsfn_nonblocking) == napi_closing;
}

// is_done_ is set together with the mark of the last wake, so nothing comes after the drain that sees it.
void TaskBase::on_wake(napi_env env, napi_value listener, void* task, void*) {
  if (env == nullptr) return;  // the environment ends; Tasks::end() does the rest
  try {
    static_cast<TaskBase*>(task)->drain(Napi::Function(env, listener));
  } catch (const Napi::Error&) {
    // A worker that was terminated runs no JavaScript any more, but still gets this call: nobody is left to tell.
  }
}

void TaskBase::drain(Napi::Function listener) {
  bool is_done;
  {
    const std::lock_guard lock(mutex_);
    is_wake_pending_ = false;
    is_done = is_done_;
  }
  if (!listener_error_ && !listener.IsEmpty()) {
    try {
      deliver(env_, listener);
    } catch (const Napi::Error& error) {
      listener_error_ = error;
      cancel_->request();
    } catch (...) {
      const auto [code, message] = current_error();
      listener_error_ = to_js_error(env_, code, message);
      cancel_->request();
    }
  }
  if (is_done) settle();
}

void TaskBase::settle() {
  thread_.join();
  work_ = nullptr;
  const auto keep = tasks_of(env_).running.extract(this);
  if (listener_error_) return deferred_.Reject(listener_error_->Value());
  if (error_) return deferred_.Reject(to_js_error(env_, error_->first, error_->second).Value());
  try {
    deferred_.Resolve(result_(env_));
  } catch (const Napi::Error& error) {
    deferred_.Reject(error.Value());
  } catch (...) {
    const auto [code, message] = current_error();
    deferred_.Reject(to_js_error(env_, code, message).Value());
  }
}

void Tasks::end() {
  for (auto& [raw, task] : running) task->cancel_->request();
  for (auto& [raw, task] : running) task->thread_.join();
  running.clear();
}

}  // namespace nibble::binding
