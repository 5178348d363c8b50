// The settings file of `solion label`, and what becomes of the frames that fail.
#pragma once

#include <filesystem>
#include <span>

#include "solion/reference/label.hpp"

namespace solion::reference {

/// What a settings file (TOML) says; every key is optional:
///
///     code = "gpaw"                      # must be the code asked for
///     template = "gpaw.py.in"            # beside this file; the built-in one otherwise
///     program = "/usr/bin/python3"
///     launcher = ["mpirun", "-np", "2"]
///     time_limit_min = 60
///     pressure_correction_GPa = 1.6
///     shear_correction_eV = [0, 0, 0]    # of each atom: yz, xz, xy
///     [virial_correction_eV]             # of each atom of the element
///     O = 0.5
///     [kpoints]                          # either, or
///     points = [0.25, 0.25, 0.25]        # three numbers a point
///     widths_A = [6.5, 9.5]              # of the cells that they are for
///     angle_deg = 6
///     spacing_per_A = 0.25
///     [environment]
///     OMP_NUM_THREADS = "1"
///     [audit]                            # names of AuditLimits
///     net_force_eV_per_A_per_atom = 0.01
///     check_stress = true                # against a volume change, once for these settings
///     [audit.valence_electrons]
///     Li = 1
///     [executor]                         # executor.hpp
struct LabelSettings {
  Settings settings;
  LabelOptions options;
  bool check_stress = false;
};

LabelSettings default_settings(const Calculator& code);
/// InputError with file, line and key for what is wrong or unknown.
LabelSettings read_settings(const std::filesystem::path& file, const Calculator& code);

/// The template from a file instead.
void use_template(Settings& settings, const std::filesystem::path& file);

/// The k-point (¼,¼,¼) of the 40-atom cell, if no settings give k-points. InputError if a frame's cell is not
/// of about that size (faces 6.5 to 9.5 Å apart), for which this one point would be a silent error.
void choose_kpoints(Settings& settings, std::span<const Frame> frames);

/// Keeps a frame that failed: folder/<key>/frame.xyz and reason.json. What a frame that passes now had there
/// is removed by `release`.
void quarantine(const std::filesystem::path& folder, const Frame& frame, const Failure& failure);
void release(const std::filesystem::path& folder, const std::string& key);

}  // namespace solion::reference
