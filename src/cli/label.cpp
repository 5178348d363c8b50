// solion label: frames through a reference code into a data set.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/numbers.hpp"
#include "cli/outputs.hpp"
#include "cli/verbs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/input.hpp"
#include "solion/base/threads.hpp"
#include "solion/dataset/store.hpp"
#include "solion/io/formats.hpp"
#include "solion/reference/settings.hpp"
#include "solion/reference/stress_check.hpp"

namespace solion::cli {
namespace {

namespace fs = std::filesystem;
namespace ref = solion::reference;

/// Frames whose atoms are all within this distance of another one's give no new information.
constexpr double duplicate_A = 1e-3;

struct Options {
  std::string reference;
  std::vector<std::string> frames;
  std::string output;
  std::string work;
  int jobs = available_threads();
  double time_limit_min = 0;
  std::string settings;
  std::string template_file;
  std::string program;
  double pressure_correction_GPa = 0;
  bool pressure_given = false;
  int nice = 0;
  std::vector<std::string> type_map;
  bool retry_failed = false;
  bool dry_run = false;
  bool check_stress = false;
  bool recorrect = false;
  std::string json;
};

/// Where a frame came from, for messages and provenance.
struct Source {
  std::string file;
  std::size_t index;
};

/// "300" becomes a number; "type1", "0007" and "nan" stay text.
Json number_or_text(const std::string& text) {
  Json value = Json::parse(text, nullptr, false);
  return value.is_number() ? value : Json(text);
}

Json provenance_of(const ref::Label& label, const Source& source, const ref::Calculator& code,
                   const ref::Settings& settings) {
  Json about;
  for (const auto& [key, value] : label.frame.info) about[key] = number_or_text(value);
  about.update(ref::provenance(label, code));
  about["file"] = fs::path(source.file).filename().string();
  about["frame"] = source.index;
  about["settings"] = ref::settings_key(code.name(), settings);
  if (label.raw.scf_iterations) about["scf_iterations"] = *label.raw.scf_iterations;
  if (label.raw.n_electrons) about["n_electrons"] = *label.raw.n_electrons;
  return about;
}

class LabelVerb {
 public:
  explicit LabelVerb(const Options& options) : options_(options), code_(ref::calculator(options.reference)) {
    prepared_ =
        options.settings.empty() ? ref::default_settings(code_) : ref::read_settings(options.settings, code_);
    if (!options.template_file.empty()) ref::use_template(prepared_.settings, options.template_file);
    if (!options.program.empty()) prepared_.settings.program = options.program;
    if (options.time_limit_min > 0) prepared_.options.time_limit_s = 60.0 * options.time_limit_min;
    if (options.pressure_given) prepared_.options.pressure_correction_GPa = options.pressure_correction_GPa;
    prepared_.options.jobs = options.jobs;
    prepared_.options.nice = options.nice;
    prepared_.options.retry_failed = options.retry_failed;
    std::string output = options.output;
    while (output.size() > 1 && output.back() == '/') output.pop_back();
    prepared_.options.work = options.work.empty() ? output + ".work" : options.work;
    quarantine_ = output + ".quarantine";
    read_frames();
    require_types();
    ref::choose_kpoints(prepared_.settings, frames_);
    const TemporaryFolder rehearsal("label");  // a wrong template is said before anything is written
    code_.prepare(frames_.front(), prepared_.settings, rehearsal.path());
  }

  void run() {
    check_target(options_.json);
    if (options_.dry_run) {
      plan();
    } else {
      label();
    }
    if (!options_.json.empty()) write_json(options_.json, report_);
    require_some();
  }

 private:
  void read_frames() {
    for (const std::string& file : options_.frames) {
      const std::vector<Frame> read = io::read_frames(file);
      for (std::size_t i = 0; i < read.size(); ++i) {
        if (!read[i].cell) throw InputError("{}: frame {} has no cell", file, i + 1);
        frames_.push_back(read[i]);
        sources_.push_back({file, i + 1});
      }
    }
  }

  /// A calculation of what the data set does not take would be in vain.
  void require_types() const {
    const std::vector<std::string>& types = options_.type_map;
    if (types.empty()) return;
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      for (const int type : frames_[i].types) {
        const std::string& element = frames_[i].type_map.name(type);
        if (std::find(types.begin(), types.end(), element) == types.end())
          throw InputError("{}: frame {} has {}, but --type-map is {}", sources_[i].file, sources_[i].index,
                           element, fmt::join(types, ","));
      }
    }
  }

