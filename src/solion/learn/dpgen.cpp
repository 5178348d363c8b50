// param.json key by key into a campaign.
#include "solion/learn/dpgen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/io/formats.hpp"
#include "solion/learn/campaign.hpp"
#include "solion/learn/dpgen_files.hpp"
#include "solion/learn/dpgen_keys.hpp"
#include "solion/structure/elements.hpp"
#include "solion/train/settings.hpp"

namespace solion::learn {
namespace {

namespace fs = std::filesystem;
using Fate = ImportNote::Fate;

/// What the parts of the campaign become, text by text.
class Import {
 public:
  Import(const DpgenFiles& files, const fs::path& out) : files_(files), out_(fs::absolute(out)) {
    folder_ = out_.parent_path().lexically_normal();
    stem_ = out_.stem().string();
  }

  std::vector<ImportNote> operator()() {
    const Json param = read_json(files_.param);
    if (!param.is_object() || !param.contains("type_map") || !param.contains("model_devi_jobs"))
      throw InputError("{}: no input of `dpgen run`: it has no type_map or no model_devi_jobs",
                       files_.param.string());
    Keys keys(param, files_.param.string(), "", notes_);
    basics(keys);
    data(keys);
    structures(keys);
    if (!files_.run.empty()) history(param);
    training(keys);
    exploration(keys);
    labelling(keys);
    keys.finish();
    if (!files_.machine.empty()) {
      const DpgenMachine machine = import_machine(files_.machine, code_, notes_);
      label_ += machine.program;
      executor_ = machine.executor;
    }
    write();
    return notes_;
  }

 private:
  /// A path of param.json, seen from the campaign's folder.
  [[nodiscard]] std::string from_here(const fs::path& path) const {
    return fs::absolute(path).lexically_normal().lexically_proximate(folder_).string();
  }
  [[nodiscard]] fs::path from_param(const std::string& prefix, const std::string& path) const {
    return (fs::absolute(files_.param).parent_path() / prefix / path).lexically_normal();
  }
  void remark(Fate fate, const std::string& key, const std::string& text) {
    notes_.push_back({fate, key, text});
  }

  void basics(Keys& keys) {
    type_map_ = keys.texts("type_map");
    keys.carried("type_map", "model.type_map of the training input");
    bool standard = true;
    if (keys.has("mass_map") && keys.at("mass_map").is_array()) {
      const std::vector<double> masses = keys.numbers("mass_map");
      for (std::size_t i = 0; i < masses.size() && i < type_map_.size(); ++i) {
        if (atomic_number(type_map_[i]) == 0) continue;
        standard = standard && std::abs(masses[i] / atomic_mass_amu(type_map_[i]) - 1) < 0.02;
      }
    }
    keys.note(standard ? Fate::needless : Fate::lost, "mass_map",
              standard ? "standard atomic weights are used" : "standard atomic weights are used instead");
    keys.lost_unless("use_ele_temp", 0, "there is no electron temperature");
  }

  void data(Keys& keys) {
    const std::string prefix = keys.text("init_data_prefix", "");
    keys.carried("init_data_prefix", "data.systems");
    for (const std::string& name : keys.texts("init_data_sys")) {
      const fs::path path = from_param(prefix, name);
      const std::string key = "init_data_sys: " + name;
      try {
        if (!has_virials(path)) {
          remark(Fate::lost, key, "has no virials, and a campaign trains on them");
        } else {
          data_.push_back(from_here(path));
        }
      } catch (const InputError& error) {
        remark(Fate::lost, key, error.what());
      }
    }
    keys.carried("init_data_sys", fmt::format("data.systems ({} of them)", data_.size()));
    for (const char* key : {"init_batch_size", "sys_batch_size"})
      keys.lost(key,
                "training.training_data.batch_size of the training input decides, for all systems alike");
  }

