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
