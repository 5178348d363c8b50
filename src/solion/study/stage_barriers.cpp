// Migration barriers of every distinct hop into a vacancy of the mobile ion.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"
#include "solion/defects/barrier.hpp"
#include "solion/defects/formation.hpp"
#include "solion/defects/hop_network.hpp"
#include "solion/defects/vacancy_hops.hpp"
#include "solion/study/cells.hpp"

namespace solion::study {
namespace {

/// The crystal at the cell that the model gives it.
defects::HopLattice relaxed_lattice(const Config& config, Potential& potential) {
  const Crystal crystal = crystal_of(config);
  relax::RelaxOptions tight;
  tight.force_eV_per_A = tight.stress_GPa = 2e-3;
  const defects::Reference relaxed = defects::relax_reference(potential, crystal.frame, tight);
  defects::HopLattice lattice{crystal.frame, find_symmetry(crystal.frame),
                              diagonal(config.barriers.supercell)};
  lattice.unit.cell = relaxed.frame.cell;
  lattice.unit.positions = relaxed.frame.positions;
  return lattice;
}

Json profile_json(const relax::PathProfile& profile) {
  constexpr int steps = 60;
  Json curve{{"s_A", Json::array()},
             {"energy_eV", Json::array()},
             {"images_A", profile.coordinate_A},
             {"images_eV", profile.energy_eV}};
  for (int k = 0; k <= steps; ++k) {
    const double s = profile.coordinate_A.back() * k / steps;
    curve["s_A"].push_back(s);
    curve["energy_eV"].push_back(profile.at(s));
  }
  return curve;
}

Json climb(const Context& context, const defects::VacancyHop& hop, const Potential& potential,
           const Json& model, const std::filesystem::path& folder) {
  defects::BarrierOptions options;
  options.images = context.config.barriers.images;
  options.band.threads = context.options.threads;
  defects::BarrierRun run;
  run.path_file = folder / fmt::format("hop-{}-{}.xyz", hop.from + 1, hop.to + 1);
  run.potential_identity = model["hash"];
  Json result{{"distance_A", hop.distance_A},
              {"per_vacancy", hop.per_vacancy},
              {"formula", hop.initial.formula()},
              {"from_site", hop.from + 1},
              {"to_site", hop.to + 1}};
  try {
    const auto own = potential.clone();
    const defects::Barrier barrier = defects::find_barrier(*own, hop.initial, hop.final_frame, options, run);
    result["forward_eV"] = barrier.neb.forward_eV;
    result["backward_eV"] = barrier.neb.backward_eV;
    result["converged"] = barrier.neb.band.converged;
    result["intermediate_minima"] = barrier.neb.intermediate_minima;
    result["profile"] = profile_json(barrier.neb.profile);
    if (!barrier.ends_hold()) result["moved_at_ends"] = barrier.moved_at_ends;
  } catch (const Interrupted&) {
    throw;
  } catch (const std::exception& error) {
    log().warn("hop {} to {}: {}", hop.from + 1, hop.to + 1, error.what());
    result["failed"] = error.what();
  }
  return result;
}

}  // namespace

Json find_barriers(const Context& context, const Json& model) {
  const Config& config = context.config;
  const BarriersConfig& b = config.barriers;
  const Json inputs{{"model", model["hash"]},   {"crystal", crystal_key(config, {})},
                    {"supercell", b.supercell}, {"within_A", b.within_A},
                    {"images", b.images},       {"species", config.transport.species}};
  const auto climb_all = [&] {
    const std::filesystem::path folder = context.folder("barriers", inputs);
    const auto potential = open_model(context, model, "double", true);
    const defects::HopLattice lattice = relaxed_lattice(config, *potential);
    const std::string& species = config.transport.species;
    const double within = b.within_A > 0 ? b.within_A : defects::nearest_hops_A(lattice, species);
    Json hops = Json::array();
    double net_charge_e = 0;
    for (const defects::VacancyHop& hop : defects::crystal_hops(lattice, species, within)) {
      net_charge_e = defects::net_charge_e(*potential, hop.initial);
      hops.push_back(climb(context, hop, *potential, model, folder));
    }
    Json result{{"within_A", within},
                {"supercell", b.supercell},
                {"hops", hops},
                {"dimensions", defects::hop_dimensions(lattice.unit, species, within)},
                {"within_for_three_A", defects::within_for_three_A(lattice.unit, species)}};
    if (std::abs(net_charge_e) > 1e-6) result["net_charge_e"] = net_charge_e;
    return result;
  };
  // What failed is tried again by the next call; until then the ledger says so.
  return context.once_or_again(
      "barriers", config.transport.species, inputs, climb_all, [](const Json& known) {
        const Json& hops = known["hops"];
        return std::any_of(hops.begin(), hops.end(), [](const Json& hop) { return hop.contains("failed"); });
      });
}

}  // namespace solion::study
