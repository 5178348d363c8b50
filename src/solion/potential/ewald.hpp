// The Ewald sum of point charges in a periodic cell: its parameters, and the reciprocal part.
// Theory: docs/theory/potential.md, equations (2)–(6).
#pragma once

#include <Eigen/Core>
#include <array>
#include <span>
#include <vector>

#include "solion/structure/cell.hpp"

namespace solion {

/// erfc(αr)/r is summed over pairs up to `r_cut`, exp(−k²/4α²)/k² over wave vectors up to `k_cut`.
struct EwaldPlan {
  double alpha = 0;  ///< 1/Å
  double r_cut = 0;  ///< Å
  double k_cut = 0;  ///< 1/Å
};

/// Parameters by which both truncations leave a root-mean-square force error (Kolafa and Perram, Mol. Simul.
/// 9, 351 (1992)) of at most `accuracy` times the force between two unit charges 1 Å apart. The cutoff in
/// real space balances the time of both parts (cost ∝ N^1.5); it depends on the number of atoms and the
/// volume only, in steps of 0.5 Å, so that equal frames get equal numbers whatever came before.
/// `charge2` is Σq² (e²), `volume` in Å³. InputError if 1e-14 ≤ accuracy ≤ 1e-2 does not hold.
EwaldPlan plan_ewald(std::size_t n_atoms, double charge2, double volume, double accuracy);
/// The same with the cutoff in real space given (Å).
EwaldPlan plan_ewald(std::size_t n_atoms, double charge2, double volume, double accuracy, double r_cut);

/// The reciprocal part with the self term, for a neutral cell and a conducting surrounding. Energies come in
/// units of e²/Å: the caller multiplies by e²/(4πε₀).
class EwaldReciprocal {
 public:
  /// Per atom: energy (e²/Å) and force (e²/Å²); and the sums. Overwritten.
  struct Result {
    double energy = 0;
    Mat3 virial = Mat3::Zero();
    std::vector<double> energies;
    std::vector<Vec3> forces;
  };

  /// Positions (Å) and charges (e) of the same atoms. The numbers do not depend on `threads`.
  void evaluate(const Cell& cell, const std::vector<Vec3>& positions, const std::vector<double>& charges,
                const EwaldPlan& plan, int threads, Result& result);

 private:
  using Matrix = Eigen::MatrixXd;  // column-major: atoms are contiguous

  /// All wave vectors n1·b1 + n2·b2 + n3·b3 with |n3| ≤ m of one (n1, n2).
  struct Column {
    int n1, n2, m;
    std::size_t first;  // of its coefficients, n3 = 0…m: for +n3 and −n3
  };
  /// One share of the columns with everything that a thread writes.
  struct Share {
    Matrix phase, sums, weights, fields;  // see add_block
    Matrix atoms;                         // (n_atoms, 4): energy, reduced forces 1, 2, 3
    double energy = 0;
    Mat3 virial = Mat3::Zero();
  };
  /// The number of shares is fixed, so that sums are formed in the same order by any number of threads.
  static constexpr std::size_t n_shares = 8;
  static constexpr std::size_t block = 16;

  void choose_columns(const Cell& cell, const EwaldPlan& plan);
  void make_phases(const Cell& cell, const std::vector<Vec3>& positions);
  void add_block(std::span<const Column> columns, const Eigen::VectorXd& charges, Share& share) const;

  std::vector<Column> columns_;
  std::vector<double> plus_, minus_;  // coefficients of ±n3
  std::array<int, 3> n_max_{};
  std::array<Matrix, 3> phases_;  // (n_atoms, 2·(n_max + 1)): cos, sin of 2π·n·f, n = 0, 1, …
  std::array<Share, n_shares> shares_;
  // What the columns were chosen for.
  Mat3 cell_ = Mat3::Zero();
  Mat3 reciprocal_ = Mat3::Zero();  // rows b1, b2, b3
  double alpha_ = 0, k_cut_ = 0;
};

}  // namespace solion
