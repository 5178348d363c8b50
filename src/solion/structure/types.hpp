// The small vector types and the type map: which element each integer type of a frame stands for.
#pragma once

#include <Eigen/Core>
#include <string>
#include <string_view>
#include <vector>

namespace solion {

using Vec3 = Eigen::Vector3d;
/// Row-major, so that row 0, 1, 2 of a cell are the vectors a, b, c.
using Mat3 = Eigen::Matrix<double, 3, 3, Eigen::RowMajor>;
using Int3 = Eigen::Vector3i;

/// Names of types in order: type t of a frame is `names()[t]`. Names are what two files, or a file and a
/// model, have in common; an integer type means something only beside its map.
class TypeMap {
 public:
  TypeMap() = default;
  /// InputError if a name is empty or stands twice.
  explicit TypeMap(std::vector<std::string> names);

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] int size() const { return static_cast<int>(names_.size()); }
  [[nodiscard]] const std::string& name(int type) const { return names_.at(static_cast<std::size_t>(type)); }
  /// The type called `name`, or -1.
  [[nodiscard]] int find(std::string_view name) const;
  /// The type called `name`, added at the end if it is not there.
  int find_or_add(std::string_view name);
  /// For each own type its number in `other`; -1 where it is missing there.
  [[nodiscard]] std::vector<int> to(const TypeMap& other) const;
  bool operator==(const TypeMap&) const = default;

 private:
  std::vector<std::string> names_;
};

}  // namespace solion
