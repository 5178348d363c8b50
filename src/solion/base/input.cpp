// TOML tables with checked getters, and JSON files.
#include "solion/base/input.hpp"

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <type_traits>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/nearest.hpp"

namespace solion {

Json json_number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json read_json(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  try {
    return Json::parse(text, nullptr, true, true);
  } catch (const Json::parse_error& error) {
    const std::size_t end = std::min(error.byte == 0 ? 0 : error.byte - 1, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n');
    // "[json.exception.…] parse error at line 1, column 2: what is wrong": the last part is for people.
    std::string problem = error.what();
    if (const std::size_t column = problem.find("column "); column != std::string::npos)
      problem.erase(0, problem.find(": ", column) + 2);
    throw InputError("{}:{}: not valid JSON: {}", path.string(), line, problem);
  }
}

void write_json(const std::filesystem::path& path, const Json& value) {
  write_file(path, value.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

/// A table inside a document that is kept alive, and the keys that were asked for.
struct TomlTable::State {
  std::shared_ptr<toml::table> root;
  toml::table* here;
  std::filesystem::path file;
  std::string prefix;
  std::vector<std::string> known{};  ///< read
  std::vector<std::string> asked{};  ///< only looked for

  const toml::node* find(const std::string& key) {
    known.push_back(key);
    return here->get(key);
  }
  [[nodiscard]] std::shared_ptr<State> below(toml::table* table, const std::string& name) const {
    return std::make_shared<State>(State{root, table, file, prefix + name + "."});
  }
};

namespace {

/// A whole number, also where it is written as 1e5 or 3.0; beyond 2^53 a float no longer says which one.
std::optional<std::int64_t> whole_number(const toml::node& node) {
  if (const auto exact = node.value_exact<std::int64_t>()) return exact;
  const auto real = node.value_exact<double>();
  constexpr double most = 9007199254740992.0;
  if (!real || !(std::abs(*real) <= most) || std::trunc(*real) != *real) return std::nullopt;
  return static_cast<std::int64_t>(*real);
}

/// The node at `key`, marked as known; an error if it is missing.
template <typename S>
const toml::node& require(const TomlTable& table, S& state, const std::string& key) {
  const toml::node* node = state.find(key);
  if (node != nullptr) return *node;
  std::vector<std::string> unread;
  for (const std::string& other : table.keys())
    if (std::find(state.known.begin(), state.known.end(), other) == state.known.end())
      unread.push_back(other);
  if (const std::string meant = nearest_word(key, unread); !meant.empty())
    table.fail(meant, fmt::format("'{}{}' is missing; is it this?", state.prefix, key));
  table.fail(key, "missing");
}

}  // namespace

TomlTable::TomlTable(std::shared_ptr<State> state) : state_(std::move(state)), file_(state_->file) {}

TomlTable TomlTable::read(const std::filesystem::path& path) { return parse(read_file(path), path.string()); }

TomlTable TomlTable::parse(std::string_view text, const std::string& name) {
  try {
    auto root = std::make_shared<toml::table>(toml::parse(text, name));
    toml::table* here = root.get();
    return TomlTable(std::make_shared<State>(State{std::move(root), here, name, ""}));
  } catch (const toml::parse_error& error) {
    throw InputError("{}:{}: not valid TOML: {}", name, error.source().begin.line, error.description());
  }
}

void TomlTable::fail(const std::string& key, const std::string& problem) const {
  const toml::node* node = state_->here->get(key);
  std::ostringstream value;
  if (node != nullptr && !node->is_table()) {
    // toml++ writes 3.9 with 17 digits; the user wrote 3.9.
    if (const auto* number = node->as_floating_point()) {
      value << " = " << fmt::format("{}", number->get());
    } else {
      node->visit([&](const auto& v) { value << " = " << v; });
    }
  }
  const toml::node& where = node != nullptr ? *node : static_cast<const toml::node&>(*state_->here);
  throw InputError("{}:{}: {}{}{}: {}", file_.string(), where.source().begin.line, state_->prefix, key,
                   value.str(), problem);
}

bool TomlTable::has(const std::string& key) const {
  state_->asked.push_back(key);
  return state_->here->contains(key);
}

TomlTable TomlTable::table(const std::string& key) {
  if (!require(*this, *state_, key).is_table()) fail(key, "expected a table");
  return TomlTable(state_->below(state_->here->get(key)->as_table(), key));
}

TomlTable TomlTable::table_or_empty(const std::string& key) {
  if (state_->find(key) != nullptr) return table(key);
  auto empty = std::make_shared<toml::table>();
  toml::table* here = empty.get();
  return TomlTable(std::make_shared<State>(State{std::move(empty), here, file_, state_->prefix + key + "."}));
}

std::vector<TomlTable> TomlTable::tables(const std::string& key) {
  std::vector<TomlTable> result;
  if (state_->find(key) == nullptr) return result;
  if (state_->here->get(key)->is_table()) return {table(key)};
  toml::array* array = state_->here->get(key)->as_array();
  if (array == nullptr) fail(key, "expected an array of tables ([[" + state_->prefix + key + "]])");
  for (std::size_t i = 0; i < array->size(); ++i) {
    toml::table* item = array->get(i)->as_table();
    if (item == nullptr) fail(key, "expected an array of tables ([[" + state_->prefix + key + "]])");
    result.push_back(TomlTable(state_->below(item, fmt::format("{}[{}]", key, i))));
  }
  return result;
}

std::vector<std::string> TomlTable::keys() const {
  std::vector<std::pair<toml::source_position, std::string>> found;
  found.reserve((*state_->here).size());
  for (const auto& [key, node] : *state_->here)
    found.emplace_back(key.source().begin, std::string(key.str()));
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> result;
  result.reserve(found.size());
  for (auto& item : found) result.push_back(std::move(item.second));
  return result;
}

double TomlTable::number(const std::string& key) {
  const auto value = require(*this, *state_, key).value<double>();
  if (!value || state_->here->get(key)->is_boolean()) fail(key, "expected a number");
  if (!(std::abs(*value) <= 1e300)) fail(key, "expected a finite number");
  return *value;
}

double TomlTable::number(const std::string& key, double fallback) {
  return state_->find(key) == nullptr ? fallback : number(key);
}

std::int64_t TomlTable::integer(const std::string& key) {
  const auto value = whole_number(require(*this, *state_, key));
  if (!value) fail(key, "expected a whole number");
  return *value;
}

std::int64_t TomlTable::integer(const std::string& key, std::int64_t fallback) {
  return state_->find(key) == nullptr ? fallback : integer(key);
}

bool TomlTable::boolean(const std::string& key, bool fallback) {
  const toml::node* node = state_->find(key);
  if (node == nullptr) return fallback;
  const auto value = node->value_exact<bool>();
  if (!value) fail(key, "expected true or false");
  return *value;
}

std::string TomlTable::text(const std::string& key) {
  auto value = require(*this, *state_, key).value_exact<std::string>();
  if (!value) fail(key, "expected a text in quotes");
  return *value;
}

std::string TomlTable::text(const std::string& key, const std::string& fallback) {
  return state_->find(key) == nullptr ? fallback : text(key);
}

namespace {

/// Collects the entries of an array (or the one scalar) as T; nullopt where one is of another kind.
template <typename T>
std::optional<std::vector<T>> entries(const toml::node& node) {
  std::vector<T> result;
  const auto value_of = [](const toml::node& item) {
    if constexpr (std::is_same_v<T, double>) return item.value<T>();
    if constexpr (std::is_same_v<T, std::int64_t>) return whole_number(item);
    return item.value_exact<T>();
  };
  const auto add = [&](const toml::node& item) {
    const auto value = value_of(item);
    if (value && !(std::is_same_v<T, double> && item.is_boolean())) result.push_back(*value);
    return value.has_value();
  };
  if (const toml::array* array = node.as_array()) {
    for (const toml::node& item : *array) {
      if (!add(item)) return std::nullopt;
    }
  } else if (!add(node)) {
    return std::nullopt;
  }
  return result;
}

}  // namespace

std::vector<double> TomlTable::numbers(const std::string& key) {
  auto result = entries<double>(require(*this, *state_, key));
  if (!result) fail(key, "expected a list of numbers");
  return *result;
}

std::vector<std::int64_t> TomlTable::integers(const std::string& key) {
  auto result = entries<std::int64_t>(require(*this, *state_, key));
  if (!result) fail(key, "expected a list of whole numbers");
  return *result;
}

std::vector<std::string> TomlTable::texts(const std::string& key) {
  auto result = entries<std::string>(require(*this, *state_, key));
  if (!result) fail(key, "expected a list of texts in quotes");
  return *result;
}

double TomlTable::positive(const std::string& key, double fallback) {
  const double value = number(key, fallback);
  if (!(value > 0)) fail(key, "expected a number above 0");
  return value;
}
double TomlTable::not_negative(const std::string& key, double fallback) {
  const double value = number(key, fallback);
  if (!(value >= 0)) fail(key, "expected a number of at least 0");
  return value;
}
std::vector<double> TomlTable::positives(const std::string& key) {
  std::vector<double> values = numbers(key);
  if (values.empty() || !std::all_of(values.begin(), values.end(), [](double x) { return x > 0; }))
    fail(key, "expected numbers above 0");
  return values;
}
std::int64_t TomlTable::count(const std::string& key, std::int64_t fallback, std::int64_t least,
                              std::int64_t most) {
  const std::int64_t value = fallback < least ? integer(key) : integer(key, fallback);
  if (value < least || value > most)
    fail(key, fmt::format("expected a whole number from {} to {}", least, most));
  return value;
}
std::array<int, 3> TomlTable::repeats(const std::string& key) {
  const auto n = integers(key);
  if (n.size() != 3 || std::any_of(n.begin(), n.end(), [](auto k) { return k < 1 || k > 1000; }))
    fail(key, "expected three whole numbers from 1 to 1000");
  return {static_cast<int>(n[0]), static_cast<int>(n[1]), static_cast<int>(n[2])};
}

namespace {

std::filesystem::path beside(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path path = text;
  return path.is_absolute() ? path : file.parent_path() / path;
}

}  // namespace

std::filesystem::path TomlTable::path(const std::string& key) { return beside(file_, text(key)); }
std::filesystem::path TomlTable::existing_path(const std::string& key) {
  if (!has(key)) return {};
  std::filesystem::path result = path(key);
  if (!std::filesystem::exists(result)) fail(key, "there is no '" + result.string() + "'");
  return result;
}
std::vector<std::filesystem::path> TomlTable::existing_paths(const std::string& key) {
  std::vector<std::filesystem::path> result;
  if (!has(key)) return result;
  for (const std::string& text : texts(key)) {
    result.push_back(beside(file_, text));
    if (!std::filesystem::exists(result.back())) fail(key, "there is no '" + result.back().string() + "'");
  }
  return result;
}

void TomlTable::refuse_unknown() const {
  for (const std::string& key : keys()) {
    if (std::find(state_->known.begin(), state_->known.end(), key) != state_->known.end()) continue;
    std::vector<std::string> known = state_->known;
    for (const std::string& asked : state_->asked)
      if (asked != key) known.push_back(asked);
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    const std::string hint = did_you_mean(key, known);
    fail(key, fmt::format("unknown key{} known here: {}", hint.empty() ? ";" : hint, fmt::join(known, ", ")));
  }
}

}  // namespace solion
