// KIM model driver: evaluates a Deep Potential for any simulator that speaks KIM API 2 (LAMMPS, ASE, …) on
// the atoms, ghosts and neighbour lists of the simulator. Conventions of the interface: docs/lammps.md.
#include <KIM_ModelDriverHeaders.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "kim/schema.hpp"
#include "solion/base/errors.hpp"
#include "solion/dp/deep_potential.hpp"
#include "solion/kim/item.hpp"

namespace solion::kim {
namespace {

/// One model in one simulator process. Units of the simulator outside, Å and eV inside.
class Driver {
 public:
  Driver(const std::filesystem::path& model, dp::Path path, double length_unit_A, double energy_unit_eV)
      : potential_(model, {.path = path}), length_A_(length_unit_A), energy_eV_(energy_unit_eV) {
    cutoff_ = potential_.model().descriptor.rcut / length_A_;
  }

  [[nodiscard]] const TypeMap& type_map() const { return potential_.type_map(); }
  /// For the simulator, which keeps the addresses: the cutoff in its unit, and that only the neighbours of
  /// contributing atoms are asked for.
  [[nodiscard]] const double& cutoff() const { return cutoff_; }
  [[nodiscard]] const int& only_contributing() const { return only_contributing_; }

  void compute(const KIM::ModelComputeArguments& arguments);

 private:
  void take_atoms(int n, const int* contributing, const double* coordinates);
  void check_list(const NeighborView& list);

