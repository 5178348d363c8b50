// What every Potential must obey, as GoogleTest checks: derivatives, symmetries, sums, threads, caches.
//
//   testing::check_potential(potential, frame, {.force_tolerance = 1e-7});
//
// runs all of them; each is also a function of its own. The frame should have no symmetry and large forces
// (`hot_cell` makes one), or a check that zero equals zero proves nothing: they insist on that.
#pragma once

#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "solion/base/random.hpp"
#include "solion/potential/potential.hpp"

namespace solion::testing {

struct PotentialChecks {
  /// Step of the central differences (Å; also of the strain). With the five-point formula the truncation
  /// error is of order step⁴ and the rounding error of order 1e-16·|E|/step.
  double step = 2e-3;
  double force_tolerance = 1e-7;   ///< eV/Å, finite difference against force
  double virial_tolerance = 1e-6;  ///< eV, finite difference against virial
  /// Relative to max(1, |value|): agreement of two evaluations that differ in rounding only.
  double rounding = 1e-10;
};

/// Positions moved by normal random numbers of `sigma` Å.
inline Frame shaken(Frame frame, double sigma, std::uint64_t seed) {
  RandomStream random(seed, "shaken");
  for (Vec3& r : frame.positions) {
    for (int k = 0; k < 3; ++k) r[k] += sigma * random.normal();
  }
  return frame;
}

/// The frame under r' = r·(1 + strain), cell vectors alike (row vectors).
inline Frame strained(Frame frame, const Mat3& strain) {
  const Mat3 f = Mat3::Identity() + strain;
  if (frame.cell) frame.cell = Cell(Mat3(frame.cell->matrix() * f));
  for (Vec3& r : frame.positions) r = (r.transpose() * f).transpose().eval();
  return frame;
}

/// A strain with nine different entries: makes any cubic cell triclinic.
inline Mat3 general_strain(double size = 0.05) {
  Mat3 strain;
  strain << 0.5, -0.8, 0.3, 1.0, -0.4, 0.7, -0.6, 0.9, 0.2;
  return size * strain;
}

/// A crystal made triclinic and hot: general strain, then random displacements.
inline Frame hot_cell(const Frame& crystal, double sigma = 0.12, std::uint64_t seed = 1,
                      double strain = 0.05) {
  return shaken(strained(crystal, general_strain(strain)), sigma, seed);
}

/// The five-point derivative of f at 0.
template <typename F>
double derivative(const F& f, double step) {
  return (8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * step);
}

inline double energy_of(Potential& potential, const Frame& frame) {
  return potential.evaluate(frame, {.forces = false, .virial = false}).energy;
}

/// Compares everything in two evaluations of the same atoms, up to `tolerance` relative to max(1, |value|).
inline void expect_same(const Evaluation& a, const Evaluation& b, double tolerance, const std::string& what) {
  const auto near = [&](double x, double y, const std::string& name) {
    EXPECT_NEAR(x, y, tolerance * std::max(1.0, std::abs(y))) << what << ": " << name;
  };
  near(a.energy, b.energy, "energy");
  ASSERT_EQ(a.forces.size(), b.forces.size()) << what;
  ASSERT_EQ(a.atomic_energies.size(), b.atomic_energies.size()) << what;
  for (std::size_t i = 0; i < a.forces.size(); ++i) {
    for (int k = 0; k < 3; ++k) near(a.forces[i][k], b.forces[i][k], "force on atom " + std::to_string(i));
  }
  for (std::size_t i = 0; i < a.atomic_energies.size(); ++i)
    near(a.atomic_energies[i], b.atomic_energies[i], "energy of atom " + std::to_string(i));
  for (int k = 0; k < 9; ++k) near(a.virial(k / 3, k % 3), b.virial(k / 3, k % 3), "virial");
}

/// Every force component against the energy.
inline void check_forces(Potential& potential, const Frame& frame, const PotentialChecks& checks = {}) {
  const Evaluation result = potential.evaluate(frame);
  ASSERT_EQ(result.forces.size(), frame.n_atoms());
  double largest = 0;
  Frame moved = frame;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    for (int k = 0; k < 3; ++k) {
      const auto energy = [&](double d) {
        moved.positions[i][k] = frame.positions[i][k] + d;
        return energy_of(potential, moved);
      };
      EXPECT_NEAR(result.forces[i][k], -derivative(energy, checks.step), checks.force_tolerance)
          << "atom " << i << " component " << k;
      moved.positions[i][k] = frame.positions[i][k];
      largest = std::max(largest, std::abs(result.forces[i][k]));
    }
  }
  EXPECT_GT(largest, 1e3 * checks.force_tolerance) << "the frame has no forces to speak of";
}

