// solion analyze arrhenius: activation energy of a table of D(T), and what it says at other temperatures.
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/analyze.hpp"
#include "cli/numbers.hpp"
#include "solion/base/errors.hpp"
#include "solion/transport/arrhenius.hpp"
#include "solion/transport/diffusion.hpp"
#include "solion/transport/temperature_laws.hpp"

namespace solion::cli {
namespace {

struct Options {
  std::string table;
  std::vector<double> temperatures_K{300};
  double charge_e = 0;
  double ions_per_A3 = 0;
  std::string json;
};

/// Which law the table follows, printed and added to the JSON.
void show_laws(const transport::LawComparison& laws, const std::vector<transport::DiffusionPoint>& points,
               Json& json) {
  const transport::TemperatureLaw& best = laws.laws[laws.best];
  json["best_model"] = best.name();
  json["decidable"] = laws.decidable;
  json["arrhenius_excluded"] = laws.arrhenius_excluded;
  json["verdict"] = laws.verdict;
  json["scatter_of_ln_D"] = laws.scatter;
  json["errors_given"] = laws.errors_given;
  json["errors_too_small"] = laws.errors_too_small;
  json["T_s_K"] = json_number(best.T_s_K().value);
  json["T_s_std_K"] = json_number(best.T_s_K().error);
  json["next_T_K"] = json_number(laws.next_T_K);
  json["next_information_nats"] = laws.next_information;
  json["Ea_of_T"] = Json::array();
  for (const transport::DiffusionPoint& p : points) {
    const transport::Estimate Ea = best.Ea_at(p.T_K);
    json["Ea_of_T"].push_back({{"T_K", p.T_K}, {"Ea_eV", Ea.value}, {"Ea_std_eV", Ea.error}});
  }
  fmt::print("{:<10} {:>12} {:>12}  parameters\n", "law", "ln evidence", "probability");
  for (const transport::TemperatureLaw& law : laws.laws) {
    json["evidence"][law.name()] = law.ln_evidence;
    json["probability"][law.name()] = law.probability;
    std::vector<std::string> shown;
    for (const auto& [name, estimate] : law.parameters()) {
      json["models"][law.name()][name] = {{"value", estimate.value}, {"std", estimate.error}};
      shown.push_back(fmt::format("{} {:.4g} ± {:.2g}", name, estimate.value, estimate.error));
    }
    fmt::print("{:<10} {:>12.2f} {:>12.3f}  {}\n", law.name(), law.ln_evidence, law.probability,
               fmt::join(shown, ", "));
  }
  fmt::print("{}\n", laws.verdict);
  if (std::isfinite(laws.next_T_K))
    fmt::print("one more D would tell most at {:g} K ({:.2g} nats)\n", laws.next_T_K, laws.next_information);
}

/// D at a temperature of the request, 68 % of it between low and high; NaN where not known.
struct Forecast {
  double D = std::nan("");
  double low = std::nan(""), high = std::nan("");
  double ln_error = std::nan("");
};

Forecast of_line(const transport::ArrheniusFit& fit, double T_K) {
  const transport::Estimate ln_D = fit.ln_D_at(T_K);
  const double half = fit.ln_D_half_width_68(T_K);
  return {std::exp(ln_D.value), std::exp(ln_D.value - half), std::exp(ln_D.value + half), ln_D.error};
}

/// Median and quantiles: far below the data the posterior of a bent law is far from symmetric.
Forecast of_law(const transport::TemperatureLaw& law, double T_K) {
  const double middle = law.ln_D_quantile(T_K, 0.5);
  if (!std::isfinite(middle)) return {};
  const double low = law.ln_D_quantile(T_K, 0.1587), high = law.ln_D_quantile(T_K, 0.8413);
  return {std::exp(middle), std::exp(low), std::exp(high), 0.5 * (high - low)};
}

/// What other laws that are not excluded make of D where the best one is not decided.
Json of_others(const transport::LawComparison& laws, double T_K) {
  Json others = Json::object();
  for (const transport::TemperatureLaw& law : laws.laws)
    if (&law != &laws.laws[laws.best] && law.probability > 0.05)
      others[law.name()] = json_number(of_law(law, T_K).D);
  return others;
}

/// D, and with a charge the conductivity, at one temperature: by the line unless it is ruled out.
Json extrapolate(const Options& options, const transport::ArrheniusFit& fit,
                 const transport::LawComparison& laws, double T_K) {
  const transport::TemperatureLaw& best = laws.laws[laws.best];
  const bool bent = laws.arrhenius_excluded;
  const Forecast f = bent ? of_law(best, T_K) : of_line(fit, T_K);
  Json point = {{"T_K", T_K},
                {"D_cm2_per_s", json_number(f.D)},
                {"D_std_cm2_per_s", json_number(f.D * f.ln_error)},
                {"D_interval_68_cm2_per_s", {json_number(f.low), json_number(f.high)}},
                {"extrapolated_by", best.name()}};
  fmt::print("D({:g} K) = {}{}", T_K, or_dash(f.D, "{:.3e} cm²/s"), bent ? " by " + best.name() : "");
  if (std::isfinite(f.low)) fmt::print(", 68 %: {:.3e} … {:.3e}", f.low, f.high);
  if (bent && !std::isfinite(f.D)) {
    point["note"] = fmt::format("{} has no D at {:g} K: T0 is as high", best.name(), T_K);
    fmt::print(": {}", point["note"].get<std::string>());
  }
  if (bent && !laws.decidable) {
    point["D_of_other_laws_cm2_per_s"] = of_others(laws, T_K);
    for (const auto& [name, D] : point["D_of_other_laws_cm2_per_s"].items())
      if (D.is_number()) fmt::print("; {} would say {:.3e}", name, D.get<double>());
  }
  if (options.charge_e != 0) {
    const double sigma =
        transport::nernst_einstein_mS_per_cm(f.D, options.ions_per_A3, options.charge_e, 1.0, T_K);
    point["conductivity_mS_per_cm"] = json_number(sigma);
    point["conductivity_std_mS_per_cm"] = json_number(sigma * f.ln_error);
    if (std::isfinite(sigma)) fmt::print(", conductivity from this D {:.4g} mS/cm", sigma);
    if (std::isfinite(f.low)) fmt::print(" (× or ÷ {:.3g})", std::sqrt(f.high / f.low));
  }
  fmt::print("\n");
  return point;
}

/// What the line says of itself.
Json line_json(const transport::ArrheniusFit& fit, const std::vector<std::string>& notes) {
  return {{"Ea_eV", fit.Ea_eV.value},
          {"Ea_std_eV", json_number(fit.Ea_eV.error)},
          {"D0_cm2_per_s", fit.D0_cm2_per_s()},
          {"ln_D0", fit.ln_D0.value},
          {"ln_D0_std", json_number(fit.ln_D0.error)},
          {"covariance_Ea_ln_D0", json_number(fit.covariance(0, 1))},
          {"r2", fit.r2},
          {"chi2_per_dof", json_number(fit.chi2_per_dof)},
          {"weighted", fit.weighted},
          {"errors_too_small_for_line", fit.errors_too_small},
          {"n_used", fit.n_used},
          {"n_temperatures", fit.n_temperatures},
          {"notes", notes},
          {"extrapolated", Json::array()}};
}

void show_line(const transport::ArrheniusFit& fit) {
  const bool known = std::isfinite(fit.Ea_eV.error);
  const std::string rows = fit.n_used == fit.n_temperatures ? "" : fmt::format("{} D at ", fit.n_used);
  fmt::print("E_a = {:.4f}{} eV, D0 = {:.3e} cm²/s{}, R² = {:.4f}, {}{} temperatures{}\n", fit.Ea_eV.value,
             known ? fmt::format(" ± {:.4f}", fit.Ea_eV.error) : "", fit.D0_cm2_per_s(),
             known ? fmt::format(" (ln D0 ± {:.2f})", fit.ln_D0.error) : "", fit.r2, rows, fit.n_temperatures,
             fit.weighted ? "" : ", weighted alike");
}

/// The line; a message names the table.
transport::ArrheniusFit fit_table(const std::string& table,
                                  const std::vector<transport::DiffusionPoint>& points) {
  if (points.empty())
    throw InputError("{}: no D below the header; at least two temperatures are needed", table);
  try {
    return transport::fit_arrhenius(points);
  } catch (const InputError& error) {
    throw InputError("{}: {}", table, error.what());
  }
}

void run(const Options& options) {
  check_target(options.json);
  if ((options.charge_e != 0) != (options.ions_per_A3 > 0))
    throw InputError("a conductivity needs both --charge and --ions-per-A3");
  std::vector<std::string> notes;
  const std::vector<transport::DiffusionPoint> points =
      transport::read_diffusion_table(options.table, &notes);
  const transport::ArrheniusFit fit = fit_table(options.table, points);
  const transport::LawComparison laws = transport::compare_laws(points);
  const std::string by = laws.laws[laws.best].name();
  notes.insert(notes.end(), fit.notes.begin(), fit.notes.end());
  if (laws.arrhenius_excluded)
    notes.push_back(fmt::format("a single line is ruled out: E_a and D0 are its own, D(T) that of {}", by));
  Json json = line_json(fit, notes);
  json["extrapolated_by"] = by;
  show_line(fit);
  for (const std::string& note : notes) fmt::print("{}\n", note);
  for (const double T : options.temperatures_K)
    json["extrapolated"].push_back(extrapolate(options, fit, laws, T));
  show_laws(laws, points, json);
  if (!options.json.empty()) write_json(options.json, json);
}

}  // namespace

std::function<void()> setup_analyze_arrhenius(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option(
         "table", options->table,
         "CSV with the columns T_K, D_cm2_per_s and, if known, D_std_cm2_per_s, resolved, D_bound_cm2_per_s")
      ->required();
  app.add_option("--temperature", options->temperatures_K, "Temperatures (K) to say D at")
      ->capture_default_str()
      ->check(more_than_0);
  app.add_option("--charge", options->charge_e, "Charge of the ion (e), for the conductivity")
      ->check(finite_number);
  app.add_option("--ions-per-A3", options->ions_per_A3, "Mobile ions per volume, for the conductivity")
      ->check(more_than_0);
  app.add_option("--json", options->json, "Write all numbers to this file");
  return [options] { run(*options); };
}

}  // namespace solion::cli
