// Files whose coordinates are not what they seem: wrapped without a cell, atoms renumbered; and honest ones.
#include "solion/transport/unwrap.hpp"

#include <gmock/gmock.h>

#include <Eigen/Geometry>
#include <cmath>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "transport/synthetic.hpp"

namespace solion::transport {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing_tools::LatticeWalk;
using testing_tools::WalkOptions;

constexpr double edge_A = 16.59;

/// Li and O of a crystal, unwrapped.
std::vector<Frame> walk_frames(double jumps_per_frame, int n, std::uint64_t seed, double drift_A = 0) {
  WalkOptions o;
  o.n_ions = 30;
  o.n_framework = 60;
  o.jumps_per_frame = jumps_per_frame;
  o.box_sites = 6;
  o.cell_A = edge_A;
  o.drift_A = drift_A;
  LatticeWalk walk(o, seed);
  std::vector<Frame> frames(static_cast<std::size_t>(n));
  for (Frame& frame : frames) {
    frame = walk.next();
    frame.images.assign(frame.n_atoms(), Int3::Zero());
  }
  return frames;
}

std::vector<Frame> without_cell(std::vector<Frame> frames, bool wrapped) {
  for (Frame& frame : frames) {
    if (wrapped)
      for (Vec3& r : frame.positions) r -= edge_A * (r / edge_A).array().floor().matrix();
    frame.cell.reset();
    frame.images.clear();
  }
  return frames;
}

std::string refusal(const std::vector<Frame>& frames) {
  Unwrapper unwrapper;
  try {
    for (std::size_t t = 0; t < frames.size(); ++t) unwrapper.next(frames[t], fmt::format("frame {}", t));
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Unwrap, RefusesWrappedCoordinatesWithoutACell) {
  for (const double rate : {0.0, 0.01, 0.1, 0.5, 2.0}) {
    for (const double drift : {0.0, 0.05}) {
      for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        const auto frames = walk_frames(rate, 100, seed, drift);
        EXPECT_EQ(refusal(without_cell(frames, false)), "accepted") << rate << " " << drift;
        EXPECT_THAT(refusal(without_cell(frames, true)), HasSubstr("look wrapped; give the cell"))
            << rate << " " << drift;
      }
    }
  }
}

TEST(Unwrap, TakesFarStepsOfFramesWithoutACell) {
  // Few ions in a small framework, frames so far apart that each step is of the size of the crystal.
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RandomStream random(seed, "far apart");
    std::vector<Frame> frames(200);
    std::vector<Vec3> at;
    for (int i = 0; i < 20; ++i) at.push_back(8 * Vec3(random.uniform(), random.uniform(), random.uniform()));
    for (Frame& frame : frames) {
      for (std::size_t i = 0; i < at.size(); ++i) {
        const Vec3 step(random.normal(), random.normal(), random.normal());
        if (i < 8) at[i] += 5 * step;
        frame.add_atom(i < 8 ? "Li" : "O", i < 8 ? at[i] : Vec3(at[i] + 0.1 * step));
      }
    }
    EXPECT_EQ(refusal(frames), "accepted") << seed;
  }
}

TEST(Unwrap, TakesAMoleculeThatTurns) {
  for (const double turn : {0.02, 0.5, 2.5}) {
    for (const double radius_A : {1.0, 3.0, 7.0}) {
      RandomStream random(3, "molecule");
      std::vector<Vec3> shape(30);
      for (Vec3& r : shape)
        r = radius_A * Vec3(random.normal(), random.normal(), random.normal()).normalized();
      std::vector<Frame> frames(300);
      for (std::size_t t = 0; t < frames.size(); ++t) {
        const Eigen::AngleAxisd rotation(turn * static_cast<double>(t), Vec3(1, 2, 3).normalized());
        for (const Vec3& r : shape)
          frames[t].add_atom("C", Vec3(rotation * r + 0.02 * Vec3(random.normal(), random.normal(), 0)));
      }
      EXPECT_EQ(refusal(frames), "accepted") << turn << " " << radius_A;
    }
  }
}

/// From a frame on each atom of the cycle stands where the next one was to stand.
std::vector<Frame> renumbered(std::vector<Frame> frames, const std::vector<std::size_t>& cycle,
                              std::size_t from = 50) {
  for (std::size_t t = from; t < frames.size(); ++t) {
    const std::vector<Vec3> r = frames[t].positions;
    for (std::size_t i = 0; i < cycle.size(); ++i)
      frames[t].positions[cycle[i]] = r[cycle[(i + 1) % cycle.size()]];
  }
  return frames;
}

