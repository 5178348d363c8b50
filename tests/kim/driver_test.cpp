// The KIM model driver as a simulator sees it: numbers, units, order of atoms, and what it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/dp/deep_potential.hpp"
#include "solion/dp/model_file.hpp"
#include "solion/kim/collection.hpp"
#include "support/dp_models.hpp"
#include "support/temp_folder.hpp"

#ifdef SOLION_HAS_KIM
#include <KIM_ModelDriverCreate.hpp>
#include <KIM_SimulatorHeaders.hpp>
#endif

namespace solion::kim {
namespace {

using ::testing::HasSubstr;
using testing::random_frame;
using testing::random_model;
using testing::TempFolder;

template <typename F>
std::string refusal(const F& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(KimItem, NamesAndSourcesAreKims) {
  for (const char* bad : {"", "1st", "Li-O", "a b", "a/b", "Li₃", driver_name})
    EXPECT_THAT(refusal([&] { check_name(bad); }), HasSubstr("name")) << bad;
  check_name("Li3OCl_dp_v1");
  const TempFolder folder;
  const dp::Model model = random_model();
  const auto item = write_source(model, {.path = dp::Path::fast_single}, "Toy", folder.path());
  EXPECT_EQ(dp::read_model(item / model_file).type_map, model.type_map);
  EXPECT_EQ(read_settings(item / settings_file).path, dp::Path::fast_single);
  EXPECT_THAT(read_file(item / "CMakeLists.txt"), HasSubstr("add_kim_api_model_library"));
  write_file(folder.path() / "bad.toml", "precision = \"half\"\n");
  EXPECT_THAT(refusal([&] { read_settings(folder.path() / "bad.toml"); }),
              HasSubstr("bad.toml:1: precision"));
  write_file(folder.path() / "key.toml", "precission = \"double\"\n");
  EXPECT_THAT(refusal([&] { read_settings(folder.path() / "key.toml"); }), HasSubstr("precission"));
  dp::Model foreign = model;
  foreign.type_map = TypeMap({"Li", "O_H2O", "Cl"});
  EXPECT_THAT(refusal([&] { write_source(foreign, {}, "Foreign", folder.path()); }), HasSubstr("'O_H2O'"));
}

#ifndef SOLION_HAS_KIM
TEST(KimItem, WithoutKimTheDebianPackageIsNamed) {
  EXPECT_THAT(refusal([] { user_collection(); }), HasSubstr("libkim-api-dev"));
}
#else

/// A simulator: atoms, ghosts and lists of its own in any unit and order.
struct Simulator {
  std::vector<double> coordinates;
  std::vector<int> species, contributing;
  std::vector<std::vector<int> > lists;
  double energy = 0;
  std::vector<double> forces, energies, virials;
  std::array<double, 6> virial{};
  KIM::Model* model = nullptr;
  KIM::ComputeArguments* arguments = nullptr;

  static int neighbors(void* self, int /*n*/, const double* /*cutoffs*/, int /*list*/, int atom, int* n,
                       const int** neighbors) {
    const auto& list = static_cast<Simulator*>(self)->lists[static_cast<std::size_t>(atom)];
    *n = static_cast<int>(list.size());
    *neighbors = list.data();
    return 0;
  }

  Simulator(const std::string& name, KIM::LengthUnit length, KIM::EnergyUnit unit) {
    int accepted = 0;
    if (KIM::Model::Create(KIM::NUMBERING::zeroBased, length, unit, KIM::CHARGE_UNIT::e,
                           KIM::TEMPERATURE_UNIT::K, KIM::TIME_UNIT::ps, name, &accepted, &model) != 0)
      throw WorkError("no model");
    EXPECT_NE(accepted, 0);
    EXPECT_EQ(model->ComputeArgumentsCreate(&arguments), 0);
  }
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;
  ~Simulator() {
    if (model == nullptr) return;
    model->ComputeArgumentsDestroy(&arguments);
    KIM::Model::Destroy(&model);
  }

  /// Takes the frame with its ghosts, numbers stirred, coordinates in a unit of `unit_A`.
  void take(const Frame& frame, const dp::Model& m, double unit_A, std::vector<int>& place) {
    Neighborhood list;
    list.build(frame, m.descriptor.rcut, 0.3);
    const auto n = static_cast<std::size_t>(list.n_total());
    place.resize(n);
    std::iota(place.begin(), place.end(), 0);
    RandomStream random(5, "stir");
    for (std::size_t i = n; i > 1; --i) std::swap(place[i - 1], place[random.below(i)]);
    coordinates.resize(3 * n);
    species.resize(n);
    contributing.assign(n, 0);
    lists.assign(n, {});
    for (std::size_t i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(place[i]);
      for (int k = 0; k < 3; ++k)
        coordinates[3 * at + static_cast<std::size_t>(k)] = list.position(static_cast<int>(i))[k] / unit_A;
      const auto owner = static_cast<std::size_t>(list.owner(static_cast<int>(i)));
      species[at] = m.type_map.find(frame.element(owner));
      if (static_cast<int>(i) >= list.n_local()) continue;
      contributing[at] = 1;
      for (const int j : list.neighbors(static_cast<int>(i)))
        lists[at].push_back(place[static_cast<std::size_t>(j)]);
    }
  }

  int compute() {
    namespace name = KIM::COMPUTE_ARGUMENT_NAME;
    const int n = static_cast<int>(species.size());
    forces.assign(coordinates.size(), -1);
    energies.assign(species.size(), -1);
    virials.assign(2 * coordinates.size(), -1);
    arguments->SetArgumentPointer(name::numberOfParticles, &n);
    arguments->SetArgumentPointer(name::particleSpeciesCodes, species.data());
    arguments->SetArgumentPointer(name::particleContributing, contributing.data());
    arguments->SetArgumentPointer(name::coordinates, coordinates.data());
    arguments->SetArgumentPointer(name::partialEnergy, &energy);
    arguments->SetArgumentPointer(name::partialForces, forces.data());
    arguments->SetArgumentPointer(name::partialParticleEnergy, energies.data());
    arguments->SetArgumentPointer(name::partialVirial, virial.data());
    arguments->SetArgumentPointer(name::partialParticleVirial, virials.data());
    arguments->SetCallbackPointer(KIM::COMPUTE_CALLBACK_NAME::GetNeighborList, KIM::LANGUAGE_NAME::cpp,
                                  reinterpret_cast<KIM::Function*>(neighbors), this);
    return model->Compute(arguments);
  }
};

class KimDriver : public ::testing::Test {
 protected:
  void SetUp() override {
    // KIM writes its log into the working folder.
    std::filesystem::current_path(folder_.path());
    collection_ = {folder_.path() / "drivers", folder_.path() / "models"};
    setenv("KIM_API_MODEL_DRIVERS_DIR", collection_.drivers.c_str(), 1);
    setenv("KIM_API_PORTABLE_MODELS_DIR", collection_.models.c_str(), 1);
    EXPECT_EQ(user_collection().drivers, collection_.drivers);
    EXPECT_EQ(user_collection().models, collection_.models);
  }
  void TearDown() override { std::filesystem::current_path("/"); }
  void install_model(const dp::Model& model, const std::string& name, const Settings& settings = {}) {
    install(model, settings, name, collection_, SOLION_KIM_PARTS);
  }
  TempFolder folder_;
  Collection collection_;
};

TEST_F(KimDriver, EqualsTheLibraryInEveryUnitAndOrder) {
  const dp::Model model = random_model();
  install_model(model, "Toy");
  // A cell narrower than the cutoff too: several images of one atom around another.
  for (const int n_atoms : {40, 4}) {
    const Frame frame = random_frame(n_atoms, 3);
    dp::DeepPotential own(std::make_shared<const dp::Model>(model));
    const Evaluation expected = own.Potential::evaluate(frame, {.atomic_energies = true});
    double largest = 0;
    for (const Vec3& f : expected.forces) largest = std::max(largest, f.norm());
    struct Units {
      KIM::LengthUnit length;
      KIM::EnergyUnit energy;
      double A, eV;
    };
    // The joule is KIM's own (of an older CODATA).
    double joule = 0;
    ASSERT_EQ(KIM::ModelDriverCreate::ConvertUnit(
                  KIM::LENGTH_UNIT::A, KIM::ENERGY_UNIT::J, KIM::CHARGE_UNIT::e, KIM::TEMPERATURE_UNIT::K,
                  KIM::TIME_UNIT::ps, KIM::LENGTH_UNIT::A, KIM::ENERGY_UNIT::eV, KIM::CHARGE_UNIT::e,
                  KIM::TEMPERATURE_UNIT::K, KIM::TIME_UNIT::ps, 0, 1, 0, 0, 0, &joule),
              0);
    constexpr double tolerance = 1e-12;
    for (const auto& [length, energy, A, eV] :
         {Units{KIM::LENGTH_UNIT::A, KIM::ENERGY_UNIT::eV, 1, 1},
          Units{KIM::LENGTH_UNIT::nm, KIM::ENERGY_UNIT::J, 10, joule}}) {
      Simulator simulator("Toy", length, energy);
      std::vector<int> place;
      simulator.take(frame, model, A, place);
      ASSERT_EQ(simulator.compute(), 0);
      EXPECT_NEAR(simulator.energy * eV, expected.energy, tolerance * std::abs(expected.energy));
      Neighborhood list;
      list.build(frame, model.descriptor.rcut, 0.3);
      std::vector<Vec3> forces(frame.n_atoms(), Vec3::Zero());
      std::array<double, 6> sum{};
      for (std::size_t i = 0; i < place.size(); ++i) {
        const auto at = static_cast<std::size_t>(place[i]);
        const auto owner = static_cast<std::size_t>(list.owner(static_cast<int>(i)));
        for (int k = 0; k < 3; ++k)
          forces[owner][k] += simulator.forces[3 * at + static_cast<std::size_t>(k)] * eV / A;
        const bool local = static_cast<int>(i) < list.n_local();
        EXPECT_NEAR(simulator.energies[at] * eV, local ? expected.atomic_energies[owner] : 0, 10 * tolerance);
        for (std::size_t k = 0; k < 6; ++k) sum[k] += simulator.virials[6 * at + k];
      }
      for (std::size_t i = 0; i < frame.n_atoms(); ++i)
        EXPECT_LE((forces[i] - expected.forces[i]).norm(), tolerance * largest);
      const Mat3& w = expected.virial;
      const std::array<double, 6> order{w(0, 0), w(1, 1), w(2, 2), w(1, 2), w(0, 2), w(0, 1)};
      for (std::size_t k = 0; k < 6; ++k) {
        EXPECT_NEAR(-simulator.virial[k] * eV, order[k], tolerance * w.norm());
        EXPECT_NEAR(sum[k], simulator.virial[k], tolerance * w.norm() / eV);
      }
    }
  }
}

TEST_F(KimDriver, NoAtomsAtAllAreNoEnergy) {
  install_model(random_model(), "Toy");
  Simulator simulator("Toy", KIM::LENGTH_UNIT::A, KIM::ENERGY_UNIT::eV);
  // A rank whose part of the cell is empty: ghosts only.
  simulator.coordinates = {0, 0, 0, 2, 0, 0};
  simulator.species = {0, 1};
  simulator.contributing = {0, 0};
  simulator.lists.resize(2);
  ASSERT_EQ(simulator.compute(), 0);
  EXPECT_EQ(simulator.energy, 0);
  EXPECT_THAT(simulator.forces, ::testing::Each(0.0));
}

TEST_F(KimDriver, RefusesWithOneLine) {
  const dp::Model model = random_model();
  install_model(model, "Toy");
  Simulator simulator("Toy", KIM::LENGTH_UNIT::A, KIM::ENERGY_UNIT::eV);
  std::vector<int> place;
  simulator.take(random_frame(40, 3), model, 1, place);
  const auto said = [&] {
    ::testing::internal::CaptureStderr();
    EXPECT_NE(simulator.compute(), 0);
    return ::testing::internal::GetCapturedStderr();
  };
  const auto lists = simulator.lists;
  // A list that ends before the cutoff.
  for (std::size_t i = 0; i < lists.size(); ++i) {
    std::erase_if(simulator.lists[i], [&](int j) {
      const auto r = [&](std::size_t a) {
        return Vec3(simulator.coordinates[3 * a], simulator.coordinates[3 * a + 1],
                    simulator.coordinates[3 * a + 2]);
      };
      return (r(static_cast<std::size_t>(j)) - r(i)).norm() > 0.7 * model.descriptor.rcut;
    });
  }
  EXPECT_THAT(said(), HasSubstr("neighbours within the model's cutoff of 4"));
  simulator.lists = lists;
  simulator.species[0] = 7;
  EXPECT_THAT(said(), HasSubstr("species code 7"));
  simulator.species[0] = 0;
  EXPECT_EQ(simulator.compute(), 0);

  // Other species, a driver without a model.
  int known = 1, code = 0;
  simulator.model->GetSpeciesSupportAndCode(KIM::SPECIES_NAME::Br, &known, &code);
  EXPECT_EQ(known, 0);
  std::filesystem::remove(collection_.models / "Toy" / model_file);
  ::testing::internal::CaptureStderr();
  EXPECT_THROW(Simulator("Toy", KIM::LENGTH_UNIT::A, KIM::ENERGY_UNIT::eV), WorkError);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("model.dp"));
}
#endif

}  // namespace
}  // namespace solion::kim
