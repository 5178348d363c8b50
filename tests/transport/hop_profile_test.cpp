// Free-energy profiles of hops against ions drawn from a potential whose profile is known.
#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"
#include "solion/transport/hop_profile.hpp"

namespace solion::transport {
namespace {

using testing::HasSubstr;

constexpr double a = 3.0;
constexpr int edge = 3;
constexpr double height_eV = 0.15;
constexpr double T = 700;
constexpr double kT = constants::boltzmann_eV_per_K * T;

/// Simple cubic Li sites, and one Cl that does not move.
Frame sites() {
  Frame frame;
  frame.cell = Cell::cubic(edge * a);
  for (int x = 0; x < edge; ++x)
    for (int y = 0; y < edge; ++y)
      for (int z = 0; z < edge; ++z) frame.add_atom("Li", Vec3(x, y, z) * a);
  frame.add_atom("Cl", Vec3(0.5, 0.5, 0.5) * a);
  return frame;
}

double energy(double x) { return 0.5 * height_eV * (1 - std::cos(2 * std::numbers::pi * x / a)); }

/// One coordinate about a site, from the Boltzmann distribution.
double draw(RandomStream& random) {
  for (;;) {
    const double x = (random.uniform() - 0.5) * a;
    if (random.uniform() < std::exp(-energy(x) / kT)) return x;
  }
}

std::vector<HopProfile> sampled(int frames, std::uint64_t seed) {
  RandomStream random(seed, "profile");
  const Frame home = sites();
  HopProfileAccumulator profile({.species = "Li", .edge_share = 1.1}, home);
  Frame frame = home;
  frame.images.assign(frame.n_atoms(), Int3::Zero());
  for (int f = 0; f < frames; ++f) {
    for (std::size_t i = 0; i + 1 < frame.n_atoms(); ++i)
      frame.positions[i] = home.positions[i] + Vec3(draw(random), draw(random), draw(random));
    profile.add(frame, "frame");
  }
  return profile.profiles(T);
}

/// Mean of exp(−U/kT) between two places.
double boltzmann_mean(double from, double to) {
  constexpr int n = 200;
  double sum = 0;
  for (int k = 0; k < n; ++k) sum += std::exp(-energy(from + (to - from) * (k + 0.5) / n) / kT) / n;
  return sum;
}

TEST(HopProfile, IsThePotentialAlongTheEdgeWithErrorsThatHold) {
  // The potential is a sum over x, y and z, so that the directions across the tube change nothing.
  int within = 0, all = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto profiles = sampled(4000, seed);
    ASSERT_EQ(profiles.size(), 1U);
    const HopProfile& p = profiles.front();
    EXPECT_NEAR(p.length_A, a, 1e-12);
    EXPECT_EQ(p.n_edges, 81U);
    const double width = 0.5 / 20;
    // From the bin at the site, whose own noise is in every difference.
    for (std::size_t b = 3; b < p.s.size(); ++b) {
      const double exact = kT * std::log(boltzmann_mean(0, 3 * width * a) /
                                         boltzmann_mean((p.s[b] - width / 2) * a, (p.s[b] + width / 2) * a));
      double site = 0;
      for (std::size_t k = 0; k < 3; ++k) site += static_cast<double>(p.seen[k]) / 3;
      const double found = kT * std::log(site / static_cast<double>(p.seen[b]));
      ASSERT_GT(p.std_eV[b], 0);
      EXPECT_NEAR(found, exact, 5 * p.std_eV[b]);
      within += std::abs(found - exact) < p.std_eV[b] ? 1 : 0;
      ++all;
    }
    EXPECT_NEAR(p.barrier_eV, height_eV, 4 * p.barrier_std_eV + 0.002);  // the last bin is not the top alone
    EXPECT_LT(p.barrier_std_eV, 0.01);
    EXPECT_TRUE(std::isnan(p.barrier_bound_eV));
  }
  EXPECT_GT(within, all / 2);  // 68 % of them, and some more since the site's own noise is left out
  EXPECT_LT(within, all);
}

TEST(HopProfile, RateIsTheFluxThroughTheMiddle) {
  const HopProfile p = sampled(4000, 9).front();
  const double mass = 6.94 * constants::amu_A2_per_fs2_in_eV;
  // Each of six faces: density at the face, share of the tube's disc in the plane, one-way flux out; as much
  // in.
  const double at_face = std::exp(-energy(a / 2) / kT) / (a * boltzmann_mean(-a / 2, a / 2));
  double disc = 0;
  constexpr int n = 200;
  for (int y = 0; y < n; ++y)
    for (int z = 0; z < n; ++z) {
      const double u = ((y + 0.5) / n - 0.5) * a, v = ((z + 0.5) / n - 0.5) * a;
      if (std::hypot(u, v) < 0.3 * a) disc += std::exp(-(energy(u) + energy(v)) / kT) / n / n;
    }
  disc /= std::pow(boltzmann_mean(-a / 2, a / 2), 2);
  const double exact = 6 * at_face * disc * std::sqrt(kT / (2 * std::numbers::pi * mass)) * 1000;
  const double error = 1 / std::sqrt(static_cast<double>(p.seen.back()));
  EXPECT_NEAR(p.rate_per_ps, exact, (4 * error + 0.01) * exact);  // the last bin is 0.15 Å wide
}

TEST(HopProfile, SaysWhatWasNotSeen) {
  const Frame home = sites();
  HopProfileAccumulator profile({.species = "Li", .edge_share = 1.1}, home);
  EXPECT_THROW(profile.profiles(T), InputError);
  Frame frame = home;
  frame.images.assign(frame.n_atoms(), Int3::Zero());
  for (int f = 0; f < 100; ++f) profile.add(frame, "frame");
  const HopProfile p = profile.profiles(T).front();
  EXPECT_TRUE(std::isnan(p.barrier_eV));
  EXPECT_TRUE(std::isnan(p.free_energy_eV.back()));
  EXPECT_DOUBLE_EQ(p.free_energy_eV.front(), 0);
  EXPECT_NEAR(p.barrier_bound_eV, kT * std::log(100.0 * 27 * 6 / 3), 1e-12);
  EXPECT_EQ(p.rate_per_ps, 0);
  EXPECT_THROW(profile.profiles(0), InputError);
}

TEST(HopProfile, FollowsAStrainedCellAndItsDrift) {
  // The same fractional places in a cell that grows: nothing changes but where the crystal is.
  const Frame home = sites();
  RandomStream random(3, "strain");
  HopProfileAccumulator still({.species = "Li"}, home), moving({.species = "Li"}, home);
  for (int f = 0; f < 50; ++f) {
    Frame frame = home;
    frame.images.assign(frame.n_atoms(), Int3::Zero());
    for (std::size_t i = 0; i + 1 < frame.n_atoms(); ++i)
      frame.positions[i] += Vec3(draw(random), draw(random), draw(random));
    still.add(frame, "frame");
    const double stretch = 1 + 0.001 * f;
    frame.cell = Cell::cubic(edge * a * stretch);
    for (Vec3& r : frame.positions) r = stretch * r + Vec3(0.02 * f, -0.01 * f, 0);
    moving.add(frame, "frame");
  }
  const auto one = still.profiles(T), other = moving.profiles(T);
  ASSERT_EQ(one.size(), other.size());
  for (std::size_t c = 0; c < one.size(); ++c) EXPECT_EQ(one[c].seen, other[c].seen);
}

TEST(HopProfile, RefusesWhatItCannotDo) {
  const auto message = [](const HopProfileOptions& options, const Frame& crystal) -> std::string {
    try {
      const HopProfileAccumulator made(options, crystal);
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing";
  };
  Frame small;
  small.cell = Cell::cubic(a);
  small.add_atom("Li", Vec3::Zero());
  EXPECT_THAT(message({.species = "Li"}, small), HasSubstr("meets its own image"));
  EXPECT_THAT(message({.species = "Na"}, sites()), HasSubstr("the sites hold no Na"));
  EXPECT_THAT(message({.species = "Li", .radius_share = 0.7}, sites()), HasSubstr("0.7"));
  EXPECT_THAT(message({.species = "Li", .bins = 1}, sites()), HasSubstr("1 bins"));
  EXPECT_THAT(message({.species = "Li", .edge_share = 0.5}, sites()), HasSubstr("0.5 times the least"));
}

}  // namespace
}  // namespace solion::transport