TEST(Unwrap, RefusesIonsThatTakeEachOthersPlaces) {
  std::vector<std::size_t> all(30);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  for (const double rate : {0.0, 0.05, 0.5}) {
    const auto frames = walk_frames(rate, 100, 11);
    EXPECT_EQ(refusal(frames), "accepted");
    EXPECT_THAT(refusal(renumbered(frames, all)), AllOf(HasSubstr("frame 50"), HasSubstr("renumbered")));
    if (rate > 0.1) continue;  // where ions hop in the same step, they do not stand where another one stood
    std::size_t other = 1;
    for (std::size_t i = 1; i < 30; ++i)
      if ((frames[49].positions[i] - frames[49].positions[0]).norm() >
          (frames[49].positions[other] - frames[49].positions[0]).norm())
        other = i;
    EXPECT_THAT(refusal(renumbered(frames, {0, other})),
                AllOf(HasSubstr("frame 50: 2 Li (atom 1 …) took each other's places")))
        << rate;
  }
}

TEST(Unwrap, RefusesIonsThatTookEachOthersPlacesAtTheStart) {
  std::vector<std::size_t> all(30);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  for (const double rate : {0.0, 0.05}) {
    for (const std::size_t from : {1U, 2U, 5U, 9U, 10U}) {
      const auto frames = walk_frames(rate, 60, 21);
      EXPECT_EQ(refusal(frames), "accepted");
      EXPECT_THAT(refusal(renumbered(frames, all, from)),
                  AllOf(HasSubstr(fmt::format("frame {}: ", from)), HasSubstr("renumbered")))
          << rate;
    }
  }
}

TEST(Unwrap, TakesAStartThatRelaxes) {
  // All ions leave the places that they were put on, by 1.5 Å, before the second frame.
  auto frames = walk_frames(0, 60, 22);
  for (std::size_t i = 0; i < 30; ++i) {
    RandomStream random(i, "relaxation");
    frames[0].positions[i] += 1.5 * Vec3(random.normal(), random.normal(), random.normal()).normalized();
  }
  EXPECT_EQ(refusal(frames), "accepted");
}

/// 60 Li that hop a hundredth of the time.
std::vector<Frame> many_ions(int n, std::uint64_t seed) {
  WalkOptions o;
  o.n_ions = 60;
  o.n_framework = 30;
  o.jumps_per_frame = 0.01;
  LatticeWalk walk(o, seed);
  std::vector<Frame> frames(static_cast<std::size_t>(n));
  for (Frame& frame : frames) {
    frame = walk.next();
    frame.images.assign(frame.n_atoms(), Int3::Zero());
  }
  return frames;
}

TEST(Unwrap, RefusesABlockOfMissingFrames) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    for (const std::ptrdiff_t at : {6, 100}) {
      auto frames = many_ions(400, seed);
      EXPECT_EQ(refusal(frames), "accepted") << seed;
      frames.erase(frames.begin() + at, frames.begin() + at + 100);
      EXPECT_THAT(refusal(frames), AllOf(HasSubstr(fmt::format("frame {}: ", at)), HasSubstr("missing")))
          << seed;
    }
  }
}

TEST(Unwrap, TakesIonsThatBeginToMoveAndGoOn) {
  for (const std::size_t from : {9U, 10U, 60U}) {
    RandomStream random(from, "melting");
    auto frames = walk_frames(0, 120, 23);
    std::vector<Vec3> moved(30, Vec3::Zero());
    for (std::size_t t = from; t < frames.size(); ++t) {
      for (std::size_t i = 0; i < 30; ++i) {
        moved[i] += 0.65 * Vec3(random.normal(), random.normal(), random.normal());
        frames[t].positions[i] += moved[i];
      }
    }
    EXPECT_EQ(refusal(frames), "accepted") << from;
  }
}

/// 12 ions on 3×3×3 sites 2.5 Å apart, wrapped, without image flags.
std::vector<Frame> small_cell(double hops_per_frame, int n, std::uint64_t seed) {
  constexpr double hop_A = 2.5;
  RandomStream random(seed, "small cell");
  std::vector<Vec3> home;
  for (int i = 0; i < 20; ++i) home.push_back(hop_A * Vec3(i % 3, i / 3 % 3, i / 9));
  std::vector<Frame> frames(static_cast<std::size_t>(n));
  for (Frame& frame : frames) {
    frame.cell = Cell::cubic(3 * hop_A);
    for (std::size_t i = 0; i < home.size(); ++i) {
      const bool ion = i < 12;
      for (double t = 0; ion && (t -= std::log1p(-random.uniform()) / hops_per_frame) < 1;)
        home[i][static_cast<Eigen::Index>(random.below(3))] += random.uniform() < 0.5 ? hop_A : -hop_A;
      frame.add_atom(ion ? "Li" : "O",
                     home[i] + 0.05 * Vec3(random.normal(), random.normal(), random.normal()));
    }
    wrap(frame);
    frame.images.clear();
  }
  return frames;
}

