// Near minus far in one neutral cell, and its limit in an infinite one.
#pragma once

#include <string>
#include <vector>

#include "solion/structure/cell.hpp"

namespace solion::defects {

/// y = intercept + slope·x by least squares, with standard errors from the scatter about the line.
struct LineFit {
  double intercept = 0, slope = 0;
  double intercept_std = 0, slope_std = 0;  ///< NaN where nothing is left to tell the scatter (two points)
  double rms = 0;                           ///< of the residuals
  int points = 0;
};

/// InputError for fewer than two points, unequal lengths, or x all alike.
LineFit fit_line(const std::vector<double>& x, const std::vector<double>& y);

/// Energy (eV) of point charges (e) in a periodic cell and vacuum by Ewald sums (conducting surrounding).
/// InputError for a net charge.
double periodic_coulomb_eV(const Cell& cell, const std::vector<Vec3>& positions,
                           const std::vector<double>& charges);

/// What a cell's periodic images add to the energy of its charges, in vacuum, eV: with `keep_pairs` (defects
/// that stand together) the direct interaction at the shortest images is taken off.
double image_coulomb_eV(const Cell& cell, const std::vector<Vec3>& positions,
                        const std::vector<double>& charges, bool keep_pairs);

/// One size of cell.
struct BindingPoint {
  double length_A = 0;    ///< V^(1/3)
  double binding_eV = 0;  ///< E(far) − E(near); positive: bound
  double coulomb_eV = 0;  ///< what the images and the far pairs add to it for charges in vacuum
};

/// Binding in an infinite cell. `inverse_length`: ΔE = ΔE_∞ + c/L. `coulomb`: ΔE = ΔE_∞ + x/ε with the
/// lattice sum x of the very cells (docs/theory/defects.md, eq 4), whose slope is the inverse dielectric
/// constant that the charges feel. Of these the second knows the shape of the cell and where in it the
/// defects stand.
struct BindingLimit {
  LineFit inverse_length, coulomb;
};
BindingLimit extrapolate_binding(const std::vector<BindingPoint>& points);

/// Whether no point has charges whose images reach far; then `extrapolate_neutral_binding` holds instead.
bool without_charges(const std::vector<BindingPoint>& points);
/// ΔE = ΔE_∞ + c/L³: of defects without effective charges only the elastic interaction reaches far, and falls
/// with the volume.
LineFit extrapolate_neutral_binding(const std::vector<BindingPoint>& points);

}  // namespace solion::defects
