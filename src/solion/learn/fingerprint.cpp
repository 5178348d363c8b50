// Sums over neighbours, then invariants, then moments over atoms.
#include "solion/learn/fingerprint.hpp"

#include <cmath>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/row_major.hpp"
#include "solion/structure/neighborhood.hpp"

namespace solion::learn {
namespace {

/// Σ f_n(r) times 1, r̂ and r̂r̂ᵀ − 1/3 of the neighbours of one element.
struct Moments {
  double scalar = 0;
  Vec3 vector = Vec3::Zero();
  Mat3 tensor = Mat3::Zero();
};

constexpr int n_ranks = 3;

}  // namespace

Eigen::VectorXd fingerprint(const Frame& frame, const TypeMap& elements, const FingerprintOptions& options) {
  const std::vector<int> to = frame.type_map.to(elements);
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (to[static_cast<std::size_t>(frame.types[i])] < 0)
      throw InputError("{} is not among the elements of the descriptor", frame.element(i));
  }
  const int n_elements = elements.size();
  const int n_radial = options.n_radial;
  const Eigen::Index per_atom = static_cast<Eigen::Index>(n_elements) * n_radial * n_ranks;
  // Gaussians whose neighbours overlap at half of their height, from 1 Å (nothing is nearer) to the cutoff.
  const double step = (options.cutoff_A - 1.0) / n_radial;
  const double width = step / std::sqrt(2 * std::log(2.0));

  Neighborhood list;
  list.build(frame, options.cutoff_A, 0.0);
  const auto element_of = [&](int atom) {
    return to[static_cast<std::size_t>(frame.types[static_cast<std::size_t>(list.owner(atom))])];
  };
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(per_atom, n_elements);
  Eigen::MatrixXd squares = sum;
  Eigen::VectorXd n = Eigen::VectorXd::Zero(n_elements);
  std::vector<Moments> moments(row_major(n_elements, 0, n_radial));
  Eigen::VectorXd x(per_atom);
  for (int i = 0; i < list.n_local(); ++i) {
    std::fill(moments.begin(), moments.end(), Moments{});
    for (const int j : list.neighbors(i)) {
      const Vec3 d = list.position(j) - list.position(i);
      const double r = d.norm();
      if (!(r < options.cutoff_A) || !(r > 0)) continue;
      const double fade = 0.5 * (1 + std::cos(constants::pi * r / options.cutoff_A));
      const Vec3 unit = d / r;
      const Mat3 outer = unit * unit.transpose() - Mat3::Identity() / 3.0;
      for (int k = 0; k < n_radial; ++k) {
        const double z = (r - 1.0 - (k + 0.5) * step) / width;
        const double f = fade * std::exp(-0.5 * z * z);
        Moments& m = moments[row_major(element_of(j), k, n_radial)];
        m.scalar += f;
        m.vector += f * unit;
        m.tensor += f * outer;
      }
    }
    for (std::size_t k = 0; k < moments.size(); ++k) {
      const auto at = static_cast<Eigen::Index>(k) * n_ranks;
      x[at] = moments[k].scalar;
      x[at + 1] = moments[k].vector.norm();
      x[at + 2] = moments[k].tensor.norm();
    }
    const int a = element_of(i);
    sum.col(a) += x;
    squares.col(a) += x.cwiseAbs2();
    n[a] += 1;
  }
  Eigen::VectorXd result = Eigen::VectorXd::Zero(2 * per_atom * n_elements);
  for (int a = 0; a < n_elements; ++a) {
    if (n[a] == 0) continue;
    const Eigen::VectorXd mean = sum.col(a) / n[a];
    result.segment(2 * a * per_atom, per_atom) = mean;
    result.segment((2 * a + 1) * per_atom, per_atom) =
        (squares.col(a) / n[a] - mean.cwiseAbs2()).cwiseMax(0.0).cwiseSqrt();
  }
  return result;
}

}  // namespace solion::learn
