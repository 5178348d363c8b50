// Data sets: append and read back, provenance, what a kill leaves behind, duplicates, statistics, split.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"
#include "solion/dataset/plausible.hpp"
#include "solion/dataset/statistics.hpp"
#include "solion/dataset/store.hpp"
#include "solion/io/deepmd_npy.hpp"

namespace solion::dataset {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class DatasetTest : public ::testing::Test {
 protected:
  DatasetTest() {
    folder_ = fs::temp_directory_path() /
              fmt::format("solion-dataset-{}-{}", ::getpid(),
                          ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
  }
  ~DatasetTest() override { fs::remove_all(folder_); }
  fs::path folder_;
};

/// A labelled rock-salt cell with atoms in mixed order, displaced at random; half its atoms outside the cell.
Frame labelled(std::uint64_t seed, const std::string& structure, bool extra_chlorine = false) {
  Frame frame;
  RandomStream random(seed, "frame");
  Mat3 h = Mat3::Identity() * 5.13;
  h(1, 0) = 0.3;
  frame.cell = Cell(h);
  const auto add = [&](const char* element, double x, double y, double z) {
    const Vec3 noise(random.normal(), random.normal(), random.normal());
    frame.add_atom(element, frame.cell->to_cartesian(Vec3(x, y, z)) + 0.05 * noise);
  };
  for (const auto& [x, y, z] : {std::array{0., 0., 0.}, {0., .5, .5}, {.5, 0., .5}, {.5, .5, 1.0}}) {
    add("Cl", x, y, z);
    add("Li", x + .5, y, z);
  }
  if (extra_chlorine) add("Cl", .25, .25, .25);
  for (std::size_t i = 0; i < frame.n_atoms(); ++i)
    frame.labels.forces_eV_per_A.emplace_back(random.normal(), random.normal(),
                                              frame.element(i) == "Li" ? 1 : -1);
  frame.labels.energy_eV = -4.0 * static_cast<double>(frame.n_atoms()) + 0.1 * random.normal();
  Mat3 virial = Mat3::Identity() * random.normal();
  virial(0, 1) = virial(1, 0) = 0.25;
  frame.labels.virial_eV = virial;
  frame.info["structure"] = structure;
  return frame;
}

TEST_F(DatasetTest, AppendedFramesComeBackExactlyWithTheirProvenance) {
  const Frame frame = labelled(1, "type1");
  {
    Store store(folder_, {"Li", "O", "Cl"});
    EXPECT_TRUE(store.append(frame, {{"key", "k1"}, {"structure", "type1"}, {"temperature_K", 300}}));
    EXPECT_TRUE(store.append(labelled(2, "type1"), {{"key", "k2"}}));
    EXPECT_TRUE(store.append(labelled(3, "type1", true), {{"key", "k3"}}));  // other atoms, same name
    EXPECT_TRUE(store.append(labelled(4, ""), {{"key", "k4"}}));
    EXPECT_EQ(store.n_frames(), 4U);
  }
  const std::vector<System> systems = load({folder_});
  ASSERT_EQ(systems.size(), 3U);
  EXPECT_EQ(systems[0].name, "Li4Cl4");
  EXPECT_EQ(systems[1].name, "type1");
  EXPECT_EQ(systems[2].name, "type1-Li4Cl5");
  const System& type1 = systems[1];
  ASSERT_EQ(type1.frames.size(), 2U);
  EXPECT_EQ(type1.type_map().names(), (std::vector<std::string>{"Li", "O", "Cl"}));
  EXPECT_EQ(type1.frames[0].types, (std::vector<int>{0, 0, 0, 0, 2, 2, 2, 2}));
  EXPECT_EQ(type1.provenance[0]["temperature_K"], 300);
  EXPECT_EQ(structure_of(type1, 1), "type1");
  // Sorting by type takes each force along; wrapping changes a position by lattice vectors only.
  const Frame& back = type1.frames[0];
  EXPECT_EQ(*back.labels.energy_eV, *frame.labels.energy_eV);
  EXPECT_EQ(*back.labels.virial_eV, *frame.labels.virial_eV);
  for (std::size_t i = 0; i < 8; ++i) {
    const std::size_t original = i < 4 ? 2 * i + 1 : 2 * (i - 4);
    EXPECT_EQ(back.labels.forces_eV_per_A[i], frame.labels.forces_eV_per_A[original]);
    const Vec3 n = frame.cell->to_fractional(back.positions[i] - frame.positions[original]);
    EXPECT_LT((n - Vec3(n.array().round())).norm(), 1e-12);
  }
}

TEST_F(DatasetTest, AKeyIsAppendedOnce) {
  Store store(folder_);
  EXPECT_TRUE(store.append(labelled(1, "a"), {{"key", "same"}}));
  EXPECT_FALSE(store.append(labelled(1, "a"), {{"key", "same"}}));
  Store other(folder_);
  EXPECT_TRUE(other.contains("same"));
  EXPECT_TRUE(other.append(labelled(2, "a"), {{"key", "new"}}));
  // The first object has not seen that append; the folder has.
  EXPECT_FALSE(store.append(labelled(2, "a"), {{"key", "new"}}));
  EXPECT_EQ(load({folder_})[0].frames.size(), 2U);
}

TEST_F(DatasetTest, FindsNearIdenticalFramesAcrossCellBoundaries) {
  Store store(folder_);
  Frame frame = labelled(1, "a");
  store.append(frame, {{"key", "1"}});
  frame.positions[3] += frame.cell->vector(1) - 2 * frame.cell->vector(2) + Vec3(1e-4, 0, 0);
  EXPECT_EQ(store.find_duplicate(frame, 1e-3), "a/0");
  EXPECT_EQ(store.find_duplicate(frame, 1e-5), std::nullopt);
  EXPECT_EQ(store.find_duplicate(labelled(2, "a"), 1e-3), std::nullopt);
  store.append(frame, {{"key", "2"}});
  EXPECT_THAT(duplicates(load({folder_})[0], 1e-3), ::testing::ElementsAre(std::pair{0, 1}));
}

TEST_F(DatasetTest, FindsAFrameWhateverTheOrderOfItsSystem) {
  // Systems of one data set, each with types in an order of its own, and one whose atoms alternate.
  const Frame frame = labelled(1, "a"), other = labelled(2, "b"), mixed = labelled(3, "c");
  Store(folder_ / "data", {"Li", "Cl"}).append(frame, {{"key", "1"}});
  Store(folder_ / "other", {"Cl", "Li"}).append(other, {{"key", "2"}});
  fs::rename(folder_ / "other" / "b", folder_ / "data" / "b");
  io::write_deepmd(folder_ / "data" / "c", {&mixed, 1}, 1);
  const Store store(folder_ / "data");
  EXPECT_EQ(store.find_duplicate(frame, 1e-3), "a/0");
  EXPECT_EQ(store.find_duplicate(other, 1e-3), "b/0");
  EXPECT_EQ(store.find_duplicate(mixed, 1e-3), "c/0");
  EXPECT_EQ(store.find_duplicate(labelled(4, "d"), 1e-3), std::nullopt);
  EXPECT_EQ(store.find_duplicate(labelled(1, "a", true), 1e-3), std::nullopt);
}

TEST_F(DatasetTest, AFullSetIsNotTouchedAgain) {
  Store store(folder_, {}, 2);
  for (std::uint64_t i = 0; i < 2; ++i) store.append(labelled(i, "a"), {{"key", std::to_string(i)}});
  const auto written = fs::last_write_time(folder_ / "a" / "set.000" / "coord.npy");
  for (std::uint64_t i = 2; i < 5; ++i) store.append(labelled(i, "a"), {{"key", std::to_string(i)}});
  EXPECT_EQ(fs::last_write_time(folder_ / "a" / "set.000" / "coord.npy"), written);
  EXPECT_TRUE(fs::exists(folder_ / "a" / "set.002"));
  const System system = load_system(folder_ / "a");
  ASSERT_EQ(system.frames.size(), 5U);
  for (std::uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(*system.frames[i].labels.energy_eV, *labelled(i, "a").labels.energy_eV);
    EXPECT_EQ(system.provenance[i]["key"], std::to_string(i));
  }
}

/// The folder as another program leaves it: sets of any size, no ledger.
void write_foreign(const fs::path& folder, std::size_t n, std::size_t frames_per_set) {
  std::vector<Frame> frames;
  {
    Store store(folder.parent_path() / "sorted", {"Li", "Cl"});
    for (std::uint64_t i = 0; i < n; ++i) store.append(labelled(100 + i, "a"), {{"key", std::to_string(i)}});
    frames = store.systems().front().frames;
  }
  fs::remove_all(folder.parent_path() / "sorted");
  fs::create_directories(folder.parent_path());
  io::write_deepmd(folder, frames, frames_per_set);
}

TEST_F(DatasetTest, SetsOfOtherProgramsAreLeftAsTheyAre) {
  for (const std::size_t size : {1, 3, 7}) {  // frames in a set; ours hold 2
    fs::remove_all(folder_);
    write_foreign(folder_ / "a", 7, size);
    const std::size_t sets = (7 + size - 1) / size;
    for (std::uint64_t i = 0; i < 3; ++i)
      Store(folder_, {}, 2).append(labelled(i, "a"), {{"key", std::to_string(i)}});
    const System system = load_system(folder_ / "a");
    ASSERT_EQ(system.frames.size(), 10U) << size;
    ASSERT_EQ(system.sets.size(), sets + 2) << size;
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_EQ(*system.frames[i].labels.energy_eV, *labelled(i < 7 ? 100 + i : i - 7, "a").labels.energy_eV);
      EXPECT_EQ(system.provenance[i], i < 7 ? Json::object() : Json({{"key", std::to_string(i - 7)}}));
    }
    EXPECT_TRUE(duplicates(system, 1e-3).empty());
  }
}

TEST_F(DatasetTest, LedgersAreComparedSetBySet) {
  write_foreign(folder_ / "a", 5, 3);
  std::ofstream(folder_ / "a" / "set.001" / provenance_name) << "{\"key\": \"4\"}\n{\"key\": \"5\"}\n";
  EXPECT_EQ(load_system(folder_ / "a").provenance[3]["key"], "4");
  std::ofstream(folder_ / "a" / "set.000" / provenance_name) << "{\"key\": \"1\"}\n{\"key\": \"2\"}\n";
  EXPECT_THROW((void)load_system(folder_ / "a"), InputError);
}

TEST_F(DatasetTest, FramesAreChangedAndDroppedInAnySet) {
  Store store(folder_, {"Li", "O", "Cl"}, 2);
  for (int k = 0; k < 5; ++k)
    store.append(labelled(static_cast<std::uint64_t>(k), "type1"), {{"key", fmt::format("k{}", k)}});
  store.append(labelled(9, "type2"), {{"key", "k9"}});
  const std::vector<System> before = load({folder_});
  EXPECT_EQ(store.revise([](Frame&, Json&) { return Fate::keep; }), 0U);
  // k0 gets another virial, k2 and k3 are all of a set, k9 is all of a system.
  const auto decide = [](Frame& frame, Json& about) {
    const std::string key = about["key"];
    if (key == "k0") {
      frame.labels.virial_eV = Mat3(Mat3::Identity());
      about["note"] = "new";
      return Fate::change;
    }
    return key == "k2" || key == "k3" || key == "k9" ? Fate::drop : Fate::keep;
  };
  EXPECT_EQ(store.revise(decide), 4U);
  EXPECT_EQ(store.n_frames(), 3U);
  EXPECT_FALSE(store.contains("k9"));
  const std::vector<System> after = load({folder_});
  ASSERT_EQ(after.size(), 1U);
  ASSERT_EQ(after[0].frames.size(), 3U);
  EXPECT_EQ(*after[0].frames[0].labels.virial_eV, Mat3(Mat3::Identity()));
  EXPECT_EQ(after[0].provenance[0]["note"], "new");
  EXPECT_EQ(after[0].frames[0].positions, before[0].frames[0].positions);
  for (const auto& [now, then] : {std::pair{1, 1}, {2, 4}}) {
    const auto i = static_cast<std::size_t>(now), k = static_cast<std::size_t>(then);
    EXPECT_EQ(after[0].provenance[i]["key"], fmt::format("k{}", then));
    EXPECT_EQ(after[0].frames[i].positions, before[0].frames[k].positions);
    EXPECT_EQ(after[0].frames[i].labels.forces_eV_per_A, before[0].frames[k].labels.forces_eV_per_A);
  }
  // It grows on, and the gap in the numbers of the sets is no fault.
  EXPECT_TRUE(store.append(labelled(2, "type1"), {{"key", "k2"}}));
  EXPECT_TRUE(store.append(labelled(3, "type1"), {{"key", "k3"}}));
  EXPECT_EQ(load({folder_})[0].frames.size(), 5U);
}

TEST_F(DatasetTest, TextSystemsAreReadAndNotAppendedTo) {
  const fs::path raw = folder_ / "a";
  fs::create_directories(raw);
  std::ofstream(raw / "type.raw") << "0 1\n";
  std::ofstream(raw / "type_map.raw") << "Li Cl\n";
  std::ofstream(raw / "coord.raw") << "0 0 0 2.5 2.5 2.5\n0 0 0 2.4 2.5 2.5\n";
  std::ofstream(raw / "box.raw") << "5 0 0 0 5 0 0 0 5\n5 0 0 0 5 0 0 0 5\n";
  std::ofstream(raw / "energy.raw") << "-7\n-7.1\n";
  const System system = load_system(raw);
  ASSERT_EQ(system.frames.size(), 2U);
  EXPECT_EQ(system.provenance, std::vector<Json>(2, Json::object()));
  Frame frame;
  frame.cell = Cell(Mat3(Mat3::Identity() * 5));
  frame.add_atom("Li", Vec3(0, 0, 0));
  frame.add_atom("Cl", Vec3(2, 2, 2));
  frame.labels.energy_eV = -7;
  frame.labels.forces_eV_per_A.assign(2, Vec3::Zero());
  frame.labels.virial_eV = Mat3(Mat3::Zero());
  frame.info["structure"] = "a";
  EXPECT_THROW(Store(folder_).append(frame, {}), InputError);
}

TEST_F(DatasetTest, AnAppendThatWasCutBetweenTwoRenamesIsMended) {
  for (std::uint64_t i = 0; i < 2; ++i) Store(folder_).append(labelled(i, "a"), {{"key", std::to_string(i)}});
  fs::rename(folder_ / "a" / "set.000", aside_of(folder_ / "a" / "set.000"));
  EXPECT_THROW((void)load({folder_}), InputError);
  Store(folder_).append(labelled(2, "a"), {{"key", "2"}});
  EXPECT_EQ(load({folder_})[0].frames.size(), 3U);
  fs::copy(folder_ / "a" / "set.000", aside_of(folder_ / "a" / "set.000"));  // killed before the removal
  EXPECT_EQ(Store(folder_).n_frames(), 3U);
  EXPECT_FALSE(fs::exists(aside_of(folder_ / "a" / "set.000")));
}

TEST_F(DatasetTest, AKillAtAnyMomentLeavesAWholeDataSet) {
  Store(folder_, {"Li", "Cl"}).append(labelled(0, "a"), {{"key", "0"}});
  RandomStream random(7, "kill");
  for (int round = 0; round < 12; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      Store store(folder_);
      for (std::uint64_t i = 1;; ++i) {
        const std::uint64_t seed = 1000 * static_cast<std::uint64_t>(round + 1) + i;
        store.append(labelled(seed, i % 3 == 0 ? "b" : "a"), {{"key", std::to_string(seed)}});
      }
    }
    ::usleep(static_cast<useconds_t>(5000 + 60000 * random.uniform()));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    std::set<std::string> keys;
    std::size_t n = 0;
    for (const System& system : load({folder_})) {
      for (std::size_t f = 0; f < system.frames.size(); ++f) {
        const std::string key = system.provenance[f]["key"];
        const Frame expected = labelled(std::stoull(key), system.name);
        EXPECT_EQ(*system.frames[f].labels.energy_eV, *expected.labels.energy_eV)
            << "arrays and ledger disagree";
        keys.insert(key);
        ++n;
      }
    }
    EXPECT_EQ(keys.size(), n);
  }
  Store again(folder_);
  for (const auto& entry : fs::directory_iterator(folder_))
    EXPECT_THAT(entry.path().filename().string(), ::testing::Not(::testing::StartsWith(".append-")));
}

