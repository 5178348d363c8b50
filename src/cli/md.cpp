// solion md INPUT: molecular dynamics from a TOML file; the same command goes on after an interruption.
#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/input.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"
#include "solion/catalog/open.hpp"
#include "solion/engine/lammps.hpp"
#include "solion/gpu/device_simulation.hpp"
#include "solion/gpu/open_device.hpp"
#include "solion/io/formats.hpp"
#include "solion/kim/collection.hpp"
#include "solion/md/run.hpp"
#include "solion/md/run_files.hpp"
#include "solion/observe/analyses.hpp"

namespace solion::cli {
namespace {

struct MdOptions {
  std::string input;
  std::string json;
  bool fresh = false;
  bool any_density = false;
  int threads = 0;
  std::string engine = "solion";
  int ranks = 1;
  std::string device;
};

/// One row has neither a deviation nor a drift; without rows there is nothing to say.
void print_averages(const md::Averages& a, std::size_t atoms) {
  const std::int64_t n = a.temperature_K.n;
  if (n == 0) {
    fmt::print("  no averages: no row of the log (thermo_every) is behind the equilibration\n");
    return;
  }
  const auto row = [](const char* name, const md::RunningMean& m, const char* unit) {
    const std::string error = m.n > 1 ? fmt::format(" ± {:.4f}", m.deviation()) : "";
    fmt::print("  {:<18}{:>16.4f}{} {}\n", name, m.mean, error, unit);
  };
  fmt::print("  {}:\n",
             n > 1 ? fmt::format("mean ± standard deviation of {} rows", n) : "the one row of the log");
  row("temperature", a.temperature_K, "K");
  row("potential energy", a.potential_eV, "eV");
  row("pressure", a.pressure_bar, "bar");
  row("volume", a.volume_A3, "Å³");
  if (n > 1)
    fmt::print("  {:<18}{:>16.3e} eV/atom/ps\n", "conserved, drift",
               a.drift_eV_per_ps() / static_cast<double>(atoms));
}

void print_summary(const md::Summary& s, const md::Input& input) {
  fmt::print("{} ({} atoms): {} steps, {:g} ps\n", s.formula, s.atoms, s.last_step, s.time_ps);
  print_averages(s.averages, s.atoms);
  if (s.last_step > s.first_step) {
    fmt::print("  {} for {} steps: {:.3g} ns/day, {:.3g} µs/atom/step\n", format_duration(s.wall_s),
               s.last_step - s.first_step, s.ns_per_day(), s.us_per_atom_step());
  } else if (s.last_step == 0) {
    fmt::print("  no steps: only the energies and forces of the start\n");
  } else {
    fmt::print("  finished before; nothing was left to do (--fresh starts again, more `steps` go on)\n");
  }
  fmt::print("log {}\n", input.outputs.log.string());
  for (const md::TrajectoryOutput& t : input.outputs.trajectories)
    fmt::print("trajectory {}\n", t.file.string());
}

/// The lines of each, and where its results stand.
void print_analyses(const std::vector<std::string>& texts, md::Input input) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    TomlTable& table = input.analyses[i];
    fmt::print("{}", texts[i]);
    for (const char* key : {"json", "csv"})
      if (table.has(key)) fmt::print("{} {}\n", table.text("kind"), table.path(key).string());
  }
}

void refuse_jobs(const MdOptions& options, const md::Input& input) {
  if (options.ranks > 1)
    throw InputError(
        "--ranks {}: the own engine runs in one process with threads; ranks belong to --engine lammps",
        options.ranks);
  if (input.executor)
    throw InputError("{}: [executor]: the own engine runs in this process; jobs belong to --engine lammps",
                     options.input);
}

engine::LammpsOptions for_lammps(const MdOptions& options, const md::Input& input,
                                 const md::RunOptions& how) {
  engine::LammpsOptions result;
  result.ranks = options.ranks;
  result.fresh = how.fresh;
  result.potential_identity = how.potential_identity;
  result.progress = how.progress;
  result.folder = std::filesystem::path(options.input).replace_extension(".lammps");
  result.kim_objects = kim::find_parts();
  if (input.executor) result.executor = reference::read_executor(*input.executor);
  return result;
}