/// All nine components of W = −∂E/∂ε against the energy, and their symmetry.
inline void check_virial(Potential& potential, const Frame& frame, const PotentialChecks& checks = {}) {
  const Mat3 virial = potential.evaluate(frame).virial;
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 3; ++b) {
      const auto energy = [&](double d) {
        Mat3 strain = Mat3::Zero();
        strain(a, b) = d;
        return energy_of(potential, strained(frame, strain));
      };
      EXPECT_NEAR(virial(a, b), -derivative(energy, checks.step), checks.virial_tolerance)
          << "component " << a << b;
    }
  }
  EXPECT_LT((virial - virial.transpose()).norm(), checks.rounding * std::max(1.0, virial.norm()));
  EXPECT_GT(virial.norm(), 1e3 * checks.virial_tolerance) << "the frame has no virial to speak of";
}

/// Translation, rotation, permutation of atoms and of types, and moving atoms by cell vectors.
inline void check_symmetries(Potential& potential, const Frame& frame, const PotentialChecks& checks = {}) {
  const Request all{.atomic_energies = true};
  const Evaluation result = potential.evaluate(frame, all);

  Frame moved = frame;
  for (Vec3& r : moved.positions) r += Vec3(0.377, -1.234, 2.55);
  expect_same(potential.evaluate(moved, all), result, checks.rounding, "translation");

  const Eigen::Matrix3d turn = Eigen::AngleAxisd(1.1, Vec3(0.3, -0.7, 0.5).normalized()).toRotationMatrix();
  Frame turned = frame;
  if (frame.cell) turned.cell = Cell(Mat3(frame.cell->matrix() * turn.transpose()));
  for (Vec3& r : turned.positions) r = (turn * r).eval();
  Evaluation expected = result;
  for (Vec3& f : expected.forces) f = (turn * f).eval();
  expected.virial = turn * result.virial * turn.transpose();
  expect_same(potential.evaluate(turned, all), expected, checks.rounding, "rotation");

  // Atoms in reverse order, and the type map too.
  Frame reversed = frame;
  std::reverse(reversed.positions.begin(), reversed.positions.end());
  std::reverse(reversed.types.begin(), reversed.types.end());
  std::vector<std::string> names = frame.type_map.names();
  std::reverse(names.begin(), names.end());
  reversed.type_map = TypeMap(names);
  for (int& t : reversed.types) t = frame.type_map.size() - 1 - t;
  expected = result;
  std::reverse(expected.forces.begin(), expected.forces.end());
  std::reverse(expected.atomic_energies.begin(), expected.atomic_energies.end());
  expect_same(potential.evaluate(reversed, all), expected, checks.rounding, "permutation");

  if (!frame.cell) return;
  Frame scattered = frame;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    const int n = static_cast<int>(i);
    scattered.positions[i] += frame.cell->to_cartesian(Vec3(n % 3 - 1, n % 5 - 2, n % 2));
  }
  expect_same(potential.evaluate(scattered, all), result, checks.rounding, "periodic images");
}

