// The loop over files and frames that every analysis shares.
#include "solion/transport/read.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/io/formats.hpp"
#include "solion/transport/read_repeats.hpp"
#include "solion/transport/unwrap.hpp"

namespace solion::transport {
namespace {

std::optional<double> time_of(const Frame& frame, const std::string& where) {
  const auto found = frame.info.find("time_fs");
  if (found == frame.info.end()) return std::nullopt;
  double value = 0;
  const char* end = found->second.data() + found->second.size();
  const auto [stop, error] = std::from_chars(found->second.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value))
    throw InputError("{}: time_fs = '{}'; expected a finite number", where, found->second);
  return value;
}

std::size_t kibibytes(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return 0;
  const auto bytes = std::filesystem::file_size(path, ignored);
  return ignored ? 0 : static_cast<std::size_t>(bytes / 1024);
}

/// The step of a LAMMPS frame whose dump does not say in which units its time is.
std::optional<double> step_without_units(const Frame& frame) {
  if (!frame.info.contains("timestep") || frame.info.contains("units")) return std::nullopt;
  return StepOrder::number(frame);
}

struct Stated {
  double interval_fs = 0;
  double n_steps = 0;  // in which it goes by; 0: not known
  /// No timestep of atoms is longer than 20 fs, and none in fs, taken for ps, shorter.
  [[nodiscard]] bool sound() const { return !(n_steps > 0) || interval_fs <= 20 * n_steps; }
};

/// The time between the first two frames, as the file says it.
std::optional<Stated> stated_interval(const std::filesystem::path& path, const io::ReadOptions& options) {
  const auto reader = io::open_frames(path, options);
  Frame frame;
  if (!reader->next(frame)) return std::nullopt;
  const std::optional<double> first = time_of(frame, fmt::format("{}: frame 1", path.string()));
  const std::optional<double> first_step = step_without_units(frame);
  if (!first || !reader->next(frame)) return std::nullopt;
  const std::optional<double> second = time_of(frame, fmt::format("{}: frame 2", path.string()));
  const std::optional<double> second_step = step_without_units(frame);
  if (!second) return std::nullopt;
  return Stated{*second - *first, first_step && second_step ? *second_step - *first_step : 0};
}

struct Interval {
  double fs = 0;
  bool stated = true;  // false: the times of the frames are in some other unit
};

Interval frame_interval(const ReadTrajectory& what, const io::ReadOptions& options) {
  const std::string file = what.files.front().string();
  const std::optional<Stated> stated = stated_interval(what.files.front(), options);
  const bool sound = !stated || stated->sound();
  if (!what.frame_interval_fs) {
    if (stated && sound && stated->interval_fs > 0) return {stated->interval_fs, true};
    if (!what.needs_time && !(what.skip_ps > 0)) return {std::numeric_limits<double>::quiet_NaN(), sound};
    if (!sound) {
      throw InputError(
          "{}: frame 2: TIME grew by {:g} in {:g} steps; expected at most 0.02 ps a step: is the dump in "
          "units real, with TIME in fs? Give the time between frames (--frame-interval-fs) or, if "
          "it is in units metal, say so in the dump (dump_modify units yes)",
          file, stated->interval_fs / 1000, stated->n_steps);
    }
    throw InputError("{}: the frames say no time_fs; give the time between frames (--frame-interval-fs)",
                     file);
  }
  const double given = *what.frame_interval_fs;
  if (!(given > 0) || !std::isfinite(given))
    throw InputError("a frame interval of {} fs; expected a positive time", given);
  const bool agrees = stated && std::abs(stated->interval_fs - given) <= 1e-6 * given;
  if (stated && sound && !agrees) {
    throw InputError(
        "{}: a frame interval of {} fs was given, but its frames are {} fs apart by their time_fs", file,
        given, stated->interval_fs);
  }
  return {given, sound || agrees};
}

/// True if `frame` is `last` written once more: files keep at least six digits of a coordinate.
bool is_repeat(const Frame& frame, const Frame& last) {
  if (frame.n_atoms() != last.n_atoms() || frame.cell.has_value() != last.cell.has_value()) return false;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i)
    if (frame.element(i) != last.element(i)) return false;
  if (frame.cell && !((frame.cell->matrix() - last.cell->matrix()).cwiseAbs().maxCoeff() < 1e-4))
    return false;
  for (const char* key : {"step", "Step", "timestep", "Timestep", "time_fs"}) {
    const auto a = frame.info.find(key), b = last.info.find(key);
    if (a != frame.info.end() && b != last.info.end()) return a->second == b->second;
  }
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    Vec3 step = frame.positions[i] - last.positions[i];
    if (frame.cell) step = frame.cell->minimum_image(step);
    if (!(step.norm() < 1e-5)) return false;
  }
  return true;
}

