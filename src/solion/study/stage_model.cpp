// Data, training and validation.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/catalog/open.hpp"
#include "solion/dataset/statistics.hpp"
#include "solion/io/formats.hpp"
#include "solion/study/stages.hpp"
#include "solion/train/accuracy.hpp"
#include "solion/train/trainer.hpp"

namespace solion::study {
namespace {

using Systems = std::vector<dataset::System>;

/// Hash of every file of every system: the identity of the data.
std::string hash_of(const Systems& systems) {
  std::string all = "a folder each\n";
  for (const auto& system : systems) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(system.path)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) all += system.name + sha256(read_file(file));
  }
  return sha256(all);
}

/// `once`, but a result whose files are gone from run_dir is made again. `files` names them, from run_dir.
Json once_with_files(const Context& context, const char* kind, const char* name, const Json& inputs,
                     const std::function<Json()>& work,
                     const std::function<std::vector<std::string>(const Json&)>& files) {
  Json outputs = context.once(kind, name, inputs, work);
  if (context.options.report_only) return outputs;
  const auto there = [&](const std::string& file) {
    return std::filesystem::exists(context.options.run_dir / file);
  };
  const auto needed = files(outputs);
  if (std::all_of(needed.begin(), needed.end(), there)) return outputs;
  context.ledger.forget(learn::Ledger::key_of(kind, inputs));
  return context.once(kind, name, inputs, work);
}

constexpr char further = '~';  // before the number of a further system of the same structure

/// Where the frames of each system go, by system: a folder each below `part`, named by its structure, and
/// numbered where several systems have one structure (the iterations of a campaign).
std::map<std::size_t, std::string> folders_of(const std::string& part, const Systems& systems,
                                              const std::vector<dataset::FrameId>& chosen) {
  std::map<std::size_t, std::string> folders;
  std::map<std::string, int> times;
  for (const auto& id : chosen) {
    if (folders.contains(id.system)) continue;
    const std::string& name = systems[id.system].name;
    const int n = ++times[name];
    folders[id.system] = fmt::format("{}/{}{}", part, name, n == 1 ? "" : fmt::format("{}{}", further, n));
  }
  return folders;
}

/// Writes the chosen frames of each system as a system of its own below `part`, a path from run_dir; returns
/// theirs.
Json write_part(const Context& context, const std::string& part, const Systems& systems,
                const std::vector<dataset::FrameId>& chosen) {
  const std::filesystem::path folder = context.options.run_dir / part;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::map<std::size_t, std::vector<Frame>> by_system;
  for (const auto& id : chosen) by_system[id.system].push_back(systems[id.system].frames[id.frame]);
  Json paths = Json::array();
  for (const auto& [s, path] : folders_of(part, systems, chosen)) {
    io::write_frames(context.options.run_dir / path, by_system[s]);
    paths.push_back(path);
  }
  return paths;
}

/// The temperature of each chosen frame by the path of its system, null where its provenance has none.
Json temperatures_of(const std::string& part, const Systems& systems,
                     const std::vector<dataset::FrameId>& chosen) {
  const auto folders = folders_of(part, systems, chosen);
  Json result = Json::object();
  for (const auto& id : chosen)
    result[folders.at(id.system)].push_back(
        systems[id.system].provenance[id.frame].value("temperature_K", Json()));
  return result;
}

Json count_structures(const Systems& systems, const dataset::Split& split) {
  std::map<std::string, std::array<int, 2>> counts;
  for (const auto& id : split.training) ++counts[dataset::structure_of(systems[id.system], id.frame)][0];
  for (const auto& id : split.validation) ++counts[dataset::structure_of(systems[id.system], id.frame)][1];
  Json result = Json::array();
  for (const auto& [name, n] : counts)
    result.push_back({{"name", name}, {"training", n[0]}, {"validation", n[1]}});
  return result;
}

