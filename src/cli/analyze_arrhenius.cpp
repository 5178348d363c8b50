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
void compare(const std::vector<transport::DiffusionPoint>& points, Json& json) {
  const transport::LawComparison laws = transport::compare_laws(points);
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

void run(const Options& options) {
  check_target(options.json);
  if ((options.charge_e != 0) != (options.ions_per_A3 > 0))
    throw InputError("a conductivity needs both --charge and --ions-per-A3");
  const std::vector<transport::DiffusionPoint> points = transport::read_diffusion_table(options.table);
  const transport::ArrheniusFit fit = transport::fit_arrhenius(points);
  Json json = {{"Ea_eV", fit.Ea_eV.value},
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
               {"notes", fit.notes},
               {"extrapolated", Json::array()}};
  const bool known = std::isfinite(fit.Ea_eV.error);
  fmt::print("E_a = {:.4f}{} eV, D0 = {:.3e} cm²/s{}, R² = {:.4f}, {} temperatures{}\n", fit.Ea_eV.value,
             known ? fmt::format(" ± {:.4f}", fit.Ea_eV.error) : "", fit.D0_cm2_per_s(),
             known ? fmt::format(" (ln D0 ± {:.2f})", fit.ln_D0.error) : "", fit.r2, fit.n_used,
             fit.weighted ? "" : ", weighted alike");
  for (const std::string& note : fit.notes) fmt::print("{}\n", note);
  for (const double T : options.temperatures_K) {
    const transport::Estimate ln_D = fit.ln_D_at(T);
    const double D = std::exp(ln_D.value);
    Json point = {{"T_K", T},
                  {"D_cm2_per_s", D},
                  {"D_std_cm2_per_s", json_number(D * ln_D.error)},
                  {"D_interval_68_cm2_per_s",
                   {json_number(D * std::exp(-ln_D.error)), json_number(D * std::exp(ln_D.error))}}};
    fmt::print("D({:g} K) = {:.3e} cm²/s", T, D);
    if (known) fmt::print(", 68 %: {:.3e} … {:.3e}", D * std::exp(-ln_D.error), D * std::exp(ln_D.error));
    if (options.charge_e != 0) {
      const double sigma =
          transport::nernst_einstein_mS_per_cm(D, options.ions_per_A3, options.charge_e, 1.0, T);
      point["conductivity_mS_per_cm"] = sigma;
      point["conductivity_std_mS_per_cm"] = json_number(sigma * ln_D.error);
      fmt::print(", conductivity from this D {:.4g} mS/cm", sigma);
      if (known) fmt::print(" (× or ÷ {:.3g})", std::exp(ln_D.error));
    }
    fmt::print("\n");
    json["extrapolated"].push_back(std::move(point));
  }
  compare(points, json);
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
  app.add_option("--charge", options->charge_e, "Charge of the ion (e), for the conductivity");
  app.add_option("--ions-per-A3", options->ions_per_A3, "Mobile ions per volume, for the conductivity")
      ->check(more_than_0);
  app.add_option("--json", options->json, "Write all numbers to this file");
  return [options] { run(*options); };
}

}  // namespace solion::cli
