// Potentials with known statistics for tests: springs between neighbours, and an ideal gas in an elastic
// cell.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "solion/base/errors.hpp"
#include "solion/potential/potential.hpp"

namespace solion::testing {

/// Springs ½·k·|r_ij − d_ij|² between given pairs (vector springs: harmonic in every coordinate, invariant
/// under translation): 3N − 3 modes, each with ⟨U⟩ = kT/2. Does not depend on the cell.
class HarmonicCrystal final : public Potential {
 public:
  struct Spring {
    std::size_t i, j;
    Vec3 rest;  ///< r_j − r_i at rest, Å
  };
  HarmonicCrystal(TypeMap map, std::vector<Spring> springs, double k)
      : map_(std::move(map)), springs_(std::move(springs)), k_(k) {}

  using Potential::evaluate;
  [[nodiscard]] std::string description() const override { return "springs"; }
  [[nodiscard]] const TypeMap& type_map() const override { return map_; }
  void evaluate(const Frame& frame, const Request&, Evaluation& result) override {
    result.energy = 0;
    result.forces.assign(frame.n_atoms(), Vec3::Zero());
    result.virial.setZero();
    for (const Spring& s : springs_) {
      const Vec3 u = frame.positions[s.j] - frame.positions[s.i] - s.rest;
      result.energy += 0.5 * k_ * u.squaredNorm();
      result.forces[s.i] += k_ * u;
      result.forces[s.j] -= k_ * u;
    }
  }
  [[nodiscard]] std::unique_ptr<Potential> clone() const override {
    return std::make_unique<HarmonicCrystal>(*this);
  }

 private:
  TypeMap map_;
  std::vector<Spring> springs_;
  double k_;
};

/// n×n×n atoms of alternating masses on a simple cubic lattice with spacing 3 Å, springs to the six
/// neighbours.
struct HarmonicCase {
  Frame frame;
  std::unique_ptr<HarmonicCrystal> potential;
};
inline HarmonicCase harmonic_case(int n, double k = 2.0) {
  constexpr double spacing = 3.0;
  HarmonicCase c;
  const auto index = [n](int x, int y, int z) {
    return static_cast<std::size_t>(((x + n) % n * n + (y + n) % n) * n + (z + n) % n);
  };
  std::vector<HarmonicCrystal::Spring> springs;
  for (int x = 0; x < n; ++x) {
    for (int y = 0; y < n; ++y) {
      for (int z = 0; z < n; ++z) {
        c.frame.add_atom((x + y + z) % 2 == 0 ? "Li" : "O", spacing * Vec3(x, y, z));
        for (const Int3& d : {Int3(1, 0, 0), Int3(0, 1, 0), Int3(0, 0, 1)}) {
          const std::size_t i = index(x, y, z);
          const std::size_t j = index(x + d[0], y + d[1], z + d[2]);
          springs.push_back({i, j, Vec3::Zero()});
        }
      }
    }
  }
  for (auto& s : springs) s.rest = c.frame.positions[s.j] - c.frame.positions[s.i];
  c.frame.cell = Cell::cubic(spacing * n);
  c.potential = std::make_unique<HarmonicCrystal>(c.frame.type_map, std::move(springs), k);
  return c;
}

/// Atoms without forces in a cell whose shape (not its volume) costs energy: U = κ·(Tr(hᵀh)/V^(2/3) − 3). At
/// a given pressure the volume is gamma distributed; see docs/theory/md.md.
class IdealGas final : public Potential {
 public:
  IdealGas(TypeMap map, double kappa) : map_(std::move(map)), kappa_(kappa) {}

  using Potential::evaluate;
  [[nodiscard]] std::string description() const override { return "ideal gas"; }
  [[nodiscard]] const TypeMap& type_map() const override { return map_; }
  void evaluate(const Frame& frame, const Request&, Evaluation& result) override {
    const Mat3& h = frame.cell->matrix();
    const double scale = std::pow(frame.cell->volume(), -2.0 / 3.0);
    const Mat3 metric = scale * h.transpose() * h;
    result.energy = kappa_ * (metric.trace() - 3);
    result.forces.assign(frame.n_atoms(), Vec3::Zero());
    // h → h(1 + ε): ∂Tr/∂ε = 2·metric, and V^(−2/3) takes away its trace.
    result.virial = -kappa_ * (2 * metric - 2.0 / 3.0 * metric.trace() * Mat3::Identity());
  }
  [[nodiscard]] std::unique_ptr<Potential> clone() const override {
    return std::make_unique<IdealGas>(*this);
  }

 private:
  TypeMap map_;
  double kappa_;
};

}  // namespace solion::testing