/// Density is checked by `check_density`, whose limits are wider than a structure file's.
io::ReadOptions read_options(const ReadTrajectory& what) {
  return {.type_names = what.type_names,
          .fallback_names = {},
          .atom_style = {},
          .accept_any_density = true,
          .closest_A = 0};
}

/// One run that counts twice makes errors too small, or itself its own sequel.
void check_files(const ReadTrajectory& what) {
  if (what.files.empty()) throw InputError("no trajectory given");
  std::error_code ignored;
  for (auto a = what.files.begin(); a != what.files.end(); ++a)
    for (auto b = what.files.begin(); b != a; ++b)
      if (std::filesystem::equivalent(*a, *b, ignored))
        throw InputError("{}: given twice; expected each file once", a->string());
}

/// Lets the numbers of configurations, which begin anew in every XDATCAR, go on from part to part.
class ConfigurationNumbers {
 public:
  void next_part() { begins_ = true; }
  void forget() { offset_ = last_ = 0; }
  /// `repeats`: the frame is the last one of the part before.
  void operator()(Frame& frame, bool repeats) {
    const auto found = frame.info.find("vasp_configuration");
    if (found == frame.info.end()) return;
    const auto number = std::strtoll(found->second.c_str(), nullptr, 10);
    if (begins_ && (repeats || number <= last_)) offset_ = repeats ? last_ - number : last_;
    begins_ = false;
    last_ = number + offset_;
    found->second = std::to_string(last_);
  }

 private:
  bool begins_ = false;
  long long offset_ = 0, last_ = 0;
};

/// A few walkers in a large box are a trajectory too; nm or pm in place of Å are a factor of 1000 or a
/// million in volume, which these limits still tell.
void check_density(const Frame& frame, const std::string& where) {
  if (!frame.cell || frame.n_atoms() == 0) return;
  const double volume = frame.cell->volume() / static_cast<double>(frame.n_atoms());
  constexpr double largest_A3 = 1e4;
  if (!(volume >= io::least_volume_per_atom_A3 && volume <= largest_A3)) {
    throw InputError("{}: {:.4g} Å³ an atom, not {} to {}; are the units right? (--any-density accepts it)",
                     where, volume, io::least_volume_per_atom_A3, largest_A3);
  }
}

/// Holds the times that frames say against the interval: one that is off makes every D wrong.
class TimeCheck {
 public:
  explicit TimeCheck(double interval_fs) : interval_fs_(interval_fs) {}
  void operator()(const Frame& frame, const std::string& where) {
    const std::optional<double> now = time_of(frame, where);
    if (now && last_) {
      const double off = std::abs(*now - *last_ - interval_fs_);
      if (!(off <= 1e-6 * interval_fs_ + 1e-9 * std::abs(*now))) {
        throw InputError(
            "{}: time_fs = {:g} comes after {:g}, but the frames before are {:g} fs apart: frames are "
            "missing, repeated, or of another interval",
            where, *now, *last_, interval_fs_);
      }
    }
    last_ = now;
  }
  void forget() { last_.reset(); }

 private:
  double interval_fs_;
  std::optional<double> last_;
};

