// Unwrapping by integer images of fractional coordinates, with the checks of a trajectory.
#include "solion/transport/unwrap.hpp"

#include <algorithm>
#include <cmath>

#include "solion/base/errors.hpp"

namespace solion::transport {
namespace {

Vec3 nearest_image(const Vec3& step) { return step - step.array().round().matrix(); }

std::vector<Vec3> fractional_positions(const Frame& frame) {
  std::vector<Vec3> fractional(frame.n_atoms());
  for (std::size_t i = 0; i < fractional.size(); ++i) {
    fractional[i] = frame.cell ? frame.cell->to_fractional(frame.positions[i]) : frame.positions[i];
  }
  return fractional;
}

}  // namespace

const std::vector<Vec3>& Unwrapper::next(const Frame& frame, const std::string& where) {
  const bool first = n_frames_ == 0;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (!frame.positions[i].allFinite())
      throw InputError("{}: the position of atom {} is not a finite number", where, i + 1);
  }
  if (first) {
    if (frame.n_atoms() == 0) throw InputError("{}: no atoms", where);
    has_cell_ = frame.cell.has_value();
    has_images_ = !frame.images.empty();
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) elements_.push_back(frame.element(i));
  }
  check_same_atoms(frame, where);
  order_.next(frame, where);
  if (has_cell_) check_flip(frame, where);
  const std::vector<Vec3> fractional = fractional_positions(frame);
  if (!first) {
    // Frames without a cell have no images to count, so that a step is a plain difference.
    if (has_images_ || !has_cell_) {
      step_with_images(frame, fractional, where);
    } else {
      step_without_images(frame, fractional, where);
    }
  } else {
    unwrapped_ = fractional;
    if (!has_cell_) box_.start(fractional);
    if (has_images_)
      for (std::size_t i = 0; i < unwrapped_.size(); ++i) unwrapped_[i] += frame.images[i].cast<double>();
  }
  wrapped_ = fractional;
  repeat_allowed_ = false;
  ++n_frames_;
  return unwrapped_;
}

void Unwrapper::check_same_atoms(const Frame& frame, const std::string& where) const {
  if (frame.n_atoms() != elements_.size()) {
    throw InputError("{}: {} atoms, but the first frame has {}; atoms must not come or go", where,
                     frame.n_atoms(), elements_.size());
  }
  for (std::size_t i = 0; i < elements_.size(); ++i) {
    if (frame.element(i) != elements_[i]) {
      throw InputError(
          "{}: atom {} is {}, but {} in the first frame; atoms must keep their order (sort by id)", where,
          i + 1, frame.element(i), elements_[i]);
    }
  }
  if (frame.cell.has_value() != has_cell_)
    throw InputError("{}: {} a cell, unlike the first frame", where, has_cell_ ? "lacks" : "has");
  if (frame.images.empty() == has_images_)
    throw InputError("{}: {} image flags, unlike the first frame", where, has_images_ ? "lacks" : "has");
}

std::optional<Mat3> cell_flip(const Mat3& before, const Mat3& now) {
  constexpr double most_strain = 0.2;
  if (before == now) return std::nullopt;
  const Mat3 ratio = now * before.inverse();
  const Mat3 whole = ratio.array().round().matrix();
  if (whole == Mat3::Identity() || !((ratio - whole).cwiseAbs().maxCoeff() < most_strain))
    return std::nullopt;
  if (!(std::abs(whole.determinant() - 1) < 0.5)) return std::nullopt;
  return whole;
}

void Unwrapper::check_flip(const Frame& frame, const std::string& where) {
  const Mat3& now = frame.cell->matrix();
  if (n_frames_ > 0 && !options_.from_the_run && cell_flip(cell_, now)) {
    throw InputError(
        "{}: the cell was flipped: its vectors are others of the same lattice than in the frame before "
        "(LAMMPS: fix npt of a tilted cell). Run with `flip no`, or give the file itself to `solion "
        "analyze`, which takes the old vectors on",
        where);
  }
  cell_ = now;
}

