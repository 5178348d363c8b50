// The stages of a barrier and their file: ends, first path, band.
#include "solion/defects/barrier.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/defects/moved.hpp"
#include "solion/io/extxyz.hpp"
#include "solion/io/formats.hpp"
#include "solion/potential/buckingham.hpp"
#include "solion/relax/path.hpp"

namespace solion::defects {
namespace {

/// What makes two runs the same job; how far and how finely it is relaxed does not.
std::string job_key(const Frame& initial, const Frame& final_frame, const BarrierOptions& o,
                    const std::string& identity) {
  std::string text = fmt::format("{}\n{} images, idpp {}, relax ends {}, spring {:.17g}\n", identity,
                                 o.images, o.idpp, o.relax_ends, o.band.spring_eV_per_A2);
  for (const Frame* frame : {&initial, &final_frame}) {
    Frame bare;
    bare.type_map = frame->type_map;
    bare.types = frame->types;
    bare.positions = frame->positions;
    bare.cell = frame->cell;
    io::append_extxyz(text, bare);
  }
  return sha256(text).substr(0, 16);
}

/// The path file: what an earlier run left there, and what this one writes.
class PathFile {
 public:
  PathFile(const BarrierRun& run, std::string key) : run_(run), key_(std::move(key)) {
    if (run.path_file.empty() || run.fresh || !std::filesystem::exists(run.path_file)) return;
    io::ReadOptions any;
    any.accept_any_density = true;
    frames_ = io::read_frames(run.path_file, any);
    if (info("neb_job") != key_) {
      throw InputError(
          "{}: is no path of this run (other ends, images, spring or potential); --fresh overwrites it",
          run.path_file.string());
    }
    for (Frame& frame : frames_) {
      for (const char* mine :
           {"neb_job", "neb_stage", "neb_step", "neb_climbing", "neb_image", "neb_coordinate_A"})
        frame.info.erase(mine);
      if (&frame == &frames_.front()) continue;
      // Every frame of a file has a type map of its own; one path has one.
      for (std::size_t i = 0; i < frame.n_atoms(); ++i)
        frame.types[i] = frames_.front().type_map.find(frame.element(i));
      frame.type_map = frames_.front().type_map;
    }
  }

  /// The frames of an earlier run; none if there was none.
  [[nodiscard]] const std::vector<Frame>& frames() const { return frames_; }
  [[nodiscard]] const std::string& stage() const { return stage_; }
  [[nodiscard]] int step() const { return step_; }
  [[nodiscard]] bool climbing() const { return climbing_; }

  void save(std::vector<Frame> frames, const std::string& stage, int step, bool climbing, bool now) {
    using namespace std::chrono;
    if (run_.path_file.empty() || (!now && steady_clock::now() - saved_ < 2s)) return;
    double s = 0;
    for (std::size_t k = 0; k < frames.size(); ++k) {
      if (k > 0) s += (relax::coordinates_of(frames[k]) - relax::coordinates_of(frames[k - 1])).norm();
      frames[k].info["neb_image"] = std::to_string(k);
      frames[k].info["neb_coordinate_A"] = fmt::format("{:.6f}", s);
      frames[k].info["neb_job"] = key_;
      frames[k].info["neb_stage"] = stage;
      frames[k].info["neb_step"] = std::to_string(step);
      frames[k].info["neb_climbing"] = climbing ? "yes" : "no";
    }
    io::write_frames(run_.path_file, frames);
    saved_ = steady_clock::now();
  }

 private:
  std::string info(const char* name) {
    const auto& all = frames_.front().info;
    const auto text = [&](const char* key) {
      const auto found = all.find(key);
      return found == all.end() ? std::string() : found->second;
    };
    stage_ = text("neb_stage");
    climbing_ = text("neb_climbing") == "yes";
    step_ = std::atoi(text("neb_step").c_str());
    return text(name);
  }

