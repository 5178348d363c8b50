// DP-GEN's files as a campaign, its run directory as data and history; all written here to the documented
// format.
#include "solion/learn/dpgen.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/io/formats.hpp"
#include "solion/learn/campaign.hpp"
#include "solion/reference/settings.hpp"
#include "solion/structure/frame.hpp"
#include "support/temp_folder.hpp"

namespace solion::learn {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Fate = ImportNote::Fate;

Frame cell(double x, bool labelled, bool virial = true) {
  Frame frame;
  frame.cell = Cell::cubic(4.0);
  frame.add_atom("Li", Vec3(x, 0, 0));
  frame.add_atom("Cl", Vec3(2, 2, 2));
  if (!labelled) return frame;
  frame.labels.energy_eV = -3;
  frame.labels.forces_eV_per_A = {Vec3(x, 0, 0), Vec3(-x, 0, 0)};
  if (virial) frame.labels.virial_eV = Mat3::Identity() * x;
  return frame;
}

/// Writes a file and the folders above it.
void put(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  write_file(path, text);
}

constexpr const char* param_text = R"({
  "type_map": ["Li", "Cl"], "mass_map": [6.94, 35.45], "_comment": "a remark",
  "init_data_prefix": "data", "init_data_sys": ["start", "absent", "without-virial"], "init_batch_size": [1, 1, 1],
  "sys_configs_prefix": "cells", "sys_configs": [["0000*/POSCAR"], ["one/POSCAR"]], "sys_batch_size": [1, 1],
  "numb_models": 4,
  "default_training_param": {
    "model": {"descriptor": {"type": "se_a", "sel": [20, 20], "rcut": 4.0, "rcut_smth": 0.5, "neuron": [4, 8],
                             "axis_neuron": 2},
              "fitting_net": {"neuron": [8, 8]}},
    "learning_rate": {"type": "exp", "start_lr": 0.001, "decay_steps": 100},
    "loss": {"start_pref_e": 0.02, "limit_pref_e": 1, "start_pref_f": 1000, "limit_pref_f": 1},
    "training": {"systems": [], "set_prefix": "set", "stop_batch": 4000, "batch_size": 1, "disp_freq": 100,
                 "numb_test": 4, "save_freq": 100, "disp_file": "lcurve.out"}},
  "training_reuse_iter": 1, "training_reuse_stop_batch": 1000, "training_reuse_start_lr": 1e-4,
  "training_reuse_old_ratio": 0.6, "dp_compress": true,
  "model_devi_dt": 0.002, "model_devi_skip": 0, "model_devi_f_trust_lo": 0.05, "model_devi_f_trust_hi": {"0": 0.2, "1": 0.15},
  "model_devi_clean_traj": true, "model_devi_e_trust_lo": 1e10,
  "model_devi_jobs": [
    {"sys_idx": [0], "temps": [300, 600], "press": [1.0, 100.0], "trj_freq": 10, "nsteps": 500, "ensemble": "npt", "_idx": "00"},
    {"sys_idx": [0, 1], "temps": [900], "press": [1.0], "trj_freq": 20, "nsteps": 1000, "ensemble": "npt-t", "taut": 0.1, "_idx": "01"},
    {"sys_idx": [1], "temps": [300], "trj_freq": 10, "nsteps": 200, "ensemble": "nvt"},
    {"sys_idx": [1], "trj_freq": 10, "template": {"lmp": "in.lmp"}, "rev_mat": {"lmp": {"V_TEMP": [300]}}}],
  "fp_style": "vasp", "shuffle_poscar": false, "fp_task_max": 20, "fp_task_min": 5, "fp_accurate_threshold": 0.999,
  "fp_pp_path": "vasp", "fp_pp_files": ["POTCAR_Li", "POTCAR_Cl"], "fp_incar": "INCAR", "fp_colour": "blue"})";