TEST_F(DatasetTest, RefusesWhatDoesNotBelong) {
  Store store(folder_, {"Li", "Cl"});
  Frame frame = labelled(1, "a");
  frame.labels.virial_eV.reset();
  EXPECT_THROW(store.append(frame, {}), InputError);
  frame = labelled(1, "a");
  frame.labels.forces_eV_per_A[2][1] = std::nan("");
  EXPECT_THROW(store.append(frame, {}), InputError);
  frame = labelled(1, "a");
  frame.add_atom("O", Vec3(1.3, 1.3, 1.3));
  frame.labels.forces_eV_per_A.emplace_back(0, 0, 0);
  EXPECT_THROW(store.append(frame, {}), InputError);
  EXPECT_EQ(store.n_frames(), 0U);
  EXPECT_THROW(load({folder_}), InputError);
  store.append(labelled(1, "a"), {{"key", "1"}});
  EXPECT_THROW(Store(folder_, {"Cl", "Li"}), InputError);
  EXPECT_THROW(Store(folder_ / "a"), InputError);
  EXPECT_THROW(load({folder_, folder_ / "a"}), InputError);
  std::ofstream(folder_ / "a" / "set.000" / provenance_name, std::ios::app) << "{\"key\": \"2\"}\n";
  EXPECT_THROW(load({folder_}), InputError);
}

