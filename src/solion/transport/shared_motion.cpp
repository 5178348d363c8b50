// Correlations of displacements against those of the same ones shifted in time.
#include "solion/transport/shared_motion.hpp"

#include <cmath>

#include "solion/base/random.hpp"

namespace solion::transport {
namespace {

/// Pairs of ions that are looked at: some ions with all others.
constexpr Eigen::Index most_pairs = 1000000;
constexpr int shifts = 24;

/// One row an ion: its displacements along each axis, stretch after stretch.
Eigen::MatrixXd rows_of(const std::vector<Eigen::ArrayX3d>& stretches) {
  Eigen::MatrixXd rows(stretches.front().rows(), 3 * static_cast<Eigen::Index>(stretches.size()));
  for (std::size_t s = 0; s < stretches.size(); ++s)
    rows.middleCols(3 * static_cast<Eigen::Index>(s), 3) = stretches[s].matrix();
  return rows;
}

/// Σ_{i≠j} (C_ij − ⟨C_ij⟩)²/Σ_i C_ii² without what chance adds, of rows with n numbers that are not all 0; i
/// is every `stride`th ion, j all of them.
double excess(const Eigen::MatrixXd& rows, double n, Eigen::Index stride) {
  const Eigen::Index sampled = (rows.rows() + stride - 1) / stride;
  Eigen::MatrixXd some(sampled, rows.cols());
  for (Eigen::Index k = 0; k < sampled; ++k) some.row(k) = rows.row(k * stride);
  const Eigen::MatrixXd products = some * rows.transpose();
  const Eigen::VectorXd own = some.rowwise().squaredNorm();
  const double diagonal = own.squaredNorm();
  const double by_chance = (own.sum() * rows.squaredNorm() - diagonal) / n;
  const auto pairs = static_cast<double>(sampled * (rows.rows() - 1));
  const double common = (products.sum() - own.sum()) / pairs;
  return ((products.squaredNorm() - diagonal - by_chance) / (1 - 1 / n) - pairs * common * common) / diagonal;
}

/// Each ion's stretches in their order from another one on, so that ions have nothing to do with each other.
Eigen::MatrixXd shifted(const Eigen::MatrixXd& rows, RandomStream& random) {
  Eigen::MatrixXd result(rows.rows(), rows.cols());
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    const auto by = 3 * static_cast<Eigen::Index>(random.below(static_cast<std::size_t>(rows.cols() / 3)));
    result.row(i) << rows.row(i).tail(rows.cols() - by), rows.row(i).head(by);
  }
  return result;
}

}  // namespace

double shared_motion(const std::vector<Eigen::ArrayX3d>& stretches) {
  if (stretches.size() < 3 || stretches.front().rows() < 2) return 1;
  const Eigen::MatrixXd rows = rows_of(stretches);
  const auto axes = (stretches.front() != 0).colwise().any().count();
  if (axes == 0) return 1;
  const double n = static_cast<double>(axes) * static_cast<double>(stretches.size());
  const Eigen::Index stride = 1 + rows.rows() * rows.rows() / most_pairs;
  RandomStream random(1, "ions that move by themselves");
  Eigen::ArrayXd chance(shifts);
  for (double& value : chance) value = excess(shifted(rows, random), n, stride);
  const double deviation = std::sqrt((chance - chance.mean()).square().sum() / (shifts - 1));
  // Two ions that were shifted alike are as they were.
  const double apart = 1 - 1 / static_cast<double>(stretches.size());
  const double found = excess(rows, n, stride) - chance.mean();
  return found > 3 * deviation ? 1 + found / apart : 1;
}

}  // namespace solion::transport
