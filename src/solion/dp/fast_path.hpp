// The Deep Potential fast: tabulated embedding nets, batched fitting nets, vectors over channels, threads
// over atoms. Theory: docs/theory/dp.md, section 4.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "solion/base/row_major.hpp"
#include "solion/dp/kernels.hpp"
#include "solion/dp/model.hpp"
#include "solion/dp/reference_path.hpp"
#include "solion/dp/tables.hpp"
#include "solion/nn/packed_network.hpp"
#include "solion/potential/potential.hpp"
#include "solion/structure/neighborhood.hpp"

namespace solion::dp {

/// Errors of the tables: far below what forces of 1e-9 relative (double) and 2e-5 eV/Å (single) need.
template <typename T>
constexpr TableBound table_bound() {
  if constexpr (sizeof(T) == sizeof(double)) {
    return {1e-12, 2e-11, 1 << 20};
  } else {
    return {1e-7, 1e-6, 1 << 15};
  }
}

/// The fitting net of a centre type for T·Σsel times itself: of the equal numbers D[k][c] = D[c][k] one
/// stands for both, row k (k < M2) from c = k on, one row behind the other.
nn::Network folded_fitting(const Model& model, int centre);

/// What the fast path keeps of a model: never changes, shared by clones and threads.
template <typename T>
struct FastModel {
  /// Makes the tables. `tabulated` stays false if a net cannot be tabulated within the bound (kinks).
  explicit FastModel(std::shared_ptr<const Model> model);
  FastModel(const FastModel&) = delete;  // pairs point into the tables
  FastModel& operator=(const FastModel&) = delete;

  struct Pair {
    bool counts = true;  ///< false: the model leaves the pair out
    bool enters = true;  ///< false: the descriptor leaves it out (a padded row gives way and nothing comes)
    int table = 0;       ///< embedding net
    PairKind<T> kind;
    /// Gᵀ·R of one padded row, [4][stride], not divided by Σsel; the rows behind the last that is not zero
    /// are left out.
    std::vector<T> padding;
  };

  /// Neighbours of type b of a centre of type a, without their table; low and high, the bounds of its net's
  /// input, widen to theirs.
  [[nodiscard]] Pair pair_of(int a, int b, std::vector<double>& low, std::vector<double>& high) const;
  /// Gives pairs what they take from the table of their net.
  void point_into_tables();

  std::shared_ptr<const Model> model;
  bool tabulated = false;
  int n_types = 0;
  int m1 = 0;      ///< channels
  int stride = 0;  ///< channels rounded up to whole vectors
  int m2 = 0;
  std::vector<Table<T>> tables;               ///< by embedding net
  std::vector<Pair> pairs;                    ///< [centre·n_types + neighbour]
  std::vector<nn::PackedNetwork<T>> fitting;  ///< by centre type, for the descriptor of kernels.hpp
  std::vector<double> bias;

  [[nodiscard]] const Pair& pair(int centre, int neighbour) const {
    return pairs[row_major(centre, neighbour, n_types)];
  }
};

/// Evaluates like `evaluate_reference`. Nothing is allocated once the buffers have grown to the system's
/// size. Results are the same every time for one number of threads; forces and virial are summed in double.
template <typename T>
class FastPath {
 public:
  explicit FastPath(std::shared_ptr<const FastModel<T>> model);
  FastPath(const FastPath& other) : FastPath(other.model_) {}
  FastPath& operator=(const FastPath&) = delete;
  FastPath(FastPath&&) noexcept;
  FastPath& operator=(FastPath&&) noexcept;
  ~FastPath();

  /// With one thread the list is asked for the neighbours of one centre at a time.
  SelExcess evaluate(const NeighborView& list, std::span<const int> types, const Request& request,
                     int threads, Evaluation& result);

 private:
  class Worker;
  /// Atoms of one type that go through the fitting net together: order_[begin…end).
  struct Block {
    int type, begin, end;
  };
  void plan(const NeighborView& list, std::span<const int> types, int threads);

  std::shared_ptr<const FastModel<T>> model_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<int> spatial_;  ///< places among the centres, near ones together; of the generation behind it
  std::uint64_t spatial_of_ = 0;
  std::vector<int> order_;  ///< centres by type
  std::vector<int> start_;  ///< [type]: first in order_
  std::vector<Block> blocks_;
};

}  // namespace solion::dp
