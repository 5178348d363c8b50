// A triclinic frame with everything a frame can hold, and its comparison bit for bit.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "solion/base/log.hpp"
#include "solion/base/random.hpp"
#include "solion/structure/frame.hpp"

namespace solion::io {

/// A folder that is removed at the end of the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    static int count = 0;
    path_ = std::filesystem::temp_directory_path() / fmt::format("solion_io_{}_{}", ::getpid(), count++);
    std::filesystem::create_directories(path_);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  TemporaryDirectory(TemporaryDirectory&&) = delete;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  /// Writes a file there and returns its path.
  [[nodiscard]] std::filesystem::path file(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// What is logged while it lives.
class LogCapture {
 public:
  LogCapture() : before_(log().sinks()) {
    log().sinks() = {std::make_shared<spdlog::sinks::ostream_sink_mt>(stream_)};
  }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  LogCapture(LogCapture&&) = delete;
  LogCapture& operator=(LogCapture&&) = delete;
  ~LogCapture() { log().sinks() = before_; }
  [[nodiscard]] std::string text() const { return stream_.str(); }

 private:
  std::vector<spdlog::sink_ptr> before_;
  std::ostringstream stream_;
};

/// Eight atoms Cl, Li, O, … in a triclinic cell in no special orientation, with velocities, images, all
/// labels and info.
inline Frame sample_frame(std::uint64_t seed) {
  RandomStream random(seed, "io sample");
  Frame frame;
  frame.type_map = TypeMap({"Cl", "Li", "O"});
  Mat3 h;
  h << 4.1, 0.3, -0.2, 0.7, 4.4, 0.5, -0.6, 0.2, 5.0;
  frame.cell = Cell(h);
  const auto vector = [&](double scale) {
    return Vec3(scale * random.normal(), scale * random.normal(), scale * random.normal());
  };
  for (int i = 0; i < 8; ++i) {
    const Vec3 f((i & 1) / 2.0, (i >> 1 & 1) / 2.0, (i >> 2) / 2.0);
    frame.types.push_back((i * i) % 3 == 0 ? i % 2 : 2 - i % 2);
    frame.positions.push_back(frame.cell->to_cartesian(f) + vector(0.05));
    frame.velocities.push_back(vector(1e-3));
    frame.images.emplace_back(i - 4, 2 * i, -i);
    frame.labels.forces_eV_per_A.push_back(vector(1.0));
    frame.labels.atomic_energies_eV.push_back(-4 + random.normal());
  }
  frame.types[0] = 0;
  frame.types[1] = 1;
  frame.types[2] = 2;  // so that elements first appear in the order of the map
  frame.labels.energy_eV = -123.456789012345 + random.normal();
  Mat3 virial = Mat3::NullaryExpr([&] { return random.normal(); });
  frame.labels.virial_eV = Mat3((virial + virial.transpose()) / 2);
  frame.info = {{"step", "17"}, {"note", "with \"quotes\", a \\ and = signs"}, {"list", "1 2 3"}};
  return frame;
}

/// What the format in question keeps.
struct Kept {
  bool velocities = true, images = true, labels = true, info = true;
};

inline void expect_same(const Frame& a, const Frame& b, const Kept& kept) {
  ASSERT_EQ(a.n_atoms(), b.n_atoms());
  ASSERT_EQ(a.cell.has_value(), b.cell.has_value());
  if (a.cell) {
    EXPECT_EQ(a.cell->matrix(), b.cell->matrix());
  }
  for (std::size_t i = 0; i < a.n_atoms(); ++i) EXPECT_EQ(a.element(i), b.element(i));
  EXPECT_EQ(a.positions, b.positions);
  if (kept.velocities) {
    EXPECT_EQ(a.velocities, b.velocities);
  }
  if (kept.images) {
    EXPECT_EQ(a.images, b.images);
  }
  if (kept.info) {
    EXPECT_EQ(a.info, b.info);
  }
  if (!kept.labels) return;
  EXPECT_EQ(a.labels.energy_eV, b.labels.energy_eV);
  EXPECT_EQ(a.labels.virial_eV, b.labels.virial_eV);
  EXPECT_EQ(a.labels.forces_eV_per_A, b.labels.forces_eV_per_A);
  EXPECT_EQ(a.labels.atomic_energies_eV, b.labels.atomic_energies_eV);
}

}  // namespace solion::io
