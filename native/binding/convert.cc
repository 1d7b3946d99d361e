#include "binding/convert.h"

#include <cmath>

namespace nibble::binding {

namespace {

const char* type_name(const Napi::Value& value) {
  if (value.IsUndefined()) return "undefined";
  if (value.IsNull()) return "null";
  if (value.IsArray()) return "an array";
  if (value.IsNumber()) return "a number";
  if (value.IsString()) return "a string";
  if (value.IsBoolean()) return "a boolean";
  if (value.IsFunction()) return "a function";
  if (value.IsBigInt()) return "a bigint";
  if (value.IsSymbol()) return "a symbol";
  return "an object";
}

int64_t checked_integer(const Napi::Value& value, const std::string& path, int64_t min, int64_t max) {
  if (!value.IsNumber()) throw_wrong(path, "an integer", value);
  const double number = value.As<Napi::Number>().DoubleValue();
  if (std::trunc(number) == number && number >= static_cast<double>(min) && number <= static_cast<double>(max)) {
    return static_cast<int64_t>(number);
  }
  throw Error(ErrorCode::bad_input, text(path, " is ", number, "; it must be an integer between ", min, " and ", max, "."));
}

std::string checked_text(const Napi::Value& value, const std::string& path) {
  if (!value.IsString()) throw_wrong(path, "a string", value);
  std::string result = value.As<Napi::String>().Utf8Value();
  if (result.find('\0') != std::string::npos) throw Error(ErrorCode::bad_input, text(path, " contains a NUL character."));
  return result;
}

}  // namespace

void throw_wrong(const std::string& path, const char* expected, Napi::Value value) {
  throw Error(ErrorCode::bad_input, text(path, " must be ", expected, ", not ", type_name(value), "."));
}

Fields::Fields(Napi::Value value, std::string path) : path_(std::move(path)) {
  if (!value.IsObject() || value.IsArray() || value.IsFunction()) throw_wrong(path_, "an object", value);
  object_ = value.As<Napi::Object>();
}

std::string Fields::path_of(const char* name) const { return path_ + "." + name; }

Napi::Value Fields::get(const char* name) const { return object_.Get(name); }

bool Fields::has(const char* name) const {
  const Napi::Value value = get(name);
  return !value.IsUndefined() && !value.IsNull();
}

int64_t Fields::integer(const char* name, int64_t min, int64_t max) const { return checked_integer(get(name), path_of(name), min, max); }

double Fields::number(const char* name) const {
  const Napi::Value value = get(name);
  if (!value.IsNumber()) throw_wrong(path_of(name), "a number", value);
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!std::isfinite(number))
    throw Error(ErrorCode::bad_input, nibble::text(path_of(name), " is ", number, "; it must be a finite number."));
  return number;
}

bool Fields::boolean(const char* name) const {
  const Napi::Value value = get(name);
  if (!value.IsBoolean()) throw_wrong(path_of(name), "a boolean", value);
  return value.As<Napi::Boolean>().Value();
}

std::string Fields::text(const char* name) const { return checked_text(get(name), path_of(name)); }

Fields Fields::object(const char* name) const { return Fields(get(name), path_of(name)); }

Napi::Array Fields::array(const char* name) const {
  const Napi::Value value = get(name);
  if (!value.IsArray()) throw_wrong(path_of(name), "an array", value);
  return value.As<Napi::Array>();
}

std::vector<std::string> Fields::texts(const char* name) const {
  const Napi::Array array = this->array(name);
  std::vector<std::string> result;
  for (uint32_t i = 0; i < array.Length(); ++i) result.push_back(checked_text(array.Get(i), nibble::text(path_of(name), "[", i, "]")));
  return result;
}

std::vector<int64_t> Fields::integers(const char* name, int64_t min, int64_t max) const {
  const Napi::Array array = this->array(name);
  std::vector<int64_t> result;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(object_.Env());
    result.push_back(checked_integer(array.Get(i), nibble::text(path_of(name), "[", i, "]"), min, max));
  }
  return result;
}

std::vector<float> Fields::floats(const char* name) const {
  const Napi::Value value = get(name);
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float32_array) {
    throw_wrong(path_of(name), "a Float32Array", value);
  }
  const auto array = value.As<Napi::Float32Array>();
  return {array.Data(), array.Data() + array.ElementLength()};
}

Napi::Function function_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsFunction()) throw_wrong(name, "a function", info[index]);
  return info[index].As<Napi::Function>();
}

}  // namespace nibble::binding
