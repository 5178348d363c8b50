// One pass over a trajectory, and the fits over temperature.
#include "solion/study/analysis.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/defects/formation.hpp"
#include "solion/study/cells.hpp"
#include "solion/transport/arrhenius.hpp"
#include "solion/transport/diffusion.hpp"
#include "solion/transport/msd.hpp"
#include "solion/transport/rdf.hpp"
#include "solion/transport/read.hpp"
#include "solion/transport/steadiness.hpp"
#include "solion/transport/temperature_laws.hpp"

namespace solion::study {
namespace {

Json msd_json(const transport::MsdCurve& curve) {
  Json time = Json::array();
  for (const double t : curve.time_fs) time.push_back(t / 1000);
  return {{"time_ps", time}, {"msd_A2", curve.msd_A2}};
}

Json diffusion_json(const transport::Diffusion& d) {
  return {{"resolved", d.resolved},
          {"reason", d.reason},
          {"D_cm2_per_s", d.D},
          {"D_std_cm2_per_s", d.std},
          {"D_bound_cm2_per_s", d.bound},
          {"jump_length_A", d.jump_length_A},
          {"window_msd_A2", d.window_msd_A2},
          {"window_start_ps", d.window_start_fs / 1000},
          {"window_end_ps", d.window_end_fs / 1000}};
}

/// Frames between two that count for g(r), which needs far fewer of them than an MSD.
constexpr std::size_t rdf_stride = 10;

Json rdf_json(const std::vector<transport::RdfCurve>& curves, std::size_t shown) {
  Json result = Json::object();
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& c = curves[i];
    result[c.pair.first + "-" + c.pair.second] = {{"r_A", c.r_A},
                                                  {"g", c.g},
                                                  {"first_peak_A", c.first_peak_A},
                                                  {"first_minimum_A", c.first_minimum_A},
                                                  {"first_coordination", c.first_coordination}};
  }
  return result;
}

/// MSD along each Cartesian axis alone.
std::vector<transport::MsdAccumulator> along_axes(const std::string& species) {
  std::vector<transport::MsdAccumulator> result;
  for (std::size_t k = 0; k < 3; ++k) {
    transport::MsdOptions options;
    options.mobile = {species};
    options.axes = {k == 0, k == 1, k == 2};
    result.emplace_back(options);
  }
  return result;
}

/// The largest MSD (Å²) of a species other than the mobile one at the end of the diffusive window: large
/// means molten.
double framework_msd(const transport::MsdAccumulator& msd, const std::string& mobile, double interval_fs,
                     double window_end_fs) {
  double largest = 0;
  for (const auto& species : msd.species()) {
    if (species == mobile) continue;
    const auto curve = msd.curve(species, interval_fs);
    for (std::size_t i = 0; i < curve.time_fs.size(); ++i) {
      if (!(curve.time_fs[i] > window_end_fs)) largest = std::max(largest, curve.msd_A2[i]);
    }
  }
  return largest;
}

}  // namespace

RdfRequest rdf_request(const Config& config) {
  const TransportConfig& t = config.transport;
  RdfRequest request;
  for (const auto& [a, b] : t.rdf_pairs) request.options.pairs.emplace_back(a, b);
  request.shown = request.options.pairs.size();
  if (config.structure.frames > 0)
    request.options.pairs.emplace_back(config.structure.centre, config.structure.ligand);
  request.options.pairs.emplace_back(t.species, t.species);
  request.options.r_max_A = t.rdf_max_A;
  request.options.bin_A = 0.05;
  return request;
}

RdfRequest annealing_request(const Config& config, const Frame& cell) {
  const StructureConfig& s = config.structure;
  RdfRequest request;
  for (const auto& [a, b] : config.transport.rdf_pairs) request.options.pairs.emplace_back(a, b);
  request.shown = request.options.pairs.size();
  const auto atoms = defects::composition(cell);
  if (s.polyhedra_named || (atoms.contains(s.centre) && atoms.contains(s.ligand)))
    request.options.pairs.emplace_back(s.centre, s.ligand);
  request.options.r_max_A = config.transport.rdf_max_A;
  request.options.bin_A = 0.05;
  return request;
}

transport::PolyhedraOptions polyhedra_options(const Config& config, double cutoff_A) {
  transport::PolyhedraOptions options;
  options.centre = config.structure.centre;
  options.ligand = config.structure.ligand;
  options.cutoff_A = cutoff_A;
  options.full = config.structure.full;
  return options;
}

Json matrix_json(const Mat3& matrix) {
  Json rows = Json::array();
  for (int k = 0; k < 3; ++k) rows.push_back({matrix(k, 0), matrix(k, 1), matrix(k, 2)});
  return rows;
}

