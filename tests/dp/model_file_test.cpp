// Model files: exact round trips, every option, and one clear message for bad files.
#include "solion/dp/model_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/dp/tree.hpp"
#include "support/dp_models.hpp"

namespace solion::dp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ModelRecipe;
using testing::random_model;

class ModelFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::path(::testing::TempDir()) /
        (std::string("solion_model_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return folder_ / name; }

 private:
  std::filesystem::path folder_;
};

template <typename F>
std::string message_of(const F& action) {
  try {
    action();
  } catch (const InputError& e) {
    return e.what();
  }
  return "(no InputError)";
}

void expect_same(const nn::Network& a, const nn::Network& b) {
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t l = 0; l < a.layers.size(); ++l) {
    EXPECT_TRUE(a.layers[l].w == b.layers[l].w);
    EXPECT_TRUE(a.layers[l].b.size() == b.layers[l].b.size() && a.layers[l].b == b.layers[l].b);
    EXPECT_TRUE(a.layers[l].idt.size() == b.layers[l].idt.size() && a.layers[l].idt == b.layers[l].idt);
    EXPECT_EQ(a.layers[l].activation, b.layers[l].activation);
    EXPECT_EQ(a.layers[l].resnet, b.layers[l].resnet);
  }
}

void expect_same(const Model& a, const Model& b) {
  EXPECT_EQ(a.type_map, b.type_map);
  const Descriptor &p = a.descriptor, &q = b.descriptor;
  EXPECT_EQ(p.rcut, q.rcut);
  EXPECT_EQ(p.rcut_smth, q.rcut_smth);
  EXPECT_EQ(p.sel, q.sel);
  EXPECT_EQ(p.axis_neuron, q.axis_neuron);
  EXPECT_EQ(p.type_one_side, q.type_one_side);
  EXPECT_EQ(p.env_protection, q.env_protection);
  EXPECT_EQ(p.set_davg_zero, q.set_davg_zero);
  EXPECT_EQ(p.trainable, q.trainable);
  EXPECT_EQ(p.exclude_types, q.exclude_types);
  EXPECT_EQ(p.single_precision, q.single_precision);
  ASSERT_EQ(p.normalisation.size(), q.normalisation.size());
  for (std::size_t k = 0; k < p.normalisation.size(); ++k) {
    EXPECT_EQ(p.normalisation[k].mean, q.normalisation[k].mean);
    EXPECT_EQ(p.normalisation[k].deviation, q.normalisation[k].deviation);
  }
  ASSERT_EQ(p.embedding.size(), q.embedding.size());
  for (std::size_t k = 0; k < p.embedding.size(); ++k) expect_same(p.embedding[k], q.embedding[k]);
  ASSERT_EQ(a.fitting.size(), b.fitting.size());
  for (std::size_t k = 0; k < a.fitting.size(); ++k) expect_same(a.fitting[k], b.fitting[k]);
  EXPECT_EQ(a.bias_atom_e, b.bias_atom_e);
  EXPECT_EQ(a.out_bias, b.out_bias);
  EXPECT_EQ(a.out_std, b.out_std);
  EXPECT_EQ(a.atom_exclude_types, b.atom_exclude_types);
  EXPECT_EQ(a.pair_exclude_types, b.pair_exclude_types);
  EXPECT_EQ(a.fitting_single_precision, b.fitting_single_precision);
  EXPECT_EQ(a.fitting_trainable, b.fitting_trainable);
  EXPECT_EQ(a.min_nbor_dist, b.min_nbor_dist);
  EXPECT_EQ(a.definition, b.definition);
  EXPECT_EQ(a.provenance, b.provenance);
}