/// The user's training input with the study's systems filled in; `to_run_dir` leads from the folder of the
/// input there.
Json filled_input(const Config& config, const Json& data, const std::string& to_run_dir) {
  Json input = read_json(config.model.training_input);
  const auto place = [&](const char* key, const char* part, const Json& fallback) {
    Json& block = input["training"][key];
    if (!block.is_object()) block = fallback;
    block["systems"] = Json::array();
    for (const auto& path : data[part]) block["systems"].push_back(to_run_dir + path.get<std::string>());
  };
  place("training_data", "training", {{"batch_size", "auto"}});
  place("validation_data", "validation", {{"batch_size", 1}, {"numb_btch", 8}});
  return input;
}

/// The same schedule in fewer steps: the learning rate decays as far, faster.
Json shortened(Json input, std::int64_t steps) {
  using namespace nlohmann::literals;
  Json& training = input["training"];
  const auto names = {"numb_steps", "num_steps", "stop_batch"};  // the last two: older names of DeePMD-kit
  const auto* name =
      std::find_if(names.begin(), names.end(), [&](const char* key) { return training.contains(key); });
  if (name == names.end() || !training[*name].is_number_integer()) return input;  // train says what is wrong
  const auto asked = training[*name].get<std::int64_t>();
  if (steps >= asked) return input;
  training[*name] = steps;
  const auto decay = "/learning_rate/decay_steps"_json_pointer;
  if (input.contains(decay) && input[decay].is_number()) {
    const double scaled =
        input[decay].get<double>() * static_cast<double>(steps) / static_cast<double>(asked);
    input[decay] = std::max<std::int64_t>(1, std::llround(scaled));
  }
  return input;
}

/// How many steps of the training fit `training_max_min` here, measured on its first ones. A task, so that a
/// study that goes on keeps its schedule.
std::int64_t affordable_steps(const Context& context, const Json& data, const Json& input) {
  constexpr std::int64_t trial_steps = 200, fewest = 500;
  const double minutes = context.config.model.training_max_min;
  const Json inputs{{"input", input}, {"data", data["hash"]}, {"minutes", minutes}};
  const Json plan = context.once("schedule", "length of the training", inputs, [&] {
    const std::filesystem::path folder = context.folder("train/trial");
    write_json(folder / "input.json", shortened(filled_input(context.config, data, "../../"), trial_steps));
    train::RunOptions options;
    options.folder = folder;
    options.threads = context.options.threads;
    options.start = train::RunOptions::Start::fresh;
    const train::RunSummary trial = train::train(train::read_settings(folder / "input.json"), options);
    const auto fits = static_cast<std::int64_t>(minutes * 60e3 / trial.ms_per_step) / 100 * 100;
    std::filesystem::remove_all(folder);
    return Json{{"steps", std::max(fits, fewest)}, {"ms_per_step", trial.ms_per_step}};
  });
  return plan["steps"].get<std::int64_t>();
}

struct Points {
  Json label = Json::array();
  Json predicted = Json::array();
  void add(double l, double p) {
    label.push_back(l);
    predicted.push_back(p);
  }
  [[nodiscard]] Json json() const { return {{"label", label}, {"predicted", predicted}}; }
};

/// Errors of the frames below the given paths, by structure (the system's name), with parity points.
Json compare_part(const Context& context, const Json& paths, const Potential& potential) {
  struct Compared {
    train::Accuracy accuracy;
    Points energy, force;
  };
  train::Accuracy all;
  std::map<std::string, Compared> structures;
  for (const std::string path : paths) {
    const auto frames = io::read_frames(context.options.run_dir / path);
    auto& [accuracy, energy, force] = structures[structure_of_path(path)];
    for (const auto& frame : train::compare(potential, frames, context.options.threads)) {
      accuracy.add(frame);
      all.add(frame);
      const auto n = static_cast<double>(frame.n_atoms);
      if (frame.has_energy) energy.add(frame.energy_label / n, frame.energy / n);
      for (std::size_t i = 0; i < frame.forces_label.size(); ++i) {
        for (int k = 0; k < 3; ++k) force.add(frame.forces_label[i][k], frame.forces[i][k]);
      }
    }
  }
  Json by_structure = Json::array();
  for (const auto& [name, s] : structures)
    by_structure.push_back({{"name", name},
                            {"errors", train::to_json(s.accuracy)},
                            {"energy_eV_per_atom", s.energy.json()},
                            {"force_eV_per_A", s.force.json()}});
  return {{"all", train::to_json(all)}, {"structures", by_structure}};
}

}  // namespace