  void structures(Keys& keys) {
    const std::string prefix = keys.text("sys_configs_prefix", "");
    keys.carried("sys_configs_prefix", "system.files");
    const std::string format = keys.text("sys_format", "vasp/poscar");
    keys.carried("sys_format", "system.files: for those whose name does not tell the format");
    if (!keys.has("sys_configs") || !keys.at("sys_configs").is_array())
      keys.wrong("sys_configs", "a list of lists");
    const Json& all = keys.at("sys_configs");
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::vector<fs::path> found;
      for (const std::string& pattern : keys.list_of_texts(all[i], "sys_configs")) {
        const auto some = expand_pattern(from_param(prefix, pattern));
        if (some.empty()) remark(Fate::lost, fmt::format("sys_configs[{}]", i), "there is no " + pattern);
        found.insert(found.end(), some.begin(), some.end());
      }
      std::sort(found.begin(), found.end());
      std::vector<std::string> names;
      for (const fs::path& path : found) {
        std::string name = fmt::format("sys{:03}", i);
        if (found.size() > 1) name += fmt::format("-{:03}", names.size());
        try {
          const std::string file = cell_file(path, format, name);
          files_of_structures_ += fmt::format("{} = {}\n", name, toml_text(file));
        } catch (const Error& error) {
          remark(Fate::lost, fmt::format("sys_configs[{}]", i), error.what());
          continue;
        }
        names.push_back(name);
      }
      structures_.push_back(names);
    }
    keys.carried("sys_configs", "system.files: system 0 is sys000, its third file sys000-002");
  }

  /// The file itself if solion reads it by its name, otherwise a copy that it does.
  std::string cell_file(const fs::path& path, const std::string& format, const std::string& name) {
    try {
      (void)io::read_frame(path);
      return from_here(path);
    } catch (const InputError& by_name) {
      try {
        cells_[name] = read_as(path, format, type_map_);
      } catch (const InputError& as_stated) {
        throw InputError("{}; nor as {}: {}", by_name.what(), format, as_stated.what());
      }
    }
    return fmt::format("{}-cells/{}.extxyz", stem_, name);
  }

  void history(const Json& param) {
    const Json known = dpgen_history(files_.run, param);
    done_ = known["complete"].get<std::size_t>();
    std::size_t n = 0;
    for (const Json& row : known["iterations"]) {
      for (const Json& system : row["systems"]) {
        for (const Json& item : system["data"]) {
          const std::string path = item["path"].get<std::string>();
          if (!item["virial"].get<bool>()) {
            remark(Fate::lost, path, "has no virials, and a campaign trains on them");
            continue;
          }
          data_.push_back(from_here(path));
          n += item["frames"].get<std::size_t>();
        }
      }
    }
    for (const Json& text : known["remarks"])
      remark(Fate::lost, files_.run.string(), text.get<std::string>());
    remark(Fate::carried, files_.run.string(),
           fmt::format("data.systems: {} frames of {} iterations", n, known["iterations"].size()));
    history_ = known;
  }

  void training(Keys& keys) {
    const auto committee = keys.integer("numb_models");
    model_ += fmt::format("committee = {}\n", std::max<std::int64_t>(2, committee));
    keys.carried("numb_models",
                 committee < 2 ? "model.committee = 2: one model alone has no deviation" : "model.committee");
    if (!keys.has("default_training_param") || !keys.at("default_training_param").is_object())
      keys.wrong("default_training_param", "an object");
    training_ = keys.at("default_training_param");
    keys.carried("default_training_param", stem_ + "-train.json");
    training_["model"]["type_map"] = type_map_;
    modernise_training();
    if (keys.has("training_reuse_stop_batch") || keys.has("training_reuse_numb_steps")) {
      const char* key =
          keys.has("training_reuse_numb_steps") ? "training_reuse_numb_steps" : "training_reuse_stop_batch";
      model_ += fmt::format("retrain_steps = {}\n", keys.integer(key));
    }
    for (const char* key : {"training_reuse_numb_steps", "training_reuse_stop_batch"})
      keys.carried(key, "model.retrain_steps");
    if (keys.has("training_reuse_start_lr"))
      model_ += fmt::format("retrain_start_lr = {}\n", keys.number("training_reuse_start_lr"));
    keys.carried("training_reuse_start_lr", "model.retrain_start_lr");
    keys.carried("training_reuse_iter", "every iteration goes on from the models of the last one");
    keys.lost_unless("training_init_model", true, "every iteration goes on from the models of the last one");
    keys.lost("training_reuse_old_ratio", "old and new frames have the same weight");
    for (const char* key : {"training_reuse_start_pref_e", "training_reuse_start_pref_f"})
      keys.lost(key, "the loss of the training input holds for every training");
    for (const char* key :
         {"training_iter0_model_path", "training_init_frozen_model", "training_finetune_model"})
      keys.lost(key, "the first models begin at random");
    keys.lost("model_devi_activation_func", "all members have the activation of the training input");
    keys.lost("srtab_file_path", "there is no table of short-range pairs");
    for (const char* key : {"dp_compress", "dp_train_skip_neighbor_stat", "train_backend", "one_h5"})
      keys.needless(key, "solion trains itself");
    keys.lost_unless("mlp_engine", "dp", "there are only Deep Potentials");
  }