/// Takes the vectors of the cell on where a run went over to others of the same lattice: the unwrapped
/// positions r + n·h, h = M·h', are r + n·M·h'.
class SameVectors {
 public:
  void forget() { last_.reset(); }
  void operator()(Frame& frame, const std::string& where, bool say) {
    if (frame.cell && last_) {
      if (const auto flip = cell_flip(*last_, frame.cell->matrix())) {
        frame.cell = Cell(Mat3(flip->inverse() * frame.cell->matrix()));
        for (Int3& image : frame.images)
          image = (flip->transpose() * image.cast<double>()).array().round().matrix().cast<int>();
        if (say && !std::exchange(said_, true))
          log().warn("{}: the cell was flipped (LAMMPS: fix npt … flip yes); the vectors before are taken on",
                     where);
      }
    }
    last_.reset();
    if (frame.cell) last_ = frame.cell->matrix();
  }

 private:
  std::optional<Mat3> last_;
  bool said_ = false;
};

/// Sorting by id gives every frame its order only while the ids are the same.
class IdCheck {
 public:
  void next_part() { begun_ = false; }
  void operator()(const Frame& frame, const std::string& where) {
    const auto found = frame.info.find("atom_ids_changed");
    const std::string change = found == frame.info.end() ? "" : found->second;
    // What is left out at the start, and a run that began from a frame that says so, are not at fault.
    if (!std::exchange(begun_, true)) at_first_ = change;
    if (change.empty() || change == at_first_) return;
    throw InputError(
        "{}: atom {} since the first frame; expected the same ids in every frame: atoms were renumbered, "
        "lost or taken in",
        where, change);
  }

 private:
  bool begun_ = false;
  std::string at_first_;
};

}  // namespace

double stated_frame_interval(const ReadTrajectory& what) {
  check_files(what);
  return frame_interval(what, read_options(what)).fs * static_cast<double>(what.every);
}

double for_each_frame(
    const ReadTrajectory& what,
    const std::function<void(const Frame& frame, const std::string& where, std::size_t part)>& visit) {
  check_files(what);
  if (!(what.skip_ps >= 0)) throw InputError("skip {} ps; expected zero or more", what.skip_ps);
  if (what.every == 0) throw InputError("every 0th frame; expected one or more");
  const io::ReadOptions reading = read_options(what);
  const auto [interval, times_hold] = frame_interval(what, reading);
  const auto n_skip =
      what.skip_frames +
      (what.skip_ps > 0 ? static_cast<std::size_t>(std::ceil(what.skip_ps * 1000 / interval - 1e-9)) : 0);
  std::size_t total = 0, done = 0;
  for (const auto& file : what.files) total += kibibytes(file);
  Progress progress("read", std::max<std::size_t>(total, 1));
  std::size_t seen = 0, used = 0;
  TimeCheck check_time(interval);
  ConfigurationNumbers number;
  SameVectors keep_vectors;
  IdCheck check_ids;
  RepeatCheck check_repeats(what.files, what.replicas);
  Frame frame, last;
  for (std::size_t part = 0; part < what.files.size(); ++part) {
    if (what.replicas) {
      seen = used = 0;
      check_time.forget();
      number.forget();
      keep_vectors.forget();
    }
    number.next_part();
    check_ids.next_part();
    const auto reader = io::open_frames(what.files[part], reading);
    for (std::size_t n = 1; reader->next(frame); ++n, std::swap(frame, last)) {
      throw_if_interrupted();
      const std::string where = fmt::format("{}: frame {}", what.files[part].string(), n);
      if (n == 1 && !what.any_density) check_density(frame, where);
      keep_vectors(frame, where, what.needs_time);
      const bool repeats = n == 1 && part > 0 && !what.replicas && is_repeat(frame, last);
      number(frame, repeats);
      if (repeats) continue;
      if (what.needs_time && times_hold) check_time(frame, where);
      if (seen++ < n_skip) continue;
      if (what.needs_time) {
        check_ids(frame, where);
        check_repeats.next(frame, part, n);
      }
      if ((seen - n_skip - 1) % what.every != 0) continue;
      visit(frame, where, part);
      ++used;
      if (total > 0)
        progress.update(std::min(total, done + static_cast<std::size_t>(reader->offset() / 1024)));
    }
    done += kibibytes(what.files[part]);
    if (used == 0 && (what.replicas || part + 1 == what.files.size())) {
      throw InputError("{}: {} frames, none left after skipping {}", what.files[part].string(), seen, n_skip);
    }
  }
  return interval * static_cast<double>(what.every);
}

}  // namespace solion::transport
