// Typed access to the tree of a model file.
#include "solion/dp/tree.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"

namespace solion::dp {
namespace {

enum class Format { hdf5, yaml };

Format format_of(const std::filesystem::path& path) {
  const std::string suffix = path.extension().string();
  if (suffix == ".dp" || suffix == ".hlo" || suffix == ".hdf5") return Format::hdf5;
  if (suffix == ".yaml" || suffix == ".yml") return Format::yaml;
  throw InputError(
      "{}: unknown kind of model file '{}'; known: .dp and .yaml (DeePMD-kit's portable formats; it turns "
      "its others into them with 'dp convert-backend FROM model.dp')",
      path.string(), suffix);
}

std::string describe(const Json& value) {
  if (value.is_binary()) return "an array";
  if (value.is_object()) return "a table";
  if (value.is_array()) return "a list";
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 40) text = text.substr(0, 40) + "…";
  return text;
}

}  // namespace

Tree read_tree(const std::filesystem::path& path) {
  return format_of(path) == Format::hdf5 ? read_hdf5_tree(path) : read_yaml_tree(path);
}

void check_suffix(const std::filesystem::path& path) { (void)format_of(path); }

void write_tree(const std::filesystem::path& path, const Tree& tree) {
  format_of(path) == Format::hdf5 ? write_hdf5_tree(path, tree) : write_yaml_tree(path, tree);
}

Node::Node(std::string file, const Tree& tree) : file_(std::move(file)), tree_(&tree), json_(&tree.root) {}

Node::Node(const Node& parent, const Json& json, const std::string& step)
    : file_(parent.file_),
      tree_(parent.tree_),
      json_(&json),
      path_(parent.path_.empty() ? step : parent.path_ + "/" + step) {}

void Node::fail(const std::string& problem) const {
  throw InputError("{}: {}: {}", file_, path_.empty() ? "top level" : path_, problem);
}

Node Node::at(std::string_view key) const {
  if (!json_->is_object()) fail(fmt::format("expected a table, found {}", describe(*json_)));
  const auto child = json_->find(key);
  if (child == json_->end()) fail(fmt::format("the key '{}' is missing", key));
  return {*this, *child, std::string(key)};
}

std::optional<Node> Node::find(std::string_view key) const {
  if (!json_->is_object()) fail(fmt::format("expected a table, found {}", describe(*json_)));
  const auto child = json_->find(key);
  if (child == json_->end() || child->is_null()) return std::nullopt;
  return Node(*this, *child, std::string(key));
}

std::vector<Node> Node::items() const {
  if (!json_->is_array()) fail(fmt::format("expected a list, found {}", describe(*json_)));
  std::vector<Node> nodes;
  for (std::size_t i = 0; i < json_->size(); ++i)
    nodes.push_back(Node(*this, (*json_)[i], std::to_string(i)));
  return nodes;
}

int Node::integer() const {
  if (!json_->is_number_integer()) fail(fmt::format("expected an integer, found {}", describe(*json_)));
  const auto value = json_->get<std::int64_t>();
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
    fail(fmt::format("{} is out of range", describe(*json_)));
  return static_cast<int>(value);
}

double Node::number() const {
  if (json_->is_binary()) {
    const Array& scalar = array();
    if (scalar.values.size() != 1) fail("expected one number, found an array");
    return scalar.values.front();
  }
  if (!json_->is_number()) fail(fmt::format("expected a number, found {}", describe(*json_)));
  const double value = json_->get<double>();
  if (!std::isfinite(value)) fail("the number is not finite");
  return value;
}

bool Node::boolean() const {
  if (!json_->is_boolean()) fail(fmt::format("expected true or false, found {}", describe(*json_)));
  return json_->get<bool>();
}

const std::string& Node::text() const {
  if (!json_->is_string()) fail(fmt::format("expected text, found {}", describe(*json_)));
  return json_->get_ref<const std::string&>();
}

std::vector<int> Node::integers() const {
  std::vector<int> values;
  values.reserve(items().size());
  for (const Node& item : items()) values.push_back(item.integer());
  return values;
}

std::vector<std::string> Node::texts() const {
  std::vector<std::string> values;
  values.reserve(items().size());
  for (const Node& item : items()) values.push_back(item.text());
  return values;
}

const Array& Node::array() const {
  if (!json_->is_binary()) fail(fmt::format("expected an array, found {}", describe(*json_)));
  const Array& found = tree_->arrays.at(json_->get_binary().subtype());
  if (!std::all_of(found.values.begin(), found.values.end(), [](double v) { return std::isfinite(v); }))
    fail("the array holds a number that is not finite");
  return found;
}

const Array& Node::array(std::initializer_list<std::size_t> shape) const {
  const Array& found = array();
  if (!std::equal(shape.begin(), shape.end(), found.shape.begin(), found.shape.end())) {
    fail(fmt::format("expected an array of shape ({}), found ({})", fmt::join(shape, ", "),
                     fmt::join(found.shape, ", ")));
  }
  return found;
}

void Node::refuse_unknown(std::initializer_list<std::string_view> known) const {
  if (!json_->is_object()) fail(fmt::format("expected a table, found {}", describe(*json_)));
  for (const auto& [key, value] : json_->items()) {
    if (value.is_null() || std::find(known.begin(), known.end(), key) != known.end()) continue;
    fail(fmt::format("the option '{}' = {} is not supported", key, describe(value)));
  }
}

}  // namespace solion::dp