/// The name that a system had before it got a folder of `folders_of`.
std::string structure_of_path(const std::string& path) {
  const std::string leaf = std::filesystem::path(path).filename().string();
  return leaf.substr(0, leaf.rfind(further));
}

Json prepare_data(const Context& context) {
  const DataConfig& data = context.config.data;
  const Systems systems = dataset::load(data.systems);
  const Json inputs{{"hash", hash_of(systems)},
                    {"validation_fraction", data.validation_fraction},
                    {"seed", context.config.seed}};
  const auto write = [&] {
    const dataset::Split split = dataset::split(systems, data.validation_fraction, context.config.seed);
    const bool nothing_to_learn = split.training.empty() && context.config.model.file.empty();
    if (nothing_to_learn || split.validation.empty()) {
      throw InputError("{}: {} frames for training and {} for validation; at least one of each is needed",
                       context.config.file.string(), split.training.size(), split.validation.size());
    }
    const std::string all = context.from_run_dir(context.folder("systems", inputs));
    const std::string training = all + "/training", validation = all + "/validation";
    return Json{{"training", write_part(context, training, systems, split.training)},
                {"validation", write_part(context, validation, systems, split.validation)},
                {"temperatures_K", temperatures_of(validation, systems, split.validation)},
                {"structures", count_structures(systems, split)},
                {"summary", dataset::to_json(dataset::summary(systems))},
                {"hash", inputs["hash"]}};
  };
  return once_with_files(context, "data", "data set", inputs, write, [](const Json& outputs) {
    auto paths = outputs["training"].get<std::vector<std::string>>();
    const auto validation = outputs["validation"].get<std::vector<std::string>>();
    paths.insert(paths.end(), validation.begin(), validation.end());
    return paths;
  });
}

Json make_model(const Context& context, const Json& data) {
  const ModelConfig& model = context.config.model;
  if (!model.file.empty()) {
    return {{"model", std::filesystem::absolute(model.file).string()},
            {"hash", sha256(read_file(model.file))},
            {"seconds", 0.0},
            {"curve", nullptr}};
  }
  Json input = filled_input(context.config, data, "../");
  if (model.training_max_min > 0) input = shortened(input, affordable_steps(context, data, input));
  const Json inputs{{"input", input}, {"data", data["hash"]}};
  const auto run = [&] {
    const std::filesystem::path folder = context.folder("train", inputs);
    write_json(folder / "input.json", input);
    train::RunOptions options;
    options.folder = folder;
    options.threads = context.options.threads;
    const train::RunSummary summary = train::train(train::read_settings(folder / "input.json"), options);
    return Json{{"model", context.from_run_dir(folder / "model.dp")},
                {"hash", sha256(read_file(folder / "model.dp"))},
                {"seconds", summary.seconds},
                {"steps", summary.steps},
                {"parameters", summary.n_parameters},
                {"ms_per_step", summary.ms_per_step},
                {"curve", context.from_run_dir(folder / "lcurve.out")}};
  };
  return once_with_files(context, "train", "model", inputs, run, [](const Json& outputs) {
    return std::vector<std::string>{outputs["model"], outputs["curve"]};
  });
}

Json validate_model(const Context& context, const Json& data, const Json& model) {
  const Json inputs{{"data", data["hash"]}, {"training", data["training"]}, {"model", model["hash"]}};
  return context.once("validate", "model against labels", inputs, [&] {
    const auto potential =
        open_potential((context.options.run_dir / model["model"].get<std::string>()).string());
    return Json{{"training", compare_part(context, data["training"], *potential)},
                {"validation", compare_part(context, data["validation"], *potential)}};
  });
}

}  // namespace solion::study