constexpr const char* machine_text = R"({
  "api_version": "1.0",
  "train": {"command": "dp", "machine": {"batch_type": "Shell"}, "resources": {"group_size": 1}},
  "model_devi": {"command": "lmp", "machine": {"batch_type": "Shell"}, "resources": {"group_size": 5}},
  "fp": {"command": "mpirun -n 32 vasp_std",
         "machine": {"batch_type": "Slurm", "context_type": "SSHContext", "local_root": "./", "remote_root": "/w",
                     "remote_profile": {"hostname": "h", "username": "u"}},
         "resources": {"number_node": 1, "cpu_per_node": 32, "gpu_per_node": 0, "queue_name": "normal", "group_size": 5,
                       "custom_flags": ["#SBATCH --time=2:00:00"], "module_list": ["vasp/6"],
                       "source_list": ["/opt/vasp.env"], "envs": {"OMP_NUM_THREADS": 1}, "moon_phase": 3}}})";

class DpgenTest : public ::testing::Test {
 protected:
  DpgenTest() {
    put(at("param.json"), param_text);
    put(at("machine.json"), machine_text);
    put(at("INCAR"), "ENCUT = 500\nKSPACING = 0.2\nKGAMMA = .FALSE.\n");
    for (const char* name : {"00000", "00001", "one"}) {
      fs::create_directories(at("cells") / name);
      const Frame frame = cell(0.1, false);
      io::write_frames(at("cells") / name / "POSCAR", {&frame, 1});
    }
    labelled(at("data/start"), 3);
    fs::create_directories(at("data"));
    const Frame frame = cell(0.3, true, false);
    io::write_frames(at("data/without-virial"), {&frame, 1});
  }
  [[nodiscard]] fs::path at(const std::string& name) const { return folder_.path() / name; }
  static void labelled(const fs::path& path, int n) {
    fs::create_directories(path.parent_path());
    std::vector<Frame> frames;
    frames.reserve(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) frames.push_back(cell(0.1 + 0.01 * i, true));
    io::write_frames(path / "", frames);  // the slash: a DeePMD system, whatever dots the name has
  }
  void import(const fs::path& run = {}) {
    for (const ImportNote& note :
         import_dpgen({at("param.json"), at("machine.json"), run}, at("campaign.toml")))
      notes_.emplace(note.key, note);
  }
  [[nodiscard]] std::string lost(const std::string& key) const {
    const auto found = notes_.find(key);
    if (found == notes_.end()) return "no note";
    return found->second.fate == Fate::lost ? found->second.text : "not lost";
  }
  /// A run of two iterations, the second one without the lists.
  fs::path write_run() const {
    fs::path run = at("run");
    put(run / "record.dpgen", "0 0\n0 8\n1 0\n1 7\n1 8\n2 0\n");
    const fs::path fp = run / "iter.000000/02.fp";
    put(fp / "candidate.shuffled.000.out",
        "iter.000000/01.model_devi/task.000.000000 10\niter.000000/x 20\n");
    put(fp / "rest_accurate.shuffled.000.out", "a 0\na 30\na 40\n");
    put(fp / "rest_failed.shuffled.000.out", "a 50\n");
    fs::create_directories(fp / "task.000.000000");
    fs::create_directories(fp / "task.000.000001");
    labelled(fp / "data.000", 2);
    const std::string header =
        "#  step  max_devi_v  min_devi_v  avg_devi_v  max_devi_f  min_devi_f  avg_devi_f\n";
    put(run / "iter.000001/01.model_devi/task.000.000000/model_devi.out",
        header +
            "0 1e-3 1e-4 5e-4 0.04 0.01 0.02\n20 1e-3 1e-4 5e-4 0.06 0.01 0.02\n40 1 1 1 0.3 0.1 0.2\n"
            "60 nan nan nan nan nan nan\n");
    put(run / "iter.000001/01.model_devi/task.001.000000/model_devi.out",
        header + "0 1e-3 1e-4 5e-4 0.04 0.01 0.02\n20 1e-3 1e-4 5e-4 0.18 0.01 0.02\n");
    labelled(run / "iter.000001/02.fp/data.001/Li1Cl1", 4);  // dpdata's MultiSystems
    return run;
  }
  testing::TempFolder folder_;
  std::map<std::string, ImportNote> notes_;
};

