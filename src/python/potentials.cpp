// Potentials and committees in Python.
#include <filesystem>

#include "python/bindings.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/threads.hpp"
#include "solion/catalog/open.hpp"
#include "solion/potential/committee.hpp"

namespace solion::python {
namespace {

void check_keywords(int threads, double skin_A) {
  if (threads < 0) throw InputError("threads: expected 1 or more, or 0 for all cores, got {}", threads);
  if (!(skin_A >= 0 && skin_A <= 10)) throw InputError("skin_A: expected 0 to 10, got {}", skin_A);
}

std::shared_ptr<SharedPotential> open(const std::filesystem::path& name, const std::string& precision,
                                      int threads, double skin_A, bool charged_cells) {
  check_keywords(threads, skin_A);
  const std::string spec = name.string();
  const py::gil_scoped_release release;
  auto shared = std::make_shared<SharedPotential>();
  shared->potential =
      open_potential(spec, {.precision = precision, .skin_A = skin_A, .charged_cells = charged_cells});
  shared->potential->set_threads(threads > 0 ? threads : available_threads());
  shared->identity = potential_identity(spec, precision);
  return shared;
}

std::shared_ptr<Evaluation> evaluate(SharedPotential& shared, const Frame& frame, bool forces, bool virial,
                                     bool atomic_energies) {
  auto result = std::make_shared<Evaluation>();
  const Request request{.forces = forces, .virial = virial, .atomic_energies = atomic_energies};
  validate(frame, "evaluate", 0);   // arrays are open to the caller
  const InterruptScope interrupts;  // a reference code takes minutes
  const py::gil_scoped_release release;
  const std::lock_guard lock(shared.busy);
  shared.potential->evaluate(frame, request, *result);
  if (!forces) result->forces.clear();
  if (!atomic_energies) result->atomic_energies.clear();
  return result;
}

void bind_evaluation(py::module_& module) {
  py::class_<Evaluation, std::shared_ptr<Evaluation>>(module, "Evaluation",
                                                      "What a potential says of a frame of n atoms.")
      .def_readonly("energy", &Evaluation::energy, "eV")
      .def_property_readonly(
          "forces",
          [](const py::object& self) -> py::object {
            const auto& forces = self.cast<Evaluation&>().forces;
            return forces.empty() ? py::object(py::none()) : py::object(view_of(forces, self));
          },
          "(n, 3) eV/Å, a view; None if not asked for")
      .def_property_readonly(
          "virial", [](const Evaluation& e) { return matrix_array(e.virial); },
          "(3, 3) eV, −∂E/∂strain; stress = −virial/volume. Zero if not asked for")
      .def_property_readonly(
          "atomic_energies",
          [](const py::object& self) -> py::object {
            const auto& energies = self.cast<Evaluation&>().atomic_energies;
            if (energies.empty()) return py::none();
            return py::array_t<double>(static_cast<py::ssize_t>(energies.size()), energies.data(), self);
          },
          "(n,) eV, a view; None if not asked for");
}

void bind_potential(py::module_& module) {
  py::class_<SharedPotential, std::shared_ptr<SharedPotential>>(module, "Potential",
                                                                R"(A potential energy surface.

spec          *.toml (analytic), *.dp, *.hdf5, *.yaml (Deep Potential), or a reference code (gpaw, cp2k, …)
precision     of a Deep Potential: "double", "single" (sums in double) or "reference" (plain loops)
threads       of one evaluation; 0: all cores
skin_A        of the neighbour list
charged_cells rigid ions: a cell with a net charge gets a uniform background

Evaluation releases the GIL. One object evaluates one frame at a time; other threads wait.)")
      .def(py::init(&open), py::arg("spec"), py::kw_only(), py::arg("precision") = "double",
           py::arg("threads") = 0, py::arg("skin_A") = 1.0, py::arg("charged_cells") = false)
      .def("evaluate", &evaluate, py::arg("frame"), py::kw_only(), py::arg("forces") = true,
           py::arg("virial") = true, py::arg("atomic_energies") = false,
           "Energy (eV) and what is asked for, as an Evaluation.")
      .def_property_readonly(
          "elements", [](const SharedPotential& p) { return p.potential->type_map().names(); },
          "Names of the elements it knows")
      .def_property_readonly("description",
                             [](const SharedPotential& p) { return p.potential->description(); })
      .def("__repr__",
           [](const SharedPotential& p) { return "<solion.Potential " + p.potential->description() + ">"; });
}

/// A committee and the lock around it.
struct SharedCommittee {
  explicit SharedCommittee(Committee models) : committee(std::move(models)) {}
  Committee committee;
  std::mutex busy;
};

/// Evaluations of all members and their deviation.
struct CommitteeEvaluation {
  Deviation deviation;
  std::vector<Evaluation> members;
};

void bind_committee(py::module_& module) {
  py::class_<Deviation>(module, "Deviation", "Disagreement of a committee: √⟨|F − ⟨F⟩|²⟩ of each atom, eV/Å.")
      .def_readonly("force_max", &Deviation::force_max)
      .def_readonly("force_mean", &Deviation::force_mean)
      .def_readonly("force_min", &Deviation::force_min)
      .def_readonly("energy", &Deviation::energy, "Standard deviation of the energies, eV/atom")
      .def_readonly("finite", &Deviation::finite, "False: a member gave a number that is not finite");
  py::class_<CommitteeEvaluation, std::shared_ptr<CommitteeEvaluation>>(module, "CommitteeEvaluation",
                                                                        "What a committee says of a frame.")
      .def_readonly("deviation", &CommitteeEvaluation::deviation)
      .def_property_readonly(
          "members",
          [](const std::shared_ptr<CommitteeEvaluation>& all) {
            std::vector<std::shared_ptr<Evaluation>> members;
            members.reserve(all->members.size());
            for (Evaluation& e : all->members) members.emplace_back(all, &e);
            return members;
          },
          "An Evaluation a member (energy, forces, virial)");
  py::class_<SharedCommittee, std::shared_ptr<SharedCommittee>>(
      module, "Committee", "Several models of one energy surface (two or more), and how far they disagree.")
      .def(py::init([](const std::vector<std::filesystem::path>& models, const std::string& precision,
                       int threads, double skin_A, bool charged_cells) {
             check_keywords(threads, skin_A);
             const py::gil_scoped_release release;
             Committee committee = open_committee(
                 models, {.precision = precision, .skin_A = skin_A, .charged_cells = charged_cells});
             committee.set_threads(threads > 0 ? threads : available_threads());
             return std::make_shared<SharedCommittee>(std::move(committee));
           }),
           py::arg("models"), py::kw_only(), py::arg("precision") = "double", py::arg("threads") = 0,
           py::arg("skin_A") = 1.0, py::arg("charged_cells") = false, "The keywords are those of Potential.")
      .def(
          "evaluate",
          [](SharedCommittee& shared, const Frame& frame) {
            validate(frame, "evaluate", 0);
            const InterruptScope interrupts;
            const py::gil_scoped_release release;
            const std::lock_guard lock(shared.busy);
            auto result = std::make_shared<CommitteeEvaluation>();
            result->deviation = shared.committee.evaluate(frame);
            result->members = shared.committee.evaluations();
            return result;
          },
          py::arg("frame"), "Evaluations of all members and their deviation.")
      .def("__len__", [](const SharedCommittee& shared) { return shared.committee.size(); })
      .def_property_readonly("elements", [](const SharedCommittee& shared) {
        return shared.committee.member(0).type_map().names();
      });
}

}  // namespace

void bind_potentials(py::module_& module) {
  bind_evaluation(module);
  bind_potential(module);
  bind_committee(module);
}

}  // namespace solion::python
