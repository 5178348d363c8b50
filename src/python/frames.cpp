// Frames, files, crystals and data sets in Python.
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "python/bindings.hpp"
#include "solion/base/errors.hpp"
#include "solion/catalog/crystal.hpp"
#include "solion/dataset/statistics.hpp"
#include "solion/dataset/store.hpp"
#include "solion/io/deepmd_npy.hpp"
#include "solion/io/formats.hpp"
#include "solion/structure/supercell.hpp"

namespace solion::python {
namespace {

using Release = py::call_guard<py::gil_scoped_release>;
using FramePointer = std::shared_ptr<Frame>;

std::vector<std::string> elements_of(const Frame& frame) {
  std::vector<std::string> elements;
  elements.reserve(frame.n_atoms());
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) elements.push_back(frame.element(i));
  return elements;
}

/// (n, 3) whole numbers.
std::vector<Int3> images_of(const py::object& value, py::ssize_t n) {
  const Doubles array = doubles(value, "images", {n, 3});
  std::vector<Int3> images(static_cast<std::size_t>(n));
  for (py::ssize_t i = 0; i < n; ++i) {
    for (int k = 0; k < 3; ++k) {
      const double x = array.at(i, k);
      if (!(x == std::round(x) && std::abs(x) < 1e9))
        throw InputError("images: expected whole numbers, got {} for atom {}", x, i + 1);
      images[static_cast<std::size_t>(i)][k] = static_cast<int>(x);
    }
  }
  return images;
}

FramePointer make_frame(const py::object& names, const py::object& positions, const py::object& cell,
                        const py::object& velocities, const py::object& images, std::optional<double> energy,
                        const py::object& forces, const py::object& virial,
                        std::map<std::string, std::string> info) {
  auto frame = std::make_shared<Frame>();
  const std::vector<std::string> elements = texts(names, "elements", R"(["Li", "Cl"])");
  const auto n = static_cast<py::ssize_t>(elements.size());
  frame->positions = rows_of(doubles(positions, "positions", {n, 3}));
  for (const std::string& element : elements) frame->types.push_back(frame->type_map.find_or_add(element));
  if (!cell.is_none()) frame->cell.emplace(matrix_of(doubles(cell, "cell", {3, 3})));
  if (!velocities.is_none()) frame->velocities = rows_of(doubles(velocities, "velocities", {n, 3}));
  if (!images.is_none()) frame->images = images_of(images, n);
  frame->labels.energy_eV = energy;
  if (!forces.is_none()) frame->labels.forces_eV_per_A = rows_of(doubles(forces, "forces", {n, 3}));
  if (!virial.is_none()) frame->labels.virial_eV = matrix_of(doubles(virial, "virial", {3, 3}));
  frame->info = std::move(info);
  validate(*frame, "Frame", 0);
  (void)frame->masses();  // names that are no elements
  return frame;
}

py::object view_or_none(const std::vector<Vec3>& rows, const py::object& self) {
  return rows.empty() ? py::object(py::none()) : py::object(view_of(rows, self));
}

void set_rows(std::vector<Vec3>& rows, const Frame& frame, const py::object& value, const char* name) {
  if (value.is_none()) {
    rows.clear();
    return;
  }
  const Doubles array = doubles(value, name, {static_cast<py::ssize_t>(frame.n_atoms()), 3});
  // Views of an array that is there stay valid: it is filled, not replaced.
  rows.resize(frame.n_atoms());
  std::memmove(rows.data()->data(), array.data(), rows.size() * sizeof(Vec3));
}

/// All there is, for pickle: other processes, and copy.deepcopy.
py::tuple state_of(const Frame& frame) {
  py::object images = py::none(), cell = py::none(), virial = py::none();
  if (!frame.images.empty())
    images = py::array_t<int>(std::vector<py::ssize_t>{static_cast<py::ssize_t>(frame.images.size()), 3},
                              frame.images.data()->data());
  if (frame.cell) cell = matrix_array(frame.cell->matrix());
  if (frame.labels.virial_eV) virial = matrix_array(*frame.labels.virial_eV);
  return py::make_tuple(frame.type_map.names(), frame.types, rows_or_none(frame.positions), cell,
                        rows_or_none(frame.velocities), images, frame.labels.energy_eV,
                        rows_or_none(frame.labels.forces_eV_per_A), virial, frame.labels.atomic_energies_eV,
                        frame.info);
}

FramePointer frame_of(const py::tuple& state) {
  if (state.size() != 11) throw InputError("the pickled frame is of another version of solion");
  auto frame = std::make_shared<Frame>();
  frame->type_map = TypeMap(state[0].cast<std::vector<std::string>>());
  frame->types = state[1].cast<std::vector<int>>();
  const auto n = static_cast<py::ssize_t>(frame->types.size());
  const auto rows = [&](std::size_t k, const char* name) {
    return state[k].is_none() ? std::vector<Vec3>() : rows_of(doubles(state[k], name, {n, 3}));
  };
  frame->positions = rows(2, "positions");
  if (!state[3].is_none()) frame->cell.emplace(matrix_of(doubles(state[3], "cell", {3, 3})));
  frame->velocities = rows(4, "velocities");
  if (!state[5].is_none()) frame->images = images_of(state[5], n);
  frame->labels.energy_eV = state[6].cast<std::optional<double>>();
  frame->labels.forces_eV_per_A = rows(7, "forces");
  if (!state[8].is_none()) frame->labels.virial_eV = matrix_of(doubles(state[8], "virial", {3, 3}));
  frame->labels.atomic_energies_eV = state[9].cast<std::vector<double>>();
  frame->info = state[10].cast<std::map<std::string, std::string>>();
  return frame;
}

std::string representation(const Frame& frame) {
  return fmt::format(
      "<solion.Frame {}, {} atoms{}>", frame.formula(), frame.n_atoms(),
      frame.cell ? fmt::format(", {:.3f} Å³", frame.cell->volume()) : std::string(", no cell"));
}

using FrameClass = py::class_<Frame, FramePointer>;

void bind_arrays(FrameClass& type) {
  type.def_property_readonly("elements", &elements_of, "Names of the n atoms")
      .def_property(
          "positions", [](const py::object& self) { return view_of(self.cast<Frame&>().positions, self); },
          [](Frame& frame, const py::object& value) {
            set_rows(frame.positions, frame,
                     doubles(value, "positions", {static_cast<py::ssize_t>(frame.n_atoms()), 3}),
                     "positions");
          },
          "(n, 3) Å, a view")
      .def_property(
          "velocities",
          [](const py::object& self) { return view_or_none(self.cast<Frame&>().velocities, self); },
          [](Frame& frame, const py::object& value) {
            set_rows(frame.velocities, frame, value, "velocities");
          },
          "(n, 3) Å/fs, a view, or None")
      .def_property(
          "cell",
          [](const Frame& frame) {
            return frame.cell ? py::object(matrix_array(frame.cell->matrix())) : py::none();
          },
          [](Frame& frame, const py::object& value) {
            if (value.is_none()) {
              frame.cell.reset();
            } else {
              frame.cell =
                  Cell(matrix_of(doubles(value, "cell", {3, 3})));  // what is refused leaves the old one
            }
          },
          "(3, 3) Å, rows a, b, c, a copy; None: no periodicity")
      .def_property_readonly(
          "images",
          [](const py::object& self) -> py::object {
            const std::vector<Int3>& images = self.cast<Frame&>().images;
            if (images.empty()) return py::none();
            return py::array_t<int>(std::vector<py::ssize_t>{static_cast<py::ssize_t>(images.size()), 3},
                                    images.data()->data(), self);
          },
          "(n, 3) whole numbers, a view, or None");
}

void bind_labels(FrameClass& type) {
  type.def_property(
          "forces",
          [](const py::object& self) {
            return view_or_none(self.cast<Frame&>().labels.forces_eV_per_A, self);
          },
          [](Frame& frame, const py::object& value) {
            set_rows(frame.labels.forces_eV_per_A, frame, value, "forces");
          },
          "(n, 3) eV/Å, a view, or None")
      .def_property(
          "energy", [](const Frame& frame) { return frame.labels.energy_eV; },
          [](Frame& frame, std::optional<double> value) { frame.labels.energy_eV = value; }, "eV or None")
      .def_property(
          "virial",
          [](const Frame& frame) {
            return frame.labels.virial_eV ? py::object(matrix_array(*frame.labels.virial_eV)) : py::none();
          },
          [](Frame& frame, const py::object& value) {
            std::optional<Mat3> virial;
            if (!value.is_none()) virial = matrix_of(doubles(value, "virial", {3, 3}));
            frame.labels.virial_eV = virial;
          },
          "(3, 3) eV, a copy, or None");
}

void bind_frame(py::module_& module) {
  FrameClass type(module, "Frame", R"(One configuration of n atoms.

Arrays are views of the frame's own memory where nothing has to be converted: writing into `positions`
moves the atoms. The number of atoms and their elements never change.

elements    n names
positions   (n, 3) Å
cell        (3, 3) Å, rows a, b, c, right-handed; None: no periodicity
velocities  (n, 3) Å/fs or None
images      (n, 3) whole numbers or None; unwrapped position = position + images @ cell
energy      eV or None
forces      (n, 3) eV/Å or None
virial      (3, 3) eV or None; −∂E/∂strain, positive when the cell wants to expand
info        further key=value pairs of an extxyz comment line)");
  type.def(py::init(&make_frame), py::arg("elements"), py::arg("positions"), py::arg("cell") = py::none(),
           py::kw_only(), py::arg("velocities") = py::none(), py::arg("images") = py::none(),
           py::arg("energy") = py::none(), py::arg("forces") = py::none(), py::arg("virial") = py::none(),
           py::arg("info") = std::map<std::string, std::string>());
  bind_arrays(type);
  bind_labels(type);
  type.def_readwrite("info", &Frame::info, "Further key=value pairs, texts (a copy: assign it whole)")
      .def_property_readonly(
          "masses", [](const Frame& frame) { return vector_array(frame.masses()); }, "(n,) amu")
      .def_property_readonly("formula", &Frame::formula, "\"Li24 O8 Cl8\"")
      .def_property_readonly(
          "volume",
          [](const Frame& frame) { return frame.cell ? std::optional(frame.cell->volume()) : std::nullopt; },
          "Å³, or None without a cell")
      .def(
          "copy", [](const Frame& frame) { return std::make_shared<Frame>(frame); },
          "A frame of its own memory")
      .def("__copy__", [](const Frame& frame) { return std::make_shared<Frame>(frame); })
      .def(py::pickle(&state_of, &frame_of))
      .def(
          "repeat",
          [](const Frame& frame, std::array<int, 3> n) { return std::make_shared<Frame>(repeat(frame, n)); },
          py::arg("n"),
          "The frame repeated n[0]×n[1]×n[2] times with its velocities, without labels and images")
      .def(
          "wrap", [](Frame& frame) { wrap(frame); }, "Moves all atoms into the cell, counting images")
      .def("__len__", &Frame::n_atoms)
      .def("__repr__", &representation);
}

std::vector<FramePointer> shared(std::vector<Frame> frames) {
  std::vector<FramePointer> result;
  result.reserve(frames.size());
  for (Frame& frame : frames) result.push_back(std::make_shared<Frame>(std::move(frame)));
  return result;
}

io::ReadOptions reading(const std::vector<std::string>& type_names, bool any_density) {
  io::ReadOptions options;
  options.type_names = type_names;
  options.accept_any_density = any_density;
  return options;
}

/// One frame or any iterable of frames, copied and checked: views let a caller write what no reader takes.
std::vector<Frame> frames_to_write(const py::object& given, const std::string& path) {
  std::vector<Frame> frames;
  const py::list items = py::isinstance<Frame>(given) || !py::isinstance<py::iterable>(given)
                             ? py::list(py::make_tuple(given))
                             : py::list(given);
  for (const py::handle& item : items) {
    if (!py::isinstance<Frame>(item))
      throw InputError("frames: expected a Frame or several of them, got {}",
                       py::str(py::type::of(item).attr("__name__")).cast<std::string>());
    frames.push_back(item.cast<const Frame&>());
    validate(frames.back(), fmt::format("{}, frame {}", path, frames.size()), 0);
  }
  return frames;
}

void bind_files(py::module_& module) {
  module.def(
      "read_frames",
      [](const std::filesystem::path& path, const std::vector<std::string>& type_names, bool any_density) {
        const py::gil_scoped_release release;
        return shared(io::read_frames(path, reading(type_names, any_density)));
      },
      py::arg("path"), py::kw_only(), py::arg("type_names") = std::vector<std::string>(),
      py::arg("any_density") = false,
      R"(All frames of a file, its format chosen by the name: extxyz, POSCAR, LAMMPS data or dump, a DeePMD system.

type_names   elements of numeric types where the file names none
any_density  accept any volume per atom (a molecule in a large box))");
  module.def(
      "write_frames",
      [](const std::filesystem::path& path, const py::object& frames) {
        const std::vector<Frame> copies = frames_to_write(frames, path.string());
        const py::gil_scoped_release release;
        io::write_frames(path, copies);
      },
      py::arg("path"), py::arg("frames"),
      "Writes one frame or several as a whole file or not at all; the format by the name.");
  module.def(
      "crystal",
      [](const std::filesystem::path& name) {
        return std::make_shared<Frame>(open_crystal(name.string()).frame);
      },
      py::arg("name"), Release(), "The unit cell of a built-in crystal (\"li3ocl\") or of a file.");
  module.def("known_crystals", &known_crystals, "Names of the built-in crystals.");
  module.def(
      "supercell",
      [](const Frame& frame, const py::object& matrix) {
        const Doubles m = doubles(matrix, "matrix", {3, 3});
        IntMat3 whole;
        for (int a = 0; a < 3; ++a) {
          for (int b = 0; b < 3; ++b) {
            if (m.at(a, b) != std::round(m.at(a, b)) || std::abs(m.at(a, b)) > 1e6)
              throw InputError("matrix: expected whole numbers, got {}", m.at(a, b));
            whole(a, b) = static_cast<int>(m.at(a, b));
          }
        }
        return std::make_shared<Frame>(supercell(frame, whole));
      },
      py::arg("frame"), py::arg("matrix"),
      "The frame repeated to the cell matrix @ cell, matrix (3, 3) whole numbers.");
}

py::array stacked(const dataset::System& system, const std::vector<Vec3>& (*rows)(const Frame&),
                  const char* what) {
  const auto n = static_cast<py::ssize_t>(system.n_atoms());
  py::array_t<double> all({static_cast<py::ssize_t>(system.frames.size()), n, static_cast<py::ssize_t>(3)});
  double* to = all.mutable_data();
  for (const Frame& frame : system.frames) {
    const std::vector<Vec3>& from = rows(frame);
    if (from.empty()) throw InputError("{}: not every frame has {}", system.path.string(), what);
    std::memcpy(to, from.data()->data(), from.size() * sizeof(Vec3));
    to += 3 * n;
  }
  return all;
}

using dataset::System;

std::vector<double> energies_of(const System& system) {
  std::vector<double> energies;
  energies.reserve(system.frames.size());
  for (const Frame& frame : system.frames) {
    if (!frame.labels.energy_eV) throw InputError("{}: not every frame has an energy", system.path.string());
    energies.push_back(*frame.labels.energy_eV);
  }
  return energies;
}

void bind_system(py::module_& module) {
  py::class_<System, std::shared_ptr<System>>(
      module, "System", "Labelled frames of the same n atoms, with where each came from.")
      .def_readonly("name", &System::name)
      .def_property_readonly("path", [](const System& system) { return system.path.string(); })
      .def_property_readonly("elements",
                             [](const System& system) { return elements_of(system.frames.front()); })
      .def_property_readonly(
          "frames",
          [](const std::shared_ptr<System>& system) {
            py::list frames;
            for (Frame& frame : system->frames) frames.append(FramePointer(system, &frame));
            return frames;
          },
          "The frames, sharing memory with this object")
      .def_property_readonly(
          "positions",
          [](const System& system) {
            return stacked(
                system, [](const Frame& f) -> const std::vector<Vec3>& { return f.positions; }, "positions");
          },
          "(frames, n, 3) Å, a copy")
      .def_property_readonly(
          "forces",
          [](const System& system) {
            return stacked(
                system, [](const Frame& f) -> const std::vector<Vec3>& { return f.labels.forces_eV_per_A; },
                "forces");
          },
          "(frames, n, 3) eV/Å, a copy")
      .def_property_readonly(
          "energies", [](const System& system) { return vector_array(energies_of(system)); },
          "(frames,) eV, a copy")
      .def_property_readonly("_provenance",
                             [](const System& system) {
                               std::vector<std::string> lines;
                               lines.reserve(system.provenance.size());
                               for (const Json& line : system.provenance) lines.push_back(line.dump());
                               return lines;
                             })
      .def_property_readonly(
          "_statistics",
          [](const System& system) { return dataset::to_json(dataset::statistics(system)).dump(); })
      .def("__len__", [](const System& system) { return system.frames.size(); })
      .def("__repr__", [](const System& system) {
        return fmt::format("<solion.System {}: {} frames of {}>", system.name, system.frames.size(),
                           system.frames.front().formula());
      });
}

void bind_datasets(py::module_& module) {
  module.def(
      "_load_data",
      [](const std::vector<std::string>& paths) {
        std::vector<std::shared_ptr<System>> systems;
        for (System& system : dataset::load({paths.begin(), paths.end()}))
          systems.push_back(std::make_shared<System>(std::move(system)));
        return systems;
      },
      py::arg("paths"), Release());
  module.def(
      "_append_label",
      [](const std::string& folder, const Frame& frame, const std::string& provenance,
         const std::vector<std::string>& elements) {
        return dataset::Store(folder, elements).append(frame, Json::parse(provenance));
      },
      py::arg("folder"), py::arg("frame"), py::arg("provenance"), py::arg("elements"), Release());
}

}  // namespace

void bind_frames(py::module_& module) {
  bind_frame(module);
  bind_files(module);
  bind_system(module);
  bind_datasets(module);
}

}  // namespace solion::python
