// Opening an analytic potential from its TOML file.
#pragma once

#include <filesystem>
#include <memory>

#include "solion/potential/potential.hpp"

namespace solion {

/// The potential of a file with `kind = "buckingham"` or `kind = "lennard-jones"`. InputError for a missing
/// file, another kind, unknown keys and impossible values.
/// `charged_cells`: rigid ions take cells with a net charge whatever `net_charge` in the file says.
std::unique_ptr<Potential> potential_from_toml(const std::filesystem::path& path, bool charged_cells = false);

}  // namespace solion