TEST_F(DatasetTest, AnInputIsAFileOrTheSystemsOfAFolder) {
  Store store(folder_ / "data.h5dir");
  store.append(labelled(1, "b"), {{"key", "1"}});
  store.append(labelled(2, "a"), {{"key", "2"}});
  const fs::path data = folder_ / "data.h5dir", file = data / "frames.xyz";
  EXPECT_EQ(systems_or_file(data), (std::vector<fs::path>{data / "a", data / "b"}));
  EXPECT_EQ(systems_or_file(file), (std::vector<fs::path>{file}));
  EXPECT_THROW(systems_or_file("data.hdf5#/a"), InputError);
}

TEST_F(DatasetTest, SplitsEveryStructureInTheSameShares) {
  Store store(folder_);
  for (std::uint64_t i = 0; i < 8; ++i) store.append(labelled(i, "a"), {{"key", std::to_string(i)}});
  for (std::uint64_t i = 8; i < 12; ++i) store.append(labelled(i, "b"), {{"key", std::to_string(i)}});
  const auto systems = load({folder_});
  const Split s = split(systems, 0.25, 1);
  EXPECT_EQ(s.validation.size(), 3U);
  EXPECT_EQ(s.training.size(), 9U);
  EXPECT_EQ(
      std::count_if(s.validation.begin(), s.validation.end(), [](FrameId id) { return id.system == 0; }), 2);
  for (const FrameId& id : s.validation) EXPECT_EQ(std::count(s.training.begin(), s.training.end(), id), 0);
  EXPECT_EQ(split(systems, 0.25, 1).validation, s.validation);
  EXPECT_NE(split(systems, 0.5, 2).validation, split(systems, 0.5, 3).validation);
  EXPECT_EQ(split(systems, 0.0, 1).validation.size(), 0U);
  EXPECT_THROW(split(systems, 1.5, 1), InputError);
}

