// Statistics, duplicates and the stratified split.
#include "solion/dataset/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"
#include "solion/structure/compare.hpp"

namespace solion::dataset {
namespace {

struct Range {
  double least = std::numeric_limits<double>::infinity();
  double largest = -std::numeric_limits<double>::infinity();
  void add(double x) {
    least = std::min(least, x);
    largest = std::max(largest, x);
  }
  void write(double& low, double& high) const {
    if (least <= largest) {
      low = least;
      high = largest;
    }
  }
};

struct Sums {
  Range energy, volume, pressure;
  double force_squares = 0;
  std::size_t force_components = 0;
};

void add(const Frame& frame, Statistics& s, Sums& sums) {
  const auto n = static_cast<double>(frame.n_atoms());
  ++s.n_frames;
  s.n_atoms += frame.n_atoms();
  if (frame.cell) sums.volume.add(frame.cell->volume() / n);
  if (frame.labels.energy_eV) {
    ++s.n_energies;
    sums.energy.add(*frame.labels.energy_eV / n);
  }
  if (frame.labels.virial_eV) {
    ++s.n_virials;
    if (frame.cell)
      sums.pressure.add(frame.labels.virial_eV->trace() / (3.0 * frame.cell->volume()) *
                        constants::eV_per_A3_in_GPa);
  }
  if (!frame.labels.forces_eV_per_A.empty()) ++s.n_forces;
  for (const Vec3& f : frame.labels.forces_eV_per_A) {
    sums.force_squares += f.squaredNorm();
    sums.force_components += 3;
    s.force_max_eV_per_A = std::max(s.force_max_eV_per_A, f.cwiseAbs().maxCoeff());
  }
}

void finish(Statistics& s, const Sums& sums) {
  sums.energy.write(s.energy_min_eV_per_atom, s.energy_max_eV_per_atom);
  sums.volume.write(s.volume_min_A3_per_atom, s.volume_max_A3_per_atom);
  sums.pressure.write(s.pressure_min_GPa, s.pressure_max_GPa);
  if (sums.force_components > 0)
    s.force_rms_eV_per_A = std::sqrt(sums.force_squares / static_cast<double>(sums.force_components));
}

}  // namespace

Statistics statistics(const System& system) {
  Statistics s;
  Sums sums;
  s.name = system.name;
  if (!system.frames.empty()) s.formula = system.frames.front().formula();
  for (const Frame& frame : system.frames) add(frame, s, sums);
  finish(s, sums);
  return s;
}

Statistics summary(const std::vector<System>& systems) {
  Statistics s;
  Sums sums;
  s.name = "all";
  for (const System& system : systems) {
    for (const Frame& frame : system.frames) add(frame, s, sums);
  }
  finish(s, sums);
  return s;
}

Json to_json(const Statistics& s) {
  return Json{{"name", s.name},
              {"formula", s.formula},
              {"n_frames", s.n_frames},
              {"n_atoms", s.n_atoms},
              {"energy_min_eV_per_atom", s.energy_min_eV_per_atom},
              {"energy_max_eV_per_atom", s.energy_max_eV_per_atom},
              {"force_rms_eV_per_A", s.force_rms_eV_per_A},
              {"force_max_eV_per_A", s.force_max_eV_per_A},
              {"volume_min_A3_per_atom", s.volume_min_A3_per_atom},
              {"volume_max_A3_per_atom", s.volume_max_A3_per_atom},
              {"pressure_min_GPa", s.pressure_min_GPa},
              {"pressure_max_GPa", s.pressure_max_GPa},
              {"n_energies", s.n_energies},
              {"n_forces", s.n_forces},
              {"n_virials", s.n_virials}};
}

std::vector<std::pair<std::size_t, std::size_t>> duplicates(const System& system, double tolerance_A) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < system.frames.size(); ++i) {
    for (std::size_t j = i + 1; j < system.frames.size(); ++j) {
      if (same_configuration(system.frames[i], system.frames[j], tolerance_A)) pairs.emplace_back(i, j);
    }
  }
  return pairs;
}

Split split(const std::vector<System>& systems, double fraction, std::uint64_t seed) {
  if (!(fraction >= 0 && fraction <= 1))
    throw InputError("the fraction of validation frames is {}; expected 0 to 1", fraction);
  std::map<std::string, std::vector<FrameId>> by_structure;
  for (std::size_t s = 0; s < systems.size(); ++s) {
    for (std::size_t f = 0; f < systems[s].frames.size(); ++f)
      by_structure[structure_of(systems[s], f)].push_back({s, f});
  }
  Split result;
  for (auto& [structure, ids] : by_structure) {
    RandomStream random(seed, "split " + structure);
    for (std::size_t i = ids.size(); i > 1; --i) std::swap(ids[i - 1], ids[random.below(i)]);
    const auto n = static_cast<std::ptrdiff_t>(std::lround(fraction * static_cast<double>(ids.size())));
    result.validation.insert(result.validation.end(), ids.begin(), ids.begin() + n);
    result.training.insert(result.training.end(), ids.begin() + n, ids.end());
  }
  const auto before = [](const FrameId& a, const FrameId& b) {
    return a.system != b.system ? a.system < b.system : a.frame < b.frame;
  };
  std::sort(result.training.begin(), result.training.end(), before);
  std::sort(result.validation.begin(), result.validation.end(), before);
  return result;
}

}  // namespace solion::dataset
