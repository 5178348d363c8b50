// Frames: masses, checks, repeats.
#include "solion/structure/frame.hpp"

#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/structure/elements.hpp"
#include "solion/structure/neighborhood.hpp"

namespace solion {

void Frame::add_atom(const std::string& element, const Vec3& position) {
  types.push_back(type_map.find_or_add(element));
  positions.push_back(position);
}

std::vector<double> Frame::masses() const {
  std::vector<double> of_type;
  of_type.reserve(type_map.names().size());
  for (const std::string& name : type_map.names()) of_type.push_back(atomic_mass_amu(name));
  std::vector<double> result;
  result.reserve(n_atoms());
  for (const int t : types) result.push_back(of_type[static_cast<std::size_t>(t)]);
  return result;
}

std::string Frame::formula() const {
  std::vector<int> count(static_cast<std::size_t>(type_map.size()));
  for (const int t : types) ++count[static_cast<std::size_t>(t)];
  std::string text;
  for (int t = 0; t < type_map.size(); ++t) {
    const int n = count[static_cast<std::size_t>(t)];
    if (n > 0) text += fmt::format("{}{}{}", text.empty() ? "" : " ", type_map.name(t), n);
  }
  return text;
}

namespace {

void check_lengths(const Frame& frame, const std::string& where) {
  const std::size_t n = frame.n_atoms();
  if (n == 0) throw InputError("{}: no atoms", where);
  const auto check = [&](std::size_t size, const char* what, bool may_be_empty) {
    if (size == n || (may_be_empty && size == 0)) return;
    throw InputError("{}: {} {} for {} atoms", where, size, what, n);
  };
  check(frame.types.size(), "types", false);
  check(frame.velocities.size(), "velocities", true);
  check(frame.images.size(), "image flags", true);
  check(frame.labels.forces_eV_per_A.size(), "forces", true);
  check(frame.labels.atomic_energies_eV.size(), "atomic energies", true);
}

void check_numbers(const Frame& frame, const std::string& where) {
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (frame.types[i] < 0 || frame.types[i] >= frame.type_map.size()) {
      throw InputError("{}: atom {} has type {}, but the type map has {} entries", where, i + 1,
                       frame.types[i], frame.type_map.size());
    }
    const auto finite = [&](const std::vector<Vec3>& values, const char* what) {
      if (values.empty() || values[i].allFinite()) return;
      throw InputError("{}: the {} of atom {} ({}) is not a finite number", where, what, i + 1,
                       frame.element(i));
    };
    finite(frame.positions, "position");
    finite(frame.velocities, "velocity");
    finite(frame.labels.forces_eV_per_A, "force");
  }
  const Labels& labels = frame.labels;
  if (labels.energy_eV && !std::isfinite(*labels.energy_eV))
    throw InputError("{}: the energy is not a finite number", where);
  if (labels.virial_eV && !labels.virial_eV->allFinite())
    throw InputError("{}: the virial is not a finite number", where);
}

}  // namespace

void validate(const Frame& frame, const std::string& where, double closest_A) {
  check_lengths(frame, where);
  check_numbers(frame, where);
  if (closest_A <= 0) return;
  Neighborhood near;
  near.build(frame, closest_A, 0.0);
  for (int i = 0; i < near.n_local(); ++i) {
    for (const int j : near.neighbors(i)) {
      const double d = (near.position(j) - near.position(i)).norm();
      if (d < closest_A) {
        throw InputError("{}: atoms {} ({}) and {} ({}) are {:.3f} Å apart; are the units right?", where,
                         i + 1, frame.element(static_cast<std::size_t>(i)), near.owner(j) + 1,
                         frame.element(static_cast<std::size_t>(near.owner(j))), d);
      }
    }
  }
}

Frame repeat(const Frame& frame, const std::array<int, 3>& n) {
  if (!frame.cell) throw InputError("repeat: the frame has no cell");
  if (n[0] < 1 || n[1] < 1 || n[2] < 1) {
    throw InputError("repeat: {}×{}×{} is not a supercell; expected three whole numbers of at least 1", n[0],
                     n[1], n[2]);
  }
  Frame result;
  result.type_map = frame.type_map;
  result.info = frame.info;
  Mat3 h = frame.cell->matrix();
  for (int k = 0; k < 3; ++k) h.row(k) *= n[static_cast<std::size_t>(k)];
  result.cell = Cell(h);
  for (int i = 0; i < n[0]; ++i) {
    for (int j = 0; j < n[1]; ++j) {
      for (int k = 0; k < n[2]; ++k) {
        const Vec3 shift = frame.cell->to_cartesian(Vec3(i, j, k));
        for (const Vec3& r : frame.positions) result.positions.push_back(r + shift);
        result.types.insert(result.types.end(), frame.types.begin(), frame.types.end());
        result.velocities.insert(result.velocities.end(), frame.velocities.begin(), frame.velocities.end());
      }
    }
  }
  return result;
}

void wrap(Frame& frame) {
  if (!frame.cell) return;
  if (frame.images.empty()) frame.images.assign(frame.n_atoms(), Int3::Zero());
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) frame.cell->wrap(frame.positions[i], frame.images[i]);
}

}  // namespace solion
