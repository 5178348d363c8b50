// The loop over iterations, its stop rule and its tables.
#include "solion/learn/run.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/lock.hpp"
#include "solion/base/log.hpp"
#include "solion/learn/stages.hpp"
#include "solion/train/settings.hpp"

namespace solion::learn {
namespace {

namespace fs = std::filesystem;

/// The entries of `now` that `then` has with another value.
std::vector<std::string> changed(const Json& then, const Json& now) {
  std::vector<std::string> names;
  for (const auto& [name, value] : now.items()) {
    if (!then.contains(name) || then[name] != value) names.push_back(name);
  }
  for (const auto& [name, value] : then.items()) {
    if (!now.contains(name)) names.push_back(name);
  }
  return names;
}

/// Says what is not as it was in the last call: another reference costs all labels, and nobody should learn
/// of that by waiting.
void warn_of_changes(const Campaign& campaign, const Json& then, const Json& now) {
  std::vector<std::string> parts;
  if (then.value("file", Json()) != now["file"]) parts.push_back(campaign.file.string());
  if (then.value("training_input", Json()) != now["training_input"])
    parts.push_back(campaign.model.training_input.string());
  const bool reference = then.contains("reference") && then["reference"] != now["reference"];
  if (reference)
    parts.push_back(
        fmt::format("the reference ({})", fmt::join(changed(then["reference"], now["reference"]), ", ")));
  if (parts.empty()) return;
  log().warn(
      "{} is not what this run began with: finished tasks whose inputs are the same are kept, the others are "
      "computed anew{}",
      fmt::join(parts, ", "), reference ? "; with another reference, these are all labels" : "");
}

/// Notes in the ledger what the campaign was told, and says so if it is not what the last call was told.
void note_campaign(const Campaign& campaign, const Labeller& labeller, Ledger& ledger) {
  const Json inputs{{"file", read_file(campaign.file)},
                    {"training_input", read_file(campaign.model.training_input)},
                    {"reference", labeller.identity()}};
  std::optional<Task> last;
  for (Task& task : ledger.tasks()) {
    if (task.kind == "campaign") last = std::move(task);
  }
  const std::string key = Ledger::key_of("campaign", inputs);
  if (last && last->key != key) {
    warn_of_changes(campaign, last->inputs, inputs);
    ledger.forget(key);  // so that it stands last again
  }
  ledger.once("campaign", campaign.title, inputs, [] { return Json::object(); });
}

std::string stop_rule_text(const StopConfig& stop) {
  std::string text = fmt::format("every structure at least {:g} % accurate", 100 * stop.accurate_share);
  if (stop.force_rmse_eV_per_A > 0)
    text += fmt::format(" and a held-out force error of at most {:g} eV/Å", stop.force_rmse_eV_per_A);
  return text;
}

double force_rmse(const Json& errors, const std::string& structure) {
  if (errors.is_null() || !errors["structures"].contains(structure)) return std::nan("");
  const Json& value = errors["structures"][structure]["force_rmse_eV_per_A"];
  return value.is_number() ? value.get<double>() : std::nan("");
}

/// The rule for each structure of an iteration: shares of its exploration, errors of the models after it.
Json judge_stop(const StopConfig& stop, const Json& explored, const Json& test, bool& met) {
  Json result = Json::object();
  met = true;
  for (const auto& [name, counts] : explored["structures"].items()) {
    const double share = counts["accurate_share"].get<double>();
    const double error = force_rmse(test, name);
    bool good = share >= stop.accurate_share;
    // No held-out frame of a structure: its error is not known, and the rule does not hold.
    if (stop.force_rmse_eV_per_A > 0) good = good && error <= stop.force_rmse_eV_per_A;
    result[name] = {{"accurate_share", share}, {"force_rmse_eV_per_A", error}, {"met", good}};
    met = met && good;
  }
  return result;
}

/// Without a new label the next iteration explores with the same models, and no later one may bring more.
void warn_of_standstill(int iteration, const Explored& explored, const Chosen& chosen) {
  std::string why = fmt::format("the reference gave no label of any of the {} chosen frames (reasons above)",
                                chosen.frames.size());
  if (chosen.frames.empty())
    why = fmt::format(
        "all {} frames offered are near-duplicates of labelled ones (select.least_distance); more variety "
        "(iterations.strain, temperatures_K, placements, start.frames) or longer training helps",
        explored.frames.size());
  if (explored.frames.empty()) why = "no frame deviates by trust.lower_eV_per_A or more";
  log().warn(
      "iteration {} has no new label, the models stay as they are, and the stop rule does not hold: {}",
      iteration, why);
}

/// Checks the training input, whose systems the campaign will fill in; its type map.
TypeMap elements_of(const fs::path& training_input) {
  Json input = read_json(training_input);
  if (!input.is_object() || !input.contains("training") || !input["training"].is_object() ||
      !input["training"].contains("training_data") || !input["training"]["training_data"].is_object())
    throw InputError("{}: expected a training input with training/training_data", training_input.string());
  input["training"]["training_data"]["systems"] = {"filled in by the campaign"};
  input["training"].erase("validation_data");
  return TypeMap(train::parse_settings(input, training_input).model.type_map);
}

class Run {
 public:
  Run(const Campaign& campaign, Context context, std::vector<DataPart> data, std::vector<Frame> test)
      : campaign_(campaign), context_(std::move(context)), data_(std::move(data)), test_(std::move(test)) {}

