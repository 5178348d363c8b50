// What would fail after hours is said at once.
#include <gmock/gmock.h>

#include <filesystem>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/study/cells.hpp"
#include "support/temp_folder.hpp"

namespace solion::study {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const std::filesystem::path examples = SOLION_SOURCE_DIR "/examples/li3ocl";

Config study_of(const std::string& crystal) {
  Config config;
  config.file = "study.toml";
  config.md.crystal = crystal;
  config.md.structures = {"perfect"};
  config.md.supercell = {2, 2, 2};
  config.md.temperatures_K = {600};
  config.transport.jump_length_A = 2.765;
  return config;
}

void refused(const Config& config, const std::string& words) {
  EXPECT_THAT([&] { rehearse(config); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("study.toml"), HasSubstr(words))));
}

TEST(Rehearse, Compounds) {
  Config config = study_of("li3ocl");
  config.md.structures = {"perfect", "type1"};
  config.defects.wanted = true;
  config.defects.supercell = {2, 2, 2};
  config.defects.compounds = {examples / "li2o.xyz", examples / "licl.xyz"};
  EXPECT_NO_THROW(rehearse(config));
  config.defects.compounds.push_back(examples / "unit_cell.xyz");
  refused(config, "[defects] the compounds");
  refused(config, "not independent");
}

TEST(Rehearse, Hops) {
  Config config = study_of("li3ocl");
  config.barriers.wanted = true;
  config.barriers.supercell = {2, 2, 2};
  EXPECT_NO_THROW(rehearse(config));
  config.barriers.within_A = 4;
  refused(config, "[barriers] hops up to 4 Å");
  config.barriers.within_A = 0.5;
  refused(config, "barriers.within_A = 0.5");
}

TEST(Rehearse, AModelThatDoesNotKnowTheCrystal) {
  Config config = study_of("li3ocl");
  config.model.file = examples / "model.dp";
  EXPECT_NO_THROW(rehearse(config));
  config.md.crystal = (examples / "licl.xyz").string();
  EXPECT_NO_THROW(rehearse(config));
  const testing::TempFolder folder;
  config.md.crystal = (folder.path() / "nacl.xyz").string();
  std::string frame = read_file(examples / "licl.xyz");
  for (std::size_t at = 0; (at = frame.find("Li ", at)) != std::string::npos;) frame.replace(at, 3, "Na ");
  write_file(config.md.crystal, frame);
  config.transport.species = "Na";
  refused(config, "does not know the element 'Na'");
}

TEST(Rehearse, Dynamics) {
  Config config = study_of("li3ocl");
  EXPECT_NO_THROW(rehearse(config));
  config.md.timestep_fs = 50;
  refused(config, "md: timestep_fs = 50");
  config.md.timestep_fs = 2;
  config.annealing.structures = {"perfect"};
  EXPECT_NO_THROW(rehearse(config));
  config.annealing.high_K = 1e7;
  refused(config, "[annealing] md: temperature_K");
}

/// Fluorite with a Frenkel pair in two unit cells: F at many distances, of which none stands out.
TEST(Rehearse, AJumpLengthThatTheCellDoesNotShow) {
  const testing::TempFolder folder;
  write_file(folder / "caf2.toml",
             "name = \"caf2\"\ncell_A = 5.444\nsites = [\"Ca 0 0 0\", \"Ca 0 0.5 0.5\", \"Ca 0.5 0 0.5\", "
             "\"Ca 0.5 0.5 0\", \"F 0.25 0.25 0.25\", \"F 0.25 0.25 0.75\", \"F 0.25 0.75 0.25\", "
             "\"F 0.75 0.25 0.25\", \"F 0.25 0.75 0.75\", \"F 0.75 0.25 0.75\", \"F 0.75 0.75 0.25\", "
             "\"F 0.75 0.75 0.75\"]\n[oxidation_states]\nCa = 2\nF = -1\n[reactions]\n"
             "frenkel = \"V_F* + F_i'\"\n");
  Config config = study_of((folder / "caf2.toml").string());
  config.md.structures = {"frenkel"};
  config.md.supercell = {2, 1, 1};
  config.transport.species = "F";
  config.transport.jump_length_A = 0;
  refused(config, "g(r) of F-F to transport.rdf_max_A = 6 Å has no first shell that stands out");
  config.transport.rdf_max_A = 2;
  refused(config, "no two F nearer than transport.rdf_max_A = 2 Å");
  EXPECT_EQ(charge_of(config), -1);
}

TEST(Rehearse, Campaign) {
  Config config = study_of("li3ocl");
  config.campaign = examples / "campaign";
  EXPECT_NO_THROW(rehearse(config));
  const testing::TempFolder empty;
  config.campaign = empty.path();
  refused(config, "expected the run folder of `solion learn`");
}