/// Everything that a file can hold, away from its default.
Model rich_model() {
  ModelRecipe recipe;
  recipe.type_one_side = false;
  recipe.resnet_dt = true;
  recipe.activation = nn::Activation::silu;
  Model model = random_model(recipe);
  model.descriptor.env_protection = 0.125;
  model.descriptor.set_davg_zero = true;
  model.descriptor.trainable = false;
  model.descriptor.exclude_types = {{0, 1}, {1, 0}, {2, 2}};
  model.atom_exclude_types = {1};
  model.pair_exclude_types = {{0, 2}, {2, 0}};
  model.fitting_trainable = {true, false, true};
  model.min_nbor_dist = 0.1 + 0.2;
  model.definition = {{"type_map", {"Li", "O", "Cl"}}, {"number", 1e-5}, {"flag", true}};
  model.provenance = {{"seed", 7}, {"text", "quotes \" and\nlines"}};
  return model;
}

TEST_F(ModelFile, RoundTripIsExactInBothFormats) {
  Model model = rich_model();
  model.fitting_trainable = std::vector<bool>(model.fitting[0].layers.size(), true);
  model.fitting_trainable[0] = false;
  for (const char* name : {"m.dp", "m.yaml"}) {
    SCOPED_TRACE(name);
    write_model(file(name), model);
    expect_same(model, read_model(file(name)));
  }
}

TEST_F(ModelFile, SinglePrecisionIsRoundedOnceAndThenExact) {
  Model model = random_model();
  model.fitting_trainable.assign(model.fitting[0].layers.size(), true);
  model.descriptor.single_precision = model.fitting_single_precision = true;
  for (const char* name : {"m.dp", "m.yaml"}) {
    SCOPED_TRACE(name);
    write_model(file(name), model);
    const Model once = read_model(file(name));
    EXPECT_EQ(once.fitting[0].layers[0].w(0, 0), static_cast<float>(model.fitting[0].layers[0].w(0, 0)));
    EXPECT_EQ(once.bias_atom_e, model.bias_atom_e);
    write_model(file(name), once);
    expect_same(once, read_model(file(name)));
    const Tree tree = read_tree(file(name));
    EXPECT_TRUE(Node(name, tree).at("model").at("descriptor").at("@variables").at("davg").array().single);
  }
}

TEST_F(ModelFile, TheSameModelIsTheSameFileAtAnyTime) {
  const Model model = rich_model();
  for (const char* name : {"m.dp", "m.yaml"}) write_model(file(name), model);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // HDF5 keeps times in seconds
  for (const char* name : {"m.dp", "m.yaml"}) {
    const std::string again = std::string("again_") + name;
    write_model(file(again), model);
    EXPECT_TRUE(read_file(file(name)) == read_file(file(again))) << name;
  }
}