  Json operator()() {
    log().info("campaign: {}; reference: {}", campaign_.title, context_.labeller.description());
    log().info("stop rule: {}", stop_rule_text(campaign_.stop));
    begin();
    bool all_met = true;
    for (const IterationConfig& config : campaign_.iterations) {
      bool met = false;
      for (int n = 0; n < config.repeat && !met; ++n) met = iterate(config);
      all_met = all_met && met;
    }
    Json result{{"title", campaign_.title},
                {"stop_rule", stop_rule_text(campaign_.stop)},
                {"met", all_met},
                {"rows", rows_},
                {"test", test_errors_},
                {"frames", {{"start", n_start_}, {"labelled", n_labelled_}, {"rejected", n_rejected_}}}};
    for (const fs::path& file : models_.files) result["models"].push_back(file.string());
    for (const DataPart& part : data_) result["data"].push_back(part.at.string());
    result["calibration"] = calibration_json();
    write_json(context_.options.run_dir / "campaign.json", result);
    return result;
  }

 private:
  void begin() {
    std::vector<Frame> start = start_frames(context_, n_rejected_);
    own_ = start;
    if (!start.empty()) data_.push_back(write_part(context_, "start", std::move(start)));
    for (const DataPart& part : data_) n_start_ += part.frames.size();
    if (n_start_ == 0) throw WorkError("no frame to train the first models on: all labels were refused");
    for (Frame& frame : drawn_test(context_, n_rejected_)) test_.push_back(std::move(frame));
    log().info("{} frames to start from, {} held out", n_start_, test_.size());
    require_reference();
    models_ = train_committee(context_, "start", data_, nullptr);
    test_errors_ = errors_of(context_, models_, "held out, start", test_);
  }

  /// A reference that cannot run is found before hours of training, not after. A campaign that has explored
  /// already may have all its labels.
  void require_reference() {
    const auto tasks = context_.ledger.tasks();
    if (std::any_of(tasks.begin(), tasks.end(), [](const Task& t) { return t.kind == "explore"; })) return;
    for (const DataPart& part : data_) context_.labeller.require(part.frames);
  }