TEST_F(DpgenTest, OptionsWithAnEqualSignAreNoShell) {
  const auto command_as = [this](const std::string& command) {
    Json machine = Json::parse(machine_text);
    machine["fp"]["command"] = command;
    put(at("machine.json"), machine.dump());
    notes_.clear();
    import();
    return read_file(at("campaign-label.toml"));
  };
  EXPECT_THAT(command_as("srun --mpi=pmi2 /opt/vasp_std"),
              ::testing::AllOf(HasSubstr(R"(program = "/opt/vasp_std")"),
                               HasSubstr(R"(launcher = ["srun","--mpi=pmi2"])")));
  for (const char* command :
       {"OMP_NUM_THREADS=1 mpirun vasp_std", "mpirun -x 'A B' vasp_std", "(vasp_std)"}) {
    EXPECT_THAT(command_as(command), ::testing::Not(HasSubstr("program ="))) << command;
    EXPECT_THAT(lost("fp.command"), HasSubstr("write program and launcher")) << command;
  }
}

TEST_F(DpgenTest, OneModelAloneBecomesTwo) {
  Json param = Json::parse(param_text);
  param["numb_models"] = 1;
  put(at("param.json"), param.dump());
  import();
  EXPECT_THAT(notes_.at("numb_models").text, HasSubstr("committee = 2"));
  EXPECT_THAT(read_file(at("campaign.toml")), HasSubstr("committee = 2\n"));
}

TEST_F(DpgenTest, BecomesACampaignThatSolionReads) {
  import();
  EXPECT_EQ(notes_.count("campaign"), 0U) << notes_.at("campaign").text;
  const Campaign campaign = read_campaign(at("campaign.toml"));
  EXPECT_EQ(campaign.model.committee, 4);
  EXPECT_EQ(campaign.model.retrain_steps, 1000);
  EXPECT_DOUBLE_EQ(campaign.model.retrain_start_lr, 1e-4);
  ASSERT_EQ(campaign.data.size(), 1U);
  EXPECT_TRUE(fs::equivalent(campaign.data[0], at("data/start")));
  EXPECT_EQ(campaign.system.files.size(), 3U);
  EXPECT_DOUBLE_EQ(campaign.trust.lower_eV_per_A, 0.05);
  EXPECT_DOUBLE_EQ(campaign.trust.upper_eV_per_A, 0.15);
  EXPECT_DOUBLE_EQ(campaign.stop.accurate_share, 0.999);
  EXPECT_EQ(campaign.select.max_frames, 40);
  ASSERT_EQ(campaign.iterations.size(), 3U);
  const IterationConfig& first = campaign.iterations[0];
  EXPECT_THAT(first.structures, ElementsAre("sys000-000", "sys000-001"));
  EXPECT_THAT(first.temperatures_K, ElementsAre(300, 600));
  EXPECT_THAT(first.pressures_bar, ElementsAre(1, 100));
  EXPECT_EQ(first.steps, 500);
  EXPECT_EQ(first.frame_every, 10);
  EXPECT_DOUBLE_EQ(first.timestep_fs, 2);
  EXPECT_THAT(campaign.iterations[1].structures, ElementsAre("sys000-000", "sys000-001", "sys001"));
  EXPECT_EQ(campaign.iterations[2].ensemble, md::Ensemble::nvt);

  const auto label = reference::read_settings(at("campaign-label.toml"), reference::calculator("vasp"));
  EXPECT_THAT(label.settings.template_text, HasSubstr("ENCUT = 500"));
  EXPECT_THAT(label.settings.species, ElementsAre("Li", "Cl"));
  EXPECT_DOUBLE_EQ(label.settings.kpoints.spacing_per_A, 0.2);
  EXPECT_EQ(label.settings.program, "vasp_std");
  EXPECT_THAT(label.settings.launcher, ElementsAre("mpirun", "-n", "32"));
  EXPECT_EQ(label.options.executor.kind, reference::ExecutorSettings::Kind::slurm);
  EXPECT_EQ(
      label.options.executor.script,
      "#SBATCH --nodes=1\n#SBATCH --ntasks-per-node=32\n#SBATCH --partition=normal\n#SBATCH --time=2:00:00\n"
      "module load vasp/6\nsource /opt/vasp.env\nexport OMP_NUM_THREADS=1\n");
  const Json training = read_json(at("campaign-train.json"));
  EXPECT_EQ(training["training"]["numb_steps"], 4000);
  EXPECT_EQ(training["model"]["type_map"], Json({"Li", "Cl"}));
}