/// Atomic energies sum to the energy; forces sum to zero.
inline void check_sums(Potential& potential, const Frame& frame, const PotentialChecks& checks = {}) {
  const Evaluation result = potential.evaluate(frame, {.atomic_energies = true});
  ASSERT_EQ(result.atomic_energies.size(), frame.n_atoms());
  double energy = 0;
  for (const double e : result.atomic_energies) energy += e;
  EXPECT_NEAR(energy, result.energy, checks.rounding * std::max(1.0, std::abs(result.energy)));
  Vec3 force = Vec3::Zero();
  double size = 1;
  for (const Vec3& f : result.forces) {
    force += f;
    size = std::max(size, f.norm());
  }
  EXPECT_LT(force.norm(), checks.rounding * size * static_cast<double>(frame.n_atoms()));
}

/// A supercell has as many times the energy and virial, and the same forces and atomic energies.
inline void check_supercell(Potential& potential, const Frame& frame, const std::array<int, 3>& n,
                            const PotentialChecks& checks = {}) {
  const Request all{.atomic_energies = true};
  const Evaluation one = potential.evaluate(frame, all);
  const int copies = n[0] * n[1] * n[2];
  Evaluation expected;
  expected.energy = one.energy * copies;
  expected.virial = one.virial * copies;
  for (int c = 0; c < copies; ++c) {
    expected.forces.insert(expected.forces.end(), one.forces.begin(), one.forces.end());
    expected.atomic_energies.insert(expected.atomic_energies.end(), one.atomic_energies.begin(),
                                    one.atomic_energies.end());
  }
  expect_same(potential.evaluate(repeat(frame, n), all), expected, checks.rounding, "supercell");
}

/// 1, 2 and 3 threads give the same numbers.
inline void check_threads(Potential& potential, const Frame& frame, const PotentialChecks& checks = {}) {
  const Request all{.atomic_energies = true};
  potential.set_threads(1);
  const Evaluation one = potential.evaluate(frame, all);
  for (const int threads : {2, 3}) {
    potential.set_threads(threads);
    expect_same(potential.evaluate(frame, all), one, checks.rounding, std::to_string(threads) + " threads");
  }
  potential.set_threads(1);
}

/// Caches (neighbour list, scratch arrays) never show: after other frames, small moves, another number of
/// atoms, in a clone, with less requested.
inline void check_reuse(Potential& potential, const Frame& frame, const PotentialChecks& checks = {}) {
  const Request all{.atomic_energies = true};
  const Evaluation fresh = potential.clone()->evaluate(frame, all);
  (void)potential.evaluate(shaken(frame, 0.01, 5), all);
  expect_same(potential.evaluate(frame, all), fresh, checks.rounding, "after a small move");
  (void)potential.evaluate(shaken(frame, 0.05, 6), all);
  expect_same(potential.evaluate(frame, all), fresh, checks.rounding, "after a large move");
  if (frame.cell) {
    (void)potential.evaluate(repeat(frame, {1, 1, 2}), all);
    expect_same(potential.evaluate(frame, all), fresh, checks.rounding, "after a larger frame");
    (void)potential.evaluate(strained(frame, general_strain(0.01)), all);
    expect_same(potential.evaluate(frame, all), fresh, checks.rounding, "after a strain");
  }
  expect_same(potential.clone()->evaluate(frame, all), fresh, checks.rounding, "clone of a used one");
  EXPECT_NEAR(energy_of(potential, frame), fresh.energy,
              checks.rounding * std::max(1.0, std::abs(fresh.energy)));
  potential.reset();
  expect_same(potential.evaluate(frame, all), fresh, 0.0, "bit for bit after reset()");
}

/// All of the above on one frame (a supercell of two along each axis in turn).
inline void check_potential(Potential& potential, const Frame& frame, const PotentialChecks& checks = {}) {
  check_forces(potential, frame, checks);
  check_sums(potential, frame, checks);
  check_symmetries(potential, frame, checks);
  check_threads(potential, frame, checks);
  check_reuse(potential, frame, checks);
  if (!frame.cell) return;
  check_virial(potential, frame, checks);
  check_supercell(potential, frame, {2, 1, 1}, checks);
  check_supercell(potential, frame, {1, 2, 1}, checks);
  check_supercell(potential, frame, {1, 1, 2}, checks);
}

}  // namespace solion::testing
