// Rows of ions, and the permutation test over them.
#include "solion/study/ions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "solion/base/files.hpp"
#include "solion/structure/neighborhood.hpp"
#include "solion/transport/ion_table.hpp"

namespace solion::study {
namespace {

std::vector<std::size_t> atoms_of(const Frame& frame, const std::string& element) {
  std::vector<std::size_t> atoms;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (frame.element(i) == element) atoms.push_back(i);
  }
  return atoms;
}

/// For each atom: ligands of the least coordinated centre within the cutoff, NaN with none there.
std::vector<double> least_coordination(const Frame& frame, const StructureConfig& s, double cutoff_A) {
  std::vector<double> least(frame.n_atoms(), std::nan(""));
  if (!std::isfinite(cutoff_A)) return least;
  Neighborhood near;
  near.build(frame, cutoff_A, 0);
  for (int centre = 0; centre < near.n_local(); ++centre) {
    if (frame.element(static_cast<std::size_t>(centre)) != s.centre) continue;
    std::vector<std::size_t> ligands;
    for (const int j : near.neighbors(centre)) {
      const auto atom = static_cast<std::size_t>(near.owner(j));
      if (frame.element(atom) == s.ligand) ligands.push_back(atom);
    }
    const auto n = static_cast<double>(ligands.size());
    for (const std::size_t atom : ligands) {
      if (!(least[atom] <= n)) least[atom] = n;
    }
  }
  return least;
}

std::vector<double> energies(const Frame& frame, const std::vector<std::size_t>& ions, Potential& model) {
  const Evaluation result = model.evaluate(frame, {.forces = false, .atomic_energies = true});
  std::vector<double> values;
  values.reserve(ions.size());
  for (const std::size_t i : ions)
    values.push_back(result.atomic_energies.empty() ? std::nan("") : result.atomic_energies[i]);
  double mean = 0;
  for (const double e : values) mean += e / static_cast<double>(values.size());
  for (double& e : values) e -= mean;
  return values;
}

std::vector<transport::IonRow> rows_of(const Config& config, const IonTableInput& in, Potential& model,
                                       std::size_t n_ions) {
  const double window = config.structure.hop_window_ps * 1000 / config.md.frame_interval_fs;
  std::vector<transport::IonRow> rows;
  for (std::size_t f = 0; f < std::min(in.relaxed.size(), in.sites.size()); ++f) {
    const std::size_t now = f * in.every;
    if (static_cast<double>(now) + window >= static_cast<double>(in.n_frames)) break;
    const std::vector<std::size_t> ions = atoms_of(in.relaxed[f], config.transport.species);
    const std::vector<double> energy = energies(in.relaxed[f], ions, model);
    const std::vector<double> coordination = least_coordination(in.relaxed[f], config.structure, in.cutoff_A);
    for (std::size_t k = 0; k < n_ions; ++k) {
      const long site = in.sites[f][k];
      const double channel =
          f < in.widest.size() && site >= 0 ? in.widest[f][static_cast<std::size_t>(site)] : std::nan("");
      const bool hops = std::any_of(in.hops[k].begin(), in.hops[k].end(), [&](std::size_t at) {
        return at > now && static_cast<double>(at - now) <= window;
      });
      rows.push_back({now, k, energy[k], coordination[ions[k]], channel, hops});
    }
  }
  return rows;
}

}  // namespace

Json ion_table(const Config& config, const IonTableInput& in, Potential& model,
               const std::filesystem::path& csv) {
  const std::size_t n_ions = in.hops.size();
  const std::vector<transport::IonRow> rows = rows_of(config, in, model, n_ions);
  std::string text = "frame,ion,energy_eV,coordination,channel_A,hops\n";
  for (const transport::IonRow& r : rows)
    text += fmt::format("{},{},{:.6g},{:g},{:.4g},{}\n", r.frame, r.ion, r.energy_eV, r.coordination,
                        r.channel_A, r.hops ? 1 : 0);
  write_file(csv, text);
  Json result = Json::array();
  if (rows.empty()) return result;  // the run is shorter than the window
  for (const transport::HopCorrelation& c : transport::correlate_with_hops(rows, n_ions, 1999, config.seed))
    result.push_back({{"property", c.property},
                      {"hopping", json_number(c.mean_hopping)},
                      {"staying", json_number(c.mean_staying)},
                      {"n_hopping", c.n_hopping},
                      {"n_staying", c.n_staying},
                      {"p_value", json_number(c.p_value)}});
  return result;
}

}  // namespace solion::study
