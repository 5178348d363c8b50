// SOAP: Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al., arXiv 2409.11321, algorithm 3).
#pragma once

#include <cstdint>
#include <vector>

#include "solion/nn/parameters.hpp"
#include "solion/nn/update_unit.hpp"

namespace solion::nn {

struct SoapSettings {
  double beta1 = 0.95;
  double beta2 = 0.95;
  double shampoo_beta = 0.9;  ///< of the averages of GGᵀ and GᵀG, which take one gradient a refresh
  double epsilon = 1e-8;
  int refresh_every = 10;         ///< steps between two improvements of the eigenvectors
  std::ptrdiff_t max_side = 256;  ///< a side of a matrix that is longer is not rotated
};

/// Every weight matrix W (n_in, n_out) gets bases of its rows and columns; biases and time steps are trained
/// by plain Adam. The whole state is public data, so that a checkpoint can keep it.
template <typename T>
struct Soap {
  SoapSettings settings;
  AlignedVector<T> first;     ///< mean rotated gradient, one a parameter
  AlignedVector<T> second;    ///< its mean square
  AlignedVector<T> bases;     ///< of each side of each matrix: the average (n, n) and the eigenvectors (n, n)
  std::uint64_t updates = 0;  ///< t

  Soap() = default;
  Soap(const std::vector<LayerLayout>& layers, std::size_t n_parameters, SoapSettings s = {});

  /// One step. The first one only fills the averages. Parameters with trained[i] = 0 keep their value (their
  /// gradient is set to 0); empty: all are trained. The order of all sums is the same for any number of
  /// threads.
  void update(double learning_rate, T* parameters, T* gradient, const std::vector<unsigned char>& trained,
              int threads);

  /// The three parts of an update. `step` moves parameters; where it says so, the bases look at the gradient
  /// (`improve`), and when all have done so, the averages are turned into them (`turn`).
  bool step(double learning_rate, T* parameters, T* gradient, const std::vector<unsigned char>& trained,
            int threads);
  void improve(const T* gradient, int threads);
  void turn(int threads);

  /// What `step` and `turn` do, in pieces that other processes may do: ranges of parameters without gaps.
  [[nodiscard]] std::vector<UpdateUnit> units() const;
  /// The same of `improve`: ranges of `bases`.
  [[nodiscard]] std::vector<UpdateUnit> bases_units() const;
  /// From now on only these are done here.
  void do_only(const std::vector<UpdateUnit>& mine, const std::vector<UpdateUnit>& my_bases);

 private:
  struct Side {
    std::ptrdiff_t n = 0;
    std::size_t at = absent;  ///< in `bases`; absent: not turned
  };
  struct Matrix {
    std::size_t w = 0;
    Side rows, columns;
  };
  /// Rows of a matrix that are moved without a look at the others: all of them where the rows are turned.
  struct Slice {
    Matrix of;
    std::ptrdiff_t begin = 0, end = 0;
    [[nodiscard]] std::size_t first() const { return of.w + static_cast<std::size_t>(begin * of.columns.n); }
  };
  struct Base {
    Matrix of;
    Side side;
    bool of_rows = false;
  };
  struct Turning;
  void add_matrix(const Matrix& matrix);
  void step_slice(const Slice& slice, double rate, T* parameters, const T* gradient);
  void turn_slice(const Slice& slice);
  void improve_base(const Base& base, const T* gradient);
  void step_plain(std::size_t begin, std::size_t end, double rate, T* parameters, const T* gradient);
  [[nodiscard]] bool bases_are_due() const {
    return updates == 1 || updates % static_cast<std::uint64_t>(settings.refresh_every) == 0;
  }

  std::vector<Slice> slices_;
  std::vector<Base> turned_;
  std::vector<std::pair<std::size_t, std::size_t>> plain_;  ///< ranges of what is no matrix
};

}  // namespace solion::nn