bool Unwrapper::is_allowed_repeat(const Frame& frame) const {
  if (!repeat_allowed_ || n_frames_ == 0 || frame.n_atoms() != elements_.size()) return false;
  const std::optional<double> step = StepOrder::number(frame);
  if (step && order_.last()) return *step == *order_.last();
  if (frame.cell.has_value() != has_cell_) return false;
  const std::vector<Vec3> fractional = fractional_positions(frame);
  for (std::size_t i = 0; i < fractional.size(); ++i) {
    // Files keep at least six digits of a coordinate.
    if (!(nearest_image(fractional[i] - wrapped_[i]).norm() < 1e-6)) return false;
  }
  return true;
}

void Unwrapper::check_repeat(const std::string& where) {
  std::size_t moved = 0;
  for (const Vec3& step : steps_) moved += step.isZero(0) ? 0 : 1;
  if (moved == 0) {
    if (first_still_.empty()) first_still_ = where;
  } else {
    ++n_moving_;
    if (2 * moved >= steps_.size()) ++n_busy_;
  }
  // Walkers on a lattice without vibration may all rest for a frame; where most atoms always move they
  // cannot.
  if (!first_still_.empty() && n_moving_ > 0 && 10 * n_busy_ > 9 * n_moving_)
    throw InputError("{}: no atom has moved since the frame before: the frame is there twice", first_still_);
}

void Unwrapper::step_with_images(const Frame& frame, const std::vector<Vec3>& fractional,
                                 const std::string& where) {
  steps_.resize(fractional.size());
  double largest_nearest = 0;
  std::size_t far = 0;
  double farthest = 0;
  for (std::size_t i = 0; i < fractional.size(); ++i) {
    Vec3 now = fractional[i];
    if (has_images_) now += frame.images[i].cast<double>();
    steps_[i] = now - unwrapped_[i];
    largest_nearest = std::max(largest_nearest, nearest_image(steps_[i]).cwiseAbs().maxCoeff());
    if (const double move = steps_[i].cwiseAbs().maxCoeff(); move > farthest) {
      farthest = move;
      far = i;
    }
  }
  // One atom a cell away while all of them are within a quarter of it, were it not for the flags.
  if (!options_.from_the_run && has_images_ && farthest > 0.5 && largest_nearest < 0.25) {
    throw InputError(
        "{}: by its image flags atom {} ({}) moved {:.2f} cells since the frame before, but by its "
        "coordinates none moved more than {:.2f}: the image flags were reset or are wrong",
        where, far + 1, elements_[far], farthest, largest_nearest);
  }
  if (!options_.from_the_run) check_steps(frame, fractional, where);
  for (std::size_t i = 0; i < steps_.size(); ++i) unwrapped_[i] += steps_[i];
  if (has_images_) {  // exact, without the rounding of a long sum
    for (std::size_t i = 0; i < steps_.size(); ++i)
      unwrapped_[i] = fractional[i] + frame.images[i].cast<double>();
  }
}

void Unwrapper::step_without_images(const Frame& frame, const std::vector<Vec3>& fractional,
                                    const std::string& where) {
  steps_.resize(fractional.size());
  for (std::size_t i = 0; i < fractional.size(); ++i) {
    steps_[i] = nearest_image(fractional[i] - wrapped_[i]);
    const double move = steps_[i].cwiseAbs().maxCoeff();
    if (!(move <= options_.largest_step)) {
      throw InputError(
          "{}: atom {} ({}) moved {:.2f} of the cell since the frame before and there are no image "
          "flags, so that its path is not known: write frames more often, or image flags, or a LAMMPS dump "
          "with xu yu zu",
          where, i + 1, elements_[i], move);
    }
  }
  if (!options_.from_the_run) {
    check_steps(frame, fractional, where);
    alias_.next(frame, steps_, where);
  }
  // The integer part is counted apart from the fraction: s = f + n without the rounding of a long sum.
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Vec3 sum = unwrapped_[i] + steps_[i];
    unwrapped_[i] = fractional[i] + (sum - fractional[i]).array().round().matrix();
  }
}

/// What only files get wrong.
void Unwrapper::check_steps(const Frame& frame, const std::vector<Vec3>& fractional,
                            const std::string& where) {
  check_repeat(where);
  if (!has_cell_) box_.next(frame, steps_, fractional, where);
  jumps_.next(frame, steps_, wrapped_, fractional, where);
}

}  // namespace solion::transport
