// Work off the JavaScript thread: one template for every exported operation. The only place where C++ errors are caught.
//
// A task owns a thread. Events are merged while JavaScript is busy, so a slow listener costs memory in proportion to what it
// has not read, never one call per event. When its environment ends (process exit, Worker.terminate) the work is cancelled and
// its thread joined before anything it uses goes away.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/cancel.h"
#include "core/error.h"

namespace nibble::binding {

// Makes the JavaScript result of finished work, on the JavaScript thread.
using ToJs = std::function<Napi::Value(Napi::Env)>;

// An error of the engine as a JavaScript Error with `code`.
Napi::Error to_js_error(Napi::Env env, ErrorCode code, const std::string& message);

// Code and message of the exception being handled, which is not a JavaScript one.
std::pair<ErrorCode, std::string> current_error();

// Runs the body of an exported function; errors of the engine become JavaScript errors.
template <class Body>
auto guarded(Napi::Env env, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;  // thrown by JavaScript itself, for example by a getter
  } catch (...) {
    const auto [code, message] = current_error();
    throw to_js_error(env, code, message);
  }
}

class TaskBase {
 public:
  explicit TaskBase(Napi::Env env) : env_(env), deferred_(Napi::Promise::Deferred::New(env)) {}
  virtual ~TaskBase() = default;

  const Cancel& cancel() const { return *cancel_; }

  // What the promise resolves with if the work throws `cancelled`; without it the promise rejects. Called by the work.
  void keep_when_cancelled(ToJs kept) { kept_ = std::move(kept); }

 protected:
  // Asks the JavaScript thread to deliver what is pending; the last time, when the work is done. Called by the work.
  void wake(bool is_done = false);
  // Calls the listener with the pending event, if there is one.
  virtual void deliver(Napi::Env env, Napi::Function listener) = 0;

  std::mutex mutex_;

 private:
  friend struct Tasks;
  friend Napi::Object start(std::shared_ptr<TaskBase> task, Napi::Value listener, std::function<ToJs(TaskBase&)> work);

  void run();
  void drain(Napi::Function listener);
  void settle();
  static void on_wake(napi_env env, napi_value listener, void* task, void*);

  Napi::Env env_;
  Napi::Promise::Deferred deferred_;
  std::shared_ptr<Cancel> cancel_ = std::make_shared<Cancel>();  // shared with the JavaScript function that asks for it
  std::function<ToJs(TaskBase&)> work_;
  std::thread thread_;
  napi_threadsafe_function wake_function_ = nullptr;
  bool is_closing_ = false;  // the environment ends: wake_function_ must not be touched again; used by the work only

  // Under mutex_.
  bool is_wake_pending_ = false;
  bool is_done_ = false;

  ToJs kept_;    // used by the thread only
  ToJs result_;  // written by the thread before is_done_
  std::optional<std::pair<ErrorCode, std::string>> error_;
  std::optional<Napi::Error> listener_error_;
};

// The running tasks of one environment; part of its instance data.
struct Tasks {
  std::unordered_map<TaskBase*, std::shared_ptr<TaskBase>> running;
  // Cancels all and waits for their threads.
  void end();
};
Tasks& tasks_of(Napi::Env env);

// Starts the thread; returns {promise, cancel}. `work` is destroyed before the promise settles, so that what it holds (a
// model's "busy" mark) is given back by then. listener: a function or undefined.
Napi::Object start(std::shared_ptr<TaskBase> task, Napi::Value listener, std::function<ToJs(TaskBase&)> work);

// How an event joins one not delivered yet: lists grow, anything else is replaced by the newer.
template <class T>
void merge(std::vector<T>& pending, std::vector<T>&& next) {
  pending.insert(pending.end(), next.begin(), next.end());
}
template <class T>
void merge(T& pending, T&& next) {
  pending = std::move(next);
}

template <class Event>
class Task : public TaskBase {
 public:
  using Deliver = std::function<void(Napi::Function listener, const Event&)>;
  Task(Napi::Env env, Deliver deliver) : TaskBase(env), deliver_(std::move(deliver)) {}

  // Called by the work.
  void emit(Event event) {
    {
      const std::lock_guard lock(mutex_);
      if (pending_) {
        merge(*pending_, std::move(event));
      } else {
        pending_ = std::move(event);
      }
    }
    wake();
  }

 private:
  void deliver(Napi::Env, Napi::Function listener) override {
    std::optional<Event> event;
    {
      const std::lock_guard lock(mutex_);
      event.swap(pending_);
    }
    if (event) deliver_(listener, *event);
  }

  Deliver deliver_;
  std::optional<Event> pending_;
};

// work(Task<Event>&) -> ToJs, on the task's thread, without any N-API; deliver calls the listener, on the JavaScript thread.
template <class Event, class Work>
Napi::Object start_task(Napi::Function listener, typename Task<Event>::Deliver deliver, Work work) {
  auto task = std::make_shared<Task<Event>>(listener.Env(), std::move(deliver));
  return start(task, listener, [work = std::move(work)](TaskBase& base) { return work(static_cast<Task<Event>&>(base)); });
}

// A task without events. work(TaskBase&) -> ToJs
Napi::Object start_plain_task(Napi::Env env, std::function<ToJs(TaskBase&)> work);

}  // namespace nibble::binding
