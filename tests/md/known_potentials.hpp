// A potential whose canonical distributions are known in closed form, for tests of sampling.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "solion/potential/potential.hpp"

namespace solion::md::testing {

/// U = Σ_springs (k/p)·|u|^p + B·(V − V₀)²/(2V₀) + κ·(Tr(hᵀh)/V^(2/3) − 3), u = r_ij − s_ij·h.
/// The springs follow the cell, so that at any cell U_springs/kT is gamma distributed with shape (3N − 3)/p
/// (U is homogeneous of degree p in 3N − 3 coordinates) and the volume does not feel them; p = 4 is chaotic,
/// p = 2 is not. Without springs it is an ideal gas. κ keeps the shape of the cell without touching its
/// volume.
struct KnownPotential final : Potential {
  struct Spring {
    std::size_t i, j;
    Vec3 rest;  ///< fractional
  };
  TypeMap map;
  std::vector<Spring> springs;
  double k = 2;
  int power = 2;
  double bulk = 0;  ///< B, eV/Å³
  double volume0 = 1;
  double kappa = 0;

  using Potential::evaluate;
  [[nodiscard]] std::string description() const override { return "springs and an elastic cell"; }
  [[nodiscard]] const TypeMap& type_map() const override { return map; }
  [[nodiscard]] std::unique_ptr<Potential> clone() const override {
    return std::make_unique<KnownPotential>(*this);
  }
  void evaluate(const Frame& frame, const Request& request, Evaluation& result) override {
    (void)request;
    result.energy = 0;
    result.forces.assign(frame.n_atoms(), Vec3::Zero());
    result.virial.setZero();
    add_springs(frame, result);
    const double v = frame.cell->volume();
    result.energy += bulk * (v - volume0) * (v - volume0) / (2 * volume0);
    result.virial -= Mat3::Identity() * (bulk * (v - volume0) / volume0 * v);
    const Mat3& h = frame.cell->matrix();
    const Mat3 metric = std::pow(v, -2.0 / 3.0) * h.transpose() * h;
    result.energy += kappa * (metric.trace() - 3);
    // h → h(1 + ε): ∂Tr/∂ε = 2·metric, and V^(−2/3) takes away its trace.
    result.virial -= kappa * (2 * metric - 2.0 / 3.0 * metric.trace() * Mat3::Identity());
  }

 private:
  void add_springs(const Frame& frame, Evaluation& result) const {
    for (const Spring& s : springs) {
      const Vec3 u = frame.positions[s.j] - frame.positions[s.i] - frame.cell->to_cartesian(s.rest);
      const double u2 = u.squaredNorm();
      const double stiffness = power == 2 ? k : k * u2;
      result.energy += stiffness * u2 / power;
      result.forces[s.i] += stiffness * u;
      result.forces[s.j] -= stiffness * u;
      result.virial -= stiffness * u * u.transpose();
    }
  }
};

struct KnownCase {
  Frame frame;
  KnownPotential potential;
};

/// n×n×n atoms of two masses on a simple cubic lattice with spacing 3 Å, springs to the six neighbours.
inline KnownCase crystal(int n, int power, double k) {
  constexpr double spacing = 3.0;
  KnownCase c;
  const auto index = [n](int x, int y, int z) {
    return static_cast<std::size_t>(((x % n) * n + (y % n)) * n + (z % n));
  };
  for (int x = 0; x < n; ++x) {
    for (int y = 0; y < n; ++y) {
      for (int z = 0; z < n; ++z) {
        c.frame.add_atom((x + y + z) % 2 == 0 ? "Li" : "O", spacing * Vec3(x, y, z));
        for (const Int3& d : {Int3(1, 0, 0), Int3(0, 1, 0), Int3(0, 0, 1)})
          c.potential.springs.push_back({index(x, y, z), index(x + d[0], y + d[1], z + d[2]), Vec3::Zero()});
      }
    }
  }
  for (auto& s : c.potential.springs)
    s.rest = (c.frame.positions[s.j] - c.frame.positions[s.i]) / (spacing * n);
  c.frame.cell = Cell::cubic(spacing * n);
  c.potential.map = c.frame.type_map;
  c.potential.power = power;
  c.potential.k = k;
  return c;
}

}  // namespace solion::md::testing