  dp::DeepPotential potential_;
  double length_A_, energy_eV_;
  double cutoff_ = 0;
  int only_contributing_ = 1;
  std::uint64_t generation_ = 1;
  std::size_t checked_ = 0;  ///< place among the centres
  std::vector<Vec3> positions_;
  std::vector<int> centres_, owner_, types_;
  Evaluation result_;
};

std::span<const int> neighbors_of(const void* source, int centre) {
  int n = 0;
  const int* list = nullptr;
  if (static_cast<const KIM::ModelComputeArguments*>(source)->GetNeighborList(0, centre, &n, &list) != 0)
    throw WorkError("the simulator gives no neighbours of atom {}", centre + 1);
  return {list, static_cast<std::size_t>(n)};
}

template <typename T>
T* argument(const KIM::ModelComputeArguments& arguments, KIM::ComputeArgumentName name) {
  T* pointer = nullptr;
  if (arguments.GetArgumentPointer(name, &pointer) != 0)
    throw WorkError("the simulator does not answer for {}", name.ToString());
  return pointer;
}

void Driver::take_atoms(int n, const int* contributing, const double* coordinates) {
  const auto size = static_cast<std::size_t>(n);
  positions_.resize(size);
  for (std::size_t i = 0; i < size; ++i)
    positions_[i] = length_A_ * Vec3(coordinates[3 * i], coordinates[3 * i + 1], coordinates[3 * i + 2]);
  if (owner_.size() != size) {
    owner_.resize(size);
    std::iota(owner_.begin(), owner_.end(), 0);
  }
  std::size_t k = 0;
  bool same = true;
  for (int i = 0; i < n; ++i) {
    if (contributing[i] == 0) continue;
    if (k == centres_.size()) centres_.push_back(-1);
    same = same && centres_[k] == i;
    centres_[k++] = i;
  }
  if (!same || k != centres_.size()) ++generation_;
  centres_.resize(k);
}

/// One atom a call, another each time: a list that ends before the cutoff is refused, not computed with.
void Driver::check_list(const NeighborView& list) {
  if (centres_.empty()) return;
  checked_ = (checked_ + 1) % centres_.size();
  const int i = centres_[checked_];
  // A simulator's copy of the cutoff may differ in the last digit, and w(r) is zero to third order there.
  const double reach = list.cutoff * (1 - 1e-9);
  const auto within = [&](int j) {
    return j != i && (list.position(j) - list.position(i)).squaredNorm() < reach * reach;
  };
  const auto listed = list.neighbors(i);
  const auto found = std::count_if(listed.begin(), listed.end(), within);
  std::ptrdiff_t there = 0;
  for (int j = 0; j < static_cast<int>(list.positions.size()); ++j) there += within(j) ? 1 : 0;
  if (found != there) {
    throw InputError(
        "the simulator's neighbour list of atom {} has {} of its {} neighbours within the model's cutoff of "
        "{} Å",
        i + 1, found, there, list.cutoff);
  }
}

void Driver::compute(const KIM::ModelComputeArguments& arguments) {
  namespace name = KIM::COMPUTE_ARGUMENT_NAME;
  const int n = *argument<const int>(arguments, name::numberOfParticles);
  const int* species = argument<const int>(arguments, name::particleSpeciesCodes);
  auto* energy = argument<double>(arguments, name::partialEnergy);
  auto* forces = argument<double>(arguments, name::partialForces);
  auto* energies = argument<double>(arguments, name::partialParticleEnergy);
  auto* virial = argument<double>(arguments, name::partialVirial);
  auto* virials = argument<double>(arguments, name::partialParticleVirial);
  take_atoms(n, argument<const int>(arguments, name::particleContributing),
             argument<const double>(arguments, name::coordinates));
  // The codes are the model's types; an atom of no type would read beyond the tables.
  types_.assign(species, species + n);
  for (const int t : types_) {
    if (t < 0 || t >= type_map().size()) throw InputError("species code {} is none of the model's", t);
  }
  const NeighborView list{.positions = positions_,
                          .centres = centres_,
                          .owner = owner_,
                          .n_owners = n,
                          .cutoff = potential_.model().descriptor.rcut,
                          .generation = generation_,
                          .source = &arguments,
                          .neighbors_of = neighbors_of};
  check_list(list);
  const Request request{.forces = forces != nullptr,
                        .virial = virial != nullptr,
                        .atomic_energies = energies != nullptr,
                        .atomic_virials = virials != nullptr};
  potential_.evaluate_on(list, types_, request, result_);

  // KIM's virial is +∂E/∂ε, as xx, yy, zz, yz, xz, xy.
  const auto write_virial = [&](const Mat3& w, double* out) {
    const std::array<std::pair<int, int>, 6> order{{{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}}};
    for (std::size_t k = 0; k < 6; ++k) {
      const auto [a, b] = order[k];
      out[k] = -0.5 * (w(a, b) + w(b, a)) / energy_eV_;
    }
  };
  const auto size = static_cast<std::size_t>(n);
  const double force_unit = energy_eV_ / length_A_;
  if (energy != nullptr) *energy = result_.energy / energy_eV_;
  if (virial != nullptr) write_virial(result_.virial, virial);
  for (std::size_t i = 0; i < size; ++i) {
    if (forces != nullptr) {
      for (int k = 0; k < 3; ++k)
        forces[3 * i + static_cast<std::size_t>(k)] = result_.forces[i][k] / force_unit;
    }
    if (energies != nullptr) energies[i] = result_.atomic_energies[i] / energy_eV_;
    if (virials != nullptr) write_virial(result_.atomic_virials[i], virials + 6 * i);
  }
}

/// KIM's own way for messages ends in the file kim.log; what ends a run is said on standard error too.
template <typename Context, typename Work>
int guarded(const Context& context, const Work& work) {
  try {
    work();
    return 0;
  } catch (const std::exception& error) {
    const std::string text = std::string("solion: ") + error.what();
    context.LogEntry(KIM::LOG_VERBOSITY::error, text, __LINE__, __FILE__);
    std::fputs((text + "\n").c_str(), stderr);
    return 1;
  }
}

template <typename Context>
Driver& driver_of(const Context& context) {
  void* pointer = nullptr;
  context.GetModelBufferPointer(&pointer);
  return *static_cast<Driver*>(pointer);
}

int arguments_create(const KIM::ModelCompute* /*model*/, KIM::ModelComputeArgumentsCreate* arguments) {
  namespace name = KIM::COMPUTE_ARGUMENT_NAME;
  for (const auto& argument : {name::partialEnergy, name::partialForces, name::partialParticleEnergy,
                               name::partialVirial, name::partialParticleVirial}) {
    if (arguments->SetArgumentSupportStatus(argument, KIM::SUPPORT_STATUS::optional) != 0) return 1;
  }
  return 0;
}

int arguments_destroy(const KIM::ModelCompute* /*model*/, KIM::ModelComputeArgumentsDestroy* /*arguments*/) {
  return 0;
}

/// Whether this process is one of several MPI ranks (variables of Open MPI, and of MPICH and Slurm).
bool one_of_many_ranks() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && std::atoi(value) > 1) return true;
  }
  return false;
}

int compute(const KIM::ModelCompute* model, const KIM::ModelComputeArguments* arguments) {
  const int status = guarded(*model, [&] { driver_of(*model).compute(*arguments); });
  // What only one rank meets LAMMPS answers with a barrier that the others never reach: the run would hang
  // for ever. Where a rank ends, mpirun ends the others.
  if (status != 0 && one_of_many_ranks()) std::_Exit(1);
  return status;
}

int destroy(KIM::ModelDestroy* model) {
  delete &driver_of(*model);
  return 0;
}

