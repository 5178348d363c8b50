// Continuous coordinates out of a sequence of frames, and the checks that the sequence is one trajectory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "solion/structure/frame.hpp"
#include "solion/transport/jump_check.hpp"
#include "solion/transport/step_order.hpp"
#include "solion/transport/unwrap_alias.hpp"
#include "solion/transport/wrapped_check.hpp"

namespace solion::transport {

struct UnwrapOptions {
  /// Largest step between consecutive frames, as a fraction of the cell along each vector, that still counts
  /// as known when a trajectory has no image flags. Half a cell is where the sign of a step is lost.
  double largest_step = 0.4;
  /// The frames come from a run as it goes, image flags and all: what only files get wrong (a frame twice,
  /// lost frames, atoms renumbered, flags reset) is not looked for, so that no honest run can be refused.
  bool from_the_run = false;
};

/// Turns frame after frame into unwrapped fractional coordinates s, so that s·h is the unwrapped position.
/// With image flags s = f + n, n the integer counters; without them every step is the minimum image of the
/// *fractional* difference, so that a breathing cell (NPT) adds nothing. Frames without a cell keep their
/// Cartesian coordinates (h = 1). Theory: docs/theory/transport.md, section 1.
///
/// Refused with InputError, naming `where`: another number of atoms or other elements than in the first
/// frame, a cell or image flags that come or go, a frame that repeats the last one (where most atoms move in
/// every frame; said when the second frame shows that they do), steps (info keys
/// `timestep`, `step`) that do not grow or grow unevenly, jumps of more than `largest_step` of the cell
/// without image flags, steps of which some must have gone beyond half the cell unseen (AliasCheck), image
/// flags that contradict the coordinates, a cell that was flipped (`cell_flip`), coordinates without a cell
/// that look wrapped (WrappedCheck), and sudden jumps (lost frames, atoms renumbered: JumpCheck).
class Unwrapper {
 public:
  explicit Unwrapper(const UnwrapOptions& options = {}) : options_(options) {}

  /// The unwrapped fractional coordinates of `frame`; valid until the next call.
  const std::vector<Vec3>& next(const Frame& frame, const std::string& where);

  /// Says that the next frame may repeat the last one (files written by parts); `is_repeat` then tells.
  void allow_repeat() { repeat_allowed_ = true; }
  /// True if the frame is the last one again and a repeat is allowed; such a frame is not to be given to
  /// `next`.
  [[nodiscard]] bool is_allowed_repeat(const Frame& frame) const;

  [[nodiscard]] std::size_t n_frames() const { return n_frames_; }
  [[nodiscard]] bool has_images() const { return has_images_; }
  /// Steps between frames by their step numbers, where they have some.
  [[nodiscard]] std::optional<double> step_interval() const { return order_.interval(); }

  /// All that later frames depend on; see StateWriter.
  template <class Archive, class Self>
  static void archive(Archive& a, Self& self) {
    a(self.n_frames_, self.has_images_, self.has_cell_, self.repeat_allowed_, self.elements_, self.order_,
      self.jumps_, self.box_, self.alias_, self.cell_, self.first_still_, self.n_moving_, self.n_busy_,
      self.wrapped_, self.unwrapped_);
  }

 private:
  void check_same_atoms(const Frame& frame, const std::string& where) const;
  void check_flip(const Frame& frame, const std::string& where);
  void check_repeat(const std::string& where);
  void step_with_images(const Frame& frame, const std::vector<Vec3>& fractional, const std::string& where);
  void step_without_images(const Frame& frame, const std::vector<Vec3>& fractional, const std::string& where);
  void check_steps(const Frame& frame, const std::vector<Vec3>& fractional, const std::string& where);

  UnwrapOptions options_;
  std::size_t n_frames_ = 0;
  bool has_images_ = false;
  bool has_cell_ = false;
  bool repeat_allowed_ = false;
  std::vector<std::string> elements_;
  StepOrder order_;
  JumpCheck jumps_;
  WrappedCheck box_;           // without a cell
  AliasCheck alias_;           // with a cell, without image flags
  Mat3 cell_ = Mat3::Zero();   // of the last frame
  std::string first_still_;    // the first frame in which no atom had moved
  std::size_t n_moving_ = 0;   // frames in which an atom had moved
  std::size_t n_busy_ = 0;     // frames in which most atoms had moved
  std::vector<Vec3> wrapped_;  // fractional coordinates of the last frame as they stood there
  std::vector<Vec3> unwrapped_;
  std::vector<Vec3> steps_;
};

/// M of h_now ≈ M·h_before, where M is of whole numbers, of determinant 1 and not 1 itself: the same lattice
/// by other vectors, as LAMMPS's `fix npt … flip yes` gives it once a tilt exceeds half an edge. Empty where
/// the vectors are those before, strained by less than 0.2, or of another lattice.
std::optional<Mat3> cell_flip(const Mat3& before, const Mat3& now);

}  // namespace solion::transport
