// Molecular dynamics and training in Python: the same inputs and the same numbers as the program's verbs.
#include "python/bindings.hpp"

#include <nlohmann/json.hpp>
#include "solion/base/errors.hpp"
#include "solion/base/threads.hpp"
#include "solion/catalog/open.hpp"
#include "solion/gpu/device_simulation.hpp"
#include "solion/io/formats.hpp"
#include "solion/md/run.hpp"
#include "solion/observe/analyses.hpp"
#include "solion/train/trainer.hpp"

namespace solion::python {
namespace {

/// What a callback sees: the state of a run at one step.
struct Snapshot {
  const md::Simulation* simulation;
};

const md::Simulation& alive(const Snapshot& snapshot) {
  if (snapshot.simulation == nullptr)
    throw InputError(
        "a snapshot of molecular dynamics lives only during its callback; keep snapshot.frame() instead");
  return *snapshot.simulation;
}

py::dict thermo_dict(const md::Thermo& t) {
  py::dict row;
  row["step"] = t.step;
  row["time_fs"] = t.time_fs;
  row["temperature_K"] = t.temperature_K;
  row["potential_eV"] = t.potential_eV;
  row["kinetic_eV"] = t.kinetic_eV;
  row["conserved_eV"] = t.conserved_eV;
  row["pressure_bar"] = t.mean_pressure_bar();
  row["volume_A3"] = t.volume_A3;
  return row;
}

void bind_snapshot(py::module_& module) {
  py::class_<Snapshot, std::shared_ptr<Snapshot>>(module, "Snapshot",
                                                  "One step of molecular dynamics, for a callback.")
      .def_property_readonly("step", [](const Snapshot& s) { return alive(s).state().step; })
      .def(
          "thermo", [](const Snapshot& s) { return thermo_dict(alive(s).thermo()); },
          "step, time_fs, temperature_K, potential_eV, kinetic_eV, conserved_eV, pressure_bar, volume_A3")
      .def(
          "frame", [](const Snapshot& s) { return std::make_shared<Frame>(alive(s).frame()); },
          "A copy: wrapped positions, images, velocities, energy, forces, virial");
}

/// What a run leaves in memory beside its files.
struct Recorded {
  std::vector<double> positions;  // (frames, n, 3), unwrapped
  std::vector<double> cells;      // (frames, 3, 3)
  std::vector<double> times_fs;
  py::list thermo;
};

void record_frame(const md::Simulation& simulation, Recorded& into) {
  const md::State& state = simulation.state();
  const double* r = state.frame.positions.data()->data();
  into.positions.insert(into.positions.end(), r, r + 3 * state.frame.n_atoms());
  const Mat3& h = state.frame.cell->matrix();
  into.cells.insert(into.cells.end(), h.data(), h.data() + 9);
  into.times_fs.push_back(static_cast<double>(state.step) * simulation.settings().timestep_fs);
}

std::vector<md::Observer> observers(const md::Input& input, std::int64_t record_every,
                                    const std::optional<py::function>& callback, std::int64_t callback_every,
                                    Recorded& recorded, std::shared_ptr<Frame>& last) {
  std::vector<md::Observer> result;
  result.push_back({input.outputs.thermo_every, [&recorded](const md::Simulation& s) {
                      with_python([&] { recorded.thermo.append(thermo_dict(s.thermo())); });
                    }});
  if (record_every > 0)
    result.push_back({record_every, [&recorded](const md::Simulation& s) { record_frame(s, recorded); }});
  const std::int64_t end = input.settings.total_steps();
  result.push_back({1, [&last, end](const md::Simulation& s) {
                      if (s.state().step == end) last = std::make_shared<Frame>(s.frame());
                    }});
  if (callback) {
    result.push_back({callback_every, [&callback](const md::Simulation& s) {
                        with_python([&] {
                          const auto snapshot = std::make_shared<Snapshot>(Snapshot{&s});
                          const struct Ending {
                            Snapshot& of;
                            ~Ending() { of.simulation = nullptr; }
                          } ending{*snapshot};
                          (*callback)(snapshot);
                        });
                      }});
  }
  return result;
}

py::array shaped(const std::vector<double>& values, std::vector<py::ssize_t> shape) {
  return py::array_t<double>(std::move(shape), values.data());
}

py::tuple run_md(const std::string& text, const std::string& name, const std::shared_ptr<Frame>& structure,
                 const std::shared_ptr<SharedPotential>& potential, bool files, bool fresh, int threads,
                 std::int64_t record_every, const std::optional<py::function>& callback,
                 std::int64_t callback_every, bool progress) {
  const md::Input input = md::read_input(
      files ? TomlTable::read(name) : TomlTable::parse(text, name),
      {.structure = structure != nullptr, .potential = potential != nullptr, .outputs = !files});
  if (input.executor) throw InputError("{}: [executor]: jobs belong to solion md --engine lammps", name);
  if (potential && (input.precision != "double" || input.device != "cpu"))
    throw InputError("{}: {}: is for a potential that the input names; the one that is given has its own",
                     name, input.precision != "double" ? "precision" : "device");
  if (threads < 0) throw InputError("threads: expected 1 or more, or 0 for the input's, got {}", threads);
  if (record_every < 0) throw InputError("record_every: expected 0 or more steps, got {}", record_every);
  if (callback_every < 1) throw InputError("callback_every: expected 1 step or more, got {}", callback_every);
  if (structure) validate(*structure, "md", 0);
  Frame start = structure ? *structure : io::read_frame(input.structure);
  if (input.supercell != std::array<int, 3>{1, 1, 1}) start = repeat(start, input.supercell);
  Recorded recorded;
  std::shared_ptr<Frame> last;
  md::RunOptions how;
  how.fresh = fresh;
  if (progress) how.progress = "md";
  how.observers = observers(input, record_every, callback, callback_every, recorded, last);
  std::optional<observe::Analyses> analyses;
  const int wanted = threads > 0 ? threads : input.threads;
  md::Summary summary;
  {
    const InterruptScope interrupts;
    const py::gil_scoped_release release;
    std::unique_ptr<Potential> own;
    if (potential) {
      own = potential->clone(wanted);
      how.potential_identity = potential->identity;
    } else {
      own = open_potential(input.potential, {.precision = input.precision, .device = input.device});
      own->set_threads(wanted > 0 ? wanted : available_threads());
      how.potential_identity = potential_identity(input.potential, input.precision);
    }
    match_types(start, *own);
    analyses.emplace(input, start);
    for (md::Observer& observer : analyses->observers()) how.observers.push_back(std::move(observer));
    how.mover = gpu::mover_of(*own);
    summary = md::run(input.settings, input.outputs, start, *own, how);
    (void)analyses->write();
  }
  const auto n = static_cast<py::ssize_t>(start.n_atoms());
  const auto frames = static_cast<py::ssize_t>(recorded.times_fs.size());
  return py::make_tuple(md::to_json(summary).dump(), recorded.thermo,
                        shaped(recorded.positions, {frames, n, 3}), shaped(recorded.cells, {frames, 3, 3}),
                        vector_array(recorded.times_fs), last);
}

std::string run_training(const std::string& input, const std::string& file, bool from_file,
                         const std::string& folder, const std::string& model,
                         const std::optional<std::string>& init_model, bool restart, bool fresh,
                         const std::optional<std::string>& precision, int threads,
                         const std::optional<py::function>& callback, std::int64_t callback_every) {
  const train::Settings settings =
      from_file ? train::read_settings(file) : train::parse_settings(Json::parse(input), file);
  if (restart && fresh) throw InputError("restart and fresh exclude each other");
  if (callback_every < 1) throw InputError("callback_every: expected 1 step or more, got {}", callback_every);
  train::RunOptions options;
  options.folder = folder;
  options.model = model;
  if (init_model) options.init_model = *init_model;
  if (restart) options.start = train::RunOptions::Start::restart;
  if (fresh) options.start = train::RunOptions::Start::fresh;
  if (precision && *precision != "single" && *precision != "double")
    throw InputError("precision: expected \"single\" or \"double\", got \"{}\"", *precision);
  if (precision) {
    options.precision =
        *precision == "single" ? train::Precision::single_precision : train::Precision::double_precision;
  }
  options.threads = threads > 0 ? threads : available_threads();
  if (callback) {
    options.after_step = [&callback, callback_every](std::int64_t step) {
      if (step % callback_every == 0) with_python([&] { (*callback)(step); });
    };
  }
  const InterruptScope interrupts;
  const py::gil_scoped_release release;
  std::filesystem::create_directories(options.folder);
  return train::to_json(train::train(settings, options)).dump();
}

}  // namespace

void bind_runs(py::module_& module) {
  bind_snapshot(module);
  module.def("_md", &run_md);
  module.def("_train", &run_training);
}

}  // namespace solion::python
