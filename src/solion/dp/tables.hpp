// Embedding nets as tables: piecewise quintic Hermite polynomials of their one input, with controlled error.
// Theory: docs/theory/dp.md, section 4.
#pragma once

#include <vector>

#include "solion/base/aligned.hpp"
#include "solion/dp/hermite.hpp"
#include "solion/nn/network.hpp"

namespace solion::dp {

/// G(x) and its first two derivatives by x at one x: three rows of n_out values. Exact, in double.
nn::Matrix<double> embedding_jet(const nn::Network& network, double x);

/// What a table must reach, relative to the largest |G| and |dG/dx| of the net on the range.
struct TableBound {
  double value = 0;
  double slope = 0;
  int finest = 0;  ///< give up where intervals would have to be shorter than 1/finest of the range
};

/// A net tabulated on [low, high]: equal segments, and in each as many equal intervals as the net needs
/// there. A node holds three rows of `stride` channels (zeros behind the last channel): G, h·G', h²·G'' with
/// the h of its segment; at a border each segment has its own. Between two nodes the polynomial of degree 5
/// that has these values is used: G is C² everywhere, and the tabulated dG/dx is exactly the derivative of
/// the tabulated G.
template <typename T>
struct Table {
  T low = 0;
  T inverse_width = 0;    ///< of a segment
  std::vector<T> first;   ///< [segment]: number of its first node
  std::vector<T> splits;  ///< [segment]: its intervals
  int intervals = 0;      ///< of all segments; 0: the net has no table that reaches the bound
  int stride = 0;
  double value_error = 0;  ///< largest errors found between the nodes, relative as in TableBound
  double slope_error = 0;
  AlignedVector<T> nodes;

  [[nodiscard]] int segments() const { return static_cast<int>(first.size()); }
  [[nodiscard]] const T* node(int k) const {
    return nodes.data() + static_cast<std::ptrdiff_t>(k) * 3 * stride;
  }
};

/// Splits the range until both bounds hold at the quarters of every interval, into the number of segments (a
/// power of two) that takes least memory. `intervals` stays 0 if an interval would have to be shorter than
/// the bound allows (a net with kinks: relu, relu6).
template <typename T>
Table<T> make_table(const nn::Network& network, double low, double high, int stride, const TableBound& bound);

}  // namespace solion::dp