TEST(Unwrap, RefusesHopsOfWhichSomeWentBeyondHalfTheCell) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    EXPECT_THAT(refusal(small_cell(0.6, 600, seed)), HasSubstr("beyond half the cell")) << seed;
    for (const double rate : {0.01, 0.05, 0.1})
      EXPECT_EQ(refusal(small_cell(rate, 600, seed)), "accepted") << rate << " " << seed;
  }
}

TEST(Unwrap, SaysThatACellWasFlipped) {
  Mat3 h, turn = Mat3::Identity();
  h << 20, 0, 0, 9.9, 18, 0, 0, 1, 19;
  turn(1, 0) = -1;
  auto frames = walk_frames(0.02, 60, 24);
  for (std::size_t t = 0; t < frames.size(); ++t) frames[t].cell = Cell(t < 30 ? h : Mat3(turn * h));
  EXPECT_THAT(refusal(frames), HasSubstr("frame 30: the cell was flipped"));
  EXPECT_FALSE(cell_flip(h, h));
  EXPECT_FALSE(cell_flip(h, 1.05 * h));
  EXPECT_FALSE(cell_flip(h, Vec3(2, 1, 1).asDiagonal() * h));  // another lattice
  const auto flip = cell_flip(h, 1.01 * turn * h);
  ASSERT_TRUE(flip);
  EXPECT_EQ(*flip, turn);
}

TEST(Unwrap, TakesChainsOfIonsThatFollowEachOther) {
  // Ions at rest until, in one frame, five in a row move on by one site, and a pair changes places.
  auto frames = walk_frames(0, 100, 12);
  for (auto& frame : frames)
    for (std::size_t i = 0; i < 5; ++i)
      frame.positions[i] = Vec3(2.765 * static_cast<double>(i), 40, 40) + 0.1 * frame.positions[i] / edge_A;
  for (std::size_t t = 50; t < frames.size(); ++t)
    for (std::size_t i = 0; i < 5; ++i) frames[t].positions[i][0] += 2.765;
  for (std::size_t t = 70; t < frames.size(); ++t) std::swap(frames[t].positions[2], frames[t].positions[3]);
  EXPECT_EQ(refusal(frames), "accepted");
}

/// Ions on a full lattice but for some vacancies, hopping so often a frame that most stand where another one
/// stood.
std::vector<Frame> crowd(double hops_per_frame, int n_frames, std::uint64_t seed) {
  constexpr int edge = 5;
  constexpr double a = 2.765;
  RandomStream random(seed, "crowd");
  std::vector<int> ion_at(edge * edge * edge, -1);
  std::vector<Vec3> home;
  for (std::size_t s = 0; s < ion_at.size(); ++s) {
    const int site = static_cast<int>(s), x = site % edge, y = site / edge % edge, z = site / edge / edge;
    if (site % 6 == 0) continue;  // vacant
    ion_at[s] = static_cast<int>(home.size());
    home.emplace_back(a * Vec3(x, y, z));
  }
  const std::size_t n_ions = home.size();
  for (int i = 0; i < 20; ++i) home.emplace_back(a * Vec3(i % edge + 0.5, i / edge + 0.5, 0.5));
  std::vector<Frame> frames(static_cast<std::size_t>(n_frames));
  for (Frame& frame : frames) {
    for (double t = 0; t < hops_per_frame; t += 1) {
      const std::size_t from = random.below(ion_at.size());
      int at[3] = {static_cast<int>(from) % edge, static_cast<int>(from) / edge % edge,
                   static_cast<int>(from) / edge / edge};
      const auto axis = random.below(3);
      const int way = random.uniform() < 0.5 ? 1 : -1;
      at[axis] = (at[axis] + way + edge) % edge;
      const auto to = static_cast<std::size_t>(at[0] + edge * (at[1] + edge * at[2]));
      if (ion_at[from] < 0 || ion_at[to] >= 0) continue;
      std::swap(ion_at[from], ion_at[to]);
      home[static_cast<std::size_t>(ion_at[to])][static_cast<Eigen::Index>(axis)] += way * a;
    }
    frame.cell = Cell::cubic(edge * a);
    for (std::size_t i = 0; i < home.size(); ++i)
      frame.add_atom(i < n_ions ? "Li" : "O",
                     home[i] + 0.15 * Vec3(random.normal(), random.normal(), random.normal()));
    frame.images.assign(frame.n_atoms(), Int3::Zero());
  }
  return frames;
}

TEST(Unwrap, TakesWalksWhateverTheirRate) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    for (const double rate : {1e-3, 0.02, 0.2, 1.0, 5.0})
      EXPECT_EQ(refusal(walk_frames(rate, 200, seed)), "accepted") << rate << " " << seed;
    for (const double hops : {1.0, 10.0, 100.0, 1000.0, 5000.0})
      EXPECT_EQ(refusal(crowd(hops, 150, seed)), "accepted") << hops << " " << seed;
  }
}

}  // namespace
}  // namespace solion::transport