/// A limit on the size of files stands for a full disk. In a child, to the end of which HDF5 cleans up.
TEST_F(ModelFile, AFullDiskIsSaidAndHarmsNothing) {
  const Model model = random_model();
  write_model(file("good.dp"), model);
  const std::string before = read_file(file("good.dp"));
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int failures = 0;
    for (int round = 0; round < 2; ++round) {
      try {
        write_model(file("good.dp"), model);
      } catch (const WorkError&) {
        ++failures;
      }
    }
    std::exit(failures == 2 ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(read_file(file("good.dp")), before);
}

TEST_F(ModelFile, ConvertsDeepmdKitsFixture) {
  const std::filesystem::path fixture = SOLION_SHARED_DIR "/reference/deepmd/deeppot_sea.yaml";
  if (!std::filesystem::exists(fixture)) GTEST_SKIP() << "needs " << fixture.string();
  const Model model = read_model(fixture);
  EXPECT_EQ(model.type_map.names(), (std::vector<std::string>{"O", "H"}));
  EXPECT_EQ(model.descriptor.sel, (std::vector<int>{46, 92}));
  EXPECT_EQ(model.n_embedding(), 12);
  write_model(file("m.dp"), model);
  expect_same(model, read_model(file("m.dp")));
}

/// Every key, class and version that the fixture (DeePMD-kit 3.0) has at some place, ours has there too.
void expect_covers(const Json& theirs, const Json& ours, const std::string& path) {
  if (theirs.is_array() && !theirs.empty() && theirs[0].is_object()) {
    ASSERT_TRUE(ours.is_array() && !ours.empty()) << path;
    expect_covers(theirs[0], ours[0], path + "/0");
  }
  if (!theirs.is_object()) return;
  for (const auto& [key, value] : theirs.items()) {
    ASSERT_TRUE(ours.contains(key)) << path << "/" << key;
    if (key == "@class" || key == "@version") {
      EXPECT_EQ(ours[key], value) << path;
    }
    expect_covers(value, ours[key], fmt::format("{}/{}", path, key));
  }
  for (const auto& [key, value] : ours.items()) EXPECT_TRUE(theirs.contains(key)) << path << "/" << key;
}

TEST_F(ModelFile, WritesTheKeysThatDeepmdKitExpects) {
  const std::filesystem::path fixture = SOLION_SHARED_DIR "/reference/deepmd/deeppot_sea.yaml";
  if (!std::filesystem::exists(fixture)) GTEST_SKIP() << "needs " << fixture.string();
  write_model(file("m.dp"), read_model(fixture));
  const Tree theirs = read_tree(fixture);
  const Tree ours = read_tree(file("m.dp"));
  expect_covers(theirs.root["model"], ours.root["model"], "model");
}

TEST_F(ModelFile, RefusesBadFilesWithOneMessage) {
  write_model(file("m.dp"), random_model());
  const std::string whole = read_file(file("m.dp"));
  ::testing::internal::CaptureStderr();
  for (const double part : {0.999, 0.5, 0.1}) {
    write_file(file("cut.dp"),
               whole.substr(0, static_cast<std::size_t>(part * static_cast<double>(whole.size()))));
    EXPECT_THAT(message_of([&] { read_model(file("cut.dp")); }), HasSubstr("cut.dp"));
  }
  write_file(file("text.dp"), "hello");
  EXPECT_THAT(message_of([&] { read_model(file("text.dp")); }),
              HasSubstr("expected a DeePMD-kit model (HDF5)"));
  const hid_t foreign = H5Fcreate(file("foreign.dp").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(foreign);
  EXPECT_THAT(message_of([&] { read_model(file("foreign.dp")); }), HasSubstr("no root attribute 'json'"));
  EXPECT_THAT(message_of([&] { read_model(file("none.dp")); }), HasSubstr("no such file"));
  EXPECT_THAT(message_of([&] { read_model(file("m.pth")); }), HasSubstr("'.pth'"));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");  // no error stack of HDF5
}

/// Writes the model with one change to its tree and returns the message of reading it.
std::string message_after(const std::filesystem::path& path, const std::function<void(Tree&)>& change) {
  write_model(path, random_model());
  Tree tree = read_tree(path);
  change(tree);
  write_tree(path, tree);
  return message_of([&] { read_model(path); });
}

TEST_F(ModelFile, RefusesByNameWhatItCannotDo) {
  struct Case {
    std::string pointer;
    Json value;
    std::string expected;
  };
  const std::vector<Case> cases{
      {"/model/descriptor/type", "se_e2_r", "the descriptor 'se_e2_r' is not supported"},
      {"/model/descriptor/type", "dpa1", "the descriptor 'dpa1'"},
      {"/model/descriptor/type", "hybrid", "the descriptor 'hybrid'"},
      {"/model/fitting/type", "dipole", "the fitting net 'dipole'"},
      {"/model/type", "zbl", "the model type 'zbl'"},
      {"/model/fitting/numb_fparam", 2, "'numb_fparam'"},
      {"/model/fitting/numb_aparam", 1, "'numb_aparam'"},
      {"/model/fitting/mixed_types", true, "'mixed_types'"},
      {"/model/fitting/tot_ener_zero", true, "'tot_ener_zero'"},
      {"/model/fitting/use_aparam_as_mask", true, "'use_aparam_as_mask'"},
      {"/model/fitting/atom_ener", {1.0, nullptr, nullptr}, "'atom_ener'"},
      {"/model/fitting/layer_name", {"a", "b"}, "'layer_name'"},
      {"/model/descriptor/spin", {{"use_spin", {true}}}, "'spin'"},
      {"/model/descriptor/use_tebd_bias", true, "'use_tebd_bias'"},
      {"/model/descriptor/env_mat/use_exp_switch", true, "'use_exp_switch'"},
      {"/model/descriptor/precision", "bfloat16", "precision 'bfloat16'"},
      {"/model/descriptor/axis_neuron", 99, "model/descriptor/axis_neuron: 99 is not within 1…32"},
      {"/model/descriptor/rcut_smth", 5.0, "expected 0 ≤ rcut_smth < rcut"},
      {"/model/descriptor/sel", {1, 2}, "model/descriptor/sel: expected one number for each of 3 types"},
      {"/model/descriptor/sel", {1, 2, 3}, "davg: expected an array of shape (3, 6, 4), found (3, 93, 4)"},
      {"/model/descriptor/rcut", "6", "model/descriptor/rcut: expected a number, found \"6\""},
      {"/model/descriptor/exclude_types", {{0, 3}}, "type 3 is not one of the 3 types"},
      {"/model/pair_exclude_types", {{0}}, "expected a pair of types"},
      {"/model/fitting/nets/networks/1/layers/0/activation_function", "silut",
       "model/fitting/nets/networks/1/layers/0/activation_function: activation function 'silut'"},
      {"/model/descriptor/embeddings/ndim", 2, "model/descriptor/embeddings/ndim: expected 1, found 2"},
      {"/model/type_map", {"Li", "Li", "O"}, "model/type_map"},
  };
  for (const char* name : {"m.dp", "m.yaml"}) {
    for (const Case& c : cases) {
      const std::string message =
          message_after(file(name), [&](Tree& tree) { tree.root[Json::json_pointer(c.pointer)] = c.value; });
      EXPECT_THAT(message, AllOf(HasSubstr(c.expected), HasSubstr(name))) << c.pointer;
    }
  }
}

TEST_F(ModelFile, NamesTheMissingKey) {
  const std::vector<std::string> keys{"/model/descriptor/rcut", "/model/fitting/nets", "/model/type_map",
                                      "/model/descriptor/@variables/davg",
                                      "/model/fitting/nets/networks/0/layers/1/@variables/w"};
  for (const char* name : {"m.dp", "m.yaml"}) {
    for (const std::string& key : keys) {
      const Json::json_pointer pointer(key);
      const std::string message = message_after(
          file(name), [&](Tree& tree) { tree.root[pointer.parent_pointer()].erase(pointer.back()); });
      EXPECT_THAT(message, HasSubstr(pointer.parent_pointer().to_string().substr(1) + ": the key '" +
                                     pointer.back() + "' is missing"));
    }
  }
}

TEST_F(ModelFile, RefusesNumbersThatAreNotFinite) {
  const std::string message = message_after(file("m.dp"), [](Tree& tree) { tree.arrays[3].values[0] = NAN; });
  EXPECT_THAT(message, HasSubstr("not finite"));
}

TEST_F(ModelFile, RefusesDamagedYaml) {
  const auto message = [&](const std::string& text) {
    write_file(file("bad.yaml"), text);
    return message_of([&] { read_model(file("bad.yaml")); });
  };
  EXPECT_THAT(message("model: [1, 2"), HasSubstr("this is no YAML"));
  EXPECT_THAT(message("just text"), HasSubstr("found something else"));
  EXPECT_THAT(message("a: 1"), HasSubstr("top level: the key 'model' is missing"));
  EXPECT_THAT(message("x: {'@class': np.ndarray, dtype: float64, value: [[1, 2], [3]]}"),
              HasSubstr("bad.yaml:1: x: the rows of the array differ in length"));
  EXPECT_THAT(message("x: {'@class': np.ndarray, dtype: float64, value: [1, .nan]}"),
              HasSubstr("no finite number"));
  EXPECT_THAT(message("x: {'@class': np.ndarray, dtype: int8, value: [1]}"), HasSubstr("'int8'"));
}

}  // namespace
}  // namespace solion::dp
