// Potentials and committees in Python.
#include <filesystem>
#include <optional>

#include "python/bindings.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/threads.hpp"
#include "solion/catalog/open.hpp"
#include "solion/potential/committee.hpp"

namespace solion::python {
namespace {

void check_keywords(const Opening& how) {
  if (how.threads < 0)
    throw InputError("threads: expected 1 or more, or 0 for all cores, got {}", how.threads);
  if (how.skin_A && !(*how.skin_A >= 0 && *how.skin_A <= 10))
    throw InputError("skin_A: expected 0 to 10, or None, got {}", *how.skin_A);
}

OpenOptions options_of(const Opening& how) {
  return {.precision = how.precision, .skin_A = how.skin_A, .charged_cells = how.charged_cells};
}

int threads_of(const Opening& how) { return how.threads > 0 ? how.threads : available_threads(); }

/// The name by which a process in another folder finds it: files by their whole path, codes as they are.
std::string lasting_name(const std::filesystem::path& name) {
  return std::filesystem::exists(name) ? std::filesystem::absolute(name).string() : name.string();
}

std::shared_ptr<SharedPotential> open(const std::filesystem::path& name, const Opening& how) {
  check_keywords(how);
  const std::string spec = name.string();
  const py::gil_scoped_release release;
  auto shared = std::make_shared<SharedPotential>();
  shared->potential = open_potential(spec, options_of(how));
  shared->potential->set_threads(threads_of(how));
  shared->spec = lasting_name(name);
  shared->opening = how;
  shared->identity = potential_identity(spec, how.precision);
  return shared;
}

py::tuple state_of(const Opening& how) {
  return py::make_tuple(how.precision, how.threads, how.skin_A, how.charged_cells);
}

Opening opening_of(const py::tuple& state) {
  return {state[0].cast<std::string>(), state[1].cast<int>(), state[2].cast<std::optional<double>>(),
          state[3].cast<bool>()};
}

/// A pickle names the file, so that thousands of them cost nothing; what it holds must be the same.
void require_same(const std::string& spec, const std::string& now, const std::string& pickled) {
  if (now != pickled) throw InputError("{}: the model has changed since it was pickled; open it anew", spec);
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
          "(n,) eV, a view; None if not asked for")
      .def(py::pickle(
          [](const Evaluation& e) {
            return py::make_tuple(e.energy, rows_or_none(e.forces), matrix_array(e.virial),
                                  e.atomic_energies);
          },
          [](const py::tuple& state) {
            auto e = std::make_shared<Evaluation>();
            e->energy = state[0].cast<double>();
            if (!state[1].is_none()) e->forces = rows_of(doubles(state[1], "forces", {any, 3}));
            e->virial = matrix_of(doubles(state[2], "virial", {3, 3}));
            e->atomic_energies = state[3].cast<std::vector<double>>();
            return e;
          }));
}

void bind_potential(py::module_& module) {
  py::class_<SharedPotential, std::shared_ptr<SharedPotential>>(module, "Potential",
                                                                R"(A potential energy surface.

spec          *.toml (analytic), *.dp, *.hdf5, *.yaml (Deep Potential), or a reference code (gpaw, cp2k, …)
precision     of a Deep Potential: "double", "single" (sums in double) or "reference" (plain loops)
threads       of one evaluation; 0: all cores
skin_A        of the neighbour list; None: 1 Å, and tuned by molecular dynamics
charged_cells rigid ions: a cell with a net charge gets a uniform background

Evaluation releases the GIL. One object evaluates one frame at a time; other threads wait. A pickle names
the file, and another process opens it again.)")
      .def(py::init([](const std::filesystem::path& name, const std::string& precision, int threads,
                       std::optional<double> skin_A, bool charged_cells) {
             return open(name, {precision, threads, skin_A, charged_cells});
           }),
           py::arg("spec"), py::kw_only(), py::arg("precision") = "double", py::arg("threads") = 0,
           py::arg("skin_A") = py::none(), py::arg("charged_cells") = false)
      .def(py::pickle(
          [](const SharedPotential& p) { return py::make_tuple(p.spec, state_of(p.opening), p.identity); },
          [](const py::tuple& state) {
            auto shared = open(state[0].cast<std::filesystem::path>(), opening_of(state[1]));
            require_same(shared->spec, shared->identity, state[2].cast<std::string>());
            return shared;
          }))
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
  std::vector<std::string> specs, identities;  // as in SharedPotential
  Opening opening;
  std::mutex busy;
};

std::shared_ptr<SharedCommittee> open(const std::vector<std::filesystem::path>& models, const Opening& how) {
  check_keywords(how);
  const py::gil_scoped_release release;
  Committee committee = open_committee(models, options_of(how));
  committee.set_threads(threads_of(how));
  auto shared = std::make_shared<SharedCommittee>(std::move(committee));
  for (const std::filesystem::path& model : models) {
    shared->specs.push_back(lasting_name(model));
    shared->identities.push_back(potential_identity(model.string(), how.precision));
  }
  shared->opening = how;
  return shared;
}

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
                       int threads, std::optional<double> skin_A, bool charged_cells) {
             return open(models, {precision, threads, skin_A, charged_cells});
           }),
           py::arg("models"), py::kw_only(), py::arg("precision") = "double", py::arg("threads") = 0,
           py::arg("skin_A") = py::none(), py::arg("charged_cells") = false,
           "The keywords are those of Potential.")
      .def(py::pickle(
          [](const SharedCommittee& c) { return py::make_tuple(c.specs, state_of(c.opening), c.identities); },
          [](const py::tuple& state) {
            auto shared = open(state[0].cast<std::vector<std::filesystem::path>>(), opening_of(state[1]));
            const auto pickled = state[2].cast<std::vector<std::string>>();
            for (std::size_t i = 0; i < shared->specs.size(); ++i)
              require_same(shared->specs[i], shared->identities[i], pickled.at(i));
            return shared;
          }))
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
