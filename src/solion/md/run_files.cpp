// Rows of the log, frames of the trajectories, whose restart file it is, and claims on the files.
#include "solion/md/run_files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <Eigen/Geometry>
#include <cerrno>
#include <cmath>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"

namespace solion::md {
namespace {

namespace fs = std::filesystem;

/// Identifies the starting structure, velocities included where they are used.
std::string hash_of(const Frame& frame, bool with_velocities) {
  std::string bytes;
  const auto add = [&bytes](const void* data, std::size_t size) {
    bytes.append(static_cast<const char*>(data), size);
  };
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) bytes += frame.element(i) + ' ';
  for (const Vec3& r : frame.positions) add(r.data(), sizeof(double) * 3);
  for (const Int3& n : frame.images) add(n.data(), sizeof(int) * 3);
  if (frame.cell) add(frame.cell->matrix().data(), sizeof(double) * 9);
  if (with_velocities) {
    for (const Vec3& v : frame.velocities) add(v.data(), sizeof(double) * 3);
  }
  return sha256(bytes);
}

constexpr const char* log_header =
    "# step time_ps target_K T_K E_pot_eV E_kin_eV conserved_eV pressure_bar volume_A3 a_A b_A c_A alpha_deg "
    "beta_deg gamma_deg pxx_bar pyy_bar pzz_bar pyz_bar pxz_bar pxy_bar\n";

double angle_deg(const Vec3& a, const Vec3& b) {
  return std::atan2(a.cross(b).norm(), a.dot(b)) * 180.0 / constants::pi;
}

std::string log_row(const Thermo& t, const Cell& cell) {
  const Vec3 a = cell.vector(0);
  const Vec3 b = cell.vector(1);
  const Vec3 c = cell.vector(2);
  std::string row = fmt::format("{} {:.6f} {:.3f} {:.4f} {:.8f} {:.8f} {:.8f} {:.4f} {:.6f}", t.step,
                                t.time_fs * 1e-3, t.target_K, t.temperature_K, t.potential_eV, t.kinetic_eV,
                                t.conserved_eV, t.mean_pressure_bar(), t.volume_A3);
  row += fmt::format(" {:.7f} {:.7f} {:.7f} {:.5f} {:.5f} {:.5f}", a.norm(), b.norm(), c.norm(),
                     angle_deg(b, c), angle_deg(a, c), angle_deg(a, b));
  const Mat3& p = t.pressure_bar;
  row += fmt::format(" {:.4f} {:.4f} {:.4f} {:.4f} {:.4f} {:.4f}\n", p(0, 0), p(1, 1), p(2, 2), p(1, 2),
                     p(0, 2), p(0, 1));
  return row;
}

void require_same(const fs::path& path, const std::string& what, const std::string& then,
                  const std::string& now, const std::string& difference = {}) {
  if (then == now) return;
  throw InputError(
      "{}: this restart file was written with {}{}; put the input back, name another `restart` file, or "
      "start again with --fresh",
      path.string(), what, difference.empty() ? "" : " (" + difference + ")");
}

}  // namespace

void check_outputs(const Outputs& outputs) {
  if (outputs.thermo_every < 1 || outputs.restart_every < 1)
    throw InputError("md: thermo_every and restart_every must be 1 or more");
  for (const fs::path& file : {outputs.log, outputs.restart}) require_folder_of(file);
  // Written when all steps are done; what is wrong with it is said now.
  io::require_writable(outputs.final_structure, 1);
  // A device has no end to read, and a file that replaces it would be none.
  if (fs::exists(outputs.restart) && !fs::is_regular_file(outputs.restart))
    throw InputError("{}: expected the name of a restart file, found a folder or a device",
                     outputs.restart.string());
  for (const TrajectoryOutput& t : outputs.trajectories) {
    if (t.every < 1) throw InputError("md: {}: `every` must be 1 or more", t.file.string());
    require_folder_of(t.file);
  }
}

Identity identity_of(const Settings& settings, const Outputs& outputs, const Frame& start,
                     const std::string& potential, const std::string& observers) {
  return {fingerprint(settings, outputs), hash_of(start, !settings.draw_velocities), potential, observers};
}