TEST_F(DpgenTest, SaysWhatItCouldNotCarryOver) {
  import();
  EXPECT_THAT(lost("init_data_sys: absent"), HasSubstr("absent"));
  EXPECT_THAT(lost("init_data_sys: without-virial"), HasSubstr("virial"));
  EXPECT_THAT(lost("model_devi_f_trust_hi"), HasSubstr("0.15"));
  EXPECT_THAT(lost("training_reuse_old_ratio"), HasSubstr("weight"));
  EXPECT_THAT(lost("fp_pp_files"), HasSubstr("fp_pp_path"));
  EXPECT_THAT(lost("model_devi_jobs[1].ensemble"), HasSubstr("npt-t"));
  EXPECT_THAT(lost("model_devi_jobs[1].taut"), HasSubstr("solion's own"));
  EXPECT_THAT(lost("model_devi_jobs[3].rev_mat"), HasSubstr("LAMMPS"));
  EXPECT_THAT(lost("model_devi_jobs[3].*"), HasSubstr("no nsteps"));
  EXPECT_THAT(lost("fp.machine.remote_profile"), HasSubstr("submitted"));
  EXPECT_THAT(lost("train"), HasSubstr("solion itself"));
  EXPECT_EQ(lost("model_devi_skip"), "not lost");
  for (const char* key : {"fp_colour", "model_devi_e_trust_lo", "fp.resources.moon_phase"}) {
    ASSERT_EQ(notes_.count(key), 1U) << key;
    EXPECT_EQ(notes_.at(key).fate, Fate::unknown) << key;
  }
  // Every key of the file is accounted for.
  const Json param = read_json(at("param.json"));
  for (const auto& [key, value] : param.items())
    EXPECT_EQ(notes_.count(key), key.starts_with('_') ? 0U : 1U) << key;
  EXPECT_THAT(read_file(at("campaign.toml")), HasSubstr("#   fp_colour: "));
}

TEST_F(DpgenTest, ReadsAnIncarAsVaspDoes) {
  write_file(at("INCAR"),
             "ISMEAR = 0; kspacing = 0.25 ; KGAMMA = .False. ! never True\n# KSPACING = 0.5\nNSW = 5\n");
  import();
  EXPECT_THAT(read_file(at("campaign-label.toml")), HasSubstr("spacing_per_A = 0.25"));
  EXPECT_EQ(lost("fp_incar: KGAMMA"), "no note") << ".False. it is";
  EXPECT_THAT(lost("fp_incar: NSW"), HasSubstr("at rest"));
  write_file(at("INCAR"), "ENCUT = 500\n");
  notes_.clear();
  import();
  EXPECT_THAT(lost("fp_incar: KSPACING"), HasSubstr("[kpoints]"));
}

TEST_F(DpgenTest, ARunDirectoryIsHistoryAndData) {
  const fs::path run = write_run();
  const Json history = dpgen_history(run, read_json(at("param.json")));
  EXPECT_EQ(history["complete"], 2);
  ASSERT_EQ(history["iterations"].size(), 2U);
  const Json& first = history["iterations"][0];
  EXPECT_EQ(first["accurate"], 3);
  EXPECT_EQ(first["candidate"], 2);
  EXPECT_EQ(first["failed"], 1);
  EXPECT_EQ(first["tasks"], 2);
  EXPECT_EQ(first["labelled"], 2);
  EXPECT_EQ(first["ensemble"], "npt");
  const Json& second = history["iterations"][1];
  EXPECT_EQ(second["counted_from"], "model_devi.out");
  EXPECT_EQ(second["systems"][0]["accurate"], 1);
  EXPECT_EQ(second["systems"][0]["candidate"], 1);
  EXPECT_EQ(second["systems"][0]["failed"], 2) << "what is not finite has failed";
  EXPECT_EQ(second["systems"][1]["failed"], 1) << "a level of its own, 0.15";
  EXPECT_EQ(second["systems"][1]["labelled"], 4);
  EXPECT_THAT(history_text(history), HasSubstr("50.00"));
  EXPECT_THAT(history_csv(history), HasSubstr("1,001,npt-t,900,1,1000,1,0,1,50.00,0.00,50.00,0,4\n"));

  // Without the levels only the lists count.
  EXPECT_EQ(dpgen_history(run, {})["iterations"][1]["counted_from"], Json());

  import(run);
  const Campaign campaign = read_campaign(at("campaign.toml"));
  ASSERT_EQ(campaign.data.size(), 3U);
  EXPECT_TRUE(fs::equivalent(campaign.data[1], run / "iter.000000/02.fp/data.000"));
  EXPECT_TRUE(fs::equivalent(campaign.data[2], run / "iter.000001/02.fp/data.001/Li1Cl1"));
  ASSERT_EQ(campaign.iterations.size(), 1U) << "two of the three are done";
  EXPECT_EQ(read_json(at("campaign-history.json"))["complete"], 2);

  // A run that has finished all of its jobs: a campaign needs one, and gets the last.
  Json param = read_json(at("param.json"));
  param["model_devi_jobs"].erase(3);
  param["model_devi_jobs"].erase(2);
  write_json(at("param.json"), param);
  import(run);
  EXPECT_EQ(read_campaign(at("campaign.toml")).iterations.size(), 1U);
}

