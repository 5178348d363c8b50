// Sums over neighbours, then invariants, then moments over atoms.
#include "solion/learn/fingerprint.hpp"

#include <algorithm>
#include <cmath>
#include <span>

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

/// Gaussians whose neighbours overlap at half of their height, from 1 Å (nothing is nearer) to the cutoff.
struct RadialBasis {
  explicit RadialBasis(const FingerprintOptions& options)
      : cutoff(options.cutoff_A), n(options.n_radial), step((options.cutoff_A - 1.0) / options.n_radial) {}
  double cutoff;
  int n;
  double step;
  double width = step / std::sqrt(2 * std::log(2.0));

  [[nodiscard]] double value(int k, double r) const {
    const double z = (r - 1.0 - (k + 0.5) * step) / width;
    return std::exp(-0.5 * z * z);
  }
  [[nodiscard]] double fade(double r) const { return 0.5 * (1 + std::cos(constants::pi * r / cutoff)); }
};

/// What an atom sees of a neighbour at d, by function; `moments` has the neighbour's element.
void add_neighbor(const RadialBasis& basis, const Vec3& d, std::span<Moments> moments) {
  const double r = d.norm();
  if (!(r < basis.cutoff) || !(r > 0)) return;
  const double fade = basis.fade(r);
  const Vec3 unit = d / r;
  const Mat3 outer = unit * unit.transpose() - Mat3::Identity() / 3.0;
  for (int k = 0; k < basis.n; ++k) {
    const double f = fade * basis.value(k, r);
    Moments& m = moments[static_cast<std::size_t>(k)];
    m.scalar += f;
    m.vector += f * unit;
    m.tensor += f * outer;
  }
}

/// Mean and deviation over the atoms of each element.
class ByElement {
 public:
  ByElement(Eigen::Index per_atom, int n_elements)
      : sum_(Eigen::MatrixXd::Zero(per_atom, n_elements)), squares_(sum_), n_(n_elements) {
    n_.setZero();
  }
  void add(int element, const Eigen::VectorXd& x) {
    sum_.col(element) += x;
    squares_.col(element) += x.cwiseAbs2();
    n_[element] += 1;
  }
  /// Zeros for an element that no atom has.
  [[nodiscard]] Eigen::VectorXd numbers() const {
    const Eigen::Index per_atom = sum_.rows();
    Eigen::VectorXd result = Eigen::VectorXd::Zero(2 * sum_.size());
    for (Eigen::Index a = 0; a < n_.size(); ++a) {
      if (n_[a] == 0) continue;
      const Eigen::VectorXd mean = sum_.col(a) / n_[a];
      result.segment(2 * a * per_atom, per_atom) = mean;
      result.segment((2 * a + 1) * per_atom, per_atom) =
          (squares_.col(a) / n_[a] - mean.cwiseAbs2()).cwiseMax(0.0).cwiseSqrt();
    }
    return result;
  }

 private:
  Eigen::MatrixXd sum_, squares_;
  Eigen::VectorXd n_;
};

}  // namespace

Eigen::VectorXd fingerprint(const Frame& frame, const TypeMap& elements, const FingerprintOptions& options) {
  const std::vector<int> to = frame.type_map.to(elements);
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (to[static_cast<std::size_t>(frame.types[i])] < 0)
      throw InputError("{} is not among the elements of the descriptor", frame.element(i));
  }
  const RadialBasis basis(options);
  Neighborhood list;
  list.build(frame, options.cutoff_A, 0.0);
  const auto element_of = [&](int atom) {
    return to[static_cast<std::size_t>(frame.types[static_cast<std::size_t>(list.owner(atom))])];
  };
  std::vector<Moments> moments(row_major(elements.size(), 0, basis.n));
  Eigen::VectorXd x(static_cast<Eigen::Index>(moments.size()) * n_ranks);
  ByElement all(x.size(), elements.size());
  for (int i = 0; i < list.n_local(); ++i) {
    std::ranges::fill(moments, Moments{});
    for (const int j : list.neighbors(i))
      add_neighbor(basis, list.position(j) - list.position(i),
                   std::span(moments).subspan(row_major(element_of(j), 0, basis.n)));
    for (std::size_t k = 0; k < moments.size(); ++k) {
      const auto at = static_cast<Eigen::Index>(k) * n_ranks;
      x[at] = moments[k].scalar;
      x[at + 1] = moments[k].vector.norm();
      x[at + 2] = moments[k].tensor.norm();
    }
    all.add(element_of(i), x);
  }
  return all.numbers();
}

}  // namespace solion::learn