  void plan() {
    constexpr std::array<const char*, 3> names{"open", "finished", "failed"};
    std::array<std::size_t, 3> count{};
    Json& tasks = report_["tasks"] = Json::array();
    std::optional<dataset::Store> store;
    if (fs::exists(options_.output)) store.emplace(options_.output, options_.type_map);
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      const std::string key = ref::label_key(code_, prepared_.settings, frames_[i]);
      const bool there = store && store->contains(key);
      const auto state = static_cast<std::size_t>(there ? ref::TaskState::finished
                                                        : ref::task_state(prepared_.options.work, key));
      ++count.at(state);
      tasks.push_back({{"file", sources_[i].file},
                       {"frame", sources_[i].index},
                       {"key", key},
                       {"state", names.at(state)}});
    }
    fmt::print("{} frames: {} to label, {} finished, {} failed before\n", frames_.size(), count[0], count[1],
               count[2]);
  }

  void label() {
    dataset::Store store(options_.output, options_.type_map);
    if (options_.check_stress || prepared_.check_stress) {
      const ref::StressCheck check = ref::check_stress(code_, prepared_.settings, frames_, prepared_.options);
      report_["stress_check"] = {{"pressure_of_stress_GPa", check.pressure_of_stress_GPa},
                                 {"pressure_of_energy_GPa", check.pressure_of_energy_GPa},
                                 {"passed", check.passed}};
      fmt::print("stress check: {}\n", check.text());
      ref::require_stress_check(code_, prepared_.settings, frames_, prepared_.options);
    }
    agree_on_corrections(store);
    prepared_.options.known = same_settings(store);
    Json& failures = report_["quarantine"] = Json::array();
    ref::Receiver receiver;
    // A data set may have come here without the folder of its calculations.
    receiver.has = [&](const std::string& key) { return store.contains(key); };
    receiver.refuse = [&](const Frame& frame, const std::string& key) {
      return duplicate(store, frame, key);
    };
    receiver.accept = [&](const ref::Label& label) -> std::optional<std::string> {
      if (!store.contains(label.key)) {
        if (auto reason = duplicate(store, label.frame, label.key)) return reason;
        store.append(label.frame, provenance_of(label, sources_[label.index], code_, prepared_.settings));
      }
      ref::release(quarantine_, label.key);
      return std::nullopt;
    };
    receiver.fail = [&](const ref::Failure& failure) {
      ref::quarantine(quarantine_, frames_[failure.index], failure);
      if (failure.judged) {
        refused_.insert(failure.key);
      } else {
        ++without_result_;
      }
      const Source& source = sources_[failure.index];
      failures.push_back(
          {{"file", source.file}, {"frame", source.index}, {"key", failure.key}, {"reason", failure.reason}});
    };
    const ref::LabelSummary summary =
        ref::label(code_, prepared_.settings, frames_, prepared_.options, receiver);
    take_out(store);
    print(summary, store);
  }

  /// One data set, one correction: what labels of these settings have that are there already must be asked
  /// for again, or --recorrect, which works it out anew from the raw stress of each.
  void agree_on_corrections(dataset::Store& store) const {
    const std::string key = ref::settings_key(code_.name(), prepared_.settings);
    if (store.n_frames() == 0) return;
    const std::size_t changed = store.revise([&](Frame& frame, Json& about) {
      if (about.value("settings", Json()) != key) return dataset::Fate::keep;
      const Json before = about;
      if (!ref::correct_anew(frame, about, prepared_.options)) return dataset::Fate::keep;
      if (options_.recorrect) return dataset::Fate::change;
      throw InputError(
          "{}: has labels of these settings with a correction of {} GPa{}, and what is asked for gives {} "
          "GPa{} for the same frame; --recorrect gives all of them the new one, without another calculation",
          options_.output, before.value("pressure_correction_GPa", 0.0),
          before.contains("shear_correction_eV") ? " and of the shear" : "",
          about.value("pressure_correction_GPa", 0.0),
          about.contains("shear_correction_eV") ? " and one of the shear" : "");
    });
    if (changed > 0) fmt::print("{} labels of {} have the new correction\n", changed, options_.output);
  }

  /// Labels of the data set that limits of today refuse.
  void take_out(dataset::Store& store) {
    if (refused_.empty()) return;
    const std::size_t out = store.revise([&](Frame&, Json& about) {
      return refused_.contains(about.value("key", "")) ? dataset::Fate::drop : dataset::Fate::keep;
    });
    if (out > 0) fmt::print("{} of those set aside were in {} and are taken out\n", out, options_.output);
  }

  /// Scripts must not go on with what a broken code left.
  void require_some() const {
    if (without_result_ == 0 || 2 * without_result_ <= frames_.size()) return;
    throw WorkError(
        "{} of {} frames have no result (reasons above); once that is mended, --retry-failed runs them again",
        without_result_, frames_.size());
  }