/// What the run would refuse without the name of the file.
void check_start(const md::Input& input, const Frame& read) {
  const auto refuse = [&](const std::string& why) {
    throw InputError("{}: {}", input.structure.string(), why);
  };
  if (!read.cell) refuse("has no periodic cell; molecular dynamics needs one (a molecule: in a large box)");
  if (input.settings.draw_velocities) {
    if (!read.velocities.empty())
      log().warn("{}: its velocities are not used; initial_velocities = \"structure\" begins with them",
                 input.structure.string());
    return;
  }
  const char* other = "initial_velocities = \"maxwell-boltzmann\" draws some";
  if (read.velocities.empty())
    refuse(fmt::format("has no velocities, but initial_velocities = \"structure\"; {}", other));
  if (input.supercell != std::array<int, 3>{1, 1, 1})
    refuse(fmt::format(
        "initial_velocities = \"structure\": images of one atom in a supercell must not all move alike; {}",
        other));
}

/// The structure in its supercell, of elements that the potential knows.
Frame starting_frame(const md::Input& input, bool any_density, const Potential& potential) {
  io::ReadOptions read;
  read.accept_any_density = any_density;
  Frame start = io::read_frame(input.structure, read);
  check_start(input, start);
  const auto& n = input.supercell;
  if (n != std::array<int, 3>{1, 1, 1}) start = repeat(start, n);
  try {
    match_types(start, potential);
  } catch (const InputError& error) {
    throw InputError("{}: {}", input.structure.string(), error.what());
  }
  return start;
}

/// The summary must not take the place of an input or of a result.
void refuse_json_of_others(const MdOptions& options, const md::Input& input,
                           const observe::Analyses& analyses) {
  if (options.json.empty()) return;
  std::vector<std::filesystem::path> files = input.files();
  std::ranges::copy(analyses.files(), std::back_inserter(files));
  files.emplace_back(options.json);
  md::refuse_shared_files(options.input, input.outputs, files);
}

void run_md(const MdOptions& options) {
  require_folder_of(options.json);
  const md::Input input = md::read_input(TomlTable::read(options.input));
  md::check_outputs(input.outputs);
  const std::string device = options.device.empty() ? input.device : options.device;
  const std::unique_ptr<Potential> potential =
      open_potential(input.potential, {.precision = input.precision, .device = device});
  const Frame start = starting_frame(input, options.any_density, *potential);
  const int threads = options.threads > 0 ? options.threads : input.threads;
  potential->set_threads(threads > 0 ? threads : available_threads());
  md::RunOptions how;
  how.fresh = options.fresh;
  how.potential_identity = potential_identity(input.potential, input.precision);
  how.progress = "md";
  how.mover = gpu::mover_of(*potential);
  const bool by_lammps = options.engine == "lammps";
  if (by_lammps && device != "cpu")
    throw InputError("device '{}' belongs to the own engine; --engine lammps has its own ways to a GPU",
                     device);
  engine::LammpsOptions lammps;
  if (by_lammps) {
    lammps = for_lammps(options, input, how);
    engine::check_lammps(input, start, lammps);
  } else {
    refuse_jobs(options, input);
  }
  observe::Analyses analyses(input, start);
  refuse_json_of_others(options, input, analyses);
  how.observers = analyses.observers();
  log().info("{}: {}; {}", options.input, start.formula(), potential->description());
  const md::Summary summary = by_lammps ? engine::run_lammps(input, start, *potential, lammps)
                                        : md::run(input.settings, input.outputs, start, *potential, how);
  print_summary(summary, input);
  print_analyses(analyses.write(), input);
  if (!options.json.empty()) {
    Json json = md::to_json(summary);
    json["log"] = input.outputs.log.string();
    json["restart"] = input.outputs.restart.string();
    write_json(options.json, json);
  }
}

}  // namespace

std::function<void()> setup_md(CLI::App& app) {
  auto options = std::make_shared<MdOptions>();
  app.add_option("input", options->input, "input file (TOML; keys in docs/theory/md.md)")->required();
  app.add_option("--json", options->json, "write the summary there as JSON");
  app.add_flag("--fresh", options->fresh, "start again instead of going on from the restart file");
  app.add_flag("--any-density", options->any_density,
               "accept any volume per atom of the structure (a molecule in a large box)");
  app.add_option("--engine", options->engine,
                 "solion, or lammps: the same run by Debian's LAMMPS through the KIM API (docs/lammps.md)")
      ->check(CLI::IsMember({"solion", "lammps"}))
      ->capture_default_str();
  app.add_option("--ranks", options->ranks, "MPI processes of --engine lammps")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--device", options->device,
                 std::string("where a Deep Potential and the atoms are (default: the input's, or cpu): ") +
                     gpu::device_names);
  app.add_option("--threads", options->threads,
                 "threads of the potential (default: the input's, or all cores)")
      ->check(CLI::Range(1, 4096));
  return [options] { run_md(*options); };
}

}  // namespace solion::cli
