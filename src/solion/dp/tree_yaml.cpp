// The tree as YAML (DeePMD-kit's .yaml): arrays as {"@class": np.ndarray, dtype, value: nested lists}.
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/dp/tree.hpp"

namespace solion::dp {
namespace {

/// The whole of `text` as a number, Python's spellings of infinity and NaN left out on purpose.
template <typename T>
bool parse(std::string_view text, T& value) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

class Reader {
 public:
  Reader(std::string name, Tree& tree) : name_(std::move(name)), tree_(tree) {}

  Json visit(const YAML::Node& node, const std::string& path, int depth) {
    if (depth > 64) fail(node, path, "nested too deeply");
    count(node, path);
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return scalar(node);
      case YAML::NodeType::Sequence: {
        Json list = Json::array();
        std::size_t i = 0;
        for (const YAML::Node& item : node)
          list.push_back(visit(item, join(path, std::to_string(i++)), depth + 1));
        return list;
      }
      case YAML::NodeType::Map: {
        if (const YAML::Node kind = node["@class"]; kind && kind.IsScalar() && kind.Scalar() == "np.ndarray")
          return tree_.add(array(node, path));
        Json table = Json::object();
        for (const auto& item : node) {
          if (!item.first.IsScalar()) fail(node, path, "expected text as a key");
          const std::string& key = item.first.Scalar();
          table[key] = visit(item.second, join(path, key), depth + 1);
        }
        return table;
      }
      default:
        return nullptr;
    }
  }

 private:
  static std::string join(const std::string& path, const std::string& step) {
    return path.empty() ? step : path + "/" + step;
  }
  [[noreturn]] void fail(const YAML::Node& node, const std::string& path, const std::string& problem) const {
    throw InputError("{}:{}: {}: {}", name_, node.Mark().line + 1, path, problem);
  }

  /// Aliases let a short text stand for an exponential number of values.
  void count(const YAML::Node& node, const std::string& path) {
    if (++visited_ > 100'000'000) fail(node, path, "too many values");
  }

  static Json scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (node.Tag() == "!") return text;  // quoted
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    if (std::int64_t integer = 0; parse(text, integer)) return integer;
    if (double number = 0; parse(text, number) && std::isfinite(number)) return number;
    return text;
  }

  Array array(const YAML::Node& node, const std::string& path) {
    const YAML::Node dtype = node["dtype"];
    const YAML::Node value = node["value"];
    if (!dtype || !dtype.IsScalar()) fail(node, path, "an array without 'dtype'");
    if (!value) fail(node, path, "an array without 'value'");
    Array result;
    if (dtype.Scalar() == "float32") {
      result.single = true;
    } else if (dtype.Scalar() != "float64") {
      fail(node, path, fmt::format("arrays of '{}' are not supported (float32, float64)", dtype.Scalar()));
    }
    YAML::Node level = value;
    while (level.IsSequence()) {
      if (result.shape.size() == 8) fail(node, path, "an array of too many dimensions");
      result.shape.push_back(level.size());
      if (level.size() == 0) break;
      const YAML::Node first = level[0];
      level.reset(first);
    }
    collect(value, path, 0, result);
    return result;
  }

  void collect(const YAML::Node& node, const std::string& path, std::size_t depth, Array& result) {
    if (depth < result.shape.size()) {
      if (!node.IsSequence() || node.size() != result.shape[depth])
        fail(node, path, "the rows of the array differ in length");
      for (const YAML::Node& item : node) collect(item, path, depth + 1, result);
      return;
    }
    count(node, path);
    double number = 0;
    if (!node.IsScalar() || !parse(node.Scalar(), number) || !std::isfinite(number))
      fail(node, path, "the array holds something that is no finite number");
    result.values.push_back(result.single ? static_cast<double>(static_cast<float>(number)) : number);
  }

  std::string name_;
  Tree& tree_;
  std::size_t visited_ = 0;
};

