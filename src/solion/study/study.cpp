// The order of the stages.
#include "solion/study/study.hpp"

#include <memory>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/lock.hpp"
#include "solion/base/log.hpp"
#include "solion/report/document.hpp"
#include "solion/study/report_parts.hpp"

namespace solion::study {

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

namespace {

/// `numbers[key]` from `stage`; left out, and named in "missing", if it is not computed and may not be.
template <class Stage>
void add_stage(Json& numbers, const char* key, const char* name, const Stage& stage) {
  log().info("{}", name);
  try {
    numbers[key] = stage();
  } catch (const NotComputed&) {
    numbers["missing"].push_back(name);
  }
}

/// Molecular dynamics and all that is seen in it.
void move_ions(const Context& context, Json& numbers) {
  const Config& config = context.config;
  const Json& model = numbers["model"];
  numbers["plan"] = plan_md(context, model);
  const std::size_t n_points = points(config.md).size();
  log().info("molecular dynamics: {} points, {:.1f} ps each ({})", n_points,
             numbers["plan"]["production_ps"].get<double>(), numbers["plan"]["reason"].get<std::string>());
  Json moved = run_points(context, model, numbers["plan"]);
  const auto missing = moved["missing"].get<std::size_t>();
  moved.erase("missing");
  numbers.update(moved);
  judge_points(config, numbers["points"]);
  if (missing > 0) numbers["missing"].push_back(fmt::format("{} of {} points", missing, n_points));
  if (!config.annealing.structures.empty())
    add_stage(numbers, "annealing", "annealing", [&] { return anneal(context, model); });
  if (config.defects.wanted)
    add_stage(numbers, "defects", "defect energies", [&] { return relax_defects(context, model); });
  if (config.barriers.wanted)
    add_stage(numbers, "barriers", "migration barriers", [&] { return find_barriers(context, model); });
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

Result run(const Config& config, const Options& options) {
  report::find_plotly();  // better now than after ten minutes
  if (!options.report_only) rehearse(config);
  (void)read_published(config);
  const auto lock = lock_run_dir(options);
  learn::Ledger ledger(options.run_dir / "ledger.sqlite");
  const Context context{config, options, ledger};

  Json numbers;
  log().info("data set: {} folders", config.data.systems.size());
  numbers["data"] = prepare_data(context);
  log().info("model");
  numbers["model"] = make_model(context, numbers["data"]);
  log().info("validation");
  numbers["validation"] = validate_model(context, numbers["data"], numbers["model"]);
  if (config.checks.wanted()) {
    add_stage(numbers, "checks", "checks",
              [&] { return run_checks(context, numbers["data"], numbers["model"], numbers["validation"]); });
  }
  if (!config.md.structures.empty()) move_ions(context, numbers);
  const std::filesystem::path file = options.run_dir / "report.html";
  write_report(context, numbers, file);
  write_json(options.run_dir / "numbers.json", numbers);
  return {file, numbers};
}

}  // namespace solion::study
