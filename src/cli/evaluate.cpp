// solion evaluate: energy, forces, virial and atomic energies of every frame with any model.
#include <fmt/ranges.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>

#include "cli/outputs.hpp"
#include "cli/verbs.hpp"
#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/input.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"
#include "solion/catalog/open.hpp"
#include "solion/dataset/system.hpp"
#include "solion/gpu/open_device.hpp"
#include "solion/io/formats.hpp"
#include "solion/io/gather.hpp"

namespace solion::cli {
namespace {

struct Options {
  std::string model;
  std::string frames;
  std::string json;
  std::string output;
  bool any_density = false;
  std::string device = "cpu";
  int threads = available_threads();
};

/// Replaces the labels of each frame by the potential's.
void label(const Options& options, const Potential& potential, std::vector<Frame>& frames) {
  const std::size_t n = frames.size();
  // A device works on one frame at a time.
  const int threads = options.device == "cpu" ? options.threads : 1;
  const int workers = static_cast<int>(std::min<std::size_t>(n, static_cast<std::size_t>(threads)));
  std::vector<std::unique_ptr<Potential>> clones;
  clones.reserve(static_cast<std::size_t>(workers));
  for (int w = 0; w < workers; ++w) {
    clones.push_back(potential.clone());
    clones.back()->set_threads(std::max(1, options.threads / workers));
  }
  Progress progress("evaluate", n);
  std::mutex mutex;
  std::size_t done = 0;
  parallel_dynamic(n, workers, [&](std::size_t f, int worker) {
    try {
      throw_if_interrupted();
      Frame& frame = frames[f];
      Evaluation result;
      // No cache of an earlier frame: which worker had which does not show in the last digits.
      Potential& clone = *clones[static_cast<std::size_t>(worker)];
      clone.reset();
      clone.evaluate(frame, {.atomic_energies = true}, result);
      frame.labels = {result.energy, std::move(result.forces), result.virial,
                      std::move(result.atomic_energies)};
      frame.info.erase("energy_sigma0");  // of the labels before
      const std::lock_guard lock(mutex);
      progress.update(++done);
    } catch (const InputError& error) {
      throw InputError("{}: frame {}: {}", options.frames, f + 1, error.what());
    } catch (const WorkError& error) {
      throw WorkError("{}: frame {}: {}", options.frames, f + 1, error.what());
    }
  });
}

struct Summary {
  double energy_per_atom, largest_force;
  std::optional<double> pressure_GPa;
};

Summary summarise(const Frame& frame) {
  Summary s{*frame.labels.energy_eV / static_cast<double>(frame.n_atoms()), 0, {}};
  for (const Vec3& f : frame.labels.forces_eV_per_A) s.largest_force = std::max(s.largest_force, f.norm());
  if (frame.cell) {
    s.pressure_GPa =
        frame.labels.virial_eV->trace() / (3 * frame.cell->volume()) * constants::eV_per_A3_in_GPa;
  }
  return s;
}

Json to_json(const Frame& frame) {
  const Summary s = summarise(frame);
  Json forces = Json::array(), virial = Json::array();
  for (const Vec3& f : frame.labels.forces_eV_per_A) forces.push_back({f[0], f[1], f[2]});
  const Mat3& w = *frame.labels.virial_eV;
  for (int a = 0; a < 3; ++a) virial.push_back({w(a, 0), w(a, 1), w(a, 2)});
  return {{"formula", frame.formula()},
          {"energy_eV", *frame.labels.energy_eV},
          {"energy_eV_per_atom", s.energy_per_atom},
          {"largest_force_eV_per_A", s.largest_force},
          {"pressure_GPa", s.pressure_GPa ? Json(*s.pressure_GPa) : Json()},
          {"forces_eV_per_A", std::move(forces)},
          {"virial_eV", std::move(virial)},
          {"atomic_energies_eV", frame.labels.atomic_energies_eV}};
}

void print(const std::vector<Frame>& frames) {
  fmt::print("{:>6} {:>7} {:>18} {:>14} {:>12} {:>12}  {}\n", "frame", "atoms", "energy eV", "eV/atom",
             "max F eV/Å", "pressure GPa", "formula");
  for (std::size_t f = 0; f < frames.size(); ++f) {
    const Summary s = summarise(frames[f]);
    fmt::print("{:>6} {:>7} {:>18.8f} {:>14.8f} {:>12.5f} {:>12}  {}\n", f + 1, frames[f].n_atoms(),
               *frames[f].labels.energy_eV, s.energy_per_atom, s.largest_force,
               s.pressure_GPa ? fmt::format("{:.5f}", *s.pressure_GPa) : "-", frames[f].formula());
  }
}

/// Labels are what this verb writes: a format without any is refused, one that holds some says what is lost.
void check_format(const Options& options, const Frame& frame) {
  if (options.output.empty()) return;
  const io::Format format = io::format_of(options.output);
  Frame labelled = frame;
  labelled.labels = {0.0, std::vector<Vec3>(frame.n_atoms(), Vec3::Zero()), Mat3::Zero(),
                     std::vector<double>(frame.n_atoms())};
  const std::vector<std::string> lost = io::lost_in(format, labelled);
  if (std::find(lost.begin(), lost.end(), "forces") != lost.end())
    throw InputError("-o {}: the format holds no labels; expected a name that ends in .xyz, or a folder",
                     options.output);
  if (!lost.empty()) log().warn("{}: the format has no place for: {}", options.output, fmt::join(lost, ", "));
}

/// The frames of a file, or of all systems of a folder, whose types are numbered alike.
std::vector<Frame> read(const Options& options, const std::vector<std::string>& fallback_names) {
  io::ReadOptions how;
  how.fallback_names = fallback_names;
  how.accept_any_density = options.any_density;
  std::vector<Frame> frames;
  TypeMap types;
  for (const auto& path : dataset::systems_or_file(options.frames)) {
    for (Frame& frame : io::read_frames(path, how)) {
      io::share_type_map(types, frame);
      frames.push_back(std::move(frame));
    }
  }
  return frames;
}

void run(const Options& options) {
  require_folder_of(options.json);
  io::require_writable(options.output, 1);
  refuse_shared({options.output, options.json}, {options.model, options.frames});
  const auto potential = open_potential(options.model, {.device = options.device});
  std::vector<Frame> frames = read(options, potential->type_map().names());
  io::require_writable(options.output, frames.size());
  check_format(options, frames.front());
  label(options, *potential, frames);
  if (!options.json.empty()) {
    Json list = Json::array();
    for (const Frame& frame : frames) list.push_back(to_json(frame));
    write_json(options.json, {{"model", options.model},
                              {"potential", potential->description()},
                              {"source", options.frames},
                              {"frames", std::move(list)}});
  }
  print(frames);
  if (!options.output.empty()) io::write_frames_or_systems(options.output, std::move(frames));
}

}  // namespace

std::function<void()> setup_evaluate(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("-m,--model", options->model,
                 "*.toml (an analytic potential) or *.dp, *.hdf5, *.yaml (a Deep Potential)")
      ->required();
  app.add_option("frames", options->frames, "Frames: extxyz, POSCAR, LAMMPS, a folder of DeePMD systems …")
      ->required();
  app.add_option("--json", options->json, "Write all numbers to this file");
  app.add_option("-o,--output", options->output, "Write the frames with these labels (format by name)");
  app.add_flag("--any-density", options->any_density,
               "Accept any volume per atom (a molecule in a large box)");
  app.add_option("--device", options->device,
                 std::string("Where a Deep Potential is evaluated: ") + gpu::device_names)
      ->capture_default_str();
  app.add_option("--threads", options->threads, "Threads")
      ->default_str("all cores")
      ->check(CLI::Range(1, 4096));
  return [options] { run(*options); };
}

}  // namespace solion::cli
