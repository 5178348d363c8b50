// Are the labels of a given system believable? They were judged by whoever made them, or by nobody.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "solion/dataset/system.hpp"

namespace solion::dataset {

/// The defaults of reference::AuditLimits, which has the reasons; a test of `learn` compares them.
inline constexpr double largest_net_force_eV_per_A_per_atom = 0.010;
inline constexpr double largest_force_eV_per_A = 30.0;
inline constexpr double largest_stress_GPa = 100.0;

/// What of the frame's labels is beyond these limits (net force, a force, a component of the stress), in
/// words; nothing if they are believable. Labels that are not there are not judged.
std::optional<std::string> implausible(const Frame& frame);

/// One warning for the system, with set and frame of the first label that is not believable and how many
/// there are. Nothing is refused: data sets of molecules, clusters and extremes are odd and right.
void warn_of_implausible(const System& system);

/// One warning for a system with arrays that no training here uses (fparam, aparam, spin, atom_pref …).
void warn_of_unused_arrays(const std::filesystem::path& folder);

}  // namespace solion::dataset