TEST(Rehearse, DirectLabels) {
  Config config = study_of("li3ocl");
  DirectConfig& direct = config.checks.direct;
  direct.equation_of_state = examples / "validation/eos";
  direct.path = examples / "validation/hop";
  direct.formation = examples / "validation/formation";
  direct.compounds = examples / "validation/compounds";
  EXPECT_NO_THROW(rehearse(config));
  direct.formation = examples / "validation/hop";
  refused(config, "expected a system named perfect");
}

TEST(Rehearse, AnnealingOfACrystalWithoutTheUsualPolyhedra) {
  Config config = study_of((examples / "licl.xyz").string());
  config.annealing.structures = {"perfect"};
  EXPECT_NO_THROW(rehearse(config));
  config.structure.polyhedra_named = true;
  refused(config, "[annealing]");
}

constexpr const char* periclase =
    "name = \"mgo\"\ncell_A = 4.21\nsites = [\"Mg 0 0 0\", \"Mg 0 0.5 0.5\", \"Mg 0.5 0 0.5\", \"Mg 0.5 0.5 "
    "0\", \"O 0.5 0.5 0.5\", \"O 0.5 0 0\", \"O 0 0.5 0\", \"O 0 0 0.5\"]\n[oxidation_states]\nMg = 2\nO = "
    "-2\nCa "
    "= 2\n[reactions]\ndoped = \"Ca_Mg\"\nschottky = \"V_Mg'' + V_O**\"\n";

/// Magnesium oxide: what is of Li3OCl unless the study says another is named by its key.
class RehearsePericlase : public ::testing::Test {
 protected:
  RehearsePericlase() {
    write_file(folder_ / "mgo.toml", periclase);
    write_file(folder_ / "train.json", R"({"model": {"type_map": ["Mg", "O"]}})");
    config_ = study_of((folder_ / "mgo.toml").string());
    config_.model.training_input = folder_ / "train.json";
  }
  testing::TempFolder folder_;
  Config config_;
};

TEST_F(RehearsePericlase, SpeciesThatItDoesNotHave) {
  refused(config_, "no atom is of species 'Li'; found Mg32 O32; give transport.species");
  config_.transport.species = "Mg";
  EXPECT_NO_THROW(rehearse(config_));
  config_.structure.frames = 2;
  refused(config_, "give structure.ligand");
  config_.structure.ligand = "Mg";
  EXPECT_NO_THROW(rehearse(config_));
}

TEST_F(RehearsePericlase, ElementsThatTheTrainingDoesNotHave) {
  config_.transport.species = "Mg";
  config_.annealing.structures = {"doped"};
  refused(config_, "[annealing] doped has Ca, which the type_map of");
  config_.annealing.structures.clear();
  config_.md.structures = {"doped"};
  refused(config_, "train.json does not have: Mg O");
}

TEST_F(RehearsePericlase, ACompoundMayBeACrystalsFile) {
  config_.transport.species = "Mg";
  config_.md.structures = {"schottky"};
  config_.defects.wanted = true;
  config_.defects.supercell = {2, 1, 1};
  config_.defects.compounds = {folder_ / "mgo.toml"};
  EXPECT_NO_THROW(rehearse(config_));
  config_.defects.compounds = {examples / "licl.xyz"};
  refused(config_, "[defects] licl.xyz has Cl, which the type_map of");
}

TEST_F(RehearsePericlase, Conservation) {
  config_.transport.species = "Mg";
  config_.checks.conservation.drift_meV_per_atom = 1;
  refused(config_, "[conservation] perfect has Cl");
  config_.checks.conservation.crystal = config_.md.crystal;
  EXPECT_NO_THROW(rehearse(config_));
  config_.checks.conservation.structure = "type9";
  refused(config_, "[conservation]");
}

TEST_F(RehearsePericlase, ConservationIsOfTheCrystalOfTheStudy) {
  const auto crystal_in = [&](const std::string& md, const std::string& conservation) {
    std::filesystem::create_directories(folder_ / "data");
    write_file(folder_ / "study.toml",
               "title = \"t\"\n[data]\nsystems = [\"data\"]\n[model]\ntraining_input = \"train.json\"\n" +
                   md + "[conservation]\ndrift_meV_per_atom = 1\n" + conservation);
    return std::filesystem::path(read_config(folder_ / "study.toml").checks.conservation.crystal).filename();
  };
  const std::string md =
      "[md]\ncrystal = \"mgo.toml\"\nstructures = [\"perfect\"]\nsupercell = [2, 2, 2]\ntemperatures_K = "
      "[600]\n";
  EXPECT_EQ(crystal_in(md, ""), "mgo.toml");
  EXPECT_EQ(crystal_in(md, "crystal = \"na3ocl\"\n"), "na3ocl");
  EXPECT_EQ(crystal_in("", ""), "li3ocl");
}

}  // namespace
}  // namespace solion::study
