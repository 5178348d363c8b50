// Trajectory files of any format, fed frame by frame to a visitor with what the user wants left out.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion::transport {

struct ReadTrajectory {
  std::vector<std::filesystem::path> files;
  /// Time between frames; not given: from the files' `time_fs`.
  std::optional<double> frame_interval_fs;
  double skip_ps = 0;     ///< left out at the start (of every replica)
  bool replicas = false;  ///< files are independent runs, not consecutive parts
};

/// Opens a trajectory and calls `visit(frame, where, part)` for each frame that is not skipped, `part` the
/// number of the file. Returns the frame interval in fs. Progress is shown for long files. InputError: what
/// the readers refuse, no interval given or found, one that contradicts the files' `time_fs`, nothing left
/// after skipping.
double for_each_frame(
    const ReadTrajectory& what,
    const std::function<void(const Frame& frame, const std::string& where, std::size_t part)>& visit);

}  // namespace solion::transport
