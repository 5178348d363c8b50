// Every format gives back what was written, bit for bit where it has a place for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "io/sample.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/io/deepmd_npy.hpp"
#include "solion/io/formats.hpp"
#include "solion/io/lammps_cell.hpp"

namespace solion::io {
namespace {

using testing::HasSubstr;

TEST(RoundTrip, ExtxyzIsExact) {
  const TemporaryDirectory dir;
  const std::vector<Frame> frames{sample_frame(1), sample_frame(2)};
  write_frames(dir / "a.xyz", frames);
  const std::vector<Frame> back = read_frames(dir / "a.xyz");
  ASSERT_EQ(back.size(), 2U);
  for (std::size_t f = 0; f < 2; ++f) expect_same(back[f], frames[f], {});
}

TEST(RoundTrip, PoscarIsExact) {
  const TemporaryDirectory dir;
  const Frame frame = sample_frame(3);
  write_frames(dir / "POSCAR", std::span(&frame, 1));
  expect_same(read_frame(dir / "POSCAR"), frame, {.images = false, .labels = false, .info = false});
}

TEST(RoundTrip, DeepmdIsExactAndSplitsSets) {
  const TemporaryDirectory dir;
  std::vector<Frame> frames;
  for (unsigned s = 0; s < 5; ++s) frames.push_back(sample_frame(s));
  write_deepmd(dir / "system", frames, 2);
  EXPECT_TRUE(std::filesystem::exists(dir / "system/set.002/coord.npy"));
  append_deepmd_set(dir / "system", std::span(frames).first(1));
  std::vector<Frame> back = read_frames(dir / "system");
  ASSERT_EQ(back.size(), 6U);
  frames.push_back(frames.front());
  for (std::size_t f = 0; f < 6; ++f) {
    expect_same(back[f], frames[f], {.velocities = false, .images = false, .info = false});
  }
}

/// The frame turned to LAMMPS's orientation, through velocities in Å/ps: equal to rounding, not bit for bit.
void expect_close(const Frame& a, const Frame& b, bool forces) {
  // Å, Å/fs and eV/Å of the sample are below 10; a few roundings of 2e-16 each.
  constexpr double tolerance = 1e-14;
  ASSERT_EQ(a.n_atoms(), b.n_atoms());
  EXPECT_TRUE((a.cell->matrix() - b.cell->matrix()).cwiseAbs().maxCoeff() <= tolerance);
  EXPECT_EQ(a.images, b.images);
  ASSERT_EQ(a.velocities.size(), b.velocities.size());
  for (std::size_t i = 0; i < a.n_atoms(); ++i) {
    EXPECT_EQ(a.element(i), b.element(i));
    EXPECT_EQ(a.types[i], b.types[i]);
    EXPECT_TRUE((a.positions[i] - b.positions[i]).norm() <= tolerance);
    EXPECT_TRUE((a.velocities[i] - b.velocities[i]).norm() <= tolerance);
    if (forces) {
      EXPECT_TRUE((a.labels.forces_eV_per_A[i] - b.labels.forces_eV_per_A[i]).norm() <= tolerance);
    }
  }
}

TEST(RoundTrip, LammpsDump) {
  const TemporaryDirectory dir;
  const std::vector<Frame> frames{sample_frame(1), sample_frame(2)};
  write_frames(dir / "a.dump", frames);
  const std::vector<Frame> back = read_frames(dir / "a.dump");
  ASSERT_EQ(back.size(), 2U);
  for (std::size_t f = 0; f < 2; ++f) expect_close(back[f], to_lammps_orientation(frames[f]), true);
}

TEST(RoundTrip, LammpsData) {
  const TemporaryDirectory dir;
  const Frame frame = sample_frame(1);
  write_frames(dir / "a.data", std::span(&frame, 1));
  expect_close(read_frame(dir / "a.data"), to_lammps_orientation(frame), false);
}

TEST(LammpsOrientation, TurnsWithoutChangingDistancesOrWork) {
  const Frame frame = sample_frame(4);
  const Frame turned = to_lammps_orientation(frame);
  const Mat3& h = turned.cell->matrix();
  EXPECT_EQ(h(0, 1), 0);
  EXPECT_EQ(h(0, 2), 0);
  EXPECT_EQ(h(1, 2), 0);
  EXPECT_NEAR(turned.cell->volume(), frame.cell->volume(), 1e-12);
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    for (std::size_t j = 0; j < frame.n_atoms(); ++j) {
      const Vec3 before = frame.positions[j] - frame.positions[i],
                 after = turned.positions[j] - turned.positions[i];
      EXPECT_NEAR(before.norm(), after.norm(), 1e-12);
      // A displacement along another atom does the same work before and after.
      EXPECT_NEAR(before.dot(frame.labels.forces_eV_per_A[i]), after.dot(turned.labels.forces_eV_per_A[i]),
                  1e-12);
    }
    EXPECT_NEAR(
        (frame.cell->to_fractional(frame.positions[i]) - turned.cell->to_fractional(turned.positions[i]))
            .norm(),
        0, 1e-13);
  }
  // The strain energy −W:ε of a strain along the (turned) vector a.
  const Vec3 a = frame.cell->vector(0).normalized(), b = turned.cell->vector(0).normalized();
  EXPECT_NEAR(a.dot(*frame.labels.virial_eV * a), b.dot(*turned.labels.virial_eV * b), 1e-12);
  // A frame in LAMMPS's orientation stays as it is, bit for bit.
  expect_same(to_lammps_orientation(turned), turned, {});
}

/// From every format to every other one, through what both can hold.
TEST(RoundTrip, EveryPairOfFormats) {
  const TemporaryDirectory dir;
  const Frame frame = to_lammps_orientation(sample_frame(6));
  const std::vector<std::string> names{"a.xyz", "POSCAR", "a.data", "a.dump", "system"};
  for (const std::string& first : names) {
    for (const std::string& second : names) {
      SCOPED_TRACE(fmt::format("{} -> {}", first, second));
      write_frames(dir / first, std::span(&frame, 1));
      const Frame between = read_frame(dir / first);
      std::filesystem::create_directories(dir / "second");
      write_frames(dir / ("second/" + second), std::span(&between, 1));
      const Frame back = read_frame(dir / ("second/" + second));
      EXPECT_TRUE((back.cell->matrix() - frame.cell->matrix()).cwiseAbs().maxCoeff() <= 1e-14);
      ASSERT_EQ(back.n_atoms(), frame.n_atoms());
      for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
        EXPECT_EQ(back.element(i), frame.element(i));
        EXPECT_EQ(back.positions[i], frame.positions[i]);
      }
      const bool forces =
          lost_in(format_of(dir / first), frame).empty() && lost_in(format_of(second), frame).empty();
      if (forces) {
        EXPECT_EQ(back.labels.forces_eV_per_A, frame.labels.forces_eV_per_A);
      }
    }
  }
}

TEST(RoundTrip, FrameWithoutCell) {
  const TemporaryDirectory dir;
  Frame frame = sample_frame(1);
  frame.cell.reset();
  frame.images.clear();
  for (const char* name : {"a.xyz", "system"}) {
    write_frames(dir / name, std::span(&frame, 1));
    const bool xyz = std::string(name) == "a.xyz";
    expect_same(read_frame(dir / name), frame, {.velocities = xyz, .info = xyz});
  }
}

}  // namespace
}  // namespace solion::io
