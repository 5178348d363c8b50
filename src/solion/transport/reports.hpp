// What the analyses say as JSON, as a table and as printed lines, wherever their frames came from.
#pragma once

#include <string>
#include <vector>

#include "solion/transport/columns.hpp"
#include "solion/transport/density.hpp"
#include "solion/transport/hop_profile.hpp"
#include "solion/transport/rdf.hpp"
#include "solion/transport/van_hove.hpp"

namespace solion::transport {

/// `curves` from one accumulator, at least one.
Json rdf_json(const std::vector<RdfCurve>& curves, double bin_A);
Columns rdf_columns(const std::vector<RdfCurve>& curves);
std::string rdf_text(const std::vector<RdfCurve>& curves);

/// Without the distinct part where it was not counted.
Json van_hove_json(const std::vector<VanHoveCurve>& curves, const VanHoveOptions& options);
Columns van_hove_columns(const std::vector<VanHoveCurve>& curves, const VanHoveOptions& options);
std::string van_hove_text(const std::vector<VanHoveCurve>& curves);

/// A density and, with a temperature above 0 K, the free energy to cross the cell.
struct DensityReport {
  std::string species;
  std::size_t n_frames = 0;
  Grid grid;  ///< ions per Å³
  double temperature_K = 0;
  Percolation barrier_eV;
};
DensityReport report(const DensityAccumulator& density, double temperature_K);
Json to_json(const DensityReport& report);
Columns columns(const DensityReport& report);
std::string text(const DensityReport& report);

/// A list of profiles; null where there is no number.
Json to_json(const std::vector<HopProfile>& profiles);
Columns columns(const std::vector<HopProfile>& profiles);
/// A line for each.
std::string text(const std::vector<HopProfile>& profiles);

}  // namespace solion::transport
