// Training of the committee and its errors.
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/log.hpp"
#include "solion/base/threads.hpp"
#include "solion/catalog/open.hpp"
#include "solion/learn/stages.hpp"
#include "solion/train/accuracy.hpp"
#include "solion/train/data.hpp"
#include "solion/train/settings.hpp"
#include "solion/train/trainer.hpp"

namespace solion::learn {
namespace {

namespace fs = std::filesystem;

/// The user's training input for one member, without the systems.
Json member_input(const Campaign& campaign, int member, bool retrain) {
  Json input = read_json(campaign.model.training_input);
  const auto seed = static_cast<std::int64_t>(campaign.seed % 1'000'000) * 100 + member;
  input["model"]["descriptor"]["seed"] = seed * 3 + 1;
  input["model"]["fitting_net"]["seed"] = seed * 3 + 2;
  Json& training = input["training"];
  training["seed"] = seed * 3 + 3;
  training.erase("validation_data");  // held-out frames are judged by the campaign
  if (!retrain) return input;
  const ModelConfig& model = campaign.model;
  train::write_own_recipe(input);  // a rate of its own must not turn it into DeePMD-kit's schedule
  if (model.retrain_steps > 0) {
    const double before = training.at("numb_steps").get<double>();
    Json& rate = input["learning_rate"];
    if (rate.contains("decay_steps")) {
      // As many steps of the rate in a shorter run.
      rate["decay_steps"] =
          std::max<std::int64_t>(1, std::llround(rate["decay_steps"].get<double>() *
                                                 static_cast<double>(model.retrain_steps) / before));
    }
    training["numb_steps"] = model.retrain_steps;
  }
  if (model.retrain_start_lr > 0) input["learning_rate"]["start_lr"] = model.retrain_start_lr;
  return input;
}

Json train_member(const Context& context, const std::string& key, Json input,
                  const std::vector<DataPart>& data, const fs::path& init, train::FrameStore& frames) {
  const std::string name = "models/" + key.substr(0, 12);
  const fs::path folder = context.folder(name);
  Json& systems = input["training"]["training_data"]["systems"] = Json::array();
  for (const DataPart& part : data)
    systems.push_back(part.at.is_absolute() ? part.at.string() : "../../" + part.at.string());
  write_json(folder / "input.json", input);
  fs::remove(folder / "model.dp");  // of a training that was cut short, or changed since
  train::RunOptions options;
  options.folder = folder;
  options.frames = &frames;
  if (!init.empty()) options.init_model = context.options.run_dir / init;
  const train::RunSummary summary = train::train(train::read_settings(folder / "input.json"), options);
  return {{"model", name + "/model.dp"},
          {"sha256", sha256(read_file(folder / "model.dp"))},
          {"steps", summary.steps},
          {"frames", summary.n_training_frames},
          {"seconds", summary.seconds}};
}

/// A finished model that is no longer what it was is trained again.
bool intact(const Context& context, const Json& outputs) {
  const fs::path file = context.options.run_dir / outputs.at("model").get<std::string>();
  if (fs::exists(file) && sha256(read_file(file)) == outputs.at("sha256").get<std::string>()) return true;
  log().warn("{} is missing or was changed since it was trained; it is trained again", file.string());
  return false;
}

/// The input without keys that decide no number of the model.
Json numbers_of(Json input) {
  const auto erase = [](Json& table) {
    for (auto entry = table.begin(); entry != table.end();)
      entry = entry.key().starts_with('_') ? table.erase(entry) : std::next(entry);
  };
  erase(input);
  Json& training = input["training"];
  erase(training);
  for (const char* key : {"disp_file", "disp_freq", "disp_training", "save_freq", "save_ckpt",
                          "max_ckpt_keep", "time_training", "profiling", "profiling_file"})
    training.erase(key);
  return input;
}

/// The inputs of the task that trained the same before, whatever it then printed and how often it saved;
/// otherwise `inputs`.
Json same_training(const std::vector<Task>& tasks, const Json& inputs) {
  const Json wanted = numbers_of(inputs.at("input"));
  for (const Task& task : tasks) {
    if (task.kind == "train" && task.outcome == "done" &&
        task.inputs.value("data", Json()) == inputs["data"] &&
        task.inputs.value("from", Json()) == inputs["from"] && task.inputs.contains("input") &&
        numbers_of(task.inputs["input"]) == wanted)
      return task.inputs;
  }
  return inputs;
}

std::string structure_of(const Frame& frame) {
  const auto found = frame.info.find("structure");
  return found == frame.info.end() ? frame.formula() : found->second;
}

/// Everything that errors depend on besides the model.
std::string hash_of(const std::vector<Frame>& frames) {
  std::string text;
  for (const Frame& frame : frames)
    text += frame_key(frame) + structure_of(frame) + labels_to_json(frame.labels).dump();
  return sha256(text);
}

double info_number(const Frame& frame, const char* key) {
  const auto found = frame.info.find(key);
  if (found == frame.info.end()) return std::numeric_limits<double>::quiet_NaN();
  const Json value = Json::parse(found->second, nullptr, false);
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

void require_retraining(const Campaign& campaign) {
  const ModelConfig& model = campaign.model;
  try {
    Json input = member_input(campaign, 0, true);
    input["training"]["training_data"]["systems"] = {"filled in by the campaign"};
    (void)train::parse_settings(input, model.training_input);
  } catch (const InputError& error) {
    throw InputError("{} (with retrain_steps = {} and retrain_start_lr = {:g} of the campaign)", error.what(),
                     model.retrain_steps, model.retrain_start_lr);
  }
}

Models train_committee(const Context& context, const std::string& name, const std::vector<DataPart>& data,
                       const Models* previous) {
  Json keys = Json::array();
  std::set<std::string> labels;
  for (const DataPart& part : data) {
    keys.push_back(part.key);
    for (const Json& task : origins(part.frames, {label_task})) labels.insert(task.get<std::string>());
  }
  const std::vector<Task> earlier = context.ledger.tasks();
  const auto n = static_cast<std::size_t>(context.campaign.model.committee);
  Models result;
  result.keys.resize(n);
  result.files.resize(n);
  train::FrameStore frames;
  parallel_dynamic(n, context.options.threads, [&](std::size_t k, int) {
    const Json input = member_input(context.campaign, static_cast<int>(k), previous != nullptr);
    const Json inputs =
        same_training(earlier, {{"input", input},
                                {"data", keys},
                                {"from", previous == nullptr ? Json(nullptr) : Json(previous->keys[k])}});
    const std::string key = Ledger::key_of("train", inputs);
    if (const auto known = context.ledger.find(key);
        known && known->outcome == "done" && !intact(context, known->outputs))
      context.ledger.forget(key);
    const Json outputs = context.ledger.once("train", fmt::format("{} model {}", name, k), inputs, [&] {
      Json done = train_member(context, key, input, data,
                               previous == nullptr ? fs::path() : previous->files[k], frames);
      if (!labels.empty()) done["from"] = labels;
      return done;
    });
    result.keys[k] = key;
    result.files[k] = outputs.at("model").get<std::string>();
  });
  return result;
}

Json errors_of(const Context& context, const Models& models, const std::string& name,
               const std::vector<Frame>& frames) {
  if (frames.empty()) return nullptr;
  const Json inputs{{"model", models.keys.front()}, {"frames", hash_of(frames)}};
  return context.ledger.once("errors", name, inputs, [&] {
    const auto potential = open_potential((context.options.run_dir / models.files.front()).string());
    std::map<std::string, std::vector<Frame>> by_structure;
    for (const Frame& frame : frames) by_structure[structure_of(frame)].push_back(frame);
    train::Accuracy all;
    Json structures = Json::object();
    for (const auto& [structure, some] : by_structure) {
      train::Accuracy accuracy;
      for (const auto& comparison : train::compare(*potential, some, context.options.threads)) {
        accuracy.add(comparison);
        all.add(comparison);
      }
      structures[structure] = train::to_json(accuracy);
    }
    return Json{{"all", train::to_json(all)}, {"structures", structures}};
  });
}

std::vector<CalibrationPoint> measure(const Context& context, const Models& models, int iteration,
                                      const std::vector<Frame>& labelled) {
  if (labelled.empty()) return {};
  const Json inputs{{"models", models.keys}, {"frames", hash_of(labelled)}};
  const Json outputs =
      context.ledger.once("deviation-and-error", fmt::format("iteration {}", iteration), inputs, [&] {
        std::vector<fs::path> files;
        files.reserve(models.files.size());
        for (const fs::path& file : models.files) files.push_back(context.options.run_dir / file);
        Committee committee = open_committee(files);
        Json points = Json::array();
        for (const Frame& frame : labelled) {
          const Deviation deviation = committee.evaluate(frame);
          double error = 0;
          const auto& forces = committee.evaluations().front().forces;
          for (std::size_t i = 0; deviation.finite && i < frame.n_atoms(); ++i)
            error = std::max(error, (forces[i] - frame.labels.forces_eV_per_A[i]).norm());
          points.push_back(
              {{"finite", deviation.finite}, {"deviation", deviation.force_max}, {"error", error}});
        }
        return Json{{"points", points}};
      });
  std::vector<CalibrationPoint> result;
  for (std::size_t i = 0; i < labelled.size(); ++i) {
    const Json& point = outputs["points"][i];
    if (!point["finite"].get<bool>()) continue;
    result.push_back({iteration, structure_of(labelled[i]), info_number(labelled[i], "temperature_K"),
                      point["deviation"].get<double>(), point["error"].get<double>()});
  }
  return result;
}

}  // namespace solion::learn