TEST_F(DpgenTest, WhatIsNoDpgenInputIsRefused) {
  const auto refusal = [&](const std::string& from, const std::string& to) {
    std::string text = param_text;
    text.replace(text.find(from), from.size(), to);
    write_file(at("param.json"), text);
    try {
      import();
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(refusal("\"type_map\"", "\"types\""), HasSubstr("no input of `dpgen run`"));
  EXPECT_THAT(refusal("\"model_devi_dt\": 0.002", "\"model_devi_dt\": \"fast\""),
              HasSubstr("model_devi_dt = \"fast\""));
  EXPECT_THAT(refusal("\"sys_idx\": [0]", "\"sys_idx\": [7]"), HasSubstr("model_devi_jobs[0].sys_idx = [7]"));
  EXPECT_THAT(refusal("\"numb_models\": 4", "\"numb_models\": 4.5"), HasSubstr("numb_models"));
  EXPECT_THROW(dpgen_history(at("cells"), {}), InputError);
}

TEST_F(DpgenTest, WhatOfARunCannotBeReadIsRemarkedAndLeftOut) {
  const fs::path run = write_run();
  put(run / "iter.000001/01.model_devi/task.001.000000/model_devi.out",
      "0 1e-3 1e-4 5e-4 O.04 0.01 0.02\n10 1e-3 1e-4 5e-4 0.04 0.01 0.02\n20 1e-3 1e");
  fs::create_directories(run / "iter.000000/02.fp/data.001");  // killed before the data were collected
  const fs::path mixed = run / "iter.000001/02.fp/data.000";
  labelled(mixed, 2);
  put(mixed / "set.000/real_atom_types.npy", "no array");
  const Json history = dpgen_history(run, read_json(at("param.json")));
  ASSERT_EQ(history["remarks"].size(), 4U) << history["remarks"];
  EXPECT_THAT(history["remarks"][0].get<std::string>(), HasSubstr("data.001: no DeePMD system"));
  EXPECT_THAT(history["remarks"].dump(), HasSubstr("'O.04' is no number"));
  EXPECT_THAT(history["remarks"].dump(), HasSubstr("'1e' is no number"));
  EXPECT_THAT(history["remarks"].dump(), HasSubstr("real_atom_types.npy"));
  EXPECT_EQ(history["iterations"][1]["systems"][1]["accurate"], 1);
  EXPECT_EQ(history["iterations"][0]["labelled"], 2);
  EXPECT_THAT(history_text(history), HasSubstr("left out: "));
  import(run);
  EXPECT_EQ(read_campaign(at("campaign.toml")).data.size(), 3U);
}

TEST_F(DpgenTest, AFlatMachineFileIsReadAsWell) {
  put(at("machine.json"), R"({
    "deepmd_path": "/opt/deepmd", "train_machine": {"machine_type": "slurm"}, "train_resources": {"numb_gpu": 1},
    "model_devi_command": "lmp", "model_devi_group_size": 5, "fp_command": "mpirun vasp_std || :", "fp_group_size": 2,
    "fp_machine": {"machine_type": "slurm", "hostname": "h", "port": 22, "username": "u", "work_path": "/w"},
    "fp_resources": {"numb_node": 2, "task_per_node": 16, "numb_gpu": null, "qos": null, "with_mpi": true,
                     "envs": {"MODULEPATH": ["/a", "/b"], "X": 1}},
    "fp_user_forward_files": ["vdw_kernel.bindat"], "_comment10": "that's all"})");
  import();
  for (const auto& [key, note] : notes_)
    EXPECT_TRUE(note.fate != Fate::unknown || key == "fp_colour" || key == "model_devi_e_trust_lo") << key;
  const auto label = reference::read_settings(at("campaign-label.toml"), reference::calculator("vasp"));
  EXPECT_EQ(label.settings.program, "vasp_std");
  EXPECT_THAT(label.settings.launcher, ElementsAre("mpirun"));
  EXPECT_EQ(label.options.executor.kind, reference::ExecutorSettings::Kind::slurm);
  EXPECT_EQ(label.options.executor.script,
            "#SBATCH --nodes=2\n#SBATCH --ntasks-per-node=16\nexport MODULEPATH=/a\nexport MODULEPATH=/b\n"
            "export X=1\n");
  EXPECT_THAT(lost("train_machine"), HasSubstr("solion itself"));
  EXPECT_EQ(lost("fp_command"), "not lost");
  EXPECT_THAT(lost("fp.user_forward_files"), HasSubstr("template"));
}

TEST_F(DpgenTest, VaspsTagsInTheParametersBecomeAnIncar) {
  std::string text = param_text;
  const std::string incar = "\"fp_incar\": \"INCAR\"";
  text.replace(
      text.find(incar), incar.size(),
      R"("user_fp_params": {"ENCUT": 600, "KSPACING": 0.3, "KGAMMA": false, "MAGMOM": [1, 2], "PREC": "A"})");
  write_file(at("param.json"), text);
  import();
  EXPECT_EQ(lost("user_fp_params"), "not lost");
  EXPECT_EQ(read_file(at("campaign.INCAR")),
            "ENCUT = 600\nKGAMMA = .FALSE.\nKSPACING = 0.3\nMAGMOM = 1 2\nPREC = A\n");
  const auto label = reference::read_settings(at("campaign-label.toml"), reference::calculator("vasp"));
  EXPECT_DOUBLE_EQ(label.settings.kpoints.spacing_per_A, 0.3);
  EXPECT_THAT(label.settings.template_text, HasSubstr("ENCUT = 600"));
}

TEST_F(DpgenTest, CellsAreReadInTheStatedFormat) {
  std::string text = param_text;
  const std::string configs = "[[\"0000*/POSCAR\"], [\"one/POSCAR\"]]";
  fs::copy_file(at("cells/one/POSCAR"), at("cells/one/start.in"));
  text.replace(text.find(configs), configs.size(), "[[\"0000*/POSCAR\"], [\"one/start.in\"]]");
  write_file(at("param.json"), text);
  import();
  Campaign campaign = read_campaign(at("campaign.toml"));
  EXPECT_EQ(campaign.system.files.at("sys001"), at("campaign-cells/sys001.extxyz"));
  EXPECT_EQ(io::read_frame(campaign.system.files.at("sys001")).formula(),
            io::read_frame(at("cells/one/POSCAR")).formula());

  // LAMMPS's types are numbers of the type map where no mass says more.
  write_file(at("cells/one/conf.lmp"),
             "one cell\n\n2 atoms\n2 atom types\n0 4 xlo xhi\n0 4 ylo yhi\n0 4 zlo zhi\n\nAtoms\n\n"
             "1 1 0 0 0\n2 2 2 2 2\n");
  text.replace(text.find("start.in"), 8, "conf.lmp");
  text.replace(text.find("\"sys_batch_size\""), 0, "\"sys_format\": \"lammps/lmp\", ");
  write_file(at("param.json"), text);
  notes_.clear();
  import();
  campaign = read_campaign(at("campaign.toml"));
  EXPECT_EQ(io::read_frame(campaign.system.files.at("sys001")).element(1), "Cl");
}

}  // namespace
}  // namespace solion::learn
