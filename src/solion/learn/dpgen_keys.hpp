// What the readers of DP-GEN's files share: objects whose every key must be accounted for, and TOML texts.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "solion/base/errors.hpp"
#include "solion/learn/dpgen.hpp"

namespace solion::learn {

/// One object of DP-GEN's files; every key ends up in the notes, those that nobody asked for as unknown.
class Keys {
 public:
  Keys(const Json& object, std::string file, std::string path, std::vector<ImportNote>& notes)
      : object_(object), file_(std::move(file)), path_(std::move(path)), notes_(notes) {
    if (!object.is_object()) throw InputError("{}: {}: expected an object", file_, path_);
  }

  [[nodiscard]] bool has(const char* key) const { return object_.contains(key) && !object_[key].is_null(); }
  [[nodiscard]] const Json& at(const char* key) const { return object_.at(key); }
  [[nodiscard]] std::string name(const std::string& key) const {
    return path_.empty() ? key : path_ + "." + key;
  }

  void note(ImportNote::Fate fate, const std::string& key, const std::string& text) {
    seen_.insert(key);
    if (object_.contains(key)) notes_.push_back({fate, name(key), text});
  }
  void carried(const std::string& key, const std::string& text) {
    note(ImportNote::Fate::carried, key, text);
  }
  void lost(const std::string& key, const std::string& text) { note(ImportNote::Fate::lost, key, text); }
  void needless(const std::string& key, const std::string& text) {
    note(ImportNote::Fate::needless, key, text);
  }
  /// Lost, unless the key has the value that changes nothing.
  void lost_unless(const char* key, const Json& harmless, const std::string& text) {
    note(has(key) && at(key) != harmless ? ImportNote::Fate::lost : ImportNote::Fate::needless, key,
         has(key) && at(key) != harmless ? text : "has no effect at this value");
  }

  double number(const char* key) const {
    if (!has(key) || !at(key).is_number()) wrong(key, "a number");
    return at(key).get<double>();
  }
  std::int64_t integer(const char* key) const {
    const double value = number(key);
    if (!(value >= 0 && value < 1e15 && value == std::floor(value))) wrong(key, "a whole number");
    return static_cast<std::int64_t>(value);
  }
  std::string text(const char* key, const std::string& fallback) const {
    if (!has(key)) return fallback;
    if (!at(key).is_string()) wrong(key, "a text");
    return at(key).get<std::string>();
  }
  std::vector<double> numbers(const char* key) const {
    if (!has(key) || !at(key).is_array() ||
        !std::all_of(at(key).begin(), at(key).end(), [](const Json& v) { return v.is_number(); }))
      wrong(key, "a list of numbers");
    return at(key).get<std::vector<double>>();
  }
  /// A list of texts; one text counts as a list of one.
  std::vector<std::string> texts(const char* key) const {
    if (!has(key)) return {};
    if (at(key).is_string()) return {at(key).get<std::string>()};
    return list_of_texts(at(key), key);
  }
  std::vector<std::string> list_of_texts(const Json& list, const char* key) const {
    if (!list.is_array() ||
        !std::all_of(list.begin(), list.end(), [](const Json& v) { return v.is_string(); }))
      wrong(key, "a list of texts");
    return list.get<std::vector<std::string>>();
  }
  [[noreturn]] void wrong(const std::string& key, const char* expected) const {
    throw InputError("{}: {} = {}: expected {}", file_, name(key),
                     object_.contains(key) ? object_[key].dump().substr(0, 80) : "(missing)", expected);
  }
  [[nodiscard]] Keys sub(const char* key) {
    seen_.insert(key);
    return {at(key), file_, name(key), notes_};
  }

  /// Keys that begin so.
  [[nodiscard]] std::vector<std::string> beginning_with(const std::string& prefix) const {
    std::vector<std::string> names;
    for (const auto& [key, value] : object_.items()) {
      if (key.starts_with(prefix)) names.push_back(key);
    }
    return names;
  }

  void finish() {
    for (const auto& [key, value] : object_.items()) {
      // As in DP-GEN's own examples, a key that begins with an underscore is a remark.
      if (seen_.contains(key) || key.starts_with('_')) continue;
      if (value.is_null()) {
        notes_.push_back({ImportNote::Fate::needless, name(key), "has no value"});
      } else {
        notes_.push_back(
            {ImportNote::Fate::unknown, name(key), "is no key that DP-GEN's documentation knows here"});
      }
    }
  }

 private:
  const Json& object_;
  std::string file_;
  std::string path_;
  std::vector<ImportNote>& notes_;
  std::set<std::string> seen_;
};

inline std::string toml_text(const std::string& text) { return Json(text).dump(); }

template <typename Container>
std::string toml_list(const Container& items) {
  return Json(items).dump();
}

/// What machine.json says about labels.
struct DpgenMachine {
  std::string program;   ///< lines of the settings file: program, launcher
  std::string executor;  ///< its table [executor], or empty
};

/// `code`: solion's name of the reference code, by which the program is found in a command.
DpgenMachine import_machine(const std::filesystem::path& file, const std::string& code,
                            std::vector<ImportNote>& notes);

}  // namespace solion::learn
