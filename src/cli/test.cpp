// solion test: the errors of a model on labelled systems.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/numbers.hpp"
#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/input.hpp"
#include "solion/base/log.hpp"
#include "solion/base/threads.hpp"
#include "solion/dataset/plausible.hpp"
#include "solion/dataset/system.hpp"
#include "solion/dp/deep_potential.hpp"
#include "solion/io/formats.hpp"
#include "solion/train/accuracy.hpp"

namespace solion::cli {
namespace {

struct TestOptions {
  std::string model;
  std::vector<std::string> systems;
  std::string detail;
  std::string json;
  bool any_density = false;
  int threads = available_threads();
};

struct Named {
  std::string name;
  std::vector<Frame> frames;
};

/// A folder stands for all systems in it; a file for its frames. An HDF5 system is refused as a folder would
/// be.
std::vector<Named> read_systems(const std::vector<std::string>& paths, const TypeMap& types,
                                bool any_density) {
  std::vector<Named> systems;
  for (const std::string& path : paths) {
    if (std::filesystem::is_directory(path) || dataset::is_hdf5_name(path)) {
      for (const auto& folder : dataset::find_systems(path)) {
        dataset::warn_of_unused_arrays(folder);
        systems.push_back({folder.string(), dataset::load_system(folder, types.names()).frames});
      }
    } else {
      io::ReadOptions how;
      how.fallback_names = types.names();
      how.accept_any_density = any_density;
      systems.push_back({path, io::read_frames(path, how)});
    }
  }
  return systems;
}

/// A folder given beside one that holds it, say.
void warn_of_repeats(const std::vector<Named>& systems) {
  std::set<std::filesystem::path> seen;
  std::vector<std::string> repeated;
  for (const Named& system : systems)
    if (!seen.insert(std::filesystem::weakly_canonical(system.name)).second) repeated.push_back(system.name);
  if (!repeated.empty())
    log().warn("more than once among the systems, and counted as often: {}", fmt::join(repeated, ", "));
}

void print_row(const std::string& name, const train::Accuracy& a) {
  const auto cell = [](double x, int digits, int width) {
    // A blank at least, however large the number.
    return std::isfinite(x) ? fmt::format(" {:{}.{}f}", x, width - 1, digits)
                            : fmt::format("{:>{}}", "-", width);
  };
  std::string line = fmt::format("{:28}{:8}", name, a.frames);
  line += cell(1e3 * a.energy_per_atom.rmse(), 3, 12) + cell(1e3 * a.energy_per_atom.mae(), 3, 12);
  line += cell(a.energy_per_atom.r2(), 4, 9);
  line += cell(1e3 * a.force.rmse(), 1, 12) + cell(1e3 * a.force.mae(), 1, 12) + cell(a.force.r2(), 4, 9);
  line += cell(1e3 * a.virial_per_atom.rmse(), 3, 12) + cell(1e3 * a.virial_per_atom.mae(), 3, 12);
  fmt::print("{}\n", line);
}

/// What would be refused only when the systems before it are done.
void require_comparable(const std::vector<Named>& systems, const Potential& potential) {
  for (const Named& system : systems) {
    const bool labelled = std::ranges::any_of(system.frames, [](const Frame& f) {
      return f.labels.energy_eV || !f.labels.forces_eV_per_A.empty() || f.labels.virial_eV;
    });
    if (!labelled) throw InputError("{}: no energies, forces or virials to compare with", system.name);
    try {
      for (const Frame& frame : system.frames) (void)match_types(frame, potential);
    } catch (const InputError& error) {
      throw InputError("{}: {}", system.name, error.what());
    }
  }
}

void run_test(const TestOptions& options) {
  const dp::DeepPotential potential{std::filesystem::path(options.model)};
  require_folder_of(options.json);
  require_folder_of(options.detail);
  const std::vector<Named> systems = read_systems(options.systems, potential.type_map(), options.any_density);
  warn_of_repeats(systems);
  require_comparable(systems, potential);
  std::vector<train::ComparedSystem> compared;
  train::Accuracy all;
  Json list = Json::array();
  fmt::print("{:28}{:>8}{:>33}{:>33}{:>24}\n", "", "", "energy, meV/atom", "force, meV/Å",
             "virial, meV/atom");
  fmt::print("{:28}{:>8}{:>12}{:>12}{:>9}{:>12}{:>12}{:>9}{:>12}{:>12}\n", "system", "frames", "RMSE", "MAE",
             "R²", "RMSE", "MAE", "R²", "RMSE", "MAE");
  for (const Named& system : systems) {
    compared.push_back({system.name, train::compare(potential, system.frames, options.threads)});
    train::Accuracy one;
    for (const train::Comparison& c : compared.back().frames) {
      one.add(c);
      all.add(c);
    }
    const std::string shown =
        system.name.size() > 27 ? "…" + system.name.substr(system.name.size() - 26) : system.name;
    print_row(shown, one);
    Json entry = train::to_json(one);
    entry["system"] = system.name;
    list.push_back(entry);
  }
  print_row("all", all);
  if (!options.detail.empty()) {
    for (const auto& file : train::write_details(options.detail, compared))
      fmt::print("wrote {}\n", file.string());
  }
  if (!options.json.empty()) {
    Json result = train::to_json(all);
    result["model"] = options.model;
    result["systems"] = list;
    write_json(options.json, result);
  }
}

}  // namespace

std::function<void()> setup_test(CLI::App& app) {
  auto options = std::make_shared<TestOptions>();
  app.add_option("-m,--model", options->model, "Model file (.dp, .yaml)")->required();
  app.add_option(
         "-s,--system", options->systems,
         "Labelled systems: DeePMD npy folders (searched for all systems below) or frame files with labels")
      ->required();
  app.add_flag("--any-density", options->any_density,
               "Accept frames of any volume per atom (a molecule in a large box)");
  app.add_option("--detail", options->detail, "Prefix of files with every label beside its prediction");
  app.add_option("--threads", options->threads, "Threads")->check(more_than_0)->default_str("all cores");
  app.add_option("--json", options->json, "Write the same numbers here");
  return [options] { run_test(*options); };
}

}  // namespace solion::cli
