// Site permutations by integer arithmetic on (unit site, lattice point).
#include "solion/structure/site_lattice.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "solion/base/errors.hpp"

namespace solion {
namespace {

/// Whether the rotation maps the superlattice onto itself: M⁻ᵀ R Mᵀ is whole.
bool keeps_superlattice(const IntMat3& rotation, const IntMat3& matrix) {
  const Mat3 m = matrix.transpose().cast<double>();
  const Mat3 r = m.inverse() * rotation.cast<double>() * m;
  return (r - Mat3(r.array().round().matrix())).cwiseAbs().maxCoeff() < 1e-6;
}

}  // namespace

std::vector<int> site_classes(const Frame& unit, const Symmetry& symmetry) {
  std::map<int, std::map<int, int>> seen;  // by type: the class of each orbit
  std::vector<int> classes;
  for (std::size_t i = 0; i < unit.n_atoms(); ++i) {
    auto& orbits = seen[unit.types[i]];
    const int next = static_cast<int>(orbits.size()) + 1;
    classes.push_back(orbits.try_emplace(symmetry.orbit[i], next).first->second);
  }
  return classes;
}

SiteLattice::SiteLattice(const Frame& unit, const Symmetry& symmetry,
                         const std::vector<InterstitialSite>& voids, const IntMat3& matrix)
    : lattice_(matrix), unit_cell_(unit.cell.value()), classes_(site_classes(unit, symmetry)) {
  n_cells_ = static_cast<int>(lattice_.points().size());
  n_unit_atoms_ = static_cast<int>(unit.n_atoms());
  for (std::size_t i = 0; i < unit.n_atoms(); ++i) {
    kinds_.push_back(unit.element(i));
    fractional_.push_back(unit_cell_.to_fractional(unit.positions[i]));
  }
  for (std::size_t v = 0; v < voids.size(); ++v) {
    for (const Vec3& r : voids[v].positions) {
      kinds_.push_back(fmt::format("i{}", v + 1));
      fractional_.push_back(unit_cell_.to_fractional(r));
    }
  }
  n_unit_ = static_cast<int>(kinds_.size());
  for (const SymmetryOperation& op : symmetry.operations) {
    if (keeps_superlattice(op.rotation, matrix)) add_operation(op, unit);
  }
  tabulate_distances(Cell(Mat3(matrix.cast<double>() * unit_cell_.matrix())));
}

void SiteLattice::add_operation(const SymmetryOperation& op, const Frame& unit) {
  const std::size_t begin = target_.size();
  target_.resize(begin + at(n_sites()));
  for (int s = 0; s < n_unit_; ++s) {
    const Vec3 f = op.rotation.cast<double>() * fractional_[at(s)] + op.translation;
    int best = -1;
    double best_A = 0.3;
    Int3 shift;
    for (int t = 0; t < n_unit_; ++t) {
      if (kinds_[at(t)] != kinds_[at(s)]) continue;
      const Vec3 d = f - fractional_[at(t)];
      const Vec3 whole = d.array().round();
      const double distance = unit_cell_.to_cartesian(d - whole).norm();
      if (distance >= best_A) continue;
      best = t;
      best_A = distance;
      shift = whole.cast<int>();
    }
    if (best < 0)
      throw InputError("symmetry: an operation takes a {} site of {} to no site; is the tolerance too large?",
                       kinds_[at(s)], unit.formula());
    for (int c = 0; c < n_cells_; ++c) {
      const Int3 n = op.rotation * lattice_.points()[at(c)] + shift;
      target_[begin + at(site_of(s, c))] = site_of(best, lattice_.index(n));
    }
  }
  ++n_point_;
}

void SiteLattice::tabulate_distances(const Cell& super) {
  distance_.resize(at(n_unit_) * at(n_unit_) * at(n_cells_));
  std::size_t slot = 0;
  for (int s = 0; s < n_unit_; ++s) {
    for (int t = 0; t < n_unit_; ++t) {
      for (int c = 0; c < n_cells_; ++c, ++slot) {
        const Vec3 f = fractional_[at(t)] - fractional_[at(s)] + lattice_.points()[at(c)].cast<double>();
        distance_[slot] = super.minimum_image(unit_cell_.to_cartesian(f)).norm();
      }
    }
  }
  constexpr int most_sites = 1500;
  if (n_sites() > most_sites) return;
  std::vector<double> dense;
  dense.reserve(at(n_sites()) * at(n_sites()));
  for (int a = 0; a < n_sites(); ++a) {
    for (int b = 0; b < n_sites(); ++b) dense.push_back(look_up_distance(a, b));
  }
  dense_ = std::move(dense);
}

int SiteLattice::unit_of(int site) const {
  if (site < n_atoms()) return site % n_unit_atoms_;
  return n_unit_atoms_ + (site - n_atoms()) % (n_unit_ - n_unit_atoms_);
}

int SiteLattice::cell_of(int site) const {
  if (site < n_atoms()) return site / n_unit_atoms_;
  return (site - n_atoms()) / (n_unit_ - n_unit_atoms_);
}

int SiteLattice::site_of(int unit, int cell) const {
  if (unit < n_unit_atoms_) return cell * n_unit_atoms_ + unit;
  return n_atoms() + cell * (n_unit_ - n_unit_atoms_) + unit - n_unit_atoms_;
}

int SiteLattice::n_classes(const std::string& element) const {
  int n = 0;
  for (std::size_t unit = 0; unit < classes_.size(); ++unit)
    if (kinds_[unit] == element) n = std::max(n, classes_[unit]);
  return n;
}

std::vector<int> SiteLattice::sites_of_kind(const std::string& kind, int site_class) const {
  std::vector<int> sites;
  for (int s = 0; s < n_sites(); ++s) {
    if (this->kind(s) == kind && (site_class == 0 || classes_[at(unit_of(s))] == site_class))
      sites.push_back(s);
  }
  return sites;
}

Vec3 SiteLattice::position(int site) const {
  return unit_cell_.to_cartesian(fractional_[at(unit_of(site))] +
                                 lattice_.points()[at(cell_of(site))].cast<double>());
}

double SiteLattice::look_up_distance(int a, int b) const {
  const int c = lattice_.index(lattice_.points()[at(cell_of(b))] - lattice_.points()[at(cell_of(a))]);
  return distance_[(at(unit_of(a)) * at(n_unit_) + at(unit_of(b))) * at(n_cells_) + at(c)];
}

int SiteLattice::image(int op, int site) const {
  const int point = op / n_cells_;
  const int moved = target_[at(point) * at(n_sites()) + at(site)];
  const Int3 n = lattice_.points()[at(cell_of(moved))] + lattice_.points()[at(op % n_cells_)];
  return site_of(unit_of(moved), lattice_.index(n));
}

}  // namespace solion