/// Å or eV in the simulator's unit of length or energy.
double in_units(KIM::LengthUnit length, KIM::EnergyUnit energy, double length_exponent,
                double energy_exponent) {
  double factor = 0;
  if (KIM::ModelDriverCreate::ConvertUnit(
          KIM::LENGTH_UNIT::A, KIM::ENERGY_UNIT::eV, KIM::CHARGE_UNIT::unused, KIM::TEMPERATURE_UNIT::unused,
          KIM::TIME_UNIT::unused, length, energy, KIM::CHARGE_UNIT::unused, KIM::TEMPERATURE_UNIT::unused,
          KIM::TIME_UNIT::unused, length_exponent, energy_exponent, 0, 0, 0, &factor) != 0)
    throw InputError("no conversion from Å and eV to {} and {}", length.ToString(), energy.ToString());
  return factor;
}

/// The file of the item with that name; an empty path if it has none.
std::filesystem::path parameter_file(const KIM::ModelDriverCreate& model, const std::string& wanted) {
  const std::string* folder = nullptr;
  model.GetParameterFileDirectoryName(&folder);
  int n = 0;
  model.GetNumberOfParameterFiles(&n);
  for (int k = 0; k < n; ++k) {
    const std::string* name = nullptr;
    if (model.GetParameterFileBasename(k, &name) == 0 && *name == wanted)
      return std::filesystem::path(*folder) / wanted;
  }
  return {};
}

void create_in(KIM::ModelDriverCreate& model, KIM::LengthUnit length, KIM::EnergyUnit energy) {
  const std::filesystem::path file = parameter_file(model, model_file);
  if (file.empty()) throw InputError("this KIM item has no parameter file {}", model_file);
  const std::filesystem::path settings = parameter_file(model, settings_file);
  const dp::Path path = settings.empty() ? dp::Path::fast_double : read_settings(settings).path;
  auto driver = std::make_unique<Driver>(file, path, 1 / in_units(length, energy, 1, 0),
                                         1 / in_units(length, energy, 0, 1));
  const auto pointer = [](auto* function) { return reinterpret_cast<KIM::Function*>(function); };
  namespace routine = KIM::MODEL_ROUTINE_NAME;
  const auto cpp = KIM::LANGUAGE_NAME::cpp;
  bool failed =
      model.SetUnits(length, energy, KIM::CHARGE_UNIT::unused, KIM::TEMPERATURE_UNIT::unused,
                     KIM::TIME_UNIT::unused) != 0 ||
      model.SetModelNumbering(KIM::NUMBERING::zeroBased) != 0 ||
      model.SetRoutinePointer(routine::ComputeArgumentsCreate, cpp, 1, pointer(arguments_create)) != 0 ||
      model.SetRoutinePointer(routine::Compute, cpp, 1, pointer(compute)) != 0 ||
      model.SetRoutinePointer(routine::ComputeArgumentsDestroy, cpp, 1, pointer(arguments_destroy)) != 0 ||
      model.SetRoutinePointer(routine::Destroy, cpp, 1, pointer(destroy)) != 0;
  const TypeMap& types = driver->type_map();
  for (int t = 0; t < types.size(); ++t)
    failed = failed || model.SetSpeciesCode(KIM::SpeciesName(types.name(t)), t) != 0;
  if (failed) throw WorkError("libkim-api refuses this driver: another version of its interface?");
  model.SetInfluenceDistancePointer(&driver->cutoff());
  model.SetNeighborListPointers(1, &driver->cutoff(), &driver->only_contributing());
  model.SetModelBufferPointer(driver.release());
}

int create(KIM::ModelDriverCreate* model, KIM::LengthUnit length, KIM::EnergyUnit energy,
           KIM::ChargeUnit /*charge*/, KIM::TemperatureUnit /*temperature*/, KIM::TimeUnit /*time*/) {
  return guarded(*model, [&] { create_in(*model, length, energy); });
}

}  // namespace
}  // namespace solion::kim

SOLION_KIM_SYMBOL int kim_shared_library_schema_version;
SOLION_KIM_SYMBOL solion::kim::Schema kim_shared_library_schema;
int kim_shared_library_schema_version = solion::kim::schema_version;
solion::kim::Schema kim_shared_library_schema = {KIM::COLLECTION_ITEM_TYPE::modelDriver,
                                                 solion::kim::driver_name,
                                                 KIM::LANGUAGE_NAME::cpp,
                                                 reinterpret_cast<KIM::Function*>(solion::kim::create),
                                                 nullptr,
                                                 nullptr,
                                                 0,
                                                 nullptr,
                                                 1,
                                                 solion::kim::metadata};