Json analyse(const Config& config, const std::filesystem::path& trajectory, double frame_interval_fs,
             const Point& point, std::size_t n_frames) {
  const TransportConfig& t = config.transport;
  transport::MsdOptions msd_options;
  msd_options.mobile = {t.species};
  transport::MsdAccumulator msd(msd_options);
  std::vector<transport::MsdAccumulator> axes;
  if (!is_cubic(crystal_of(config).frame.cell.value())) axes = along_axes(t.species);
  const RdfRequest request = rdf_request(config);
  transport::RdfAccumulator rdf(request.options);
  transport::ReadTrajectory what;
  what.files = {trajectory};
  what.frame_interval_fs = frame_interval_fs;
  std::size_t n = 0;
  transport::for_each_frame(what, [&](const Frame& frame, const std::string& where, std::size_t) {
    if (n == n_frames) return;  // a longer run goes on
    msd.add(frame, where);
    for (auto& axis : axes) axis.add(frame, where);
    if (n++ % rdf_stride == 0) rdf.add(frame, where);
  });
  const auto curves = rdf.curves();
  const transport::MsdCurve curve = msd.curve(t.species, frame_interval_fs);
  transport::DiffusionOptions options;
  options.jump_length_A = t.jump_length_A > 0 ? t.jump_length_A : curves.back().first_peak_A;
  const transport::Diffusion d = transport::fit_diffusion(curve, options);

  Json result{
      {"diffusion", diffusion_json(d)}, {"msd", msd_json(curve)}, {"rdf", rdf_json(curves, request.shown)}};
  for (const auto& axis : axes)
    result["diffusion_axes"].push_back(
        diffusion_json(transport::fit_diffusion(axis.curve(t.species, frame_interval_fs), options)));
  result["conductivity_mS_per_cm"] =
      d.resolved ? Json(transport::nernst_einstein_mS_per_cm(d.D, static_cast<double>(curve.n_ions),
                                                             charge_of(config), curve.mean_volume_A3,
                                                             point.temperature_K))
                 : Json(nullptr);
  if (config.structure.frames > 0) {
    const double minimum = curves[request.shown].first_minimum_A;
    result["polyhedra_cutoff_A"] = json_number(minimum);
  }
  result["not_steady"] = transport::steadiness(curve).verdict();
  result["framework_msd_A2"] = framework_msd(msd, t.species, frame_interval_fs, d.window_end_fs);
  return result;
}

Json transport_key(const Config& config) {
  const TransportConfig& t = config.transport;
  return {{"version", 2},
          {"species", t.species},
          {"charge_e", charge_of(config)},
          {"jump_length_A", t.jump_length_A},
          {"rdf_pairs", t.rdf_pairs},
          {"rdf_max_A", t.rdf_max_A},
          {"polyhedra",
           config.structure.frames > 0 ? Json{config.structure.centre, config.structure.ligand} : Json()}};
}

