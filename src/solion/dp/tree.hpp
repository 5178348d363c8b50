// A DeePMD-kit model file as a tree of JSON values and arrays, and a reader whose errors name the path in it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "solion/base/input.hpp"

namespace solion::dp {

/// An array of a model file, row-major; a scalar has no dimensions. Values of a single-precision array are
/// exact floats.
struct Array {
  std::vector<std::size_t> shape;
  std::vector<double> values;
  bool single = false;
};

/// The tree: in `root` an array stands as a JSON binary value without bytes whose subtype is its index in
/// `arrays` (a kind of value that no JSON or YAML text can hold, so that no file can forge one).
struct Tree {
  Json root = Json::object();
  std::vector<Array> arrays;

  Json add(Array array) {
    arrays.push_back(std::move(array));
    return Json::binary({}, arrays.size() - 1);
  }
};

/// Reads HDF5 (`.dp`, `.hlo`) or YAML (`.yaml`, `.yml`) by suffix. InputError for another suffix and for
/// files that are truncated, damaged or something else.
Tree read_tree(const std::filesystem::path& path);
/// InputError for a suffix of neither format.
void check_suffix(const std::filesystem::path& path);
/// Writes either format by suffix, atomically.
void write_tree(const std::filesystem::path& path, const Tree& tree);

// One format each (see tree_hdf5.cpp, tree_yaml.cpp).
Tree read_hdf5_tree(const std::filesystem::path& path);
void write_hdf5_tree(const std::filesystem::path& path, const Tree& tree);
Tree read_yaml_tree(const std::filesystem::path& path);
void write_yaml_tree(const std::filesystem::path& path, const Tree& tree);

/// One place in a tree. Every error is an InputError "FILE: path/in/the/tree: what is wrong".
class Node {
 public:
  Node(std::string file, const Tree& tree);

  /// The child `key`; an error if it is missing or this is no table.
  [[nodiscard]] Node at(std::string_view key) const;
  /// The child `key`; none if it is missing or null.
  [[nodiscard]] std::optional<Node> find(std::string_view key) const;
  /// The elements of a list.
  [[nodiscard]] std::vector<Node> items() const;

  [[nodiscard]] int integer() const;
  [[nodiscard]] double number() const;
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] const std::string& text() const;
  [[nodiscard]] std::vector<int> integers() const;
  [[nodiscard]] std::vector<std::string> texts() const;
  /// The array here; its values are finite.
  [[nodiscard]] const Array& array() const;
  /// The same, of exactly this shape.
  [[nodiscard]] const Array& array(std::initializer_list<std::size_t> shape) const;
  [[nodiscard]] const Json& json() const { return *json_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  /// Refuses a key that is not in `known`, unless its value is null.
  void refuse_unknown(std::initializer_list<std::string_view> known) const;
  [[noreturn]] void fail(const std::string& problem) const;

 private:
  Node(const Node& parent, const Json& json, const std::string& step);

  std::string file_;
  const Tree* tree_;
  const Json* json_;
  std::string path_;
};

}  // namespace solion::dp
