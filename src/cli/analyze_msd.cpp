// solion analyze msd: MSD of every species, and D of one with its error bar or its bound.
#include <nlohmann/json.hpp>

#include "cli/analyze.hpp"
#include "cli/numbers.hpp"
#include "solion/base/errors.hpp"
#include "solion/transport/msd_analysis.hpp"

namespace solion::cli {
namespace {

struct Options : TrajectoryOptions {
  transport::MsdAnalysisOptions msd;
  std::string axes = "xyz";
};

void run(const Options& options) {
  check_target(options.json);
  check_target(options.csv);
  transport::MsdAnalysisOptions settings = options.msd;
  try {
    settings.axes = transport::parse_axes(options.axes);
  } catch (const InputError& error) {
    throw InputError("--{}", error.what());
  }
  transport::MsdAnalysis msd(settings);
  std::size_t last_part = 0;
  const double interval_fs = transport::for_each_frame(
      options.trajectory(), [&](const Frame& frame, const std::string& where, std::size_t part) {
        if (part != last_part) options.replicas ? msd.next_replica() : msd.next_part();
        last_part = part;
        msd.add(frame, where);
      });
  const transport::MsdReport report = msd.report(interval_fs);
  if (!options.json.empty()) write_json(options.json, to_json(report));
  if (!options.csv.empty()) columns(report).write(options.csv);
  fmt::print("{}", text(report));
}

}  // namespace

std::function<void()> setup_analyze_msd(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  transport::MsdAnalysisOptions& msd = options->msd;
  options->add_to(app, true, true);
  app.add_option("--species", msd.species, "The mobile species")->required();
  app.add_option("--framework", msd.framework,
                 "Species whose mean displacement is taken off as drift; default: all others");
  app.add_flag("--keep-drift", msd.keep_drift, "Take no drift off");
  app.add_option("--axes", options->axes, "Directions in which the ions move, for example xy in a layer")
      ->capture_default_str();
  app.add_option("--jump-length-A", msd.jump_length_A,
                 "Distance between neighbouring sites; default: first peak of the mobile ions' g(r), else "
                 "from their displacements")
      ->check(more_than_0);
  app.add_option("--window-start-ps", msd.window_start_ps, "Start of the fit; default: from the data")
      ->check(more_than_0);
  app.add_option("--charge", msd.charge_e, "Charge of the ion (e), for the conductivity");
  app.add_option("--temperature", msd.temperature_K, "Temperature (K), for the conductivity")
      ->check(more_than_0);
  return [options] { run(*options); };
}

}  // namespace solion::cli
