// From JavaScript values to plain structs: every field is checked, and a wrong one throws bad_input with its path,
// for example "source.tensors[3].shape". Nothing here keeps a JavaScript value.
#pragma once

#include <napi.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace nibble::binding {

[[noreturn]] void throw_wrong(const std::string& path, const char* expected, Napi::Value value);

// A checked reader of one options object.
class Fields {
 public:
  Fields(Napi::Value value, std::string path);

  // Present and neither undefined nor null.
  bool has(const char* name) const;

  int64_t integer(const char* name, int64_t min, int64_t max) const;
  double number(const char* name) const;  // finite
  bool boolean(const char* name) const;
  std::string text(const char* name) const;  // without NUL
  Fields object(const char* name) const;
  std::vector<std::string> texts(const char* name) const;
  std::vector<int64_t> integers(const char* name, int64_t min, int64_t max) const;
  std::vector<float> floats(const char* name) const;  // a Float32Array

  // One of the named choices.
  template <class T>
  T choice(const char* name, std::initializer_list<std::pair<const char*, T>> choices) const {
    const std::string wanted = text(name);
    std::string known;
    for (const auto& [choice_name, value] : choices) {
      if (wanted == choice_name) return value;
      known += (known.empty() ? "" : ", ") + std::string(choice_name);
    }
    throw Error(ErrorCode::bad_input, nibble::text(path_of(name), " is \"", wanted, "\"; it must be one of ", known, "."));
  }

  // Calls fn(Fields) for each object of an array.
  template <class Fn>
  void each(const char* name, Fn&& fn) const {
    const Napi::Array array = this->array(name);
    for (uint32_t i = 0; i < array.Length(); ++i) {
      const Napi::HandleScope scope(object_.Env());  // long lists must not pile up handles
      fn(Fields(array.Get(i), nibble::text(path_of(name), "[", i, "]")));
    }
  }

 private:
  std::string path_of(const char* name) const;
  Napi::Value get(const char* name) const;
  Napi::Array array(const char* name) const;

  Napi::Object object_;
  std::string path_;
};

// Argument `index` of a call as a function.
Napi::Function function_argument(const Napi::CallbackInfo& info, size_t index, const char* name);

}  // namespace nibble::binding
