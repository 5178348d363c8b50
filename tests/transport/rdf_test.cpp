// g(r) of an ideal gas and of crystals whose shells are known, in cells of any shape and size.
#include "solion/transport/rdf.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"

namespace solion::transport {
namespace {

RdfCurve rdf_of(const std::vector<Frame>& frames, const std::string& pair, double r_max) {
  RdfAccumulator rdf({.pairs = {parse_pair(pair)}, .r_max_A = r_max, .bin_A = 0.05});
  for (const Frame& frame : frames) rdf.add(frame, "frame");
  return rdf.curves().front();
}

/// The primitive cell of an fcc crystal: one atom whose neighbours are all its own images.
Frame fcc(double a) {
  Mat3 h;
  h << 0, a / 2, a / 2, a / 2, 0, a / 2, a / 2, a / 2, 0;
  Frame frame;
  frame.cell = Cell(h);
  frame.add_atom("Ar", Vec3(0.3, 0.2, 0.1));
  return frame;
}

Frame li3ocl(double a) {
  Frame frame;
  frame.cell = Cell::cubic(a);
  frame.add_atom("Li", Vec3(a / 2, a / 2, 0));
  frame.add_atom("Li", Vec3(a / 2, 0, a / 2));
  frame.add_atom("Li", Vec3(0, a / 2, a / 2));
  frame.add_atom("O", Vec3(a / 2, a / 2, a / 2));
  frame.add_atom("Cl", Vec3(0, 0, 0));
  return frame;
}

TEST(Rdf, OfAnIdealGasIsOneInATriclinicCellThatChanges) {
  RandomStream random(2, "gas");
  std::vector<Frame> frames;
  for (int k = 0; k < 40; ++k) {
    Mat3 h;
    h << 12, 0, 0, 4, 11, 0, -3, 2, 10;
    h *= 1 + 0.1 * random.uniform();
    Frame frame;
    frame.cell = Cell(h);
    for (int i = 0; i < 300; ++i)
      frame.add_atom(i % 3 == 0 ? "O" : "Li",
                     frame.cell->to_cartesian(Vec3(random.uniform(), random.uniform(), random.uniform())));
    frames.push_back(frame);
  }
  for (const char* pair : {"Li-O", "Li-Li"}) {
    const RdfCurve curve = rdf_of(frames, pair, 9);
    double mean = 0, n = 0;
    for (std::size_t k = 0; k < curve.g.size(); ++k) {
      if (curve.r_A[k] < 2) continue;
      mean += curve.g[k];
      n += 1;
    }
    // About 4e6 pairs; own images come in from 10 Å on, so that Li-Li has (N − 1)/N.
    EXPECT_NEAR(mean / n, pair[3] == 'O' ? 1 : 1 - 1 / 200.0, 0.005) << pair;
    EXPECT_TRUE(std::isnan(curve.first_peak_A)) << pair;
  }
}

TEST(Rdf, OfAnFccCrystalHasTwelveNeighbours) {
  const double a = 5.26;
  const RdfCurve curve = rdf_of({fcc(a)}, "Ar-Ar", 2.2 * a);
  EXPECT_NEAR(curve.first_peak_A, a / std::sqrt(2.0), 0.05);
  EXPECT_DOUBLE_EQ(curve.first_coordination, 12);
  EXPECT_GT(curve.first_minimum_A, a / std::sqrt(2.0));
  EXPECT_LT(curve.first_minimum_A, a);
  const auto within = [&](double r) { return curve.coordination[static_cast<std::size_t>(r / 0.05)]; };
  EXPECT_DOUBLE_EQ(within(1.1 * a), 18);  // shells of 12, 6, 24, 12, 24, 8
  EXPECT_DOUBLE_EQ(within(1.3 * a), 42);
  EXPECT_DOUBLE_EQ(within(1.48 * a), 54);
}

TEST(Rdf, OfLi3OClHasItsOctahedra) {
  const std::vector<Frame> frames{repeat(li3ocl(3.91), {2, 2, 2})};
  EXPECT_NEAR(rdf_of(frames, "O-Li", 6).first_peak_A, 1.955, 0.05);
  EXPECT_DOUBLE_EQ(rdf_of(frames, "O-Li", 6).first_coordination, 6);
  EXPECT_DOUBLE_EQ(rdf_of(frames, "Li-O", 6).first_coordination, 2);
  EXPECT_DOUBLE_EQ(rdf_of(frames, "Cl-Li", 6).first_coordination, 12);
  EXPECT_DOUBLE_EQ(rdf_of(frames, "Li-Li", 6).first_coordination, 8);
  EXPECT_NEAR(rdf_of(frames, "Li-Li", 6).first_peak_A, 2.765, 0.05);
  // One cell, six pairs.
  EXPECT_DOUBLE_EQ(rdf_of({li3ocl(3.91)}, "O-Li", 6).first_coordination, 6);
  EXPECT_DOUBLE_EQ(rdf_of({li3ocl(3.91)}, "Li-O", 6).first_coordination, 2);
}

TEST(Rdf, AShellThatMayBeChanceIsNotReplacedByTheNext) {
  // Two O at 2.4 Å of one Li, and an ideal gas of O from 5 Å on: too few to be sure, too many to be passed
  // over.
  RandomStream random(4, "gas");
  Frame frame;
  frame.cell = Cell::cubic(16);
  const Vec3 centre(8, 8, 8);
  frame.add_atom("Li", centre);
  frame.add_atom("O", centre + Vec3(2.4, 0, 0));
  while (frame.n_atoms() < 150) {
    const Vec3 r(16 * random.uniform(), 16 * random.uniform(), 16 * random.uniform());
    if ((r - centre).norm() > 4.5) frame.add_atom("O", r);
  }
  const RdfCurve curve = rdf_of({frame}, "Li-O", 7);
  EXPECT_TRUE(std::isnan(curve.first_minimum_A)) << curve.first_peak_A;
}

TEST(Rdf, TakesPairsThatSomeoneElseCounted) {
  const RdfOptions options{.pairs = {{"O", "Li"}, {"Li", "Li"}}, .r_max_A = 5, .bin_A = 0.05};
  RdfAccumulator own(options), given(options);
  const Frame frame = li3ocl(3.91);
  own.add(frame, "frame");
  // Six Li at a/2 around O; eight at a/√2 around Li, and six at a.
  PairCounts counts{frame.type_map, {3, 1, 1}, frame.cell->volume(), 0.05, own.n_bins(), {}};
  counts.counts.resize(9 * static_cast<std::size_t>(counts.bins));
  const auto count = [&](int a, int b, double r, std::int64_t n) {
    counts.counts[static_cast<std::size_t>((3 * a + b) * counts.bins + static_cast<int>(r / 0.05))] += n;
  };
  count(1, 0, 3.91 / 2, 6);
  count(1, 0, 3.91 * std::sqrt(1.25), 24);
  count(0, 0, 3.91 / std::sqrt(2), 3 * 8);
  count(0, 0, 3.91, 3 * 6);
  count(0, 0, 3.91 * std::sqrt(1.5), 3 * 16);
  given.add(counts, "frame");
  for (std::size_t p = 0; p < 2; ++p) {
    EXPECT_EQ(given.curves()[p].g, own.curves()[p].g);
    EXPECT_EQ(given.curves()[p].coordination, own.curves()[p].coordination);
  }
  counts.bin_A = 0.1;
  EXPECT_THROW(given.add(counts, "frame"), InputError);
  EXPECT_EQ(given.n_frames(), 1);
}

TEST(Rdf, SaysWhatIsWrong) {
  const auto refused = [](const Frame& frame, const std::string& pair) -> std::string {
    try {
      rdf_of({frame}, pair, 5);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refused(li3ocl(3.91), "Li-Na"), testing::HasSubstr("'Na'; found Li3 O1 Cl1"));
  EXPECT_THAT(refused(li3ocl(3.91), "LiNa"), testing::HasSubstr("'LiNa' is no pair"));
  Frame open = li3ocl(3.91);
  open.cell.reset();
  EXPECT_THAT(refused(open, "Li-O"), testing::HasSubstr("no cell"));
  EXPECT_THROW(RdfAccumulator({.pairs = {}, .r_max_A = 5}), InputError);
  EXPECT_THROW(RdfAccumulator({.pairs = {{"Li", "O"}}, .r_max_A = 0}), InputError);
  EXPECT_THROW(RdfAccumulator({.pairs = {{"Li", "O"}}, .r_max_A = 1e-9}), InputError);
  EXPECT_THROW(RdfAccumulator({.pairs = {{"Li", "O"}}, .r_max_A = 8, .bin_A = 100}), InputError);
  EXPECT_THROW(RdfAccumulator({.pairs = {{"Li", "O"}}, .r_max_A = 8, .bin_A = 1}), InputError);
  EXPECT_THROW(RdfAccumulator({.pairs = {{"Li", "O"}}}).curves(), InputError);
}

}  // namespace
}  // namespace solion::transport
