// The periodic cell: rows a, b, c; triclinic and right-handed.
#pragma once

#include <Eigen/LU>

#include "solion/structure/types.hpp"

namespace solion {

/// Convention: r = f·h with the rows of h the cell vectors a, b, c (Å) and f the fractional coordinates.
class Cell {
 public:
  /// InputError if h is not finite, singular (volume below 1e-6 of |a||b||c|) or left-handed.
  explicit Cell(const Mat3& h);
  static Cell cubic(double a) { return Cell(Mat3(Mat3::Identity() * a)); }

  [[nodiscard]] const Mat3& matrix() const { return h_; }
  [[nodiscard]] double volume() const { return volume_; }
  [[nodiscard]] Vec3 vector(int row) const { return h_.row(row).transpose(); }
  [[nodiscard]] Vec3 to_cartesian(const Vec3& fractional) const { return h_.transpose() * fractional; }
  [[nodiscard]] Vec3 to_fractional(const Vec3& cartesian) const { return inverse_.transpose() * cartesian; }
  /// Distances between opposite faces (Å): the largest sphere diameters that fit along a, b, c.
  [[nodiscard]] Vec3 widths() const;
  /// The shortest periodic image of d (Å), exact for any cell shape.
  [[nodiscard]] Vec3 minimum_image(const Vec3& d) const;
  /// Moves r into the cell (fractional in [0, 1)); adds to `image` the number of cells it was moved by, so
  /// that r_old + image_old·h = r_new + image_new·h.
  void wrap(Vec3& r, Int3& image) const;

 private:
  Mat3 h_;
  Mat3 inverse_;
  double volume_;
};

}  // namespace solion
