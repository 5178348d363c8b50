// The order of the stages.
#include "solion/study/study.hpp"

#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
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

namespace {

/// Molecular dynamics and all that is seen in it.
void move_ions(const Context& context, Json& numbers) {
  const Config& config = context.config;
  numbers["plan"] = plan_md(context, numbers["model"]);
  log().info("molecular dynamics: {} points, {:.1f} ps each ({})", points(config.md).size(),
             numbers["plan"]["production_ps"].get<double>(), numbers["plan"]["reason"].get<std::string>());
  numbers.update(run_points(context, numbers["model"], numbers["plan"]));
  if (!config.annealing.structures.empty()) {
    log().info("annealing");
    numbers["annealing"] = anneal(context, numbers["model"]);
  }
  if (config.defects.wanted) {
    log().info("defect energies");
    numbers["defects"] = relax_defects(context, numbers["model"]);
  }
  if (config.barriers.wanted) {
    log().info("migration barriers");
    numbers["barriers"] = find_barriers(context, numbers["model"]);
  }
  numbers["arrhenius"] = fit_temperatures(config, numbers["points"]);
}

}  // namespace

Result run(const Config& config, const Options& options) {
  report::find_plotly();  // better now than after ten minutes
  check_structures(config);
  (void)read_published(config);
  std::error_code error;
  std::filesystem::create_directories(options.run_dir, error);
  if (error) throw WorkError("{}: cannot make this folder: {}", options.run_dir.string(), error.message());
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
    log().info("checks");
    numbers["checks"] = run_checks(context, numbers["data"], numbers["model"], numbers["validation"]);
  }
  if (!config.md.structures.empty()) move_ions(context, numbers);
  const std::filesystem::path file = options.run_dir / "report.html";
  write_report(context, numbers, file);
  write_json(options.run_dir / "numbers.json", numbers);
  return {file, numbers};
}

}  // namespace solion::study
