// The MSD of every species, the jump length, D and the conductivity, and how they are written.
#include "solion/transport/msd_analysis.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <tuple>

#include "solion/base/archive.hpp"
#include "solion/base/errors.hpp"

namespace solion::transport {
namespace {

/// Standard error of the mean over ions at one lag.
double spread(const MsdCurve& curve, std::size_t lag) {
  const auto row = curve.ion_msd_A2.row(static_cast<Eigen::Index>(lag)).array();
  const auto n = static_cast<double>(row.size());
  return n < 2 ? std::nan("") : std::sqrt((row - row.mean()).square().sum() / (n * (n - 1)));
}

std::vector<double> spreads(const MsdCurve& curve) {
  std::vector<double> errors;
  for (std::size_t l = 0; l < curve.time_fs.size(); ++l) errors.push_back(spread(curve, l));
  return errors;
}

std::vector<double> times_ps(const MsdCurve& curve) {
  std::vector<double> times;
  times.reserve(curve.time_fs.size());
  for (const double t : curve.time_fs) times.push_back(t * 1e-3);
  return times;
}

/// α₂ = d⟨r⁴⟩/((d + 2)⟨r²⟩²) − 1 at every lag.
Json non_gaussian(const MsdCurve& curve) {
  Json list = Json::array();
  const auto d = static_cast<double>(curve.n_dimensions);
  for (std::size_t l = 0; l < curve.msd_A2.size(); ++l) {
    const double square = curve.msd_A2[l] * curve.msd_A2[l];
    list.push_back(json_number(d * (curve.variance_A4[l] + square) / ((d + 2) * square) - 1));
  }
  return list;
}

Json diffusion_json(const Diffusion& d) {
  return {{"D_cm2_per_s", json_number(d.D)},
          {"D_std_cm2_per_s", json_number(d.std)},
          {"D_interval_68_cm2_per_s", {json_number(d.interval_68[0]), json_number(d.interval_68[1])}},
          {"D_interval_95_cm2_per_s", {json_number(d.interval_95[0]), json_number(d.interval_95[1])}},
          {"resolved", d.resolved},
          {"D_bound_cm2_per_s", json_number(d.bound)},
          {"reason", d.reason},
          {"slope_D_cm2_per_s", json_number(d.slope_D)},
          {"intercept_A2", json_number(d.intercept_A2)},
          {"window_ps", {d.window_start_fs * 1e-3, d.window_end_fs * 1e-3}},
          {"window_msd_A2", json_number(d.window_msd_A2)},
          {"jump_length_A", d.jump_length_A},
          {"D_std_from_ions_cm2_per_s", json_number(d.std_ions)},
          {"D_std_from_covariance_cm2_per_s", json_number(d.std_covariance)},
          {"D_std_systematic_cm2_per_s", json_number(d.std_systematic)},
          {"independent_ions", json_number(d.independent_ions)},
          {"effective_hops", json_number(d.n_effective_hops)},
          {"relative_error_from_hops", json_number(d.rsd_events)}};
}

Json steady_json(const Steadiness& s) {
  return {{"p_value", json_number(s.p_value)},
          {"changed", s.changed()},
          {"pace_first_half_cm2_per_s", json_number(s.early_cm2_per_s)},
          {"pace_second_half_cm2_per_s", json_number(s.late_cm2_per_s)},
          {"stretch_ps", s.stretch_fs * 1e-3}};
}

Json collective_json(const CollectiveDiffusion& c) {
  return {
      {"D_collective_cm2_per_s", json_number(c.D)},
      {"D_collective_std_cm2_per_s", json_number(c.std)},
      {"D_collective_interval_95_cm2_per_s", {json_number(c.interval_95[0]), json_number(c.interval_95[1])}},
      {"haven_ratio", json_number(c.haven_ratio)},
      {"haven_ratio_std", json_number(c.haven_std)}};
}

double conductivity(const MsdReport& r, double D) {
  const double ions = static_cast<double>(r.curve.n_ions) / static_cast<double>(r.n_replicas);
  return nernst_einstein_mS_per_cm(D, ions, r.options.charge_e, r.curve.mean_volume_A3,
                                   r.options.temperature_K);
}

Json conductivity_json(const MsdReport& r) {
  const auto sigma = [&](double D) { return json_number(conductivity(r, D)); };
  const Diffusion& d = r.diffusion;
  return {{"conductivity_from", "tracer D (Nernst-Einstein, no correlation between ions)"},
          {"conductivity_mS_per_cm", sigma(d.D)},
          {"conductivity_std_mS_per_cm", sigma(d.std)},
          {"conductivity_interval_95_mS_per_cm", {sigma(d.interval_95[0]), sigma(d.interval_95[1])}},
          {"conductivity_bound_mS_per_cm", sigma(d.bound)},
          {"conductivity_collective_mS_per_cm", sigma(r.collective.D)},
          {"conductivity_collective_std_mS_per_cm", sigma(r.collective.std)}};
}

/// The distance between neighbouring sites, and where it is from.
std::pair<double, std::string> jump_length(const MsdAnalysisOptions& options, double neighbour_distance_A,
                                           const MsdCurve& curve) {
  if (options.jump_length_A > 0) return {options.jump_length_A, "given"};
  constexpr double closest_sites_A = 1.5;  // nearer ions are walkers that share sites
  constexpr double much_longer = 1.75;     // a peak of ions that are few or keep to channels of their own
  const double measured = jump_length_from_displacements(curve);
  const bool other = measured > closest_sites_A && neighbour_distance_A > much_longer * measured;
  if (neighbour_distance_A > closest_sites_A && !other)
    return {neighbour_distance_A, "first peak of the mobile ions' g(r)"};
  if (measured > 0) return {measured, "how far the displacements are from Gaussian"};
  if (curve.mean_volume_A3 > 0) {
    const double ions = static_cast<double>(curve.n_ions) / static_cast<double>(curve.n_runs);
    return {std::cbrt(curve.mean_volume_A3 / ions), "volume of an ion"};
  }
  throw InputError(
      "the distance between neighbouring sites of {} is not plain from the data; give --jump-length-A",
      options.species);
}

/// MSD at the last lag that is not longer.
double msd_at(const MsdCurve& curve, double time_fs) {
  std::size_t lag = 0;
  while (lag + 1 < curve.time_fs.size() && curve.time_fs[lag + 1] <= time_fs * (1 + 1e-9)) ++lag;
  return curve.msd_A2[lag];
}

/// Species of the framework that go as far as a jump and farther with time (groups that turn, and vibration,
/// do not), if their walk as a drift of all ions is a share of the ions' own collective one that is worth a
/// word.
std::vector<std::pair<std::string, double>> moving_framework(const MsdReport& r) {
  std::vector<std::pair<std::string, double>> moving;
  if (r.options.keep_drift) return moving;
  constexpr double growth = 1.5, least_share = 0.05;
  const double end_fs = r.diffusion.window_end_fs;
  const auto of_framework = [&](const std::string& name) {
    const auto& named = r.options.framework;
    return named.empty() || std::find(named.begin(), named.end(), name) != named.end();
  };
  double n = 0, walk = 0;
  for (const MsdCurve& other : r.besides) {
    if (!of_framework(other.species)) continue;
    const double msd = msd_at(other, end_fs);
    n += static_cast<double>(other.n_ions);
    if (!(msd > 0.5 * std::pow(r.diffusion.jump_length_A, 2) && msd > growth * msd_at(other, end_fs / 4)))
      continue;
    moving.emplace_back(other.species, msd);
    walk += static_cast<double>(other.n_ions) * msd;
  }
  const double drift = n > 0 ? walk * static_cast<double>(r.n_replicas) / (n * n) : 0;  // of all ions, Å²
  const double ions = static_cast<double>(r.curve.n_ions) / static_cast<double>(r.n_replicas);
  if (!(ions * drift > least_share * msd_at(r.curve, end_fs))) moving.clear();
  // Seen from a mean that walks, what rests walks as far as that mean.
  std::erase_if(moving, [&](const auto& one) { return one.second < 2 * drift; });
  return moving;
}

std::string framework_warning(const MsdReport& r) {
  std::string list;
  for (const auto& [species, msd] : r.moving_framework)
    list += fmt::format("{}{} by {:.3g} Å²", list.empty() ? "" : ", ", species, msd);
  return fmt::format(
      "the framework is not at rest: {} (MSD at the end of the window). Its mean displacement is taken off "
      "as drift, which moves all ions alike: above all the collective D is not theirs alone. Name what stays "
      "where it is (--framework); if nothing does, the crystal melts\n",
      list);
}

MsdCurve joined(const std::vector<MsdAccumulator>& runs, const std::string& species, double interval_fs) {
  std::vector<MsdCurve> curves;
  curves.reserve(runs.size());
  for (const MsdAccumulator& run : runs) curves.push_back(run.curve(species, interval_fs));
  return curves.size() == 1 ? std::move(curves.front()) : join_replicas(curves);
}

}  // namespace

std::array<bool, 3> parse_axes(const std::string& text) {
  std::array<bool, 3> axes{};
  for (const char c : text) {
    if (c < 'x' || c > 'z' || axes[static_cast<std::size_t>(c - 'x')])
      throw InputError("axes {}: expected some of x, y and z, each once", text);
    axes[static_cast<std::size_t>(c - 'x')] = true;
  }
  if (text.empty()) throw InputError("no axes; expected some of x, y and z");
  return axes;
}

MsdAnalysis::MsdAnalysis(MsdAnalysisOptions options) : options_(std::move(options)) {
  if ((options_.charge_e != 0) != (options_.temperature_K > 0))
    throw InputError("a conductivity needs both --charge and --temperature");
  next_run();
  if (!(options_.jump_length_A > 0))
    shell_.emplace(RdfOptions{.pairs = {{options_.species, options_.species}}, .r_max_A = 7, .bin_A = 0.02});
}

void MsdAnalysis::next_run() {
  runs_.emplace_back(MsdOptions{.framework = options_.framework,
                                .mobile = {options_.species},
                                .remove_drift = !options_.keep_drift,
                                .unwrap = options_.unwrap,
                                .axes = options_.axes});
}

void MsdAnalysis::next_part() { runs_.back().next_part(); }
void MsdAnalysis::next_replica() { next_run(); }

void MsdAnalysis::add(const Frame& frame, const std::string& where) {
  runs_.back().add(frame, where);
  const std::optional<double> own = runs_.back().step_interval(), first = runs_.front().step_interval();
  if (own && first && std::abs(*own - *first) > 1e-9 * *first)
    throw InputError(
        "{}: frames {} steps apart, but {} in the first replica; expected replicas at one interval", where,
        *own, *first);
  // The first shell needs few frames.
  if (shell_ && frame.cell && (n_frames_ < 10 || n_frames_ % 100 == 0)) {
    shell_->forget_neighbors();
    shell_->add(frame, where);
  }
  ++n_frames_;
}

MsdReport MsdAnalysis::report(double frame_interval_fs) const {
  MsdReport r{.options = options_,
              .curve = joined(runs_, options_.species, frame_interval_fs),
              .besides = {},
              .diffusion = {},
              .steadiness = {},
              .collective = {},
              .moving_framework = {},
              .jump_length_from = {},
              .n_replicas = runs_.size()};
  for (const std::string& other : runs_.front().species())
    if (other != options_.species) r.besides.push_back(joined(runs_, other, frame_interval_fs));
  const bool has_shell = shell_ && shell_->n_frames() > 0;
  const double neighbour = has_shell ? shell_->curves().front().first_peak_A : std::nan("");
  DiffusionOptions settings;
  std::tie(settings.jump_length_A, r.jump_length_from) = jump_length(options_, neighbour, r.curve);
  if (options_.window_start_ps > 0) settings.window_start_fs = options_.window_start_ps * 1000;
  r.diffusion = fit_diffusion(r.curve, settings);
  r.steadiness = steadiness(r.curve);
  // Their own mean displacement is taken off: nothing collective is left to see.
  const auto& fixed = options_.framework;
  if (std::find(fixed.begin(), fixed.end(), options_.species) == fixed.end())
    r.collective = fit_collective(r.curve, r.diffusion);
  r.moving_framework = moving_framework(r);
  return r;
}

std::string MsdAnalysis::save() const {
  StateWriter writer;
  writer(n_frames_, runs_.back(), shell_);
  return writer.take();
}

void MsdAnalysis::load(std::string_view bytes) {
  StateReader reader(bytes);
  reader(n_frames_, runs_.back());
  bool has_shell = false;
  reader(has_shell);
  if (has_shell != shell_.has_value()) throw InputError("a saved state is of other options");
  if (shell_) reader(*shell_);
  reader.finish();
}

Json to_json(const MsdReport& r) {
  Json json = diffusion_json(r.diffusion);
  json.update(collective_json(r.collective));
  json["steady"] = steady_json(r.steadiness);
  json["moving_framework_msd_A2"] = Json::object();
  for (const auto& [species, msd] : r.moving_framework) json["moving_framework_msd_A2"][species] = msd;
  json["dimensions"] = r.curve.n_dimensions;
  json["species"] = r.options.species;
  json["jump_length_from"] = r.jump_length_from;
  json["n_ions"] = r.curve.n_ions;
  json["n_frames"] = r.curve.n_frames;
  json["n_replicas"] = r.n_replicas;
  json["frame_interval_fs"] = r.curve.frame_interval_fs;
  json["mean_volume_A3"] = json_number(r.curve.mean_volume_A3);
  if (r.options.charge_e != 0) json.update(conductivity_json(r));
  json["time_ps"] = times_ps(r.curve);
  json["msd_A2"] = {{r.options.species, r.curve.msd_A2}};
  json["msd_std_A2"] = spreads(r.curve);
  json["non_gaussian"] = non_gaussian(r.curve);
  for (const MsdCurve& other : r.besides) json["msd_A2"][other.species] = other.msd_A2;
  return json;
}

Columns columns(const MsdReport& r) {
  Columns table;
  table.add("time_ps", times_ps(r.curve));
  table.add(r.options.species + "_msd_A2", r.curve.msd_A2);
  table.add(r.options.species + "_msd_std_A2", spreads(r.curve));
  for (const MsdCurve& other : r.besides) table.add(other.species + "_msd_A2", other.msd_A2);
  return table;
}

std::string text(const MsdReport& r) {
  const Diffusion& d = r.diffusion;
  std::string lines = fmt::format("{} {} ions, {} frames every {:g} fs, jump length {:.3f} Å ({})\n",
                                  r.curve.n_ions, r.options.species, r.curve.n_frames,
                                  r.curve.frame_interval_fs, d.jump_length_A, r.jump_length_from);
  if (d.resolved) {
    lines += fmt::format("D = {:.3e} ± {:.1e} cm²/s, 95 %: {:.3e} … {:.3e} ({})\n", d.D, d.std,
                         d.interval_95[0], d.interval_95[1], d.reason);
    if (std::isfinite(r.collective.D))
      lines +=
          fmt::format("collective D = {:.3e} ± {:.1e} cm²/s, Haven ratio {:.2f} ± {:.2f}\n", r.collective.D,
                      r.collective.std, r.collective.haven_ratio, r.collective.haven_std);
  } else if (std::isfinite(d.bound)) {
    lines += fmt::format("D < {:.3e} cm²/s (95 %), not resolved: {}\n", d.bound, d.reason);
  } else {
    lines += fmt::format("D not resolved and no bound: {}\n", d.reason);
  }
  lines += fmt::format("{:.3g} effective hops (their count alone: ±{:.0f} %)\n", d.n_effective_hops,
                       100 * d.rsd_events);
  if (r.curve.shared_motion > 1)
    lines += fmt::format("ions move together: {} count as {:.0f} independent ones\n", r.curve.n_ions,
                         d.independent_ions);
  if (!r.moving_framework.empty()) lines += framework_warning(r);
  if (r.steadiness.changed()) lines += "not stationary: " + r.steadiness.verdict() + "\n";
  if (r.options.charge_e == 0) return lines;
  if (d.resolved) {
    lines += fmt::format("conductivity from tracer D: {:.4g} ± {:.2g} mS/cm at {:g} K\n",
                         conductivity(r, d.D), conductivity(r, d.std), r.options.temperature_K);
  } else if (std::isfinite(d.bound)) {
    lines += fmt::format("conductivity from tracer D: below {:.4g} mS/cm at {:g} K\n",
                         conductivity(r, d.bound), r.options.temperature_K);
  }
  return lines;
}

}  // namespace solion::transport
