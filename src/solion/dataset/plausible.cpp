// Labels against the limits of the audit.
#include "solion/dataset/plausible.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "solion/base/constants.hpp"
#include "solion/base/log.hpp"
#include "solion/io/gather.hpp"

namespace solion::dataset {
namespace {

/// "DIR/set.001, frame 3": the place of a frame of the system, counted as NumPy does.
std::string place_of(const System& system, std::size_t frame) {
  for (const Set& set : system.sets) {
    if (frame < set.n_frames) return fmt::format("{}, frame {}", set.path.string(), frame);
    frame -= set.n_frames;
  }
  return fmt::format("{}, frame {}", system.path.string(), frame);
}

}  // namespace

std::optional<std::string> implausible(const Frame& frame) {
  const Labels& labels = frame.labels;
  Vec3 sum = Vec3::Zero();
  for (std::size_t i = 0; i < labels.forces_eV_per_A.size(); ++i) {
    const Vec3& f = labels.forces_eV_per_A[i];
    sum += f;
    if (!(f.norm() <= largest_force_eV_per_A)) {
      return fmt::format("the force on atom {} ({}) is {:.4g} eV/Å; at most {} is plausible", i + 1,
                         frame.element(i), f.norm(), largest_force_eV_per_A);
    }
  }
  const double net = sum.norm() / static_cast<double>(frame.n_atoms());
  if (!(net <= largest_net_force_eV_per_A_per_atom)) {
    return fmt::format("the forces sum to {:.4g} eV/Å per atom; at most {} is plausible", net,
                       largest_net_force_eV_per_A_per_atom);
  }
  if (!labels.virial_eV || !frame.cell) return std::nullopt;
  const double stress =
      labels.virial_eV->cwiseAbs().maxCoeff() / frame.cell->volume() * constants::eV_per_A3_in_GPa;
  if (!(stress <= largest_stress_GPa)) {
    return fmt::format(
        "a component of the stress (virial over volume) is {:.4g} GPa; at most {} is plausible", stress,
        largest_stress_GPa);
  }
  return std::nullopt;
}

void warn_of_implausible(const System& system) {
  std::size_t n = 0;
  std::string first;
  for (std::size_t f = 0; f < system.frames.size(); ++f) {
    const auto problem = implausible(system.frames[f]);
    if (problem && n++ == 0) first = fmt::format("{}: {}", place_of(system, f), *problem);
  }
  if (n == 0) return;
  log().warn("{}{}", first,
             n == 1 ? "; taken as it is"
                    : fmt::format("; so or similar in {} of {} frames of this system, taken as they are", n,
                                  system.frames.size()));
}

void warn_of_unused_arrays(const std::filesystem::path& folder) {
  if (const auto names = io::arrays_beside_frames(folder); !names.empty())
    log().warn("{}: arrays that are not used: {}", folder.string(), fmt::join(names, ", "));
}

}  // namespace solion::dataset