  /// Training inputs of DeePMD-kit 1 kept the data's keys one level higher.
  void modernise_training() {
    Json& t = training_["training"];
    if (!t.is_object()) t = Json::object();
    if (!t.contains("training_data")) {
      t["training_data"] = Json::object();
      for (const char* key : {"batch_size", "auto_prob", "auto_prob_style"}) {
        if (t.contains(key)) t["training_data"][key] = t[key];
        t.erase(key);
      }
    }
    t["training_data"]["systems"] = Json::array({"."});
    for (const char* old : {"systems", "set_prefix", "numb_test", "load_ckpt", "seed"}) t.erase(old);
    if (t.contains("stop_batch")) {
      t["numb_steps"] = t["stop_batch"];
      t.erase("stop_batch");
    }
    try {
      (void)train::parse_settings(training_, folder_ / (stem_ + "-train.json"));
    } catch (const Error& error) {
      remark(Fate::lost, "default_training_param", error.what());
    }
    t["training_data"]["systems"] = Json::array();  // the campaign fills them in
  }

  /// A trust level of a job or of the whole: the least one, if there are several.
  double level(Keys& keys, const char* key) {
    if (!keys.has(key)) keys.wrong(key, "a number, or one for each system");
    const Json& value = keys.at(key);
    std::vector<double> all;
    if (value.is_number()) all.push_back(value.get<double>());
    if (value.is_structured()) {
      for (const Json& item : value) {
        if (item.is_number()) all.push_back(item.get<double>());
      }
    }
    if (all.empty()) keys.wrong(key, "a number, or one for each system");
    const auto [least, most] = std::minmax_element(all.begin(), all.end());
    const bool same = *least == *most;
    keys.note(same ? Fate::carried : Fate::lost, key,
              same ? "trust" : fmt::format("one level holds for all systems: the least, {:g}", *least));
    return *least;
  }

  void exploration(Keys& keys) {
    keys.lost_unless("model_devi_engine", "lammps", "solion explores with its own molecular dynamics");
    timestep_fs_ = 1000 * keys.number("model_devi_dt");
    keys.carried("model_devi_dt", "iterations.timestep_fs");
    keys.lost_unless("model_devi_skip", 0, "every frame counts, from the first one on");
    const double lower = level(keys, "model_devi_f_trust_lo");
    const double upper = level(keys, "model_devi_f_trust_hi");
    trust_ = fmt::format("lower_eV_per_A = {:g}\nupper_eV_per_A = {:g}\n", lower, upper);
    for (const char* key : {"model_devi_v_trust_lo", "model_devi_v_trust_hi"})
      keys.lost_unless(key, 1e10, "the deviation of the virial is not judged");
    keys.lost_unless("model_devi_adapt_trust_lo", false, "trust.calibrate can move the levels");
    for (const char* key : {"model_devi_numb_candi_f", "model_devi_numb_candi_v", "model_devi_perc_candi_f",
                            "model_devi_perc_candi_v"})
      keys.lost(key, "frames are candidates by trust levels alone");
    for (const char* key : {"use_relative", "use_relative_v", "model_devi_f_avg_relative"})
      keys.lost_unless(key, false, "deviations are absolute");
    for (const char* key : {"epsilon", "epsilon_v"}) keys.lost(key, "deviations are absolute");
    keys.lost_unless("model_devi_nopbc", false, "cells are periodic");
    keys.lost_unless("model_devi_plumed", false, "there is no PLUMED");
    keys.lost_unless("model_devi_plumed_path", false, "there is no PLUMED");
    keys.lost_unless("shuffle_poscar", false, "give the shuffled cells as files");
    keys.lost("lmp_d3", "a model's own energy alone is used");
    for (const char* key : {"model_devi_clean_traj", "model_devi_merge_traj", "lmp_neigh_modify_one"})
      keys.needless(key, "is LAMMPS's");
    if (!keys.at("model_devi_jobs").is_array()) keys.wrong("model_devi_jobs", "a list of objects");
    const Json& jobs = keys.at("model_devi_jobs");
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      Keys job(jobs[i], files_.param.string(), fmt::format("model_devi_jobs[{}]", i), notes_);
      iteration(job, i < done_ && i + 1 < jobs.size());
      job.finish();
    }
    keys.carried("model_devi_jobs", fmt::format("iterations ({} of {})", n_iterations_, jobs.size()));
  }

