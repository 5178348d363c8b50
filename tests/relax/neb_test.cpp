// Elastic bands against saddles that are known exactly, against symmetry, and against other programs.
#include "solion/relax/neb.hpp"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/relax/minimize.hpp"
#include "solion/relax/path.hpp"
#include "support/li3ocl.hpp"

namespace solion::relax {
namespace {

/// Müller and Brown, Theor. Chim. Acta 53, 75 (1979), in hundreds of eV over x and y of one atom in Å, with a
/// harmonic z: minima and saddles are known to many digits.
class MuellerBrown final : public Potential {
 public:
  [[nodiscard]] std::string description() const override { return "Müller-Brown"; }
  [[nodiscard]] const TypeMap& type_map() const override { return types_; }
  using Potential::evaluate;
  void evaluate(const Frame& frame, const Request&, Evaluation& result) override {
    constexpr double A[]{-2, -1, -1.7, 0.15}, a[]{-1, -1, -6.5, 0.7}, b[]{0, 0, 11, 0.6},
        c[]{-10, -10, -6.5, 0.7}, x0[]{1, 0, -0.5, -1}, y0[]{0, 0.5, 1.5, 1};
    const Vec3 r = frame.positions[0];
    result.energy = 5 * r[2] * r[2];
    result.forces.assign(1, Vec3(0, 0, -10 * r[2]));
    for (int k = 0; k < 4; ++k) {
      const double x = r[0] - x0[k], y = r[1] - y0[k];
      const double e = A[k] * std::exp(a[k] * x * x + b[k] * x * y + c[k] * y * y);
      result.energy += e;
      result.forces[0] -= e * Vec3(2 * a[k] * x + b[k] * y, b[k] * x + 2 * c[k] * y, 0);
    }
  }
  [[nodiscard]] std::unique_ptr<Potential> clone() const override {
    return std::make_unique<MuellerBrown>(*this);
  }

