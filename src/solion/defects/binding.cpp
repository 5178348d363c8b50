// Lines through few points, and the Coulomb energy of the defects' own charges.
#include "solion/defects/binding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/potential/buckingham.hpp"

namespace solion::defects {

LineFit fit_line(const std::vector<double>& x, const std::vector<double>& y) {
  if (x.size() < 2 || x.size() != y.size())
    throw InputError("line through {} and {} values; expected two or more points", x.size(), y.size());
  const auto n = static_cast<double>(x.size());
  double mean_x = 0, mean_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / n;
    mean_y += y[i] / n;
  }
  double xx = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  if (!(xx > 1e-20 * n * (1 + mean_x * mean_x)))
    throw InputError("line: all points stand at x = {:.6g}", mean_x);
  LineFit fit;
  fit.points = static_cast<int>(x.size());
  fit.slope = xy / xx;
  fit.intercept = mean_y - fit.slope * mean_x;
  double squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double left = y[i] - fit.intercept - fit.slope * x[i];
    squares += left * left;
  }
  fit.rms = std::sqrt(squares / n);
  const double variance = x.size() > 2 ? squares / (n - 2) : std::numeric_limits<double>::quiet_NaN();
  fit.slope_std = std::sqrt(variance / xx);
  fit.intercept_std = std::sqrt(variance * (1 / n + mean_x * mean_x / xx));
  return fit;
}

double periodic_coulomb_eV(const Cell& cell, const std::vector<Vec3>& positions,
                           const std::vector<double>& charges) {
  if (positions.empty() || positions.size() != charges.size())
    throw InputError("{} positions with {} charges", positions.size(), charges.size());
  // The rigid-ion potential without its short range; one type a charge, under any element's name.
  static const std::vector<std::string> names{"H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne"};
  BuckinghamModel model;
  Frame frame;
  frame.cell = cell;
  std::map<double, int> type;
  for (std::size_t i = 0; i < charges.size(); ++i) {
    const auto [entry, is_new] = type.try_emplace(charges[i], static_cast<int>(type.size()));
    if (is_new) {
      if (type.size() > names.size()) throw InputError("more than {} different charges", names.size());
      model.charges.push_back(charges[i]);
      (void)model.type_map.find_or_add(names[type.size() - 1]);
    }
    frame.add_atom(names[static_cast<std::size_t>(entry->second)], positions[i]);
  }
  model.pairs.resize(type.size() * type.size());
  model.closest_A = 1e-3;
  return Buckingham(model).evaluate(frame, {.forces = false, .virial = false}).energy;
}

double image_coulomb_eV(const Cell& cell, const std::vector<Vec3>& positions,
                        const std::vector<double>& charges, bool keep_pairs) {
  double energy = periodic_coulomb_eV(cell, positions, charges);
  if (!keep_pairs) return energy;
  for (std::size_t i = 0; i < positions.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      energy -= constants::coulomb_eV_A * charges[i] * charges[j] /
                cell.minimum_image(positions[i] - positions[j]).norm();
  return energy;
}

BindingLimit extrapolate_binding(const std::vector<BindingPoint>& points) {
  std::vector<double> inverse, sums, energies;
  for (const BindingPoint& p : points) {
    inverse.push_back(1 / p.length_A);
    sums.push_back(p.coulomb_eV);
    energies.push_back(p.binding_eV);
  }
  return {fit_line(inverse, energies), fit_line(sums, energies)};
}

bool without_charges(const std::vector<BindingPoint>& points) {
  return std::all_of(points.begin(), points.end(),
                     [](const BindingPoint& p) { return std::abs(p.coulomb_eV) < 1e-9; });
}

LineFit extrapolate_neutral_binding(const std::vector<BindingPoint>& points) {
  std::vector<double> inverse, energies;
  for (const BindingPoint& p : points) {
    inverse.push_back(std::pow(p.length_A, -3));
    energies.push_back(p.binding_eV);
  }
  return fit_line(inverse, energies);
}

}  // namespace solion::defects
