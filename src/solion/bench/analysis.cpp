// The accumulators of `transport` and the readers of `io` on frames made up here.
#include "solion/bench/analysis.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "solion/base/files.hpp"
#include "solion/base/random.hpp"
#include "solion/bench/machine.hpp"
#include "solion/io/formats.hpp"
#include "solion/structure/crystal.hpp"
#include "solion/structure/supercell.hpp"
#include "solion/transport/msd.hpp"
#include "solion/transport/rdf.hpp"

namespace solion::bench {
namespace {

/// Li3OCl, 10 × 10 × `layers` cells of five atoms, every atom about 0.1 Å off its site along each axis; 50
/// frames.
std::vector<Frame> vibrating(int layers) {
  const Frame crystal = supercell(known_crystal("li3ocl").frame, IntMat3(Int3(10, 10, layers).asDiagonal()));
  std::vector<Frame> frames(50, crystal);
  for (std::size_t k = 0; k < frames.size(); ++k) {
    RandomStream random(1, "benchmark frame", k);
    for (Vec3& r : frames[k].positions) r += 0.1 * Vec3(random.normal(), random.normal(), random.normal());
    frames[k].images.assign(frames[k].n_atoms(), Int3::Zero());
  }
  return frames;
}

double msd_seconds(const std::vector<Frame>& frames, std::size_t n) {
  transport::MsdOptions options;
  options.mobile = {"Li"};
  transport::MsdAccumulator msd(options);
  const double begin = thread_seconds();
  for (std::size_t k = 0; k < n; ++k) msd.add(frames[k % frames.size()], "benchmark");
  if (msd.curve("Li", 10).msd_A2.empty()) return 0;
  return thread_seconds() - begin;
}

double rdf_rate(const std::vector<Frame>& frames) {
  transport::RdfOptions options;
  options.pairs = {{"Li", "O"}, {"Li", "Cl"}, {"Li", "Li"}};
  transport::RdfAccumulator rdf(options);
  rdf.add(frames.front(), "benchmark");  // makes the neighbour list
  const double begin = thread_seconds();
  for (const Frame& frame : frames) rdf.add(frame, "benchmark");
  return static_cast<double>(frames.size()) / (thread_seconds() - begin);
}

/// MB/s of the fastest of three readings.
double reading_rate(const std::vector<Frame>& frames, const std::filesystem::path& file) {
  io::FrameWriter writer = io::FrameWriter::create(file);
  for (int repeat = 0; repeat < 6; ++repeat)
    for (const Frame& frame : frames) writer.write(frame);
  writer.flush();
  const double megabytes = 1e-6 * static_cast<double>(std::filesystem::file_size(file));
  double best = 0;
  for (int turn = 0; turn < 3; ++turn) {
    const double begin = thread_seconds();
    const auto reader = io::open_frames(file);
    Frame frame;
    while (reader->next(frame)) {
    }
    best = std::max(best, megabytes / (thread_seconds() - begin));
  }
  return best;
}

}  // namespace

AnalysisTiming time_analysis() {
  const TemporaryFolder folder("bench");
  AnalysisTiming timing;
  {
    const std::vector<Frame> frames = vibrating(6);
    timing.msd_ions = frames.front().n_atoms();
    timing.msd_frames = 10'000;
    timing.msd_s = msd_seconds(frames, timing.msd_frames);
  }
  const std::vector<Frame> frames = vibrating(10);
  timing.rdf_atoms = frames.front().n_atoms();
  timing.rdf_frames_per_s = rdf_rate(frames);
  timing.extxyz_MB_per_s = reading_rate(frames, folder.path() / "frames.extxyz");
  timing.dump_MB_per_s = reading_rate(frames, folder.path() / "frames.dump");
  return timing;
}

}  // namespace solion::bench