  const BarrierRun& run_;
  std::string key_, stage_;
  int step_ = 0;
  bool climbing_ = false;
  std::vector<Frame> frames_;
  std::chrono::steady_clock::time_point saved_{};
};

double end_force(const BarrierOptions& options) { return 0.25 * options.band.force_eV_per_A; }

/// Both ends relaxed at their cell, continued from `ends`; `save` is shown how far they are.
void relax_ends(Potential& potential, std::vector<Frame>& ends, const BarrierOptions& options,
                const BarrierRun& run, const std::function<void(const std::vector<Frame>&, int)>& save) {
  const relax::RelaxOptions how{.force_eV_per_A = end_force(options), .max_steps = options.max_end_steps};
  for (const std::size_t e : {std::size_t{0}, std::size_t{1}}) {
    const std::string stage = e == 0 ? "start" : "end";
    potential.reset();
    const relax::RelaxResult r =
        relax::minimize(potential, ends[e], how, [&](int step, const relax::RelaxResult& so_far) {
          if (run.each) run.each(stage, step, so_far.largest_force_eV_per_A, std::nan(""));
          std::vector<Frame> now = ends;
          now[e].positions = so_far.frame.positions;
          save(now, step);
        });
    if (!r.converged) {
      throw WorkError(
          "the {} of the path ({}) did not relax to {:.3g} eV/Å in {} steps: {:.3g} eV/Å are left", stage,
          ends[e].formula(), how.force_eV_per_A, r.steps, r.largest_force_eV_per_A);
    }
    ends[e].positions = r.frame.positions;
    ends[e].labels = r.frame.labels;
  }
}

/// Whether an end of a kept path is known to be relaxed as far as is asked now.
bool rests(const Frame& end, const BarrierOptions& options) {
  const auto& forces = end.labels.forces_eV_per_A;
  return forces.size() == end.n_atoms() && std::all_of(forces.begin(), forces.end(), [&](const Vec3& f) {
           return f.norm() <= end_force(options);
         });
}

void measure_hop(const Frame& a, const Frame& b, Barrier& result) {
  for (std::size_t i = 0; i < a.n_atoms(); ++i) {
    const double moved = (b.positions[i] - a.positions[i]).norm();
    result.hop_A = std::max(result.hop_A, moved);
    result.moving_atoms += moved > 0.5 ? 1 : 0;
  }
}

Frame bare(const Frame& frame) {
  Frame result = frame;
  result.labels = {};
  result.velocities.clear();
  result.images.clear();
  return result;
}

}  // namespace

double net_charge_e(const Potential& potential, const Frame& frame) {
  const auto* ions = dynamic_cast<const Buckingham*>(&potential);
  if (ions == nullptr) return 0;
  double net = 0;
  const std::vector<int> map = match_types(frame, potential);
  for (const int t : frame.types)
    net += ions->model().charges[static_cast<std::size_t>(map[static_cast<std::size_t>(t)])];
  return net;
}

bool Barrier::ends_hold() const { return as_about_defects(moved_at_ends, neb.band.images.front().n_atoms()); }

Barrier find_barrier(Potential& potential, const Frame& initial, const Frame& final_frame,
                     const BarrierOptions& options, const BarrierRun& run) {
  PathFile file(run, job_key(initial, final_frame, options, run.potential_identity));
  Barrier result;
  std::vector<Frame> path = file.frames();
  if (file.stage() != "band") {
    std::vector<Frame> ends = path.size() == 2 ? path : std::vector<Frame>{initial, final_frame};
    for (Frame& end : ends) end = bare(end);
    if (options.relax_ends)
      relax_ends(potential, ends, options, run, [&](const std::vector<Frame>& now, int step) {
        file.save(now, "ends", step, false, false);
      });
    Barrier probe;
    measure_hop(ends[0], ends[1], probe);
    if (!(probe.hop_A > 0.3)) {
      throw WorkError("both ends relax to one structure ({}): no atom moves more than {:.3f} Å between them",
                      ends[0].formula(), probe.hop_A);
    }
    path = options.idpp ? relax::idpp_path(ends[0], ends[1], options.images)
                        : relax::linear_path(ends[0], ends[1], options.images);
    file.save(path, "band", 0, false, true);
  } else if (options.relax_ends && (!rests(path.front(), options) || !rests(path.back(), options))) {
    // A smaller force than the earlier run's holds for the ends too; the images between them stay.
    std::vector<Frame> ends{bare(path.front()), bare(path.back())};
    relax_ends(potential, ends, options, run, [&](const std::vector<Frame>& now, int /*step*/) {
      std::vector<Frame> all = path;
      all.front() = now.front();
      all.back() = now.back();
      file.save(all, "band", file.step(), file.climbing(), false);
    });
    path.front() = ends.front();
    path.back() = ends.back();
  }
  measure_hop(path.front(), path.back(), result);
  result.moved_at_ends = std::max(moved_atoms(initial, path.front()), moved_atoms(final_frame, path.back()));
  relax::BandOptions how = options.band;
  how.climbing = file.stage() == "band" && file.climbing();
  result.first_step = file.stage() == "band" ? file.step() : 0;
  const auto save = [&](const relax::NebResult& now, bool last) {
    file.save(now.band.images, "band", result.first_step + now.band.steps, now.band.climber >= 0, last);
  };
  const auto each = [&](const relax::NebResult& now) {
    if (run.each)
      run.each("band", result.first_step + now.band.steps, now.band.largest_band_force(), now.forward_eV);
    save(now, false);
  };
  try {
    result.neb = relax::nudged_elastic_band(potential, path, how, each);
  } catch (const InputError& error) {
    // What the potential takes at the start and refuses between the ends is no fault of the input.
    (void)potential.evaluate(path.front());
    throw WorkError("the band: {}", error.what());
  }
  save(result.neb, true);
  return result;
}

}  // namespace solion::defects
