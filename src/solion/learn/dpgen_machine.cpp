// machine.json's part about labels into program, launcher and executor.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <sstream>

#include "solion/learn/dpgen_keys.hpp"

namespace solion::learn {
namespace {

namespace fs = std::filesystem;
using Fate = ImportNote::Fate;

class Machine {
 public:
  Machine(const fs::path& file, std::string code, std::vector<ImportNote>& notes)
      : file_(file), code_(std::move(code)), notes_(notes) {}

  DpgenMachine operator()() {
    const Json json = read_json(file_);
    Keys keys(json, file_.string(), "", notes_);
    machines(keys);
    keys.finish();
    return result_;
  }

 private:
  void remark(Fate fate, const std::string& key, const std::string& text) {
    notes_.push_back({fate, key, text});
  }

  void machines(Keys& keys) {
    for (const char* key :
         {"api_version", "deepmd_version", "deepmd_path", "python_path", "python_test_path"})
      keys.needless(key, "solion needs no DeePMD-kit");
    for (const char* key : {"train", "model_devi"})
      keys.lost(key,
                "training and exploration are done by solion itself, where it is started, with --threads");
    Json fp = keys.has("fp") ? keys.at("fp") : flat(keys);
    if (fp.empty()) return keys.needless("fp", "is empty");
    // Until v0.10 each part was a list of such objects.
    if (fp.is_array() && !fp.empty()) {
      for (std::size_t i = 1; i < fp.size(); ++i)
        remark(Fate::lost, fmt::format("fp[{}]", i), "one machine labels: the first of the list");
      fp = Json(fp[0]);
    }
    keys.carried("fp", "executor and program of the settings");
    Keys part(fp, file_.string(), "fp", notes_);
    command(part);
    if (part.has("machine")) {
      Keys machine = part.sub("machine");
      batch_type_ = machine.text("batch_type", machine.text("batch", machine.text("machine_type", "Shell")));
      const std::string context = machine.text("context_type", "LocalContext");
      machine.carried("batch_type", "executor.kind");
      machine.carried("batch", "executor.kind");
      machine.carried("machine_type", "executor.kind");
      const bool here = context.find("ocal") != std::string::npos;
      machine.note(
          here ? Fate::needless : Fate::lost, "context_type",
          here ? "jobs run in the work folder" : "start solion on the machine where jobs are submitted");
      for (const char* key : {"local_root", "remote_root", "work_path", "clean_asynchronously", "lazy_local"})
        machine.needless(key, "jobs run in the work folder");
      for (const char* key : {"remote_profile", "hostname", "port", "username", "password", "timeout"})
        machine.lost(key, "start solion on the machine where jobs are submitted");
      machine.finish();
    }
    if (part.has("resources")) {
      Keys resources = part.sub("resources");
      batch_script(resources);
      resources.finish();
    }
    for (const char* key : {"user_forward_files", "user_backward_files"})
      part.lost(key, "what a calculation needs is in its template");
    part.lost("group_size", "each frame is a task of an array");
    part.finish();
    executor();
  }

  /// Before api_version 1.0 the parts stood side by side: fp_command, fp_machine, fp_resources.
  static Json flat(Keys& keys) {
    for (const char* prefix : {"train_", "model_devi_", "lmp_"}) {
      for (const std::string& key : keys.beginning_with(prefix))
        keys.lost(key,
                  "training and exploration are done by solion itself, where it is started, with --threads");
    }
    Json fp = Json::object();
    for (const std::string& key : keys.beginning_with("fp_")) {
      fp[key.substr(3)] = keys.at(key.c_str());
      keys.carried(key, "executor and program of the settings");
    }
    return fp;
  }

  /// Without `|| :`, with which a shell passes over a failure; here it sets the frame aside.
  static std::string strict(const std::string& command) {
    const auto bars = command.rfind("||");
    if (bars == std::string::npos) return command;
    std::istringstream rest(command.substr(bars + 2));
    std::string word, more;
    rest >> word >> more;
    return more.empty() && (word == ":" || word == "true") ? command.substr(0, bars) : command;
  }