/// Writes block style; arrays and lists of scalars in flow style. Text is always quoted.
class Writer {
 public:
  explicit Writer(const Tree& tree) : tree_(tree) {}

  void table(const Json& value, const std::string& indent, bool first_on_line = false) {
    for (const auto& [key, child] : value.items()) {
      if (!first_on_line) out_ += indent;
      first_on_line = false;
      out_ += quoted(key) + ":";
      entry(child, indent);
    }
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  static std::string quoted(const std::string& text) {
    return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  /// Shortest digits that read back exactly, with the point that YAML 1.1 wants in a float.
  static std::string number(double value) {
    std::string text = fmt::format("{}", value);
    if (text.find('.') != std::string::npos) return text;
    const std::size_t exponent = text.find('e');
    return text.insert(exponent == std::string::npos ? text.size() : exponent, ".0");
  }
  static std::string scalar(const Json& value) {
    return value.is_number_float() ? number(value.get<double>())
                                   : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  void flow(const Json& list) {
    out_ += "[";
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out_ += ", ";
      list[i].is_array() ? flow(list[i]) : void(out_ += scalar(list[i]));
    }
    out_ += "]";
  }
  static bool simple(const Json& list) {
    for (const Json& item : list) {
      if (item.is_object() || item.is_binary() || (item.is_array() && !simple(item))) return false;
    }
    return true;
  }
  void entry(const Json& child, const std::string& indent) {
    if (child.is_binary()) {
      array(tree_.arrays.at(child.get_binary().subtype()), indent + "  ");
    } else if (child.is_object() && !child.empty()) {
      out_ += "\n";
      table(child, indent + "  ");
    } else if (child.is_object()) {
      out_ += " {}\n";
    } else if (child.is_array() && simple(child)) {
      out_ += " ";
      flow(child);
      out_ += "\n";
    } else if (child.is_array()) {
      out_ += "\n";
      for (const Json& item : child) sequence_item(item, indent + "  ");
    } else {
      out_ += " " + scalar(child) + "\n";
    }
  }
  void sequence_item(const Json& item, const std::string& indent) {
    out_ += indent + "-";
    if (item.is_object() && !item.empty()) {
      out_ += " ";
      table(item, indent + "  ", true);
    } else {
      entry(item, indent);
    }
  }
  void array(const Array& array, const std::string& indent) {
    out_ += fmt::format("\n{0}\"@class\": \"np.ndarray\"\n{0}\"@is_variable\": true\n{0}\"@version\": 1\n",
                        indent);
    out_ += fmt::format("{0}dtype: {1}\n{0}value: ", indent, array.single ? "float32" : "float64");
    std::size_t next = 0;
    values(array, 0, next);
    out_ += "\n";
  }
  void values(const Array& array, std::size_t depth, std::size_t& next) {
    if (depth == array.shape.size()) {
      out_ += number(array.values[next++]);
      return;
    }
    out_ += "[";
    for (std::size_t i = 0; i < array.shape[depth]; ++i) {
      if (i > 0) out_ += ", ";
      values(array, depth + 1, next);
    }
    out_ += "]";
  }

  const Tree& tree_;
  std::string out_;
};

}  // namespace

Tree read_yaml_tree(const std::filesystem::path& path) {
  const std::string name = path.string();
  const std::string text = read_file(path);
  Tree tree;
  try {
    const YAML::Node node = YAML::Load(text);
    if (!node.IsMap())
      throw InputError("{}: expected a DeePMD-kit model (a YAML table), found something else", name);
    tree.root = Reader(name, tree).visit(node, "", 0);
  } catch (const YAML::Exception& e) {
    throw InputError("{}:{}: this is no YAML: {}", name, e.mark.line + 1, e.msg);
  }
  return tree;
}

void write_yaml_tree(const std::filesystem::path& path, const Tree& tree) {
  Writer writer(tree);
  writer.table(tree.root, "");
  write_file(path, writer.take());
}

}  // namespace solion::dp
