// Frames of a trajectory that were there before: what a restart wrote twice, copies of a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion::transport {

/// Remembers 64 bits of each frame's coordinates as they were read. Atoms that vibrate never all come back to
/// the last digit; walkers on a lattice and frozen atoms may, so that a repeat counts only where in nine of
/// ten frames (of those in which anything moves) an atom moved by less than 1 Å, or most of eight or more.
class RepeatCheck {
 public:
  /// `files` outlive the check. `replicas`: they are independent runs, which may share a first frame alone.
  RepeatCheck(const std::vector<std::filesystem::path>& files, bool replicas)
      : files_(&files), replicas_(replicas) {}

  /// Frame `n`, from 1, of file `part`, from 0. InputError if a frame so far is an earlier one again.
  void next(const Frame& frame, std::size_t part, std::size_t n);

 private:
  struct Place {
    std::size_t part, n;
  };
  void look_at_step(const Frame& frame);
  [[nodiscard]] std::string message(const Place& now, const Place& before) const;

  const std::vector<std::filesystem::path>* files_;
  bool replicas_;
  std::unordered_map<std::uint64_t, Place> places_;
  std::vector<Vec3> last_;
  std::size_t last_part_ = 0;
  std::size_t n_moving_ = 0, n_alive_ = 0;  // steps in which an atom moved; in which no return is possible
  std::string found_;                       // the first repeat
};

/// 64 bits of the positions, all of their digits: equal for equal ones, and else with odds of 2⁻⁶⁴.
std::uint64_t fingerprint(const std::vector<Vec3>& positions);

}  // namespace solion::transport
