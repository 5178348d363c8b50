// A linear least-squares problem of as many unknowns as there are types.
#include "solion/train/bias_refit.hpp"

#include <Eigen/Dense>

namespace solion::train {

std::vector<double> bias_correction(std::span<const EnergyResidual> frames, int n_types) {
  const auto rows = static_cast<Eigen::Index>(frames.size());
  Eigen::MatrixXd shares = Eigen::MatrixXd::Zero(rows, n_types);
  Eigen::VectorXd lacking(rows);
  for (Eigen::Index f = 0; f < rows; ++f) {
    const EnergyResidual& frame = frames[static_cast<std::size_t>(f)];
    double n = 0;
    for (const int count : frame.atoms) n += count;
    for (int t = 0; t < n_types; ++t) shares(f, t) = frame.atoms[static_cast<std::size_t>(t)] / n;
    lacking[f] = frame.lacking_eV / n;
  }
  if (rows == 0) return std::vector<double>(static_cast<std::size_t>(n_types), 0.0);
  // Compositions that differ by rounding alone are no information.
  Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> solver;
  solver.setThreshold(1e-8);
  const Eigen::VectorXd b = solver.compute(shares).solve(lacking);
  return {b.data(), b.data() + b.size()};
}

}  // namespace solion::train
