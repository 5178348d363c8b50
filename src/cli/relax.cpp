// solion relax: atoms, and the cell if asked, to a minimum of any potential.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/numbers.hpp"
#include "cli/outputs.hpp"
#include "cli/verbs.hpp"
#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/input.hpp"
#include "solion/base/threads.hpp"
#include "solion/catalog/open.hpp"
#include "solion/defects/kept.hpp"
#include "solion/io/formats.hpp"
#include "solion/io/gather.hpp"

namespace solion::cli {
namespace {

struct Options {
  std::string model, frames, output, json;
  std::string cell = "fixed";
  double pressure_bar = 0;
  relax::RelaxOptions relax;
  bool any_density = false;
  int threads = available_threads();
};

relax::CellMode cell_mode(const std::string& name) {
  if (name == "full") return relax::CellMode::full;
  return name == "isotropic" ? relax::CellMode::isotropic : relax::CellMode::fixed;
}

relax::RelaxResult relaxed(Potential& potential, const Frame& frame, std::size_t f, const Options& options,
                           defects::KeptRelaxations& kept) {
  try {
    return kept.minimize(potential, frame, options.relax);
  } catch (const InputError& error) {
    throw InputError("{}: frame {}: {}", options.frames, f + 1, error.what());
  }
}

/// What would be refused only when all is relaxed.
void check_output(const Options& options, const std::vector<Frame>& frames) {
  io::require_writable(options.output, frames.size());
  if (options.output.empty()) return;
  const io::Format format = io::format_of(options.output);
  if (format != io::Format::poscar && format != io::Format::lammps_data) return;
  if (!std::ranges::all_of(frames, [](const Frame& frame) { return frame.cell.has_value(); }))
    throw InputError("{}: {} has no cell, and the format needs one", options.output, options.frames);
}

/// What the cell does and against which pressure.
void set_cell(Options& options) {
  options.relax.cell = cell_mode(options.cell);
  if (!std::isfinite(options.pressure_bar))
    throw InputError("--pressure-bar {}: expected a finite number", options.pressure_bar);
  if (options.pressure_bar != 0 && options.relax.cell == relax::CellMode::fixed) {
    throw InputError(
        "--pressure-bar {:g}: a fixed cell cannot follow a pressure; give --cell full or isotropic",
        options.pressure_bar);
  }
  options.relax.pressure_GPa = options.pressure_bar * constants::bar_in_GPa;
}

Json to_json(const Frame& before, const relax::RelaxResult& r) {
  return {{"formula", before.formula()},
          {"energy_before_eV", r.start_eV},
          {"energy_eV", r.energy_eV},
          {"enthalpy_eV", r.enthalpy_eV},
          {"steps", r.steps},
          {"converged", r.converged},
          {"largest_force_eV_per_A", r.largest_force_eV_per_A},
          {"largest_stress_GPa", r.largest_stress_GPa},
          {"volume_A3", r.frame.cell ? Json(r.frame.cell->volume()) : Json()}};
}

void print_row(std::size_t f, const relax::RelaxResult& r) {
  fmt::print("{:>6} {:>18.6f} {:>18.6f} {:>7} {:>12.2e} {:>12.2e} {:>12}  {}\n", f + 1, r.start_eV,
             r.energy_eV, r.steps, r.largest_force_eV_per_A, r.largest_stress_GPa,
             r.frame.cell ? fmt::format("{:.4f}", r.frame.cell->volume()) : "-",
             r.converged ? "" : "NOT CONVERGED");
}

void run(Options options) {
  require_folder_of(options.json);
  refuse_shared({options.output, options.json}, {options.model, options.frames});
  set_cell(options);
  const auto potential = open_potential(options.model);
  potential->set_threads(options.threads);
  io::ReadOptions how;
  how.accept_any_density = options.any_density;
  std::vector<Frame> frames = io::read_frames(options.frames, how);
  check_output(options, frames);
  defects::KeptRelaxations kept(defects::kept_beside(options.output, options.json),
                                potential_identity(options.model, "double"));
  Json list = Json::array();
  std::size_t failed = 0, flown = 0;
  fmt::print("{:>6} {:>18} {:>18} {:>7} {:>12} {:>12} {:>12}  {}\n", "frame", "energy before eV", "after eV",
             "steps", "force eV/Å", "stress GPa", "volume Å³", "");
  for (std::size_t f = 0; f < frames.size(); ++f) {
    potential->reset();
    const relax::RelaxResult r = relaxed(*potential, frames[f], f, options, kept);
    failed += r.converged ? 0 : 1;
    flown += r.flew_apart ? 1 : 0;
    list.push_back(to_json(frames[f], r));
    print_row(f, r);
    frames[f] = r.frame;
  }
  if (!options.json.empty()) {
    write_json(
        options.json,
        {{"model", options.model}, {"source", options.frames}, {"cell", options.cell}, {"frames", list}});
  }
  if (!options.output.empty()) io::write_frames_or_systems(options.output, frames);
  if (failed > 0) {
    kept.save();
    if (flown > 0)
      throw WorkError(
          "{} of {} frames did not converge, {} of them at ten times their volume: at {:g} bar nothing holds "
          "these atoms together",
          failed, frames.size(), flown, options.pressure_bar);
    throw WorkError("{} of {} frames did not converge; more --steps, or a larger --force", failed,
                    frames.size());
  }
  kept.remove();
}

}  // namespace

std::function<void()> setup_relax(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("-m,--model", options->model,
                 "*.toml (an analytic potential) or *.dp, *.hdf5, *.yaml (a Deep Potential)")
      ->required();
  app.add_option("frames", options->frames, "Frames: extxyz, POSCAR, LAMMPS, a DeePMD system …")->required();
  app.add_option("-o,--output", options->output, "Write the relaxed frames (format by name)");
  app.add_option("--cell", options->cell, "What of the cell relaxes")
      ->capture_default_str()
      ->check(CLI::IsMember({"fixed", "isotropic", "full"}));
  app.add_option("--pressure-bar", options->pressure_bar, "Pressure that the cell relaxes against")
      ->capture_default_str();
  app.add_option("--force", options->relax.force_eV_per_A, "Done when no atom feels more (eV/Å)")
      ->capture_default_str()
      ->check(more_than_0);
  app.add_option("--stress", options->relax.stress_GPa, "… and no stress is farther from the pressure (GPa)")
      ->capture_default_str()
      ->check(more_than_0);
  app.add_option("--steps", options->relax.max_steps, "At most so many steps")
      ->capture_default_str()
      ->check(zero_or_more);
  app.add_option("--json", options->json, "Write all numbers to this file");
  app.add_flag("--any-density", options->any_density,
               "Accept any volume per atom (a molecule in a large box)");
  app.add_option("--threads", options->threads, "Threads")
      ->default_str("all cores")
      ->check(CLI::Range(1, 4096));
  return [options] { run(*options); };
}

}  // namespace solion::cli
