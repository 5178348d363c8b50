// One object of a JSON input file whose every key must be known: errors name file, path of the key and value.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "solion/base/errors.hpp"
#include "solion/base/input.hpp"

namespace solion::train {

/// Getters mark their key as known; `refuse_unknown` names the first key that none asked for. Keys that start
/// with '_' are comments, as in DeePMD-kit.
class JsonKeys {
 public:
  /// `path` is where the object stands in the file ("training/training_data"), "" for the root.
  JsonKeys(const Json& object, std::filesystem::path file, std::string path);

  [[nodiscard]] bool has(const std::string& key) const {
    return object_->contains(key) && !object_->at(key).is_null();
  }
  /// The value, or nullptr if it is missing or null.
  const Json* find(const std::string& key);
  /// The sub-object, or an empty one.
  JsonKeys object(const std::string& key);

  double number(const std::string& key, double fallback);
  int integer(const std::string& key, int fallback);
  bool boolean(const std::string& key, bool fallback);
  std::string text(const std::string& key, const std::string& fallback);
  std::vector<int> integers(const std::string& key, const std::vector<int>& fallback);
  std::vector<double> numbers(const std::string& key);
  std::vector<std::string> texts(const std::string& key);

  /// One of a few words, the first if the key is missing; InputError lists them.
  template <typename E>
  E one_of(const std::string& key, const std::vector<std::pair<std::string, E>>& words) {
    const std::string found = text(key, words.front().first);
    std::string known;
    for (const auto& [word, value] : words) {
      if (word == found) return value;
      known += (known.empty() ? "" : ", ") + word;
    }
    fail(key, "must be one of " + known);
  }

  /// A key of DeePMD-kit that has only its default here: InputError naming it if it has any other value.
  void only(const std::string& key, const Json& supported);
  /// A key whose value has no influence on the result here.
  void ignore(const std::string& key) { known_.insert(key); }
  void refuse_unknown() const;
  [[noreturn]] void fail(const std::string& key, const std::string& problem) const;
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  [[nodiscard]] std::string where(const std::string& key) const;

  const Json* object_;
  std::filesystem::path file_;
  std::string path_;
  std::set<std::string> known_;
};

}  // namespace solion::train
