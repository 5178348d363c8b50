// Checked getters of JSON input.
#include "solion/train/json_keys.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace solion::train {

JsonKeys::JsonKeys(const Json& object, std::filesystem::path file, std::string path)
    : object_(&object), file_(std::move(file)), path_(std::move(path)) {
  if (!object.is_object()) {
    throw InputError("{}: {} must be an object {{…}}", file_.string(), path_.empty() ? "the file" : path_);
  }
}

std::string JsonKeys::where(const std::string& key) const { return path_.empty() ? key : path_ + "/" + key; }

void JsonKeys::fail(const std::string& key, const std::string& problem) const {
  if (!object_->contains(key)) throw InputError("{}: {}: {}", file_.string(), where(key), problem);
  throw InputError("{}: {} = {}: {}", file_.string(), where(key), object_->at(key).dump(), problem);
}

const Json* JsonKeys::find(const std::string& key) {
  known_.insert(key);
  return has(key) ? &object_->at(key) : nullptr;
}

JsonKeys JsonKeys::object(const std::string& key) {
  static const Json empty = Json::object();
  const Json* value = find(key);
  if (value != nullptr && !value->is_object()) fail(key, "must be an object {…}");
  return {value != nullptr ? *value : empty, file_, where(key)};
}

double JsonKeys::number(const std::string& key, double fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number()) fail(key, "must be a number");
  const double x = value->get<double>();
  if (!std::isfinite(x)) fail(key, "must be finite");
  return x;
}

int JsonKeys::integer(const std::string& key, int fallback) {
  const double x = number(key, fallback);
  if (x != std::floor(x)) fail(key, "must be an integer");
  if (std::abs(x) > 2e9) fail(key, "must be between -2000000000 and 2000000000");
  return static_cast<int>(x);
}

bool JsonKeys::boolean(const std::string& key, bool fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) fail(key, "must be true or false");
  return value->get<bool>();
}

std::string JsonKeys::text(const std::string& key, const std::string& fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) fail(key, "must be a string");
  return value->get<std::string>();
}

std::vector<int> JsonKeys::integers(const std::string& key, const std::vector<int>& fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  std::vector<int> result;
  if (!value->is_array()) fail(key, "must be a list of integers");
  for (const Json& item : *value) {
    const double x = item.is_number() ? item.get<double>() : 0.5;
    if (x != std::floor(x)) fail(key, "must be a list of integers");
    if (std::abs(x) > 2e9) fail(key, "must be between -2000000000 and 2000000000");
    result.push_back(static_cast<int>(x));
  }
  return result;
}

std::vector<double> JsonKeys::numbers(const std::string& key) {
  const Json* value = find(key);
  if (value == nullptr) return {};
  std::vector<double> result;
  if (!value->is_array()) fail(key, "must be a list of numbers");
  for (const Json& item : *value) {
    if (!item.is_number()) fail(key, "must be a list of numbers");
    result.push_back(item.get<double>());
  }
  return result;
}

std::vector<std::string> JsonKeys::texts(const std::string& key) {
  const Json* value = find(key);
  if (value == nullptr) return {};
  if (value->is_string()) return {value->get<std::string>()};
  std::vector<std::string> result;
  if (!value->is_array()) fail(key, "must be a list of strings");
  for (const Json& item : *value) {
    if (!item.is_string()) fail(key, "must be a list of strings");
    result.push_back(item.get<std::string>());
  }
  return result;
}

void JsonKeys::only(const std::string& key, const Json& supported) {
  const Json* value = find(key);
  if (value == nullptr || *value == supported) return;
  fail(key, "is not supported; only " + supported.dump() + " is");
}

void JsonKeys::refuse_unknown() const {
  for (const auto& [key, value] : object_->items()) {
    // null says in DeePMD-kit's own normalised inputs that an option is not used.
    if (key.starts_with("_") || value.is_null() || known_.contains(key)) continue;
    std::string list;
    for (const std::string& name : known_) list += (list.empty() ? "" : ", ") + name;
    throw InputError("{}: {}: unknown key; known are {}", file_.string(), where(key), list);
  }
}

}  // namespace solion::train