 private:
  TypeMap types_{{"H"}};
};

Frame atom_at(double x, double y) {
  Frame frame;
  frame.add_atom("H", Vec3(x, y, 0));
  return frame;
}

/// Eigenvalues of the matrix of second derivatives (eV/Å²), by central differences of the forces.
Eigen::VectorXd curvatures(Potential& potential, Frame frame) {
  constexpr double step = 1e-3;
  const auto n = static_cast<Eigen::Index>(3 * frame.n_atoms());
  Eigen::MatrixXd hessian(n, n);
  for (Eigen::Index k = 0; k < n; ++k) {
    double& x = frame.positions[static_cast<std::size_t>(k / 3)][k % 3];
    const double home = x;
    Eigen::VectorXd slope = Eigen::VectorXd::Zero(n);
    for (const double side : {1.0, -1.0}) {
      x = home + side * step;
      const Evaluation e = potential.evaluate(frame, {.virial = false});
      for (Eigen::Index i = 0; i < n; ++i)
        slope[i] -= side * e.forces[static_cast<std::size_t>(i / 3)][i % 3];
    }
    hessian.col(k) = slope / (2 * step);
    x = home;
  }
  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(0.5 * (hessian + hessian.transpose())).eigenvalues();
}

TEST(Neb, FindsTheSaddleOfMuellerAndBrown) {
  // Minimum (0.6234994, 0.0280378) −1.0816672; (−0.5582236, 1.4417258) −1.4669952; between them the saddles
  // (−0.8220016, 0.6243128) −0.4066484 and (0.2124866, 0.2929883) −0.7224894 with a third minimum
  // (−0.0500108, 0.4666941) −0.8076782.
  MuellerBrown potential;
  const RelaxOptions tight{.force_eV_per_A = 1e-8};
  const Frame a = minimize(potential, atom_at(-0.55, 1.44), tight).frame;
  const Frame b = minimize(potential, atom_at(-0.05, 0.47), tight).frame;
  EXPECT_NEAR(*a.labels.energy_eV, -1.4669951720995384, 1e-9);
  BandOptions options{.force_eV_per_A = 1e-6};
  for (const int images : {3, 7, 12}) {
    const NebResult r = nudged_elastic_band(potential, linear_path(a, b, images), options);
    ASSERT_TRUE(r.band.converged && r.climbed) << images << ": " << r.band.largest_band_force();
    const Vec3 top = r.band.images[static_cast<std::size_t>(r.saddle)].positions[0];
    EXPECT_NEAR(top[0], -0.8220015587, 2e-6);
    EXPECT_NEAR(top[1], 0.6243128028, 2e-6);
    EXPECT_NEAR(r.forward_eV, -0.4066484351 + 1.4669951721, 1e-8) << images;
    EXPECT_NEAR(r.backward_eV, -0.4066484351 + 0.8076782, 1e-6);
    EXPECT_EQ(r.intermediate_minima, 0);
    EXPECT_LT(r.band.steps, 250) << images;
    RecordProperty("steps", r.band.steps);
  }
  // Through the third minimum: the band shows it.
  const Frame c = minimize(potential, atom_at(0.6, 0.03), tight).frame;
  const NebResult both = nudged_elastic_band(potential, linear_path(a, c, 15), options);
  ASSERT_TRUE(both.band.converged);
  EXPECT_EQ(both.intermediate_minima, 1);
  EXPECT_NEAR(both.forward_eV, -0.4066484351 + 1.4669951721, 1e-8);
  EXPECT_NEAR(both.reaction_eV, -1.0816672 + 1.4669951721, 1e-6);
  // Without climbing the cubics come near.
  options.climb = false;
  const NebResult plain = nudged_elastic_band(potential, linear_path(a, b, 9), options);
  EXPECT_FALSE(plain.climbed);
  EXPECT_NEAR(plain.forward_eV, -0.4066484351 + 1.4669951721, 0.01);
}

/// Ends of a Li vacancy hop between neighbouring sites in n³ cells, relaxed.
std::pair<Frame, Frame> vacancy_hop(Potential& potential, int n) {
  const Frame crystal = repeat(solion::testing::li3ocl_cell(3.9085), {n, n, n});
  const Frame initial = solion::testing::without(crystal, {0});
  Frame hopped = initial;
  hopped.positions[0] = crystal.positions[0];  // atom 1 of the crystal, nearest to site 0
  const RelaxOptions options{.force_eV_per_A = 1e-4};
  return {minimize(potential, initial, options).frame, minimize(potential, hopped, options).frame};
}

std::unique_ptr<Potential> charged_buckingham() {
  return potential_from_toml(SOLION_SOURCE_DIR "/examples/li3ocl/buckingham.toml", true);
}

TEST(Neb, VacancyHopOfLi3OClIsSymmetricAndASaddle) {
  const auto potential = charged_buckingham();
  const auto [a, b] = vacancy_hop(*potential, 2);
  BandOptions options{.force_eV_per_A = 2e-4};
  double first = 0;
  for (const int images : {3, 5, 8}) {
    const NebResult r = nudged_elastic_band(*potential, idpp_path(a, b, images), options);
    ASSERT_TRUE(r.band.converged && r.climbed) << images << " " << r.band.largest_band_force();
    if (images == 3) first = r.forward_eV;
    // Quadratic in the residual force over the softest curvature: (2e-4)²/0.1 eV is far below this.
    EXPECT_NEAR(r.forward_eV, first, 1e-5) << images;
    EXPECT_NEAR(r.reaction_eV, 0, 1e-6);
    EXPECT_NEAR(r.backward_eV, r.forward_eV, 1e-6);
    if (images != 5) continue;
    const auto& e = r.profile.energy_eV;
    for (std::size_t k = 0; k < e.size(); ++k) EXPECT_NEAR(e[k], e[e.size() - 1 - k], 1e-4) << k;
    EXPECT_NEAR(r.profile.highest_at_A, 0.5 * r.profile.coordinate_A.back(), 1e-2);
    EXPECT_NEAR(r.profile.highest_eV, r.forward_eV, 1e-5);
    const Frame& saddle = r.band.images[static_cast<std::size_t>(r.saddle)];
    for (const Vec3& f : saddle.labels.forces_eV_per_A) EXPECT_LT(f.norm(), 3e-4);
    const Eigen::VectorXd modes = curvatures(*potential, saddle);
    EXPECT_LT(modes[0], -0.1);
    for (int k = 1; k < 4; ++k) EXPECT_NEAR(modes[k], 0, 1e-4);  // the crystal as a whole
    EXPECT_GT(modes[4], 0.05);
    RecordProperty("barrier_meV", static_cast<int>(std::lround(1000 * r.forward_eV)));
    std::printf("barrier %.6f eV, %d steps, lowest modes %.3f %.3f eV/Å²\n", r.forward_eV, r.band.steps,
                modes[0], modes[4]);
  }
}

TEST(Neb, DoesNotDependOnThreads) {
  const auto potential = charged_buckingham();
  const auto [a, b] = vacancy_hop(*potential, 2);
  BandOptions options{.force_eV_per_A = 0.02};
  const NebResult one = nudged_elastic_band(*potential, idpp_path(a, b, 3), options);
  options.threads = 3;
  const NebResult three = nudged_elastic_band(*potential, idpp_path(a, b, 3), options);
  EXPECT_EQ(one.forward_eV, three.forward_eV);
  EXPECT_EQ(one.band.steps, three.band.steps);
}

TEST(Neb, RefusesWhatIsNoPath) {
  MuellerBrown potential;
  const Frame a = atom_at(-0.55, 1.44), b = atom_at(-0.05, 0.47);
  EXPECT_THROW(nudged_elastic_band(potential, {a, b}, {}), InputError);
  EXPECT_THROW(nudged_elastic_band(potential, linear_path(a, b, 3), {.force_eV_per_A = 0}), InputError);
  EXPECT_THROW(linear_path(a, b, 0), InputError);
  EXPECT_THROW(nudged_elastic_band(potential, {a, a, a}, {}), WorkError);
  Frame two = a;
  two.add_atom("H", Vec3(9, 9, 9));
  EXPECT_THROW(nearest_images(a, two, "ends"), InputError);
  Frame boxed = b;
  boxed.cell = Cell::cubic(9);
  EXPECT_THROW(nearest_images(a, boxed, "ends"), InputError);
}

TEST(Path, KnowsAShiftOfTheWhole) {
  const Frame a = repeat(solion::testing::li3ocl_cell(3.9), {2, 2, 2});
  Frame b = a;
  for (Vec3& r : b.positions) r += Vec3(0.5, -1.2, 0.3);
  b.positions[0] += Vec3(2, 0, 1);
  EXPECT_LT((rigid_shift(a, nearest_images(a, b, "ends")) - Vec3(0.5, -1.2, 0.3)).norm(), 1e-12);
  // One atom that hops, or a crystal that only breathes, is none.
  Frame hopped = a;
  hopped.positions[0] += Vec3(2, 0, 1);
  EXPECT_TRUE(rigid_shift(a, hopped).isZero(0));
  for (Vec3& r : hopped.positions) r += Vec3(0.05, 0, 0);
  EXPECT_TRUE(rigid_shift(a, hopped).isZero(0));
}

TEST(Path, FindsAtomsThatChangePlaces) {
  const Frame a = repeat(solion::testing::li3ocl_cell(3.9), {2, 2, 2});
  const std::vector<std::size_t> li{0, 1, 2};
  Frame b = a;
  for (const std::size_t k : {0U, 1U, 2U})
    b.positions[li[k]] = a.positions[li[(k + 1) % 3]] + Vec3(0.1, 0, 0);
  const auto rings = exchanged_atoms(a, nearest_images(a, b, "ends"));
  ASSERT_EQ(rings.size(), 1);
  EXPECT_EQ(rings[0], li);
  // A chain that ends at a vacancy is a path: one ion pushes the next.
  const Frame vacant = solion::testing::without(a, {2});
  Frame pushed = vacant;
  pushed.positions[1] = a.positions[2];
  pushed.positions[0] = a.positions[1];
  EXPECT_TRUE(exchanged_atoms(vacant, nearest_images(vacant, pushed, "ends")).empty());
}

TEST(Path, GoesRoundAnAtomInTheWay) {
  // One atom passes another that stands in its straight line.
  Frame a, b;
  a.cell = b.cell = Cell::cubic(12);
  a.add_atom("Li", Vec3(11.5, 5, 5));
  a.add_atom("O", Vec3(1, 5, 5));
  b.add_atom("Li", Vec3(2.5, 5, 5));
  b.add_atom("O", Vec3(1, 5, 5));
  const Frame end = nearest_images(a, b, "ends");
  EXPECT_NEAR(end.positions[0][0], 14.5, 1e-12);  // the short way, through the face of the cell
  const std::vector<Frame> path = idpp_path(a, end, 5);
  for (const Frame& image : path)
    EXPECT_GT(a.cell->minimum_image(image.positions[1] - image.positions[0]).norm(), 1.3);
  // Nothing in the way and only one moving pair: the straight line already has even distances.
  Frame c, d;
  c.add_atom("Li", Vec3(0, 0, 0));
  c.add_atom("O", Vec3(2, 0, 0));
  d = c;
  d.positions[1][0] = 3;
  const std::vector<Frame> straight = idpp_path(c, d, 3);
  EXPECT_NEAR((straight[2].positions[1] - straight[2].positions[0]).norm(), 2.5, 1e-6);
}

}  // namespace
}  // namespace solion::relax
