// solion analyze arrhenius: activation energy of a table of D(T), and what it says at other temperatures.
#include <cmath>

#include "cli/analyze.hpp"
#include "solion/base/errors.hpp"
#include "solion/transport/arrhenius.hpp"
#include "solion/transport/diffusion.hpp"

namespace solion::cli {
namespace {

struct Options {
  std::string table;
  std::vector<double> temperatures_K{300};
  double charge_e = 0;
  double ions_per_A3 = 0;
  std::string json;
};

void run(const Options& options) {
  check_target(options.json);
  if ((options.charge_e != 0) != (options.ions_per_A3 > 0))
    throw InputError("a conductivity needs both --charge and --ions-per-A3");
  const transport::ArrheniusFit fit =
      transport::fit_arrhenius(transport::read_diffusion_table(options.table));
  Json json = {{"Ea_eV", fit.Ea_eV.value},
               {"Ea_std_eV", number(fit.Ea_eV.error)},
               {"D0_cm2_per_s", fit.D0_cm2_per_s()},
               {"ln_D0", fit.ln_D0.value},
               {"ln_D0_std", number(fit.ln_D0.error)},
               {"covariance_Ea_ln_D0", number(fit.covariance(0, 1))},
               {"r2", fit.r2},
               {"chi2_per_dof", number(fit.chi2_per_dof)},
               {"weighted", fit.weighted},
               {"n_used", fit.n_used},
               {"notes", fit.notes},
               {"extrapolated", Json::array()}};
  fmt::print("E_a = {:.4f} ± {:.4f} eV, D0 = {:.3e} cm²/s (ln D0 ± {:.2f}), R² = {:.4f}, {} temperatures{}\n",
             fit.Ea_eV.value, fit.Ea_eV.error, fit.D0_cm2_per_s(), fit.ln_D0.error, fit.r2, fit.n_used,
             fit.weighted ? "" : ", weighted alike");
  for (const std::string& note : fit.notes) fmt::print("{}\n", note);
  for (const double T : options.temperatures_K) {
    const transport::Estimate ln_D = fit.ln_D_at(T);
    const double D = std::exp(ln_D.value);
    Json point = {
        {"T_K", T},
        {"D_cm2_per_s", D},
        {"D_std_cm2_per_s", number(D * ln_D.error)},
        {"D_interval_68_cm2_per_s", {number(D * std::exp(-ln_D.error)), number(D * std::exp(ln_D.error))}}};
    fmt::print("D({:g} K) = {:.3e} cm²/s, 68 %: {:.3e} … {:.3e}", T, D, D * std::exp(-ln_D.error),
               D * std::exp(ln_D.error));
    if (options.charge_e != 0) {
      const double sigma =
          transport::nernst_einstein_mS_per_cm(D, options.ions_per_A3, options.charge_e, 1.0, T);
      point["conductivity_mS_per_cm"] = sigma;
      point["conductivity_std_mS_per_cm"] = number(sigma * ln_D.error);
      fmt::print(", conductivity from this D {:.4g} mS/cm (× or ÷ {:.3g})", sigma, std::exp(ln_D.error));
    }
    fmt::print("\n");
    json["extrapolated"].push_back(std::move(point));
  }
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
      ->check(CLI::PositiveNumber);
  app.add_option("--charge", options->charge_e, "Charge of the ion (e), for the conductivity");
  app.add_option("--ions-per-A3", options->ions_per_A3, "Mobile ions per volume, for the conductivity")
      ->check(CLI::PositiveNumber);
  app.add_option("--json", options->json, "Write all numbers to this file");
  return [options] { run(*options); };
}

}  // namespace solion::cli
