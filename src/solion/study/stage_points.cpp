// Points of a study: dynamics, then a look inside; side by side on the cores, or together on a device.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>
#include <semaphore>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"
#include "solion/gpu/lockstep.hpp"
#include "solion/study/cells.hpp"

namespace solion::study {
namespace {

/// `work`, or its failure: one bad point does not stop the others. Counts what is not computed and may not
/// be.
template <class Work>
Json or_failure(const Point& point, std::atomic<int>& missing, const Work& work) {
  Json result;
  try {
    result = work();
  } catch (const Interrupted&) {
    throw;
  } catch (const NotComputed&) {
    ++missing;
    result = {{"failed", not_computed}};
  } catch (const std::exception& error) {  // also what the analysis says of a run that blew up
    log().warn("{}: {}", point.name(), error.what());
    result = {{"failed", error.what()}};
  }
  result["structure"] = point.structure;
  result["temperature_K"] = point.temperature_K;
  return result;
}

/// Removes what a run of this point would go on with.
void forget_files(const std::filesystem::path& folder) {
  std::error_code stays;  // in the way of a longer run, which then says so
  for (const char* name :
       {"trajectory.extxyz", "nvt.log", "nvt.restart", "npt.log", "npt.restart", "npt.extxyz"})
    std::filesystem::remove(folder / name, stays);
}

/// One of a number of turns, given back also when the work ends by an exception.
class Turn {
 public:
  explicit Turn(std::counting_semaphore<>& turns) : turns_(turns) { turns_.acquire(); }
  ~Turn() { turns_.release(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  Turn(Turn&&) = delete;
  Turn& operator=(Turn&&) = delete;

 private:
  std::counting_semaphore<>& turns_;
};

/// All points in progress.
class Points {
 public:
  Points(const Context& context, const Json& model, double production_ps)
      : context_(context),
        model_(model),
        production_ps_(production_ps),
        all_(points(context.config.md)),
        potential_(open_model(context, model)),
        results_(all_.size()),
        seen_(all_.size()),
        done_(frames_each() * finished()),
        progress_("molecular dynamics, frames", frames_each() * all_.size(), done_) {}

  Json run() {
    if (context_.device() == "cpu" || context_.options.report_only) {
      parallel_dynamic(all_.size(), context_.options.threads, [&](std::size_t i, int) { finish(i); });
    } else {
      move_together();
    }
    Json both{{"points", results_}, {"missing", missing_.load()}};
    if (looks()) both["structures"] = seen_;
    return both;
  }

 private:
  [[nodiscard]] std::size_t frames_each() const {
    return static_cast<std::size_t>(production_ps_ * 1000 / context_.config.md.frame_interval_fs);
  }
  [[nodiscard]] bool is_simulated(std::size_t i) const {
    return simulated(context_, model_, all_[i], production_ps_);
  }
  [[nodiscard]] std::size_t finished() const {
    std::size_t n = 0;
    for (std::size_t i = 0; i < all_.size(); ++i) n += is_simulated(i) ? 1 : 0;
    return n;
  }
  [[nodiscard]] bool looks() const { return context_.config.structure.frames > 0; }

  void tick(const Point& point) {
    const std::lock_guard lock(mutex_);
    progress_.update(++done_, point.name());
  }

  /// On a device: each point in a thread of its own that mostly waits; who has moved is looked at, by no more
  /// threads than there are cores.
  void move_together() {
    const auto potential = open_mover(context_, model_);
    const auto* on_device = dynamic_cast<const gpu::DevicePotential*>(potential.get());
    if (on_device == nullptr)
      throw InputError("{}: device '{}' is for a Deep Potential", context_.config.file.string(),
                       context_.device());
    gpu::Lockstep company(*on_device);
    const Engine engine{*potential, company.mover()};
    std::counting_semaphore<> cores(context_.options.threads);
    gpu::run_together(atoms_of(context_.config, all_), gpu::enough_atoms, [&](std::size_t i) {
      if (!is_simulated(i)) {
        results_[i] = or_failure(all_[i], missing_, [&] {
          move_atoms(context_, model_, all_[i], production_ps_, engine, [&] { tick(all_[i]); });
          return Json();
        });
      }
      const Turn turn(cores);
      finish(i);
    });
  }

  /// What of the point is not done yet, on the processor.
  void finish(std::size_t i) {
    const Point& point = all_[i];
    const auto own = potential_->clone();
    const auto work = [&] {
      return simulate(context_, model_, point, production_ps_, {*own}, [&] { tick(point); });
    };
    if (!results_[i].contains("failed")) results_[i] = or_failure(point, missing_, work);
    if (!looks() || results_[i].contains("failed")) {
      seen_[i] = {{"structure", point.structure}, {"temperature_K", point.temperature_K}};
    } else {
      seen_[i] = or_failure(point, missing_,
                            [&] { return look_at_structure(context_, model_, point, results_[i], *own); });
    }
    const bool done = !results_[i].contains("failed") && !seen_[i].contains("failed");
    if (done && !context_.config.md.keep_trajectories && !context_.options.report_only)
      forget_files(md_folder(context_, model_, point));
  }

  const Context& context_;
  const Json& model_;
  double production_ps_;
  std::vector<Point> all_;
  std::unique_ptr<Potential> potential_;
  std::vector<Json> results_, seen_;
  std::size_t done_;
  Progress progress_;
  std::mutex mutex_;
  std::atomic<int> missing_ = 0;
};

}  // namespace

Json run_points(const Context& context, const Json& model, const Json& plan) {
  return Points(context, model, plan["production_ps"]).run();
}

}  // namespace solion::study