  /// One line of Table S1; true if the stop rule holds after it.
  bool iterate(const IterationConfig& config) {
    const int number = static_cast<int>(rows_.size());
    const Calibration calibration = calibrate(campaign_.trust, points_);
    const Explored explored = explore_all(context_, number, config, calibration.levels, models_);
    const Chosen chosen = select_frames(context_, number, explored, data_);
    std::size_t rejected = 0;
    std::vector<Frame> labelled = label_frames(context_, chosen.frames, rejected, own_);
    n_rejected_ += rejected;
    n_labelled_ += labelled.size();
    own_.insert(own_.end(), labelled.begin(), labelled.end());
    const Json before = errors_of(context_, models_, fmt::format("new labels before {}", number), labelled);
    const Json test_before = test_errors_;
    for (const CalibrationPoint& point : measure(context_, models_, number, labelled))
      points_.push_back(point);
    Json after = nullptr;
    const std::size_t n_labelled = labelled.size();
    if (!labelled.empty()) {
      data_.push_back(write_part(context_, fmt::format("iteration{:03}", number), labelled));
      models_ = train_committee(context_, fmt::format("iteration {}", number), data_, &models_);
      after = errors_of(context_, models_, fmt::format("new labels after {}", number), labelled);
      test_errors_ = errors_of(context_, models_, fmt::format("held out, iteration {}", number), test_);
    }
    bool met = false;
    Json stop = judge_stop(campaign_.stop, explored.summary, test_errors_, met);
    if (n_labelled == 0 && !met) warn_of_standstill(number, explored, chosen);
    Json row{
        {"iteration", number},
        {"ensemble", config.ensemble == md::Ensemble::npt ? "NPT" : "NVT"},
        {"structures", config.structures},
        {"temperatures_K", config.temperatures_K},
        {"pressures_bar", config.ensemble == md::Ensemble::npt ? Json(config.pressures_bar) : Json::array()},
        {"steps", config.steps},
        {"time_fs", static_cast<double>(config.steps) * config.timestep_fs},
        {"lower_eV_per_A", calibration.levels.lower},
        {"upper_eV_per_A", calibration.levels.upper},
        {"levels_calibrated", calibration.calibrated},
        {"explored", explored.summary},
        {"candidates_offered", explored.frames.size()},
        {"near_duplicates", chosen.near_duplicates},
        {"labelled", n_labelled},
        {"rejected", rejected},
        {"labelled_in_all", n_labelled_},
        {"new_labels_before", before},
        {"new_labels_after", after},
        {"held_out_before", test_before},
        {"held_out_after", test_errors_},
        {"stop", stop},
        {"met", met}};
    rows_.push_back(std::move(row));
    write_tables(context_, rows_, points_);
    log().info("{}", table_text(Json::array({rows_.back()})));
    return met;
  }

  [[nodiscard]] Json calibration_json() const {
    const Calibration c = calibrate(campaign_.trust, points_);
    Json points = Json::array();
    for (const CalibrationPoint& p : points_) {
      points.push_back({{"iteration", p.iteration},
                        {"structure", p.structure},
                        {"temperature_K", p.temperature_K},
                        {"deviation_eV_per_A", p.deviation},
                        {"error_eV_per_A", p.error}});
    }
    return {{"n", c.n},
            {"median_ratio", c.median_ratio},
            {"ratio_90_percent", c.high_ratio},
            {"rank_correlation", c.rank_correlation},
            {"lower_eV_per_A", c.levels.lower},
            {"upper_eV_per_A", c.levels.upper},
            {"calibrated", c.calibrated},
            {"points", points}};
  }

  const Campaign& campaign_;
  Context context_;
  std::vector<Frame> own_;  ///< labels of the campaign itself, by its reference
  std::vector<DataPart> data_;
  std::vector<Frame> test_;
  Models models_;
  Json test_errors_;
  Json rows_ = Json::array();
  std::vector<CalibrationPoint> points_;
  std::size_t n_start_ = 0;
  std::size_t n_labelled_ = 0;
  std::size_t n_rejected_ = 0;
};

}  // namespace

Json run(const Campaign& campaign, const Options& options) {
  const TypeMap elements = elements_of(campaign.model.training_input);
  require_retraining(campaign);
  rehearse(campaign, elements);
  require_own_place(campaign, options.run_dir);
  std::vector<DataPart> data = given_data(campaign, elements);
  std::vector<Frame> test = given_test(campaign, data, elements);
  const auto labeller = open_labeller(campaign.reference, options.run_dir / "label", options.threads);
  if (!campaign.test.structures.empty()) (void)labeller->at_once(options.threads);
  std::error_code error;  // nothing is written before all that is asked for is known
  fs::create_directories(options.run_dir, error);
  if (error) throw WorkError("{}: cannot make this folder: {}", options.run_dir.string(), error.message());
  const FileLock lock(options.run_dir / "lock");
  if (!lock.held()) {
    throw WorkError("{}: another campaign is at work here; wait for it, or give another --run-dir",
                    options.run_dir.string());
  }
  Ledger ledger(options.run_dir / "ledger.sqlite");
  note_campaign(campaign, *labeller, ledger);
  return Run(campaign, {campaign, options, ledger, *labeller, elements}, std::move(data), std::move(test))();
}

}  // namespace solion::learn