  void iteration(Keys& job, bool done) {
    std::set<std::string> names;
    std::size_t n_systems = 0;
    for (const double index : job.numbers("sys_idx")) {
      if (!(index >= 0 && index < static_cast<double>(structures_.size())))
        job.wrong("sys_idx", "numbers of sys_configs");
      const auto& some = structures_[static_cast<std::size_t>(index)];
      names.insert(some.begin(), some.end());
      ++n_systems;
    }
    most_systems_ = std::max(most_systems_, n_systems);
    job.carried("sys_idx", "iterations.structures");
    for (const char* key : {"template", "rev_mat", "sys_rev_mat"})
      job.lost(key,
               "solion runs no LAMMPS input: steps, temperatures and pressures are keys of the iteration");
    for (const char* key : {"taut", "taup"}) job.lost(key, "coupling times are solion's own");
    job.lost("nbeads", "there are no path integrals");
    job.needless("neidelay", "neighbour lists are exact");
    for (const char* key :
         {"model_devi_f_trust_lo", "model_devi_f_trust_hi", "model_devi_v_trust_lo", "model_devi_v_trust_hi"})
      job.lost(key, "one pair of levels holds for all iterations");
    std::string problem;
    if (names.empty()) problem = "none of its structures could be read";
    if (!job.has("nsteps") || !job.has("temps")) problem = "it has no nsteps or no temps";
    if (done) problem = "the run directory says that it is done";
    const std::string ensemble = job.text("ensemble", job.text("ens", "npt"));
    const bool npt = ensemble.starts_with("npt");
    if (!npt && ensemble != "nvt") problem = "ensemble " + ensemble + " is not known; there are npt and nvt";
    const bool same = !npt || ensemble == "npt" || ensemble == "npt-i" || ensemble == "npt-iso";
    for (const char* key : {"ensemble", "ens"})
      job.note(
          same ? Fate::carried : Fate::lost, key,
          same ? "iterations.ensemble" : ensemble + ": the cell of npt changes its size and keeps its shape");
    for (const char* key : {"temps", "trj_freq", "nsteps"})
      job.carried(key, fmt::format("iterations.{}", key == std::string("temps")      ? "temperatures_K"
                                                    : key == std::string("trj_freq") ? "frame_every"
                                                                                     : "steps"));
    job.note(npt ? Fate::carried : Fate::needless, "press",
             npt ? "iterations.pressures_bar" : "NVT has no pressure");
    if (!problem.empty()) {
      remark(done ? Fate::needless : Fate::lost, job.name("*"), "no iteration was made of it: " + problem);
      return;
    }
    ++n_iterations_;
    iterations_ += fmt::format(
        "\n[[iterations]]\nensemble = \"{}\"\nstructures = {}\ntemperatures_K = {}\n{}steps = "
        "{}\nframe_every = {}\n"
        "timestep_fs = {:g}\n",
        npt ? "npt" : "nvt", toml_list(names), toml_list(job.numbers("temps")),
        npt && job.has("press") ? "pressures_bar = " + toml_list(job.numbers("press")) + "\n" : "",
        job.integer("nsteps"), job.has("trj_freq") ? job.integer("trj_freq") : 10, timestep_fs_);
  }

