// Trajectories from files: times in other units, frames written twice, ids that change, cells that flip.
#include "solion/transport/read.hpp"

#include <gmock/gmock.h>

#include "io/sample.hpp"
#include "solion/base/errors.hpp"
#include "solion/io/formats.hpp"
#include "solion/transport/msd.hpp"
#include "transport/synthetic.hpp"

namespace solion::transport {
namespace {

using io::TemporaryDirectory;
using testing::AllOf;
using testing::HasSubstr;

ReadTrajectory trajectory(std::vector<std::filesystem::path> files, double interval_fs = 100) {
  ReadTrajectory what;
  what.files = std::move(files);
  if (interval_fs > 0) what.frame_interval_fs = interval_fs;
  return what;
}

std::size_t n_frames(const ReadTrajectory& what) {
  std::size_t n = 0;
  for_each_frame(what, [&](const Frame&, const std::string&, std::size_t) { ++n; });
  return n;
}

std::string refusal(const ReadTrajectory& what) {
  try {
    (void)n_frames(what);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

std::vector<Frame> walk_frames(int n, std::uint64_t seed) {
  testing_tools::LatticeWalk walk({}, seed);
  std::vector<Frame> frames(static_cast<std::size_t>(n));
  for (Frame& frame : frames) {
    frame = walk.next();
    frame.images.assign(frame.n_atoms(), Int3::Zero());
  }
  return frames;
}

std::vector<Frame> slice(const std::vector<Frame>& frames, std::ptrdiff_t first, std::ptrdiff_t end) {
  return {frames.begin() + first, frames.begin() + end};
}

/// Five frames of a dump, 100 steps apart; `time_per_frame` in its own unit.
std::string dump(const std::string& start, double time_per_frame) {
  std::string text = start;
  for (int t = 0; t < 5; ++t)
    text += fmt::format(
        "ITEM: TIMESTEP\n{}\nITEM: TIME\n{}\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n0 4\n0 "
        "4\n0 4\nITEM: ATOMS id element x y z\n1 Li {} 0 0\n2 O 2 2 {}\n",
        100 * t, time_per_frame * t, 1 + 0.01 * t, 2 - 0.003 * t);
  return text;
}

double interval(const ReadTrajectory& what) {
  return for_each_frame(what, [](const Frame&, const std::string&, std::size_t) {});
}

TEST(ReadTrajectory, TimesOfADumpInUnitsRealAreNotTakenForPicoseconds) {
  const TemporaryDirectory dir;
  const auto real = dir.file("real.dump", dump("", 100));
  EXPECT_THAT(refusal(trajectory({real}, 0)),
              AllOf(HasSubstr("real.dump: frame 2: TIME grew by 100 in 100 steps"),
                    HasSubstr("in units real"), HasSubstr("--frame-interval-fs")));
  EXPECT_NEAR(interval(trajectory({real}, 100)), 100, 1e-9);
  ReadTrajectory order = trajectory({real}, 0);
  order.needs_time = false;
  EXPECT_EQ(refusal(order), "accepted");
  const auto metal = dir.file("metal.dump", dump("", 0.1));
  EXPECT_NEAR(interval(trajectory({metal}, 0)), 100, 1e-9);
  EXPECT_THAT(refusal(trajectory({metal}, 50)), HasSubstr("50 fs was given"));
  // Where the file says its units they hold, whatever it counts as steps.
  const auto stated = dir.file("stated.dump", dump("ITEM: UNITS\nmetal\n", 100));
  EXPECT_NEAR(interval(trajectory({stated}, 0)), 1e5, 1e-6);
}

TEST(ReadTrajectory, RefusesFramesThatWereThereBefore) {
  const TemporaryDirectory dir;
  const auto frames = walk_frames(60, 1);
  auto overlap = slice(frames, 0, 40);
  for (const Frame& frame : slice(frames, 20, 60)) overlap.push_back(frame);
  io::write_frames(dir / "all.xyz", overlap);
  EXPECT_THAT(refusal(trajectory({dir / "all.xyz"})),
              AllOf(HasSubstr("all.xyz: frame 41 is frame 21 again"), HasSubstr("cut the overlap out")));
  io::write_frames(dir / "a.xyz", slice(frames, 0, 40));
  io::write_frames(dir / "b.xyz", slice(frames, 20, 60));
  EXPECT_THAT(refusal(trajectory({dir / "a.xyz", dir / "b.xyz"})),
              AllOf(HasSubstr("b.xyz: frame 1 is frame 21 of "), HasSubstr("a.xyz again")));
  io::write_frames(dir / "c.xyz", slice(frames, 39, 60));
  EXPECT_EQ(n_frames(trajectory({dir / "a.xyz", dir / "c.xyz"})), 60U);  // a frame that is shared
  ReadTrajectory structures = trajectory({dir / "all.xyz"});
  structures.needs_time = false;
  EXPECT_EQ(n_frames(structures), 80U);
}

TEST(ReadTrajectory, RefusesCopiesAsReplicas) {
  const TemporaryDirectory dir;
  const auto frames = walk_frames(60, 1);
  io::write_frames(dir / "a.xyz", frames);
  io::write_frames(dir / "b.xyz", frames);
  ReadTrajectory runs = trajectory({dir / "a.xyz", dir / "b.xyz"});
  runs.replicas = true;
  EXPECT_THAT(refusal(runs), AllOf(HasSubstr("b.xyz: frame 2 is frame 2 of "), HasSubstr("not copies")));
  auto others = walk_frames(60, 2);
  others[0] = frames[0];  // the same start
  io::write_frames(dir / "c.xyz", others);
  runs.files[1] = dir / "c.xyz";
  EXPECT_EQ(n_frames(runs), 120U);
}

TEST(ReadTrajectory, TakesWalkersOnALatticeAndFrozenAtoms) {
  const TemporaryDirectory dir;
  std::vector<Frame> frames = slice(walk_frames(1, 3), 0, 1);
  frames.resize(50, frames[0]);
  io::write_frames(dir / "frozen.xyz", frames);
  EXPECT_EQ(n_frames(trajectory({dir / "frozen.xyz"})), 50U);
  for (std::size_t t = 0; t < frames.size(); ++t)  // to and fro between two sites
    frames[t].positions[0] = Vec3(2.765 * static_cast<double>(t / 3 % 2), 0, 0);
  io::write_frames(dir / "lattice.xyz", frames);
  EXPECT_EQ(n_frames(trajectory({dir / "lattice.xyz"})), 50U);
}

TEST(ReadTrajectory, RefusesOtherIds) {
  const TemporaryDirectory dir;
  std::string text = dump("", 0.1);
  const std::size_t third = text.find("ITEM: TIMESTEP\n200\n");
  for (auto at = text.find("\n1 Li", third); at != std::string::npos; at = text.find("\n1 Li", at + 1))
    text.replace(at, 2, "\n101");
  const auto path = dir.file("a.dump", text);
  EXPECT_THAT(refusal(trajectory({path}, 0)),
              HasSubstr("a.dump: frame 3: atom id 1 is gone, id 101 is new since the first frame"));
  ReadTrajectory rest = trajectory({path}, 0);
  rest.skip_frames = 2;  // the same ids in all that is left
  EXPECT_EQ(n_frames(rest), 3U);
}

std::vector<double> msd_of(const std::filesystem::path& path) {
  MsdAccumulator msd({.framework = {}, .mobile = {"Li"}, .remove_drift = true, .unwrap = {}});
  for_each_frame(trajectory({path}),
                 [&](const Frame& frame, const std::string& where, std::size_t) { msd.add(frame, where); });
  return msd.curve("Li", 100).msd_A2;
}

TEST(ReadTrajectory, GoesOnWhereACellIsFlipped) {
  const TemporaryDirectory dir;
  Mat3 h, turn = Mat3::Identity();
  h << 20, 0, 0, 9.9, 18, 0, -4, 1, 19;
  turn(1, 0) = -1;
  turn(2, 0) = 1;
  for (const bool images : {true, false}) {
    std::vector<Frame> whole = walk_frames(80, 4), flipped = whole;
    for (std::size_t t = 0; t < whole.size(); ++t) {
      whole[t].cell = Cell(h);
      flipped[t].cell = Cell(t < 30 || t > 60 ? h : Mat3(turn * h));
      for (Frame* frame : {&whole[t], &flipped[t]}) {
        wrap(*frame);
        if (!images) frame->images.clear();
      }
    }
    io::write_frames(dir / "whole.xyz", whole);
    io::write_frames(dir / "flipped.xyz", flipped);
    const auto expected = msd_of(dir / "whole.xyz");
    const io::LogCapture messages;
    const auto found = msd_of(dir / "flipped.xyz");
    EXPECT_THAT(messages.text(), HasSubstr("flipped.xyz: frame 31: the cell was flipped"));
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t l = 0; l < found.size(); ++l)
      EXPECT_NEAR(found[l], expected[l], 1e-9 * expected[l]) << l << " " << images;
  }
}

}  // namespace
}  // namespace solion::transport
