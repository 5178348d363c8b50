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

/// Says before all frames are read what the first one lacks.
void check_first(const Frame& frame, const std::string& where, const transport::MsdAnalysisOptions& options) {
  if (options.charge_e != 0 && !frame.cell)
    throw InputError("{}: no cell; the conductivity (--charge) needs its volume", where);
  if (options.keep_drift || !options.framework.empty()) return;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i)
    if (frame.element(i) != options.species) return;
  throw InputError(
      "{}: all atoms are {}: there is no framework whose drift could be taken off; give --keep-drift, or "
      "--framework {} for the mean of all",
      where, options.species, options.species);
}

/// The frames of a run, or of a replica, are enough for a slope.
void check_count(const Options& options, const std::string& file, std::size_t n_frames) {
  constexpr std::size_t least = 9;  // of fit_diffusion
  if (n_frames >= least) return;
  const bool left_out = options.every > 1 || options.skip_frames > 0 || options.skip_ps > 0;
  throw InputError("{}: {} frame{}{}: too few for a slope; at least {} are needed", file, n_frames,
                   n_frames == 1 ? "" : "s", left_out ? " left by --every and --skip" : "", least);
}

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
  std::vector<std::size_t> counts(options.replicas ? options.files.size() : 1);  // frames of each run
  const double interval_fs = transport::for_each_frame(
      options.trajectory(), [&](const Frame& frame, const std::string& where, std::size_t part) {
        if (part != last_part) options.replicas ? msd.next_replica() : msd.next_part();
        last_part = part;
        if (msd.n_frames() == 0) check_first(frame, where, settings);
        msd.add(frame, where);
        ++counts[options.replicas ? part : 0];
      });
  for (std::size_t r = 0; r < counts.size(); ++r) check_count(options, options.files[r], counts[r]);
  const transport::MsdReport report = about(options, [&] { return msd.report(interval_fs); });
  if (!options.json.empty()) write_json(options.json, to_json(report));
  if (!options.csv.empty()) columns(report).write(options.csv);
  fmt::print("{}", text(report));
}

}  // namespace

std::function<void()> setup_analyze_msd(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  transport::MsdAnalysisOptions& msd = options->msd;
  options->add_to(app, true, true);
  app.add_option("--species", msd.species, "The mobile species")->required()->check(an_element);
  app.add_option("--framework", msd.framework,
                 "Species whose mean displacement is taken off as drift; default: all others")
      ->check(an_element);
  app.add_flag("--keep-drift", msd.keep_drift, "Take no drift off");
  app.add_option("--axes", options->axes, "Directions in which the ions move, for example xy in a layer")
      ->capture_default_str();
  app.add_option("--jump-length-A", msd.jump_length_A,
                 "Distance between neighbouring sites; default: first peak of the mobile ions' g(r), else "
                 "from their displacements")
      ->check(more_than_0);
  app.add_option("--window-start-ps", msd.window_start_ps, "Start of the fit; default: from the data")
      ->check(more_than_0);
  app.add_option("--charge", msd.charge_e, "Charge of the ion (e), for the conductivity")
      ->check(finite_number);
  app.add_option("--temperature", msd.temperature_K, "Temperature (K), for the conductivity")
      ->check(more_than_0);
  return [options] { run(*options); };
}

}  // namespace solion::cli