  void labelling(Keys& keys) {
    static const std::map<std::string, std::string> codes{
        {"vasp", "vasp"}, {"cp2k", "cp2k"}, {"pwscf", "espresso"}};
    const std::string style = keys.text("fp_style", "");
    const auto code = codes.find(style);
    code_ = code == codes.end() ? style : code->second;
    keys.note(code == codes.end() ? Fate::lost : Fate::carried, "fp_style",
              code == codes.end() ? "solion has gpaw, cp2k, espresso, abinit and vasp: choose one of them"
                                  : "reference.code");
    const auto most = static_cast<std::int64_t>(std::max<std::size_t>(1, most_systems_));
    max_frames_ = std::max<std::int64_t>(1, most * keys.integer("fp_task_max"));
    keys.carried(
        "fp_task_max",
        fmt::format("select.max_frames, of all systems together: times the {} of one iteration", most));
    if (keys.has("fp_accurate_threshold"))
      stop_ = fmt::format("accurate_share = {:g}\n", keys.number("fp_accurate_threshold"));
    keys.carried("fp_accurate_threshold", "stop.accurate_share");
    keys.lost("fp_task_min", "a few frames are labelled as well");
    keys.lost("fp_accurate_soft_threshold", "the number of labels does not shrink with the accurate share");
    keys.lost("fp_cluster_vacuum", "cells are periodic");
    keys.needless("detailed_report_make_fp", "every number is in table_s1.csv");
    keys.needless("ratio_failed", "a frame that fails is set aside and never ends the run");
    for (const char* key : {"use_clusters", "cluster_cutoff", "cluster_cutoff_hard", "cluster_minify"})
      keys.lost_unless(key, false, "whole cells are labelled");
    vasp_keys(keys);
    parameters(keys);
  }

  void vasp_keys(Keys& keys) {
    // DP-GEN's POSCAR has the elements in this order, and INCAR may count on it.
    if (code_ == "vasp" && std::all_of(type_map_.begin(), type_map_.end(),
                                       [](const std::string& element) { return atomic_number(element) > 0; }))
      label_ += fmt::format("species = {}\n", toml_list(type_map_));
    if (keys.has("fp_incar") && code_ == "vasp") {
      const fs::path incar = from_param("", keys.text("fp_incar", ""));
      label_ += fmt::format("template = {}\n", toml_text(from_here(incar)));
      const bool there = fs::exists(incar);
      keys.note(there ? Fate::carried : Fate::lost, "fp_incar",
                there ? "template of the settings" : "there is no " + incar.string());
      if (there) incar_kpoints(read_file(incar), "fp_incar");
    } else {
      keys.lost("fp_incar", "is not VASP's");
    }
    if (code_ == "vasp" && !keys.has("fp_incar") && keys.has("user_fp_params") &&
        keys.at("user_fp_params").is_object()) {
      incar_ = incar_text(keys.at("user_fp_params"));
      label_ += fmt::format("template = {}\n", toml_text(stem_ + ".INCAR"));
      keys.carried("user_fp_params", fmt::format("template of the settings: {}.INCAR", stem_));
      incar_kpoints(incar_, "user_fp_params");
    }
    keys.lost("fp_pp_path",
              "pseudopotentials are the template's; for VASP: ELEMENT/POTCAR in SOLION_VASP_POTCARS");
    keys.lost("fp_pp_files", "see fp_pp_path");
    keys.lost("fp_aniso_kspacing", "one spacing holds for all directions");
    keys.lost_unless("cvasp", false,
                     "there is no Custodian: a calculation that fails is tried again or set aside");
    keys.lost("fp_skip_bad_box", "the audit judges frames after the calculation");
  }

  /// KSPACING means the same number here; the mesh of KGAMMA = .TRUE. is moved.
  void incar_kpoints(const std::string& incar, const std::string& key) {
    const std::map<std::string, std::string> tags = incar_tags(incar);
    const auto value = [&](const char* tag, const char* otherwise) {
      const auto found = tags.find(tag);
      return found == tags.end() ? std::string(otherwise) : found->second;
    };
    kspacing_ = std::strtod(value("KSPACING", "0").c_str(), nullptr);
    const std::string kgamma = value("KGAMMA", ".TRUE.");  // VASP's default
    const bool gamma = kgamma.find_first_not_of('.') == kgamma.find('T');
    if (kspacing_ <= 0)
      remark(Fate::lost, key + ": KSPACING", "is not there: give [kpoints] in the settings");
    if (std::strtol(value("NSW", "0").c_str(), nullptr, 10) > 0)
      remark(Fate::lost, key + ": NSW", "labels are of atoms at rest: set NSW = 0 in the template");
    if (kspacing_ > 0) remark(Fate::carried, key + ": KSPACING", "kpoints.spacing_per_A of the settings");
    if (kspacing_ > 0 && gamma)
      remark(Fate::lost, key + ": KGAMMA",
             "solion's mesh is Monkhorst and Pack's: an even one does not hold Γ");
  }