TEST_F(DatasetTest, LabelsBeyondTheLimitsOfTheAuditAreNamed) {
  Frame frame = labelled(1, "a");
  for (Vec3& f : frame.labels.forces_eV_per_A) f = Vec3::Zero();
  EXPECT_EQ(implausible(frame), std::nullopt);
  frame.labels.virial_eV = Mat3(1e6 * *frame.labels.virial_eV);
  EXPECT_THAT(implausible(frame).value_or(""), HasSubstr("a component of the stress"));
  for (Vec3& f : frame.labels.forces_eV_per_A) f = Vec3(0, 0, 5);
  EXPECT_THAT(implausible(frame).value_or(""), HasSubstr("the forces sum to 5 eV/Å per atom"));
  frame.labels.forces_eV_per_A[2] = Vec3(5000, 0, 0);
  EXPECT_THAT(implausible(frame).value_or(""), HasSubstr("the force on atom 3 (Cl) is 5000 eV/Å"));
  frame.labels = {};
  EXPECT_EQ(implausible(frame), std::nullopt);
}

TEST_F(DatasetTest, StatisticsAreThoseOfTheFrames) {
  Store store(folder_);
  Frame frame = labelled(1, "a");
  frame.labels.energy_eV = -32.0;
  frame.labels.forces_eV_per_A.assign(8, Vec3(0, 3, -4));
  frame.labels.virial_eV = Mat3(Mat3::Identity() * frame.cell->volume());  // 1 eV/Å³ of pressure
  store.append(frame, {{"key", "1"}});
  frame = labelled(2, "a");
  frame.labels.energy_eV = -24.0;
  frame.labels.forces_eV_per_A.assign(8, Vec3(0, 3, -4));
  store.append(frame, {{"key", "2"}});
  const Statistics s = statistics(load({folder_})[0]);
  EXPECT_EQ(s.n_frames, 2U);
  EXPECT_EQ(s.n_atoms, 16U);
  EXPECT_EQ(s.formula, "Cl4 Li4");
  EXPECT_DOUBLE_EQ(s.energy_min_eV_per_atom, -4.0);
  EXPECT_DOUBLE_EQ(s.energy_max_eV_per_atom, -3.0);
  EXPECT_NEAR(s.force_rms_eV_per_A, 5.0 / std::sqrt(3.0), 1e-14);
  EXPECT_DOUBLE_EQ(s.force_max_eV_per_A, 4.0);
  EXPECT_NEAR(s.volume_min_A3_per_atom, 5.13 * 5.13 * 5.13 / 8, 1e-12);
  EXPECT_NEAR(s.pressure_max_GPa, 160.2176634, 1e-9);
  EXPECT_EQ(summary(load({folder_})).n_virials, 2U);
}

}  // namespace
}  // namespace solion::dataset
