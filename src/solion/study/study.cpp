// The order of the stages.
#include "solion/study/study.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/lock.hpp"
#include "solion/base/log.hpp"
#include "solion/gpu/open_device.hpp"
#include "solion/report/document.hpp"
#include "solion/study/report_parts.hpp"

namespace solion::study {

const std::string& device_of(const Config& config, const Options& options) {
  return options.device.empty() ? config.md.device : options.device;
}

std::filesystem::path Context::folder(const std::string& name) const {
  std::filesystem::path path = options.run_dir / name;
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw WorkError("{}: cannot make this folder: {}", path.string(), error.message());
  return path;
}

std::filesystem::path Context::folder(const std::string& name, const Json& inputs) const {
  const std::string text = inputs.dump(2) + "\n";
  for (int n = 1;; ++n) {
    const std::filesystem::path path = folder(n == 1 ? name : fmt::format("{}.{}", name, n));
    const std::filesystem::path file = path / "inputs.json";
    if (!std::filesystem::exists(file)) write_file(file, text);
    if (read_file(file) == text) return path;
  }
}

std::string Context::from_run_dir(const std::filesystem::path& path) const {
  return path.lexically_relative(options.run_dir).generic_string();
}

Json Context::once(const std::string& kind, const std::string& name, const Json& inputs,
                   const std::function<Json()>& work) const {
  if (!options.report_only) return ledger.once(kind, name, inputs, work);
  const auto known = ledger.find(learn::Ledger::key_of(kind, inputs));
  constexpr std::string_view failed = "failed: ";
  if (known && known->outcome.starts_with(failed)) throw WorkError(known->outcome.substr(failed.size()));
  if (!known || known->outcome != "done") throw NotComputed(name);
  return known->outputs;
}

Json Context::once_or_again(const std::string& kind, const std::string& name, const Json& inputs,
                            const std::function<Json()>& work,
                            const std::function<bool(const Json&)>& has_failed) const {
  if (!options.report_only) {
    const std::string key = learn::Ledger::key_of(kind, inputs);
    const auto known = ledger.find(key);
    if (known && known->outcome == "done" && has_failed(known->outputs)) ledger.forget(key);
  }
  return once(kind, name, inputs, work);
}

bool computed(const Json& numbers, const char* key) {
  const auto found = numbers.find(key);
  if (found == numbers.end()) return false;
  const auto failed = found->is_object() ? found->find("failed") : found->end();
  return failed == found->end() || !failed->is_string();  // a structure may have that name
}

namespace {

/// Stages by their key in the numbers.
constexpr std::array<std::pair<const char*, const char*>, 8> stage_names{
    {{"data", "data set"},
     {"model", "model"},
     {"validation", "validation"},
     {"checks", "checks"},
     {"plan", "length of the runs"},
     {"annealing", "annealing"},
     {"defects", "defect energies"},
     {"barriers", "migration barriers"}}};

const char* stage_name(std::string_view key) {
  const auto* found =
      std::ranges::find(stage_names, key, [](const auto& s) { return std::string_view(s.first); });
  return found->second;
}

void miss(Json& numbers, const std::string& name) { numbers["missing"].push_back(name); }

/// `numbers[key]` from `stage`; left out, and named in "missing", if it is not computed and may not be. What
/// fails stops no other stage: the reason stands in its place.
template <class Stage>
void add_stage(Json& numbers, const char* key, const Stage& stage) {
  log().info("{}", stage_name(key));
  try {
    numbers[key] = stage();
  } catch (const Interrupted&) {
    throw;
  } catch (const NotComputed&) {
    miss(numbers, stage_name(key));
  } catch (const std::exception& error) {
    log().warn("{}: {}", stage_name(key), error.what());
    numbers[key] = {{"failed", error.what()}};
  }
}

/// One that the others need: its failure ends the work, but no report of what there is.
template <class Stage>
void add_needed(const Context& context, Json& numbers, const char* key, const Stage& stage) {
  if (context.options.report_only) return add_stage(numbers, key, stage);
  log().info("{}", stage_name(key));
  numbers[key] = stage();
}

/// Data set, model, and what the one says of the other.
void make_and_judge(const Context& context, Json& numbers) {
  const Config& config = context.config;
  add_needed(context, numbers, "data", [&] { return prepare_data(context); });
  const bool data = computed(numbers, "data");
  if (data || !config.model.file.empty()) {
    add_needed(context, numbers, "model", [&] { return make_model(context, numbers.value("data", Json())); });
  } else {
    miss(numbers, stage_name("model"));
  }
  if (!data || !computed(numbers, "model")) {
    miss(numbers, stage_name("validation"));
  } else {
    add_needed(context, numbers, "validation",
               [&] { return validate_model(context, numbers["data"], numbers["model"]); });
  }
  if (!config.checks.wanted()) return;
  if (!computed(numbers, "validation")) return miss(numbers, stage_name("checks"));
  add_stage(numbers, "checks",
            [&] { return run_checks(context, numbers["data"], numbers["model"], numbers["validation"]); });
}

void plan_runs(const Context& context, Json& numbers) {
  const MdConfig& md = context.config.md;
  add_stage(numbers, "plan", [&] { return plan_md(context, numbers["model"]); });
  if (computed(numbers, "plan")) return;
  numbers["plan"]["production_ps"] = md.production_ps;
  numbers["plan"]["reason"] = "the least asked for, as none is chosen yet";
}

/// There is no model to move them with.
void miss_ions(const Config& config, Json& numbers) {
  const std::size_t n_points = points(config.md).size();
  miss(numbers, fmt::format("{} of {} points", n_points, n_points));
  if (!config.annealing.structures.empty()) miss(numbers, stage_name("annealing"));
  if (config.defects.wanted) miss(numbers, stage_name("defects"));
  if (config.barriers.wanted) miss(numbers, stage_name("barriers"));
}

/// Molecular dynamics and all that is seen in it.
void move_ions(const Context& context, Json& numbers) {
  const Config& config = context.config;
  if (!computed(numbers, "model")) return miss_ions(config, numbers);
  plan_runs(context, numbers);
  const Json& model = numbers["model"];
  const std::size_t n_points = points(config.md).size();
  log().info("molecular dynamics: {} points, {:.1f} ps each ({})", n_points,
             numbers["plan"]["production_ps"].get<double>(), numbers["plan"]["reason"].get<std::string>());
  Json moved = run_points(context, model, numbers["plan"]);
  const auto missing = moved["missing"].get<std::size_t>();
  moved.erase("missing");
  numbers.update(moved);
  judge_points(config, numbers["points"]);
  if (numbers.contains("structures")) judge_structures(numbers["points"], numbers["structures"]);
  if (missing > 0) miss(numbers, fmt::format("{} of {} points", missing, n_points));
  if (!config.annealing.structures.empty())
    add_stage(numbers, "annealing", [&] { return anneal(context, model); });
  if (config.defects.wanted) add_stage(numbers, "defects", [&] { return relax_defects(context, model); });
  if (config.barriers.wanted) add_stage(numbers, "barriers", [&] { return find_barriers(context, model); });
  numbers["arrhenius"] = fit_temperatures(config, numbers["points"]);
}

/// Only one process may work in the run_dir; any may look.
std::unique_ptr<FileLock> lock_run_dir(const Options& options) {
  if (options.report_only) {
    if (!std::filesystem::exists(options.run_dir / "ledger.sqlite"))
      throw InputError("{}: no study has been begun here", options.run_dir.string());
    return nullptr;
  }
  std::error_code error;
  std::filesystem::create_directories(options.run_dir, error);
  if (error) throw WorkError("{}: cannot make this folder: {}", options.run_dir.string(), error.message());
  auto lock = std::make_unique<FileLock>(options.run_dir / "lock");
  if (!lock->held()) {
    throw WorkError(
        "{}: another study is at work here; wait for it, give another --run-dir, or see what it has so far "
        "with --report-only",
        options.run_dir.string());
  }
  return lock;
}

}  // namespace

std::vector<std::string> failures_of(const Json& numbers) {
  std::vector<std::string> list;
  const auto add = [&](const std::string& what, const Json& part) {
    const std::string why = part.value("failed", std::string(not_computed));
    if (why != not_computed) list.push_back(fmt::format("{}: {}", what, why));
  };
  for (const auto& [key, name] : stage_names)
    if (numbers.contains(key) && !computed(numbers, key)) add(name, numbers[key]);
  for (const char* part : {"points", "structures"}) {
    if (!numbers.contains(part)) continue;
    for (const Json& p : numbers[part])
      add(fmt::format("{} at {:g} K", p["structure"].get<std::string>(), p["temperature_K"].get<double>()),
          p);
  }
  if (computed(numbers, "annealing")) {
    for (const auto& [structure, part] : numbers["annealing"].items()) add("annealing of " + structure, part);
  }
  if (computed(numbers, "defects")) {
    for (const Json& s : numbers["defects"]["structures"]) {
      std::size_t n = 0;
      for (const Json& p : s["placements"])
        add(fmt::format("defect energies of {}, placement {}", s["name"].get<std::string>(), ++n), p);
    }
  }
  if (computed(numbers, "barriers")) {
    std::size_t n = 0;
    for (const Json& hop : numbers["barriers"]["hops"])
      add(fmt::format("migration barriers, hop {}", ++n), hop);
  }
  return list;
}

Result run(const Config& config, const Options& options) {
  report::find_plotly();  // better now than after ten minutes
  const std::string& device = device_of(config, options);
  if (!options.report_only && device != "cpu") (void)gpu::open_device(device);
  if (!options.report_only) rehearse(config);
  (void)read_published(config);
  const auto lock = lock_run_dir(options);
  learn::Ledger ledger(options.run_dir / "ledger.sqlite");
  const Context context{config, options, ledger};

  Json numbers = Json::object();
  make_and_judge(context, numbers);
  if (!config.md.structures.empty()) move_ions(context, numbers);
  const std::filesystem::path file = options.run_dir / "report.html";
  write_report(context, numbers, file);
  write_json(options.run_dir / "numbers.json", numbers);
  return {file, numbers};
}

}  // namespace solion::study