  /// The labels of the data set that these settings made.
  [[nodiscard]] std::vector<Frame> same_settings(const dataset::Store& store) const {
    const std::string key = ref::settings_key(code_.name(), prepared_.settings);
    std::vector<Frame> known;
    for (const dataset::System& system : store.systems()) {
      for (std::size_t i = 0; i < system.frames.size(); ++i) {
        if (system.provenance[i].value("settings", Json()) == key) known.push_back(system.frames[i]);
      }
    }
    return known;
  }

  [[nodiscard]] static std::optional<std::string> duplicate(const dataset::Store& store, const Frame& frame,
                                                            const std::string& key) {
    if (store.contains(key)) return std::nullopt;
    const auto twin = store.find_duplicate(frame, duplicate_A);
    if (!twin) return std::nullopt;
    return fmt::format("within {} Å of a frame of the data set ({})", duplicate_A, *twin);
  }

  void print(const ref::LabelSummary& summary, const dataset::Store& store) {
    fmt::print("{} frames: {} labelled, {} taken from finished work, {} set aside", summary.n_frames,
               summary.labelled, summary.resumed, summary.failed);
    if (summary.repeated > 0) fmt::print(", {} given twice", summary.repeated);
    fmt::print("\n{}: {} frames in {} systems\n", options_.output, store.n_frames(), store.systems().size());
    if (summary.failed > 0) {
      fmt::print("set aside in {}:\n", quarantine_.string());
      for (const Json& failure : report_["quarantine"]) {
        fmt::print("  {} frame {} ({}): {}\n", failure["file"].get<std::string>(),
                   failure["frame"].get<std::size_t>(), failure["key"].get<std::string>().substr(0, 8),
                   failure["reason"].get<std::string>());
      }
    }
    report_["frames"] = summary.n_frames;
    report_["labelled"] = summary.labelled;
    report_["resumed"] = summary.resumed;
    report_["repeated"] = summary.repeated;
    report_["failed"] = summary.failed;
    report_["dataset_frames"] = store.n_frames();
  }

  Options options_;
  const ref::Calculator& code_;
  ref::LabelSettings prepared_;
  fs::path quarantine_;
  std::vector<Frame> frames_;
  std::vector<Source> sources_;
  std::set<std::string> refused_;  ///< keys of finished calculations that did not become labels
  std::size_t without_result_ = 0;
  Json report_;
};

}  // namespace

std::function<void()> setup_label(CLI::App& app) {
  auto options = std::make_shared<Options>();
  std::string known;
  for (const ref::Calculator* code : ref::calculators()) known += (known.empty() ? "" : ", ") + code->name();
  app.add_option("--reference", options->reference, "Reference code: " + known)->required();
  app.add_option("FRAMES", options->frames, "Files with frames, any format that solion reads")->required();
  app.add_option("-o,--output", options->output,
                 "Data set: a folder that gets one DeePMD npy system a structure")
      ->required();
  app.add_option("--work", options->work,
                 "Folder of the calculations (default: the data set's name + .work)");
  app.add_option("-j,--jobs", options->jobs, "Frames at once")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--time-limit-min", options->time_limit_min,
                 "Limit for one frame in minutes (default: none)")
      ->check(more_than_0);
  auto* settings = app.add_option("--settings", options->settings,
                                  "TOML file: template, k-points, corrections, limits of the audit");
  app.add_option("--template", options->template_file, "Template in the code's own input language")
      ->excludes(settings);
  app.add_option("--program,--python", options->program, "Program to run (for gpaw: a Python that has it)");
  app.add_option("--pressure-correction-GPa", options->pressure_correction_GPa,
                 "Added to the pressure of every label, for what a finite basis misses")
      ->each([options](const std::string&) { options->pressure_given = true; });
  app.add_option("--nice", options->nice, "Lowers the priority of the calculations")
      ->check(CLI::Range(0, 19));
  app.add_option("--type-map", options->type_map,
                 "Elements in the order of the data set's types, e.g. Li,O,Cl")
      ->delimiter(',');
  app.add_flag("--retry-failed", options->retry_failed,
               "Run frames again that crashed or ran out of time before");
  app.add_flag(
      "--check-stress", options->check_stress,
      "First compare the stress with the change of the energy over the volume (two calculations, once)");
  app.add_flag("--recorrect", options->recorrect,
               "Give the labels that are there the corrections asked for now, from their raw stress");
  app.add_flag("--dry-run", options->dry_run, "Only say which frames are finished, failed or to be labelled");
  app.add_option("--json", options->json, "Write the numbers to this file too");
  return [options] { LabelVerb(*options).run(); };
}

}  // namespace solion::cli