  void command(Keys& part) {
    const std::string text = strict(part.text("command", ""));
    const std::string hint = code_ == "espresso" ? "pw" : code_;
    std::istringstream stream(text);
    std::vector<std::string> before;
    std::string program;
    std::string word;
    std::string after;
    while (stream >> word) {
      if (program.empty() && fs::path(word).filename().string().find(hint) != std::string::npos) {
        program = word;
      } else if (program.empty()) {
        before.push_back(word);
      } else {
        after += " " + word;
      }
    }
    // What only a shell understands; an option such as --mpi=pmi2 is none of it.
    const bool assigns = std::any_of(before.begin(), before.end(), [](const std::string& one) {
      return one.front() != '-' && one.find('=') != std::string::npos;
    });
    if (program.empty() || assigns || text.find_first_of("|;&$`\"'\\()") != std::string::npos) {
      part.lost("command", "write program and launcher into the settings: " + text);
      return;
    }
    result_.program += fmt::format("program = {}\n", toml_text(program));
    if (!before.empty()) result_.program += fmt::format("launcher = {}\n", toml_list(before));
    part.note(after.empty() ? Fate::carried : Fate::lost, "command",
              after.empty() ? "program and launcher of the settings"
                            : "solion gives the arguments itself:" + after);
  }

  /// The job script's first lines, as dpdispatcher would write them.
  void batch_script(Keys& keys) {
    const auto directive = [&](const char* key, const char* option) {
      keys.note(keys.has(key) ? Fate::carried : Fate::needless, key,
                keys.has(key) ? "executor.script" : "has no value");
      if (!keys.has(key)) return;
      const Json& value = keys.at(key);
      const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
      if (!text.empty() && text != "0") script_ += fmt::format("#SBATCH --{}={}\n", option, text);
    };
    directive("number_node", "nodes");
    directive("numb_node", "nodes");
    directive("cpu_per_node", "ntasks-per-node");
    directive("task_per_node", "ntasks-per-node");
    directive("gpu_per_node", "gpus-per-node");
    directive("numb_gpu", "gpus-per-node");
    directive("queue_name", "partition");
    directive("partition", "partition");
    directive("time_limit", "time");
    directive("account", "account");
    directive("qos", "qos");
    if (keys.has("mem_limit") && keys.at("mem_limit").is_number() && keys.number("mem_limit") > 0)
      script_ += fmt::format("#SBATCH --mem={}G\n", keys.number("mem_limit"));
    keys.carried("mem_limit", "executor.script");
    for (const std::string& line : keys.texts("custom_flags")) script_ += line + "\n";
    if (keys.has("module_purge") && keys.at("module_purge") == true) script_ += "module purge\n";
    for (const std::string& name : keys.texts("module_unload_list"))
      script_ += "module unload " + name + "\n";
    for (const std::string& name : keys.texts("module_list")) script_ += "module load " + name + "\n";
    for (const std::string& name : keys.texts("source_list")) script_ += "source " + name + "\n";
    if (keys.has("envs") && keys.at("envs").is_object()) {
      for (const auto& [name, value] : keys.at("envs").items()) {
        for (const Json& item : value.is_array() ? value : Json::array({value}))  // as dpdispatcher does
          script_ +=
              fmt::format("export {}={}\n", name, item.is_string() ? item.get<std::string>() : item.dump());
      }
    }
    for (const std::string& line : keys.texts("prepend_script")) script_ += line + "\n";
    for (const char* key : {"custom_flags", "module_purge", "module_unload_list", "module_list",
                            "source_list", "envs", "prepend_script"})
      keys.carried(key, "executor.script");
    keys.lost("append_script", "nothing runs after the calculation");
    keys.lost("group_size", "each frame is a task of an array");
    keys.lost("para_deg", "a task computes one frame");
    for (const char* key : {"kwargs", "strategy"})
      keys.lost_unless(key, Json::object(), "write it into executor.script");
    for (const char* key : {"batch_type", "wait_time", "with_mpi"}) keys.needless(key, "solion has its own");
    keys.lost_unless("cvasp", false, "there is no Custodian");
    keys.lost_unless("allow_failure", false, "a frame that fails is set aside");
    keys.lost_unless("exclude_list", Json::array(), "write it into executor.script");
  }

  void executor() {
    std::string kind = batch_type_;
    std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::tolower(c); });
    if (kind.starts_with("slurm")) {
      result_.executor = "[executor]\nkind = \"slurm\"\nscript = '''\n" + script_ + "'''\n";
    } else if (kind == "shell" || kind == "local") {
      result_.executor = "[executor]\nkind = \"local\"\n";
      if (!script_.empty())
        remark(Fate::lost, "fp.resources",
               "this machine runs processes without a job script; it was:\n" + script_);
    } else {
      remark(Fate::lost, "fp.machine.batch_type", batch_type_ + ": there are Slurm and this machine");
    }
  }

  const fs::path& file_;
  std::string code_;
  std::vector<ImportNote>& notes_;
  DpgenMachine result_;
  std::string batch_type_ = "Shell";
  std::string script_;
};

}  // namespace

DpgenMachine import_machine(const fs::path& file, const std::string& code, std::vector<ImportNote>& notes) {
  return Machine(file, code, notes)();
}

}  // namespace solion::learn
