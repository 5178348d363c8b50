// solion analyze msd: MSD of every species, and D of one with its error bar or its bound.
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/analyze.hpp"
#include "solion/base/errors.hpp"
#include "solion/transport/diffusion.hpp"
#include "solion/transport/rdf.hpp"

namespace solion::cli {
namespace {

using transport::Diffusion;
using transport::MsdAccumulator;
using transport::MsdCurve;

struct Options : TrajectoryOptions {
  std::string species;
  std::vector<std::string> framework;
  bool keep_drift = false;
  std::string axes = "xyz";
  double jump_length_A = 0;
  double window_start_ps = 0;
  double charge_e = 0;
  double temperature_K = 0;
};

/// What one pass over the trajectory gathers.
struct Gathered {
  std::vector<MsdAccumulator> runs;  // one, or one a replica
  double interval_fs = 0;
  double neighbour_distance_A = std::nan("");
};

std::array<bool, 3> axes_of(const std::string& text) {
  std::array<bool, 3> axes{};
  for (const char c : text) {
    if (c < 'x' || c > 'z' || axes[static_cast<std::size_t>(c - 'x')])
      throw InputError("--axes {}: expected some of x, y and z, each once", text);
    axes[static_cast<std::size_t>(c - 'x')] = true;
  }
  return axes;
}

Gathered gather(const Options& options) {
  Gathered result;
  std::optional<transport::RdfAccumulator> rdf;
  if (!(options.jump_length_A > 0))
    rdf.emplace(
        transport::RdfOptions{.pairs = {{options.species, options.species}}, .r_max_A = 7, .bin_A = 0.02});
  std::size_t last_part = 0, n = 0;
  result.interval_fs = for_each_frame(
      options.trajectory(), [&](const Frame& frame, const std::string& where, std::size_t part) {
        if (result.runs.empty() || (options.replicas && part != last_part)) {
          result.runs.emplace_back(transport::MsdOptions{.framework = options.framework,
                                                         .mobile = {options.species},
                                                         .remove_drift = !options.keep_drift,
                                                         .unwrap = {},
                                                         .axes = axes_of(options.axes)});
        } else if (part != last_part) {
          result.runs.back().next_part();
        }
        last_part = part;
        result.runs.back().add(frame, where);
        // The first shell needs few frames.
        if (rdf && frame.cell && (n < 10 || n % 100 == 0)) rdf->add(frame, where);
        ++n;
      });
  if (rdf && rdf->n_frames() > 0) result.neighbour_distance_A = rdf->curves().front().first_peak_A;
  return result;
}

MsdCurve curve_of(const Gathered& gathered, const std::string& species) {
  std::vector<MsdCurve> curves;
  curves.reserve(gathered.runs.size());
  for (const MsdAccumulator& run : gathered.runs) curves.push_back(run.curve(species, gathered.interval_fs));
  return curves.size() == 1 ? std::move(curves.front()) : transport::join_replicas(curves);
}

/// Standard error of the mean over ions at one lag.
double spread(const MsdCurve& curve, std::size_t lag) {
  const auto row = curve.ion_msd_A2.row(static_cast<Eigen::Index>(lag)).array();
  const auto n = static_cast<double>(row.size());
  return n < 2 ? std::nan("") : std::sqrt((row - row.mean()).square().sum() / (n * (n - 1)));
}

Json to_json(const Diffusion& d) {
  return {{"D_cm2_per_s", number(d.D)},
          {"D_std_cm2_per_s", number(d.std)},
          {"D_interval_68_cm2_per_s", {number(d.interval_68[0]), number(d.interval_68[1])}},
          {"D_interval_95_cm2_per_s", {number(d.interval_95[0]), number(d.interval_95[1])}},
          {"resolved", d.resolved},
          {"D_bound_cm2_per_s", number(d.bound)},
          {"reason", d.reason},
          {"slope_D_cm2_per_s", number(d.slope_D)},
          {"intercept_A2", number(d.intercept_A2)},
          {"window_ps", {d.window_start_fs * 1e-3, d.window_end_fs * 1e-3}},
          {"window_msd_A2", number(d.window_msd_A2)},
          {"jump_length_A", d.jump_length_A},
          {"D_std_from_ions_cm2_per_s", number(d.std_ions)},
          {"D_std_from_covariance_cm2_per_s", number(d.std_covariance)},
          {"D_std_systematic_cm2_per_s", number(d.std_systematic)},
          {"effective_hops", number(d.n_effective_hops)},
          {"relative_error_from_hops", number(d.rsd_events)}};
}

/// The distance between neighbouring sites, and where it is from.
std::pair<double, std::string> jump_length(const Options& options, const Gathered& gathered,
                                           const MsdCurve& curve) {
  if (options.jump_length_A > 0) return {options.jump_length_A, "given"};
  constexpr double closest_sites_A = 1.5;  // nearer ions are walkers that share sites
  if (gathered.neighbour_distance_A > closest_sites_A)
    return {gathered.neighbour_distance_A, "first peak of the mobile ions' g(r)"};
  const double measured = transport::jump_length_from_displacements(curve);
  if (measured > 0) return {measured, "how far the displacements are from Gaussian"};
  if (curve.mean_volume_A3 > 0) {
    const double ions = static_cast<double>(curve.n_ions) / static_cast<double>(curve.n_runs);
    return {std::cbrt(curve.mean_volume_A3 / ions), "volume of an ion"};
  }
  throw InputError(
      "the distance between neighbouring sites of {} is not plain from the data; give --jump-length-A",
      options.species);
}

Json to_json(const transport::CollectiveDiffusion& c) {
  return {{"D_collective_cm2_per_s", number(c.D)},
          {"D_collective_std_cm2_per_s", number(c.std)},
          {"D_collective_interval_95_cm2_per_s", {number(c.interval_95[0]), number(c.interval_95[1])}},
          {"haven_ratio", number(c.haven_ratio)},
          {"haven_ratio_std", number(c.haven_std)}};
}

void run(const Options& options) {
  check_target(options.json);
  check_target(options.csv);
  if ((options.charge_e != 0) != (options.temperature_K > 0))
    throw InputError("a conductivity needs both --charge and --temperature");
  const Gathered gathered = gather(options);
  const MsdCurve curve = curve_of(gathered, options.species);

  const auto [jump_length_A, jump_length_from] = jump_length(options, gathered, curve);
  transport::DiffusionOptions settings;
  settings.jump_length_A = jump_length_A;
  if (options.window_start_ps > 0) settings.window_start_fs = options.window_start_ps * 1000;
  const Diffusion d = transport::fit_diffusion(curve, settings);

  const transport::CollectiveDiffusion collective = transport::fit_collective(curve, d);

  Json json = to_json(d);
  json.update(to_json(collective));
  json["dimensions"] = curve.n_dimensions;
  json["species"] = options.species;
  json["jump_length_from"] = jump_length_from;
  json["n_ions"] = curve.n_ions;
  json["n_frames"] = curve.n_frames;
  json["n_replicas"] = gathered.runs.size();
  json["frame_interval_fs"] = gathered.interval_fs;
  json["mean_volume_A3"] = number(curve.mean_volume_A3);
  if (options.charge_e != 0) {
    const double ions = static_cast<double>(curve.n_ions) / static_cast<double>(gathered.runs.size());
    const auto sigma = [&](double D) {
      return transport::nernst_einstein_mS_per_cm(D, ions, options.charge_e, curve.mean_volume_A3,
                                                  options.temperature_K);
    };
    json["conductivity_from"] = "tracer D (Nernst-Einstein, no correlation between ions)";
    json["conductivity_mS_per_cm"] = number(sigma(d.D));
    json["conductivity_std_mS_per_cm"] = number(sigma(d.std));
    json["conductivity_interval_95_mS_per_cm"] = {number(sigma(d.interval_95[0])),
                                                  number(sigma(d.interval_95[1]))};
    json["conductivity_bound_mS_per_cm"] = number(sigma(d.bound));
    json["conductivity_collective_mS_per_cm"] = number(sigma(collective.D));
    json["conductivity_collective_std_mS_per_cm"] = number(sigma(collective.std));
  }
  Columns table;
  std::vector<double> time_ps, error;
  for (std::size_t l = 0; l < curve.time_fs.size(); ++l) {
    time_ps.push_back(curve.time_fs[l] * 1e-3);
    error.push_back(spread(curve, l));
  }
  table.add("time_ps", time_ps);
  table.add(options.species + "_msd_A2", curve.msd_A2);
  table.add(options.species + "_msd_std_A2", error);
  json["time_ps"] = time_ps;
  json["msd_A2"] = {{options.species, curve.msd_A2}};
  json["msd_std_A2"] = error;
  std::vector<double> non_gaussian;  // α₂ = d⟨r⁴⟩/((d + 2)⟨r²⟩²) − 1
  const auto d_axes = static_cast<double>(curve.n_dimensions);
  for (std::size_t l = 0; l < curve.msd_A2.size(); ++l) {
    const double square = curve.msd_A2[l] * curve.msd_A2[l];
    non_gaussian.push_back(d_axes * (curve.variance_A4[l] + square) / ((d_axes + 2) * square) - 1);
  }
  json["non_gaussian"] = Json::array();
  for (const double alpha : non_gaussian) json["non_gaussian"].push_back(number(alpha));
  for (const std::string& other : gathered.runs.front().species()) {
    if (other == options.species) continue;
    const MsdCurve beside = curve_of(gathered, other);
    table.add(other + "_msd_A2", beside.msd_A2);
    json["msd_A2"][other] = beside.msd_A2;
  }
  if (!options.json.empty()) write_json(options.json, json);
  if (!options.csv.empty()) table.write(options.csv);

  fmt::print("{} {} ions, {} frames every {:g} fs, jump length {:.3f} Å ({})\n", curve.n_ions,
             options.species, curve.n_frames, gathered.interval_fs, d.jump_length_A,
             json["jump_length_from"].get<std::string>());
  if (d.resolved) {
    fmt::print("D = {:.3e} ± {:.1e} cm²/s, 95 %: {:.3e} … {:.3e} ({})\n", d.D, d.std, d.interval_95[0],
               d.interval_95[1], d.reason);
    fmt::print("collective D = {:.3e} ± {:.1e} cm²/s, Haven ratio {:.2f} ± {:.2f}\n", collective.D,
               collective.std, collective.haven_ratio, collective.haven_std);
  } else {
    fmt::print("D < {:.3e} cm²/s (95 %), not resolved: {}\n", d.bound, d.reason);
  }
  fmt::print("{:.3g} effective hops (their count alone: ±{:.0f} %)\n", d.n_effective_hops,
             100 * d.rsd_events);
  if (options.charge_e != 0) {
    if (d.resolved) {
      fmt::print("conductivity from tracer D: {:.4g} ± {:.2g} mS/cm at {:g} K\n",
                 json["conductivity_mS_per_cm"].get<double>(),
                 json["conductivity_std_mS_per_cm"].get<double>(), options.temperature_K);
    } else {
      fmt::print("conductivity from tracer D: below {:.4g} mS/cm at {:g} K\n",
                 json["conductivity_bound_mS_per_cm"].get<double>(), options.temperature_K);
    }
  }
}

}  // namespace

std::function<void()> setup_analyze_msd(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->add_to(app, true);
  app.add_option("--species", options->species, "The mobile species")->required();
  app.add_option("--framework", options->framework,
                 "Species whose mean displacement is taken off as drift; default: all others");
  app.add_flag("--keep-drift", options->keep_drift, "Take no drift off");
  app.add_option("--axes", options->axes, "Directions in which the ions move, for example xy in a layer")
      ->capture_default_str();
  app.add_option("--jump-length-A", options->jump_length_A,
                 "Distance between neighbouring sites; default: first peak of the mobile ions' g(r), else "
                 "from their displacements")
      ->check(CLI::PositiveNumber);
  app.add_option("--window-start-ps", options->window_start_ps, "Start of the fit; default: from the data")
      ->check(CLI::PositiveNumber);
  app.add_option("--charge", options->charge_e, "Charge of the ion (e), for the conductivity");
  app.add_option("--temperature", options->temperature_K, "Temperature (K), for the conductivity")
      ->check(CLI::PositiveNumber);
  return [options] { run(*options); };
}

}  // namespace solion::cli