  void parameters(Keys& keys) {
    for (const char* key : {"user_fp_params", "fp_params"}) {
      if (key == std::string("user_fp_params") && !incar_.empty()) continue;
      if (keys.has(key) && keys.at(key).is_object() && keys.at(key).contains("kspacing") &&
          keys.at(key)["kspacing"].is_number() && kspacing_ == 0)
        kspacing_ = keys.at(key)["kspacing"].get<double>();
      keys.lost(key,
                "write the input of the code as a template (docs/labels.md); of this only kspacing is kept");
    }
    for (const char* key :
         {"external_input_path", "fp_orb_files", "fp_kpt_file", "fp_dpks_descriptor", "k_points"})
      keys.lost(key, "write the input of the code as a template (docs/labels.md)");
    // Never a built-in template for another material: the file must be written.
    if (label_.find("template =") == std::string::npos)
      label_ += fmt::format("template = \"{}-{}.in\"  # to be written: docs/labels.md\n", stem_, code_);
  }

  /// All files at once, after everything was understood.
  void write() {
    write_json(folder_ / (stem_ + "-train.json"), training_);
    if (!incar_.empty()) write_file(folder_ / (stem_ + ".INCAR"), incar_);
    if (!cells_.empty()) fs::create_directories(folder_ / (stem_ + "-cells"));
    for (const auto& [name, frame] : cells_)
      io::write_frames(folder_ / (stem_ + "-cells") / (name + ".extxyz"), {&frame, 1});
    if (!history_.is_null()) {
      write_json(folder_ / (stem_ + "-history.json"), history_);
      write_file(folder_ / (stem_ + "-history.csv"), history_csv(history_));
    }
    std::string lost;
    for (const ImportNote& note : notes_) {
      if (note.fate != Fate::lost && note.fate != Fate::unknown) continue;
      std::string text = note.key + ": " + note.text;
      std::replace(text.begin(), text.end(), '\n', ' ');
      lost += "#   " + text + "\n";
    }
    if (kspacing_ > 0) label_ += fmt::format("\n[kpoints]\nspacing_per_A = {:g}\n", kspacing_);
    if (!executor_.empty()) label_ += "\n" + executor_;
    write_file(folder_ / (stem_ + "-label.toml"), fmt::format("code = {}\n{}", toml_text(code_), label_));
    std::string text =
        fmt::format("# From DP-GEN's {}. Not carried over:\n{}", files_.param.filename().string(), lost);
    text += fmt::format("title = {}\n\n[system.files]\n{}", toml_text(stem_), files_of_structures_);
    text += fmt::format("\n[reference]\ncode = {}\nsettings = \"{}-label.toml\"\n", toml_text(code_), stem_);
    text += fmt::format("\n[model]\ntraining_input = \"{}-train.json\"\n{}", stem_, model_);
    text += "\n[data]\nsystems = [\n";
    for (const std::string& path : data_) text += "  " + toml_text(path) + ",\n";
    text += fmt::format("]\n\n[trust]\n{}\n[select]\nmax_frames = {}\n", trust_, max_frames_);
    if (!stop_.empty()) text += "\n[stop]\n" + stop_;
    write_file(out_, text + iterations_);
    try {
      (void)read_campaign(out_);
    } catch (const InputError& error) {
      remark(Fate::lost, "campaign", std::string("must be completed by hand: ") + error.what());
    }
  }

  const DpgenFiles& files_;
  fs::path out_;
  fs::path folder_;
  std::string stem_;
  std::vector<ImportNote> notes_;
  std::vector<std::string> type_map_;
  std::vector<std::string> data_;
  std::vector<std::vector<std::string>> structures_;  ///< names by DP-GEN's number of the system
  std::map<std::string, Frame> cells_;                ///< that no campaign could read where they are
  std::string incar_;                                 ///< written from `user_fp_params`
  Json training_;
  Json history_;  ///< of a run directory, if one was given
  double timestep_fs_ = 0;
  double kspacing_ = 0;
  std::size_t most_systems_ = 0;
  std::size_t n_iterations_ = 0;
  std::size_t done_ = 0;
  std::int64_t max_frames_ = 1;
  // Parts of the files.
  std::string files_of_structures_, code_, model_, trust_, stop_, iterations_, label_, executor_;
};

}  // namespace

std::vector<ImportNote> import_dpgen(const DpgenFiles& files, const fs::path& out) {
  return Import(files, out)();
}

}  // namespace solion::learn
