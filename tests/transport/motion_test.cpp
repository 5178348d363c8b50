// Hops, van Hove functions, Green–Kubo and polyhedra against walks and shapes whose answer is known.
#include <gmock/gmock.h>

#include <cmath>

#include "io/sample.hpp"
#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/transport/green_kubo.hpp"
#include "solion/transport/hops.hpp"
#include "solion/transport/mobile_view.hpp"
#include "solion/transport/polyhedra.hpp"
#include "solion/transport/van_hove.hpp"
#include "transport/synthetic.hpp"

namespace solion::transport {
namespace {

using testing::HasSubstr;

constexpr double a = 2.765;
constexpr int edge = 5;

/// A simple cubic lattice of Li sites with one O at the middle of each of the first cubes.
Frame lattice() {
  Frame frame;
  frame.cell = Cell::cubic(edge * a);
  for (int x = 0; x < edge; ++x)
    for (int y = 0; y < edge; ++y)
      for (int z = 0; z < edge; ++z) frame.add_atom("Li", Vec3(x, y, z) * a);
  for (int k = 0; k < 4; ++k) frame.add_atom("O", Vec3(k + 0.5, 0.5, 0.5) * a);
  return frame;
}

/// Walkers on that lattice; what they did is counted as they go.
struct Walkers {
  Frame frame;
  std::vector<Vec3> home;
  std::vector<int> last;
  std::size_t hops = 0, turns = 0, returned = 0;
  RandomStream random{7, "walkers"};

