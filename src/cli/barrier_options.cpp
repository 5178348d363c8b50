// Options, progress and numbers of bands.
#include "cli/barrier_options.hpp"

#include <cmath>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/numbers.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/progress.hpp"
#include "solion/catalog/open.hpp"
#include "solion/potential/buckingham.hpp"

namespace solion::cli {

void add_barrier_options(CLI::App& app, BarrierArguments& a) {
  defects::BarrierOptions& b = a.barrier;
  app.add_option(
         "-m,--model", a.model,
         "*.toml (an analytic potential), *.dp, *.hdf5, *.yaml (a Deep Potential), or a reference code")
      ->required();
  app.add_option("--images", b.images, "Images between the ends")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--path", a.path, "First path: idpp (even distances) or linear")
      ->capture_default_str()
      ->check(CLI::IsMember({"idpp", "linear"}));
  app.add_option("--force", b.band.force_eV_per_A,
                 "Done when no band force is larger (eV/Å); the ends get a quarter")
      ->capture_default_str()
      ->check(more_than_0);
  app.add_option("--spring", b.band.spring_eV_per_A2, "Between neighbouring images (eV/Å²)")
      ->capture_default_str()
      ->check(more_than_0);
  app.add_option("--steps", b.band.max_steps, "At most so many steps of the band")
      ->capture_default_str()
      ->check(zero_or_more);
  app.add_flag("--no-climb", a.no_climb, "No climbing image; the barrier is then that of the cubics");
  app.add_flag("--keep-ends", a.keep_ends, "Take the ends as they are, without relaxing them");
  app.add_flag("--fresh", a.fresh, "Start again instead of going on from the path file");
  app.add_option("--json", a.json, "Write all numbers to this file");
  app.add_option("--threads", a.threads, "Images computed at the same time")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
}

OpenModel open_model(BarrierArguments& a) {
  require_folder_of(a.json);
  a.barrier.idpp = a.path == "idpp";
  a.barrier.relax_ends = !a.keep_ends;
  a.barrier.band.climb = !a.no_climb;
  a.barrier.band.threads = a.threads;
  OpenOptions how;
  how.charged_cells = true;
  OpenModel result{open_potential(a.model, how), a.model};
  result.potential->set_threads(a.threads);
  if (std::filesystem::is_regular_file(a.model)) result.identity = potential_identity(a.model, "double");
  return result;
}

defects::Barrier run_barrier(Potential& potential, const Frame& initial, const Frame& final_frame,
                             const BarrierArguments& a, const std::string& identity,
                             const std::string& path_file, const std::string& name) {
  Progress progress(name + ", step of at most", static_cast<std::size_t>(a.barrier.band.max_steps));
  defects::BarrierRun run{path_file, identity, a.fresh, {}};
  run.each = [&](const std::string& stage, int step, double force, double barrier) {
    progress.update(static_cast<std::size_t>(step),
                    std::isfinite(barrier)
                        ? fmt::format("{}: force {:.3g} eV/Å, barrier {:.4f} eV", stage, force, barrier)
                        : fmt::format("{}: force {:.3g} eV/Å", stage, force));
  };
  return defects::find_barrier(potential, initial, final_frame, a.barrier, run);
}

Json barrier_json(const defects::Barrier& b) {
  const relax::NebResult& n = b.neb;
  Json path = Json::array();
  for (std::size_t k = 0; k < n.profile.energy_eV.size(); ++k) {
    path.push_back({{"image", k},
                    {"coordinate_A", n.profile.coordinate_A[k]},
                    {"energy_eV", n.profile.energy_eV[k]},
                    {"slope_eV_per_A", n.profile.slope_eV_per_A[k]},
                    {"band_force_eV_per_A", n.band.band_force[k]}});
  }
  return {{"converged", n.band.converged},
          {"climbed", n.climbed},
          {"has_barrier", n.has_barrier},
          {"steps", b.first_step + n.band.steps},
          {"forward_barrier_eV", n.forward_eV},
          {"backward_barrier_eV", n.backward_eV},
          {"reaction_energy_eV", n.reaction_eV},
          {"energy_of_start_eV", n.band.evaluations.front().energy},
          {"interpolated_barrier_eV", n.profile.highest_eV},
          {"interpolated_saddle_at_A", n.profile.highest_at_A},
          {"saddle_image", n.saddle},
          {"intermediate_minima", n.intermediate_minima},
          {"largest_band_force_eV_per_A", n.band.largest_band_force()},
          {"largest_end_force_eV_per_A", n.end_force_eV_per_A},
          {"hop_A", b.hop_A},
          {"moving_atoms", b.moving_atoms},
          {"moved_at_ends", b.moved_at_ends},
          {"path", path}};
}

void warn_about_charge(Potential& potential, const Frame& frame) {
  const double net = defects::net_charge_e(potential, frame);
  if (std::abs(net) > 1e-6)
    fmt::print(
        "net charge of the cell {:+g} e: a uniform background makes it neutral (docs/theory/defects.md)\n",
        net);
}

}  // namespace solion::cli
