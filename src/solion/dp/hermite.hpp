// Where in a table (tables.hpp) a number lies, and the weights of the quintic polynomials between its nodes.
#pragma once

#include "solion/base/both.hpp"

namespace solion::dp {

/// The six weights with which the rows of the nodes at both ends of an interval enter G (value) and, times
/// 1/h, dG/dx (slope); t in [0, 1] is the place in the interval.
template <typename T>
struct HermiteWeights {
  T value[6];
  T slope[6];
};

template <typename T>
SOLION_BOTH inline HermiteWeights<T> hermite(T t, T inverse_h) {
  const T t2 = t * t;
  const T t3 = t2 * t;
  const T rise = t3 * (10 - t * (15 - 6 * t));
  const T steep = 30 * t2 * (1 - t) * (1 - t) * inverse_h;
  HermiteWeights<T> w;
  w.value[0] = 1 - rise;
  w.value[1] = t - t3 * (6 - t * (8 - 3 * t));
  w.value[2] = T(0.5) * t2 * (1 - t * (3 - t * (3 - t)));
  w.value[3] = rise;
  w.value[4] = -t3 * (4 - t * (7 - 3 * t));
  w.value[5] = T(0.5) * t3 * (1 - t) * (1 - t);
  w.slope[0] = -steep;
  w.slope[1] = (1 - t2 * (18 - t * (32 - 15 * t))) * inverse_h;
  w.slope[2] = T(0.5) * t * (2 - t * (9 - t * (12 - 5 * t))) * inverse_h;
  w.slope[3] = steep;
  w.slope[4] = -t2 * (12 - t * (28 - 15 * t)) * inverse_h;
  w.slope[5] = T(0.5) * t2 * (3 - t * (8 - 5 * t)) * inverse_h;
  return w;
}

/// The interval of a number: the node at its left end, the place t in [0, 1] and 1/h.
template <typename T>
struct TablePlace {
  int node;
  T t, inverse_h;
};

/// `segments` equal segments of 1/`inverse_width` each begin at `low`; `first` and `splits` have, by segment,
/// the number of its first node and its intervals. What lies outside gets the nearest end (NaN the lower
/// one).
template <typename T, typename Node>
SOLION_BOTH inline TablePlace<T> table_place(T x, T low, T inverse_width, T segments, const Node* first,
                                             const T* splits) {
  T place = (x - low) * inverse_width;
  place = place > 0 ? (place < segments ? place : segments) : T(0);
  int segment = static_cast<int>(place);
  if (T(segment) > segments - 1) segment = static_cast<int>(segments) - 1;
  const T within = (place - T(segment)) * splits[segment];
  int interval = static_cast<int>(within);
  if (T(interval) > splits[segment] - 1) interval = static_cast<int>(splits[segment]) - 1;
  const T t = within - T(interval);
  return {static_cast<int>(first[segment]) + interval, t < 1 ? t : T(1), splits[segment] * inverse_width};
}

}  // namespace solion::dp