  explicit Walkers(int n) {
    frame.cell = Cell::cubic(edge * a);
    for (int i = 0; i < n; ++i) {
      const int row = i / edge, layer = row / edge;
      home.push_back(Vec3(i % edge, row % edge, layer) * a);
      frame.add_atom("Li", home.back());
    }
    for (int k = 0; k < 4; ++k) {
      home.push_back(Vec3(k + 0.5, 0.5, 0.5) * a);
      frame.add_atom("O", home.back());
    }
    last.assign(static_cast<std::size_t>(n), -1);
    frame.images.assign(frame.n_atoms(), Int3::Zero());
  }
  void step(double rate, double back, double vibration, const Vec3& drift) {
    for (std::size_t i = 0; i < last.size(); ++i) {
      if (!(random.uniform() < rate)) continue;
      int direction = static_cast<int>(random.below(6));
      if (last[i] >= 0 && random.uniform() < back) direction = last[i] ^ 1;
      home[i][direction / 2] += (direction % 2 == 0 ? 1 : -1) * a;
      ++hops;
      if (last[i] >= 0) {
        ++turns;
        returned += direction == (last[i] ^ 1) ? 1 : 0;
      }
      last[i] = direction;
    }
    for (std::size_t i = 0; i < home.size(); ++i) {
      home[i] += drift;
      frame.positions[i] = home[i] + vibration * Vec3(random.normal(), random.normal(), random.normal());
    }
  }
};

TEST(Hops, AreCountedAsTheyHappened) {
  Walkers walkers(40);
  HopAccumulator hops({.species = "Li", .framework = {}}, lattice(), 10.0);
  hops.add(walkers.frame, "frame 0");
  constexpr int frames = 3000;
  // A rigid drift of 3 Å over the run must make no hops. Vibration stays inside the core (1.1 Å, 6
  // deviations).
  for (int t = 1; t < frames; ++t) {
    walkers.step(0.01, 0.3, 0.15, Vec3(0.001, 0, 0));
    hops.add(walkers.frame, fmt::format("frame {}", t));
  }
  const HopStatistics s = hops.statistics();
  EXPECT_EQ(s.n_sites, 125U);
  EXPECT_EQ(s.n_hops, walkers.hops);
  EXPECT_NEAR(s.site_distance_A, a, 1e-9);
  EXPECT_NEAR(s.rate_per_ps, static_cast<double>(walkers.hops) / 40 / (s.time_fs * 1e-3), 1e-9);
  EXPECT_NEAR(s.returned, static_cast<double>(walkers.returned) / static_cast<double>(walkers.turns), 1e-9);
  EXPECT_NEAR(s.mean_cosine, -0.3, 4 / std::sqrt(static_cast<double>(walkers.turns)));
  EXPECT_NEAR(s.correlation_factor, 0.7 / 1.3, 0.06);
  // Stays that end within the run are shorter than 1/rate = 1 ps on the mean by about (1/rate)²/time.
  EXPECT_NEAR(s.residence_ps, 1.0, 0.15);
  EXPECT_EQ(s.hops_by_length_dA.size(), 1U);
  EXPECT_NEAR(s.D_uncorrelated_cm2_per_s,
              s.rate_per_ps * 1e-3 * a * a / 6 * constants::A2_per_fs_in_cm2_per_s,
              1e-9 * s.D_uncorrelated_cm2_per_s);
  double occupied = 0;
  for (const double o : s.occupancy) occupied += o;
  EXPECT_NEAR(occupied, 40, 1e-9);
  EXPECT_GE(s.empty_sites, 85);  // 125 sites, 40 ions that may share
  EXPECT_NEAR(s.empty_sites + 40, 125 + s.shared_sites, 2);
}

TEST(Hops, ThatFollowEachOtherAreInConcert) {
  // Two ions in a row: the second moves into the site that the first left in the same frame.
  Walkers walkers(2);
  walkers.home[0] = Vec3(0, 0, 0);
  walkers.home[1] = Vec3(a, 0, 0);
  HopAccumulator hops({.species = "Li", .framework = {}, .core_share = 0.4, .concert_fs = 20}, lattice(),
                      10.0);
  for (int t = 0; t < 60; ++t) {
    if (t == 10)
      for (int i : {0, 1}) walkers.home[static_cast<std::size_t>(i)][0] += a;  // together
    if (t == 40) walkers.home[0][1] += a;                                      // alone
    walkers.step(0, 0, 0.05, Vec3::Zero());
    hops.add(walkers.frame, "frame");
  }
  const HopStatistics s = hops.statistics();
  EXPECT_EQ(s.n_hops, 3U);
  EXPECT_NEAR(s.concerted, 2.0 / 3, 1e-12);
}

TEST(Hops, RefuseSitesOfAnotherCrystal) {
  Frame other = lattice();
  for (Vec3& r : other.positions) r += 0.5 * a * Vec3::Ones();
  HopAccumulator hops({.species = "Li", .framework = {}}, other, 10.0);
  try {
    hops.add(Walkers(10).frame, "frame 1");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("from every site"));
  }
  EXPECT_THROW(HopAccumulator({.species = "Na", .framework = {}}, lattice(), 10.0), InputError);
  HopAccumulator melt({.species = "Li", .framework = {}, .maybe_molten = true}, other, 10.0);
  Walkers walkers(10);
  for (int t = 0; t < 5; ++t) melt.add(walkers.frame, "frame");
  EXPECT_GT(melt.statistics().between_sites, 0.5);
}

TEST(VanHove, OfAGaussianWalkIsMaxwellian) {
  RandomStream random(3, "van hove");
  Frame frame;
  frame.cell = Cell::cubic(20);
  for (int i = 0; i < 60; ++i)
    frame.add_atom(i < 50 ? "Li" : "O", 20 * Vec3(random.uniform(), random.uniform(), random.uniform()));
  frame.images.assign(frame.n_atoms(), Int3::Zero());
  VanHoveAccumulator van_hove(
      {.species = "Li", .framework = {}, .times_fs = {0, 10, 30}, .r_max_A = 8, .bin_A = 0.1}, 1.0);
  constexpr double step = 0.2;
  for (int t = 0; t < 600; ++t) {
    van_hove.add(frame, "frame");
    for (std::size_t i = 0; i < 50; ++i)
      frame.positions[i] += step * Vec3(random.normal(), random.normal(), random.normal());
    frame.positions[55][0] += 1e-9;
  }
  const auto curves = van_hove.curves();
  ASSERT_EQ(curves.size(), 3U);
  EXPECT_NEAR(curves[0].self[0] * 0.1, 1.0, 1e-9);  // at time 0 nobody has moved
  const double s2 = 10 * step * step;
  EXPECT_NEAR(curves[1].time_fs, 10, 1e-9);
  EXPECT_NEAR(curves[1].msd_A2, 3 * s2, 0.05 * 3 * s2);
  EXPECT_NEAR(curves[1].non_gaussian, 0, 0.05);
  double total = 0;
  for (std::size_t k = 0; k < curves[1].r_A.size(); ++k) {
    const double r = curves[1].r_A[k];
    const double maxwell =
        std::sqrt(2 / constants::pi) * r * r / std::pow(s2, 1.5) * std::exp(-r * r / (2 * s2));
    EXPECT_NEAR(curves[1].self[k], maxwell, 0.06);
    total += curves[1].self[k] * 0.1;
  }
  EXPECT_NEAR(total, 1, 1e-9);
  for (const auto& c : curves) {  // ions that know nothing of each other
    double inner = 0, shells = 0;
    for (std::size_t k = 0; k < c.r_A.size(); ++k) {
      inner += c.distinct[k] * c.r_A[k] * c.r_A[k];
      shells += c.r_A[k] * c.r_A[k];
    }
    EXPECT_NEAR(inner / shells, 1, 0.1);
  }
}

TEST(MobileView, WarnsOfAFrameworkThatComesApart) {
  const auto said = [](double step_A, const std::vector<std::string>& framework) {
    const io::LogCapture messages;
    MobileView view("Li", framework);
    Frame frame;
    frame.cell = Cell::cubic(12);
    frame.add_atom("Li", Vec3(1, 1, 1));
    for (int i = 0; i < 4; ++i) frame.add_atom("O", Vec3(2 * i, 6, 6));
    for (int i = 0; i < 4; ++i) frame.add_atom("Na", Vec3(2 * i, 9, 9));
    for (int t = 0; t < 200; ++t) {
      view.add(frame, fmt::format("frame {}", t));
      for (std::size_t i = 0; i < frame.n_atoms(); ++i)  // all drift, one sodium walks
        frame.positions[i][0] += 0.03 + (i == 5 ? step_A : 0) + (t % 2 == 0 ? 0.01 : -0.01);
    }
    return messages.text();
  };
  const std::string warning =
      "Na and O of the framework, whose mean displacement is taken off as drift, have moved 1.0 Å apart";
  EXPECT_THAT(said(0.05, {}), HasSubstr("frame 81: " + warning));
  EXPECT_EQ(said(0.05, {"O"}), "");
  EXPECT_EQ(said(0, {}), "");
}

TEST(VanHove, TakesTheTimesThatAreAsked) {
  // Everything moves on by 0.01 Å a frame, but for the framework.
  const auto van_hove = [](const std::vector<double>& times_fs, int frames) {
    VanHoveAccumulator made({.species = "Li",
                             .framework = {},
                             .times_fs = times_fs,
                             .r_max_A = 8,
                             .bin_A = 0.5,
                             .distinct = false},
                            2.0);
    Frame frame;
    frame.cell = Cell::cubic(12);
    frame.add_atom("Li", Vec3(1, 1, 1));
    for (int i = 0; i < 4; ++i) frame.add_atom("O", Vec3(2 * i, 6, 6));
    frame.images.assign(frame.n_atoms(), Int3::Zero());
    for (int t = 0; t < frames; ++t, frame.positions[0][0] += 0.01)
      made.add(frame, fmt::format("frame {}", t));
    return made.curves();
  };
  for (const auto& curve :
       van_hove({2, 34, 46, 142, 398}, 200)) {  // primes as numbers of frames, and the last
    EXPECT_NEAR(curve.msd_A2, std::pow(0.01 * curve.time_fs / 2, 2), 1e-9);
    EXPECT_GE(curve.n_origins, 1U);
  }
  EXPECT_NEAR(van_hove({398}, 200)[0].time_fs, 398, 1e-9);
  EXPECT_NEAR(van_hove({34}, 18)[0].time_fs, 34, 1e-9);  // 17 intervals
  EXPECT_THROW(van_hove({36}, 18), InputError);
  EXPECT_THROW(van_hove({0.9}, 18), InputError);
}

TEST(Framework, HasNoNameThatNoAtomHas) {
  VanHoveAccumulator van_hove(
      {.species = "Li", .framework = {"O", "Cll"}, .times_fs = {0}, .r_max_A = 8, .bin_A = 0.5}, 1.0);
  GreenKuboAccumulator green_kubo({.species = "Li", .framework = {"O", "Cll"}, .length_fs = 2}, 1.0);
  Frame frame = lattice();
  frame.velocities.assign(frame.n_atoms(), Vec3::Zero());
  const auto message = [&](auto& of) -> std::string {
    try {
      of.add(frame, "frame 1");
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message(van_hove), HasSubstr("frame 1: no atom is of species 'Cll' (framework)"));
  EXPECT_THAT(message(green_kubo), HasSubstr("frame 1: no atom is of species 'Cll' (framework)"));
}

TEST(VanHove, SaysNothingOfPairsBeyondHalfTheCell) {
  RandomStream random(9, "van hove, small cell");
  VanHoveAccumulator van_hove({.species = "Li", .framework = {}, .times_fs = {0}, .r_max_A = 8, .bin_A = 0.5},
                              1.0);
  for (int t = 0; t < 200; ++t) {
    Frame frame;
    frame.cell = Cell::cubic(8);
    frame.add_atom("O", Vec3::Zero());
    for (int i = 0; i < 30; ++i)
      frame.add_atom("Li", 8 * Vec3(random.uniform(), random.uniform(), random.uniform()));
    frame.images.assign(frame.n_atoms(), Int3::Zero());
    van_hove.add(frame, "frame");
  }
  const auto curves = van_hove.curves();
  for (std::size_t k = 0; k < curves[0].r_A.size(); ++k) {
    if (curves[0].r_A[k] > 4) {
      EXPECT_TRUE(std::isnan(curves[0].distinct[k])) << curves[0].r_A[k];
    } else if (curves[0].r_A[k] > 1) {
      EXPECT_NEAR(curves[0].distinct[k], 1, 0.1) << curves[0].r_A[k];
    }
  }
}

TEST(GreenKubo, GivesTheDOfAnOrnsteinUhlenbeckProcess) {
  // dv = −v/τ dt + noise with ⟨v²⟩ = σ² a component: D = σ²τ.
  RandomStream random(5, "green kubo");
  constexpr double tau = 20, sigma = 0.01;
  Frame frame;
  frame.cell = Cell::cubic(20);
  for (int i = 0; i < 24; ++i) {
    const int row = i / 5;
    frame.add_atom(i < 20 ? "Li" : "O", Vec3(i % 5, row, 0) * 3.0);
  }
  frame.velocities.assign(24, Vec3::Zero());
  GreenKuboAccumulator green_kubo({.species = "Li", .framework = {}, .length_fs = 150}, 1.0);
  const double keep = std::exp(-1 / tau), kick = sigma * std::sqrt(1 - keep * keep);
  for (std::size_t i = 0; i < 20; ++i)
    frame.velocities[i] = sigma * Vec3(random.normal(), random.normal(), random.normal());
  for (int t = 0; t < 12000; ++t) {
    green_kubo.add(frame, "frame");
    for (std::size_t i = 0; i < 20; ++i)
      frame.velocities[i] =
          keep * frame.velocities[i] + kick * Vec3(random.normal(), random.normal(), random.normal());
  }
  const GreenKubo g = green_kubo.result();
  const double D = sigma * sigma * tau * constants::A2_per_fs_in_cm2_per_s;
  EXPECT_NEAR(g.vacf_A2_per_fs2.front(), 3 * sigma * sigma, 0.05 * 3 * sigma * sigma);
  EXPECT_NEAR(g.tracer.back(), D, 4 * g.tracer_std.back());
  EXPECT_LT(g.tracer_std.back(), 0.1 * D);
  EXPECT_NEAR(g.collective.back(), D, 4 * g.collective_std.back());  // independent ions: Haven ratio 1
  EXPECT_GE(g.n_blocks, 8U);
  Frame still = frame;
  still.velocities.clear();
  GreenKuboAccumulator none({.species = "Li", .framework = {}, .length_fs = 150}, 1.0);
  EXPECT_THROW(none.add(still, "frame"), InputError);
}

TEST(GreenKubo, LooksAtStepsAndTakesTheMeanOfAllWhereAsked) {
  Frame frame;
  frame.cell = Cell::cubic(20);
  for (int i = 0; i < 4; ++i) frame.add_atom("Li", Vec3(3 * i, 0, 0));
  frame.velocities = {Vec3(0.01, 0, 0), Vec3(0.02, 0, 0), Vec3(0.03, 0, 0), Vec3(0.06, 0, 0)};  // 974 K
  GreenKuboAccumulator refused({.species = "Li", .framework = {}, .length_fs = 2}, 1.0);
  EXPECT_THROW(refused.add(frame, "frame"), InputError);
  GreenKuboAccumulator own({.species = "Li", .framework = {"Li"}, .length_fs = 2}, 1.0);
  for (int t = 0; t < 12; ++t) {
    frame.info["step"] = std::to_string(5 * t);
    own.add(frame, "frame");
  }
  EXPECT_NEAR(own.result().vacf_A2_per_fs2.front(), (4 + 1 + 0 + 9) * 1e-4 / 4.0, 1e-12);
  EXPECT_NEAR(own.result().collective.back(), 0, 1e-12);
  frame.info["step"] = "70";  // two intervals after the last
  EXPECT_THROW(own.add(frame, "frame"), InputError);
}

TEST(Polyhedra, OfOctahedraWithKnownDistortion) {
  // One O in a 12 Å box with six Li at 1.9 Å, one pair stretched by x.
  constexpr double d = 1.9, x = 0.1;
  Frame frame;
  frame.cell = Cell::cubic(12);
  frame.add_atom("O", Vec3(6, 6, 6));
  for (int k = 0; k < 3; ++k)
    for (const double sign : {-1.0, 1.0}) {
      Vec3 r(6, 6, 6);
      r[k] += sign * (k == 0 ? d + x : d);
      frame.add_atom("Li", r);
    }
  PolyhedraAccumulator octahedra({.centre = "O", .ligand = "Li", .cutoff_A = 2.5});
  octahedra.add(frame, "frame");
  PolyhedraCensus c = octahedra.census();
  const double mean = d + x / 3;
  EXPECT_NEAR(c.distortion_index, (2 * std::pow(x - x / 3, 2) + 4 * std::pow(x / 3, 2)) / 6 / (mean * mean),
              1e-12);
  EXPECT_NEAR(c.angle_variance_deg2, 0, 1e-9);
  EXPECT_NEAR(c.share.at(6), 1, 1e-12);
  // One ligand bent by 10 degrees: four of the 12 cis angles change, two of them to 80 and 100.
  frame.positions[1] =
      Vec3(6, 6, 6) + (d + x) * Vec3(-std::cos(constants::pi / 18), std::sin(constants::pi / 18), 0);
  PolyhedraAccumulator bent({.centre = "O", .ligand = "Li", .cutoff_A = 2.5});
  bent.add(frame, "frame");
  EXPECT_NEAR(bent.census().angle_variance_deg2, 200.0 / 11, 1e-6);
  // Two ligands far away: four-fold, no octahedron.
  frame.positions[1][0] = frame.positions[2][0] = 1;
  PolyhedraAccumulator broken({.centre = "O", .ligand = "Li", .cutoff_A = 2.5});
  broken.add(frame, "frame");
  c = broken.census();
  EXPECT_NEAR(c.share.at(4), 1, 1e-12);
  EXPECT_NEAR(c.under_coordinated, 1, 1e-12);
  EXPECT_EQ(c.n_octahedra, 0U);
  EXPECT_TRUE(std::isnan(c.distortion_index));
  EXPECT_TRUE(std::isnan(c.under_coordinated_std)) << "one frame tells no error";
}

TEST(Polyhedra, TetrahedraAreWholeWithFour) {
  constexpr double d = 2.05;
  Frame frame;
  frame.cell = Cell::cubic(12);
  frame.add_atom("P", Vec3(6, 6, 6));
  for (const Vec3& arm : {Vec3(1, 1, 1), Vec3(1, -1, -1), Vec3(-1, 1, -1), Vec3(-1, -1, 1)})
    frame.add_atom("S", Vec3(6, 6, 6) + d / std::sqrt(3.0) * arm);
  PolyhedraAccumulator whole({.centre = "P", .ligand = "S", .cutoff_A = 2.5, .full = 4});
  whole.add(frame, "frame");
  PolyhedraCensus c = whole.census();
  EXPECT_NEAR(c.six_fold, 1, 1e-12);
  EXPECT_EQ(c.under_coordinated, 0);
  EXPECT_NEAR(c.distortion_index, 0, 1e-15);
  EXPECT_NEAR(c.angle_variance_deg2, 0, 1e-9);
  // In every other frame one ligand has gone: 3 of 4 with it missing, shares of 0.5 ± their scatter.
  Frame broken = frame;
  broken.positions[1] = Vec3(1, 1, 1);
  PolyhedraAccumulator mixed({.centre = "P", .ligand = "S", .cutoff_A = 2.5, .full = 4});
  for (int k = 0; k < 10; ++k) mixed.add(k % 2 == 0 ? frame : broken, "frame");
  c = mixed.census();
  EXPECT_NEAR(c.under_coordinated, 0.5, 1e-12);
  EXPECT_NEAR(c.under_coordinated_std, std::sqrt(0.25 / 9), 1e-12);
  EXPECT_EQ(c.broken, 0);
  // A frame without ligands has no polyhedra, whatever its type map says.
  Frame bare;
  bare.cell = Cell::cubic(12);
  bare.type_map = frame.type_map;
  bare.add_atom("P", Vec3(6, 6, 6));
  EXPECT_THROW(mixed.add(bare, "frame"), InputError);
}

}  // namespace
}  // namespace solion::transport
