// Rotation into LAMMPS's cell convention: https://docs.lammps.org/Howto_triclinic.html
#include "solion/io/lammps_cell.hpp"

#include <Eigen/Geometry>

namespace solion::io {

Frame to_lammps_orientation(const Frame& frame) {
  if (!frame.cell) return frame;
  const Mat3& h = frame.cell->matrix();
  if (h(0, 1) == 0 && h(0, 2) == 0 && h(1, 2) == 0 && h.diagonal().minCoeff() > 0) return frame;
  const Vec3 a = frame.cell->vector(0), b = frame.cell->vector(1), c = frame.cell->vector(2);
  const Vec3 along_a = a.normalized();
  Mat3 l = Mat3::Zero();
  l(0, 0) = a.norm();
  l(1, 0) = b.dot(along_a);
  l(1, 1) = along_a.cross(b).norm();
  l(2, 0) = c.dot(along_a);
  l(2, 1) = (b.dot(c) - l(1, 0) * l(2, 0)) / l(1, 1);
  l(2, 2) = frame.cell->volume() / (l(0, 0) * l(1, 1));
  // Rows transform as r' = r·R with R = h⁻¹·l, a proper rotation since both cells are right-handed.
  const Mat3 turn = (h.inverse() * l).transpose();
  Frame result = frame;
  result.cell = Cell(l);
  for (std::vector<Vec3>* vectors : {&result.positions, &result.velocities, &result.labels.forces_eV_per_A}) {
    for (Vec3& v : *vectors) v = turn * v;
  }
  if (result.labels.virial_eV)
    result.labels.virial_eV = Mat3(turn * *frame.labels.virial_eV * turn.transpose());
  return result;
}

}  // namespace solion::io