std::optional<Restart> find_restart(const Outputs& outputs, const Identity& identity,
                                    const Settings& settings, bool fresh) {
  if (fresh || outputs.restart.empty()) return std::nullopt;
  if (!fs::exists(outputs.restart)) {
    std::vector<fs::path> files{outputs.log};
    for (const TrajectoryOutput& t : outputs.trajectories) files.push_back(t.file);
    for (const fs::path& file : files) {
      if (file.empty() || !fs::exists(file)) continue;
      throw InputError("{}: exists, but there is no restart file {}; remove it, or replace it with --fresh",
                       file.string(), outputs.restart.string());
    }
    return std::nullopt;
  }
  Restart restart = read_restart(outputs.restart);
  require_same(outputs.restart, "other settings", restart.identity.settings, identity.settings,
               fingerprint_difference(restart.identity.settings, identity.settings));
  require_same(outputs.restart, "another structure", restart.identity.structure, identity.structure);
  require_same(outputs.restart, "another potential", restart.identity.potential, identity.potential);
  const auto or_none = [](const std::string& text) { return text.empty() ? "none" : text; };
  require_same(
      outputs.restart, "other [[analysis]] tables", restart.identity.observers, identity.observers,
      fmt::format("{} then, {} now", or_none(restart.identity.observers), or_none(identity.observers)));
  if (restart.state.step > settings.total_steps()) {
    throw InputError("{}: is at step {} already, beyond the {} steps asked for", outputs.restart.string(),
                     restart.state.step, settings.total_steps());
  }
  // Before the first step nothing was written that could be kept.
  if (restart.state.step == 0) return std::nullopt;
  // Sizes of files have no names: without the log they would be those of other files.
  const bool had_log = restart.offsets.size() > outputs.trajectories.size();
  require_same(outputs.restart, "other outputs", had_log ? "a log" : "no log",
               outputs.log.empty() ? "no log" : "a log",
               had_log ? "log: one then, none now" : "log: none then, one now");
  return restart;
}

FileClaims::~FileClaims() {
  for (const auto& [file, descriptor] : held_) ::close(descriptor);
}

void FileClaims::add(const fs::path& file, bool make) {
  if (held_.contains(file)) return;
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | (make ? O_CREAT : 0), 0644);
  if (descriptor < 0) return;
  struct stat status {};
  const bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  if (regular && ::flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
    held_.emplace(file, descriptor);
    return;
  }
  const bool taken = regular && errno == EWOULDBLOCK;
  ::close(descriptor);
  if (taken)
    throw WorkError(
        "{}: another run is writing this file; wait for it or end it, or give this one other files (log, "
        "restart, [[trajectory]])",
        file.string());
}

std::vector<fs::path> RunFiles::all() const {
  std::vector<fs::path> files;
  if (!outputs_.log.empty()) files.push_back(outputs_.log);
  for (const TrajectoryOutput& t : outputs_.trajectories) files.push_back(t.file);
  return files;
}

void RunFiles::claim() {
  for (const fs::path& file : all()) claims_.add(file, false);
}

void RunFiles::create() {
  for (const fs::path& file : all()) claims_.add(file, true);
  if (!outputs_.log.empty()) {
    log_.emplace(io::OutputFile::create(outputs_.log));
    log_->buffer() += log_header;
  }
  for (const TrajectoryOutput& t : outputs_.trajectories)
    trajectories_.push_back(io::FrameWriter::create(t.file));
}

void RunFiles::go_on(const std::vector<std::uint64_t>& offsets) {
  for (const fs::path& file : all()) {
    if (!fs::exists(file))
      throw InputError("{}: is gone, but {} goes on from its end; bring it back, or start again with --fresh",
                       file.string(), outputs_.restart.string());
  }
  std::size_t next = 0;
  if (!outputs_.log.empty()) log_.emplace(io::OutputFile::append(outputs_.log, offsets.at(next++)));
  for (const TrajectoryOutput& t : outputs_.trajectories)
    trajectories_.push_back(io::FrameWriter::append(t.file, offsets.at(next++)));
}

void RunFiles::write_row(const Thermo& thermo, const Cell& cell) {
  if (!log_) return;
  log_->buffer() += log_row(thermo, cell);
  log_->flush();
}

bool RunFiles::wants_frame(std::int64_t step, std::size_t trajectory) const {
  return step >= equilibration_ && (step - equilibration_) % outputs_.trajectories[trajectory].every == 0;
}

bool RunFiles::wants_frame(std::int64_t step) const {
  for (std::size_t i = 0; i < trajectories_.size(); ++i) {
    if (wants_frame(step, i)) return true;
  }
  return false;
}

void RunFiles::write_frame(const Frame& frame, std::int64_t step) {
  for (std::size_t i = 0; i < trajectories_.size(); ++i) {
    if (wants_frame(step, i)) write_frame(frame, step, i);
  }
}

void RunFiles::write_frame(const Frame& frame, std::int64_t step, std::size_t trajectory) {
  const TrajectoryOutput& t = outputs_.trajectories[trajectory];
  Frame shown = frame;
  if (!t.velocities) shown.velocities.clear();
  if (!t.forces) shown.labels.forces_eV_per_A.clear();
  shown.info["step"] = fmt::format("{}", step);
  shown.info["time_fs"] = fmt::format("{}", static_cast<double>(step) * timestep_fs_);
  trajectories_[trajectory].write(shown);
}

std::vector<std::uint64_t> RunFiles::flush() {
  std::vector<std::uint64_t> offsets;
  if (log_) {
    log_->flush(true);
    offsets.push_back(log_->offset());
  }
  for (io::FrameWriter& t : trajectories_) {
    t.flush(true);
    offsets.push_back(t.offset());
  }
  return offsets;
}

}  // namespace solion::md
