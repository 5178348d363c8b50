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
  /// Time between frames; not given: from the files' `time_fs`. It must agree with these, unless they are the
  /// TIME of a LAMMPS dump that says no units and grows by more than 20 fs a step: that is in fs, not ps.
  std::optional<double> frame_interval_fs;
  double skip_ps = 0;     ///< left out at the start (of every replica)
  bool replicas = false;  ///< files are independent runs, not consecutive parts
  /// Accept any volume per atom, not only 2 to 10,000 Å³ in the first frame of each file.
  bool any_density = false;
  std::size_t skip_frames = 0;  ///< left out at the start, beside `skip_ps`
  std::size_t every = 1;        ///< of what is left, every n-th frame is visited
  bool needs_time = true;       ///< false: the interval may stay unknown (NaN is returned) and skip_ps 0
  std::vector<std::string> type_names = {};  ///< elements of numeric types (LAMMPS); empty: as the files say
};

/// Opens a trajectory and calls `visit(frame, where, part)` for each frame that is not skipped, `part` the
/// number of the file. Where consecutive parts share a frame (a run that goes on writes its first frame
/// again) it is visited and counted once; the numbers of an XDATCAR's configurations go on; a cell that was
/// flipped (`cell_flip`) goes on with the vectors before, and image flags with it. Returns the time
/// between the frames visited in fs. Progress is shown for long files. Distances between atoms are not
/// checked, which no analysis needs. InputError: what the readers refuse, a file given twice, no interval
/// given or found, one that contradicts the files' `time_fs`, a `time_fs` that is no number or in no sound
/// unit, nothing left after skipping; with `needs_time`, which says that frames follow each other in time,
/// also a frame that was there before (RepeatCheck) and atoms of other ids than in the first frame.
double for_each_frame(
    const ReadTrajectory& what,
    const std::function<void(const Frame& frame, const std::string& where, std::size_t part)>& visit);

/// The time between the frames that `for_each_frame` will visit, fs; the same errors.
double stated_frame_interval(const ReadTrajectory& what);

}  // namespace solion::transport