namespace {

/// Empty, or why nothing measured in this run counts.
std::string why_unsound(const Json& point) {
  constexpr double most_off = 0.1;              // of the target: ten times what a thermostat leaves
  constexpr double most_drift_meV_per_ps = 10;  // an atom: 100 K in a ps
  const double target_K = point["temperature_K"], mean_K = point["mean_temperature_K"];
  const double drift = point["drift_meV_per_atom_per_ps"];
  if (!(std::abs(mean_K - target_K) <= most_off * target_K))
    return fmt::format("the run had {:.0f} K", mean_K);
  if (!(std::abs(drift) <= most_drift_meV_per_ps))
    return fmt::format("the conserved energy drifted by {:.2g} meV/atom/ps", drift);
  return {};
}

/// How far a jump goes: what D was judged by; where that is not stored, what the study says, or the first
/// peak of g(r) among the mobile ions.
double jump_of(const Config& config, const Json& point) {
  const TransportConfig& t = config.transport;
  const Json stored = point["diffusion"].value("jump_length_A", Json());
  if (stored.is_number()) return stored;
  if (t.jump_length_A > 0) return t.jump_length_A;
  const Json rdf = point.value("rdf", Json::object());
  const Json peak = rdf.value(t.species + "-" + t.species, Json::object()).value("first_peak_A", Json());
  constexpr double usual_A = 2.5;
  return peak.is_number() ? peak.get<double>() : usual_A;
}

/// D(T) of one structure, bounds included.
std::vector<transport::DiffusionPoint> diffusion_points(const Json& results, const std::string& structure) {
  std::vector<transport::DiffusionPoint> points;
  for (const auto& p : results) {
    if (p["structure"] != structure || p.contains("failed")) continue;
    if (p["unsound"] != "" || p["molten"]) continue;
    const Json& d = p["diffusion"];
    const bool good = d["resolved"];
    const Json& value = good ? d["D_cm2_per_s"] : d["D_bound_cm2_per_s"];
    if (!value.is_number()) continue;
    points.push_back({p["temperature_K"], value, good ? d["D_std_cm2_per_s"].get<double>() : 0.0, good});
  }
  return points;
}

/// The law drawn over the resolved temperatures, with one standard error of ln D.
Json law_curve(const transport::TemperatureLaw& law, double coldest_K, double hottest_K) {
  constexpr int steps = 40;
  Json curve{{"x", Json::array()}, {"D", Json::array()}, {"low", Json::array()}, {"high", Json::array()}};
  for (int k = 0; k <= steps; ++k) {
    const double x = 1000 / hottest_K + (1000 / coldest_K - 1000 / hottest_K) * k / steps;
    const transport::Estimate ln_D = law.ln_D_at(1000 / x);
    curve["x"].push_back(x);
    curve["D"].push_back(std::exp(ln_D.value));
    curve["low"].push_back(std::exp(ln_D.value - ln_D.error));
    curve["high"].push_back(std::exp(ln_D.value + ln_D.error));
  }
  return curve;
}

Json laws_json(const transport::LawComparison& laws, const std::vector<transport::DiffusionPoint>& resolved) {
  const transport::TemperatureLaw& best = laws.laws[laws.best];
  const auto [cold, hot] = std::minmax_element(resolved.begin(), resolved.end(),
                                               [](const auto& a, const auto& b) { return a.T_K < b.T_K; });
  Json result{{"best", best.name()},
              {"arrhenius_excluded", laws.arrhenius_excluded},
              {"decidable", laws.decidable},
              {"verdict", laws.verdict},
              {"T_s_K", json_number(best.T_s_K().value)},
              {"T_s_std_K", json_number(best.T_s_K().error)},
              {"next_T_K", json_number(laws.next_T_K)},
              {"curve", law_curve(best, cold->T_K, hot->T_K)},
              {"Ea_of_T", Json::array()}};
  for (const transport::TemperatureLaw& law : laws.laws) result["probability"][law.name()] = law.probability;
  for (const transport::DiffusionPoint& p : resolved) {
    const transport::Estimate Ea = best.Ea_at(p.T_K);
    result["Ea_of_T"].push_back({{"T_K", p.T_K}, {"Ea_eV", Ea.value}, {"Ea_std_eV", Ea.error}});
  }
  return result;
}

/// D at room temperature and where 68 % of it lie: by the line, or, where the temperatures rule it out, by
/// the law that they speak for. Null where that law has none.
Json cold_json(const transport::ArrheniusFit& fit, const transport::LawComparison& laws) {
  constexpr double T_K = 300;
  const double line = fit.ln_D_at(T_K).value, half_width = fit.ln_D_half_width_68(T_K);
  std::array<double, 3> ln_D{line - half_width, line, line + half_width};
  if (laws.arrhenius_excluded) {
    const transport::TemperatureLaw& law = laws.laws[laws.best];
    ln_D = {law.ln_D_quantile(T_K, 0.16), law.ln_D_quantile(T_K, 0.5), law.ln_D_quantile(T_K, 0.84)};
  }
  return {{"D_300K_low_cm2_per_s", json_number(std::exp(ln_D[0]))},
          {"D_300K_cm2_per_s", json_number(std::exp(ln_D[1]))},
          {"D_300K_high_cm2_per_s", json_number(std::exp(ln_D[2]))},
          {"D_300K_by", laws.laws[laws.best].name()}};
}

}  // namespace

bool is_molten(const Config& config, const Json& result) {
  const double half_square = 0.5 * std::pow(jump_of(config, result), 2);
  // Far, and not far behind: groups that only turn stay where they are while the ions go.
  constexpr double least_share = 0.3;
  const double framework = result["framework_msd_A2"];
  return framework > half_square &&
         framework > least_share * result["diffusion"]["window_msd_A2"].get<double>();
}

void judge_points(const Config& config, Json& points) {
  for (Json& p : points) {
    if (p.contains("failed")) continue;
    p["unsound"] = why_unsound(p);
    p["molten"] = is_molten(config, p);
  }
}

void judge_structures(Json& points, Json& structures) {
  for (Json& point : points) {
    for (Json& seen : structures) {
      if (seen["structure"] != point["structure"] || seen["temperature_K"] != point["temperature_K"])
        continue;
      for (const char* key : {"unsound", "molten"})
        if (point.contains(key)) seen[key] = point[key];
      if (seen.contains("without_defects")) point["without_defects"] = seen["without_defects"];
    }
  }
}

Json fit_temperatures(const Config& config, const Json& results) {
  Json fits = Json::object();
  for (const auto& structure : config.md.structures) {
    const std::vector<transport::DiffusionPoint> points = diffusion_points(results, structure);
    std::vector<transport::DiffusionPoint> resolved;
    std::copy_if(points.begin(), points.end(), std::back_inserter(resolved),
                 [](const auto& p) { return p.resolved; });
    if (resolved.size() < 3) {
      fits[structure] = {
          {"reason",
           fmt::format("D of the crystal is resolved at {} temperatures; an activation energy with an error "
                       "needs three",
                       resolved.size())}};
      continue;
    }
    const auto fit = transport::fit_arrhenius(points);
    const auto laws = transport::compare_laws(resolved);
    fits[structure] = {
        {"Ea_eV", fit.Ea_eV.value}, {"Ea_std_eV", fit.Ea_eV.error}, {"r2", fit.r2},
        {"points", fit.n_used},     {"notes", fit.notes},           {"law", laws_json(laws, resolved)}};
    fits[structure].update(cold_json(fit, laws));
  }
  return fits;
}

}  // namespace solion::study
