// Kernel bodies that add up over the atoms of a box, in an order of its own: slices, then their sums.
#pragma once

#include "solion/gpu/block.hpp"

namespace solion::gpu {

/// So many atoms of one box at most.
struct Slice {
  int first, n, box;
};
constexpr int slice_atoms = 256;
constexpr int slice_parts = 8;  ///< of 32 atoms, one warp each

/// What is added up: columns of numbers by atom. Columns beyond a null pointer are not there.
struct AtomColumns {
  static constexpr int n = 10;
  const double* energies;  ///< 1
  const double* virials;   ///< 9
  SOLION_BOTH void add_to(std::int64_t atom, double* sums) const {
    sums[0] += energies[atom];
    for (int k = 0; k < 9; ++k) sums[k + 1] += virials[9 * atom + k];
  }
};
struct ForceColumns {
  static constexpr int n = 3;
  const double* forces;
  SOLION_BOTH void add_to(std::int64_t atom, double* sums) const {
    for (int k = 0; k < 3; ++k) sums[k] += forces[3 * atom + k];
  }
};

template <typename Columns>
struct SumSlices {
  static constexpr bool blocks = true;
  Columns columns;
  const Slice* slices;
  double* partial;  ///< [slice][Columns::n]
  [[nodiscard]] static std::size_t scratch() { return slice_parts * Columns::n * sizeof(double); }

  template <typename Block>
  SOLION_BOTH void operator()(Block& block, std::int64_t s) const {
    auto* parts = reinterpret_cast<double*>(block.memory);
    const Slice slice = slices[s];
    block.template sum_each<Columns::n, double>(
        slice_parts, slice_atoms / slice_parts,
        [&](int part, int k, double* sums) {
          const int atom = part * (slice_atoms / slice_parts) + k;
          if (atom < slice.n) columns.add_to(slice.first + atom, sums);
        },
        [&](int part, const double* sums) {
          for (int k = 0; k < Columns::n; ++k) parts[part * Columns::n + k] = sums[k];
        });
    block.for_each(Columns::n, [&](int k) {
      double sum = 0;
      for (int part = 0; part < slice_parts; ++part) sum += parts[part * Columns::n + k];
      partial[s * Columns::n + k] = sum;
    });
  }
};

/// One item a box and column: the sum of its slices, which stand together.
struct SumBoxes {
  const double* partial;
  const int* first_slice;  ///< [box], one more behind
  double* sums;            ///< [box][n]
  int n;
  SOLION_BOTH void operator()(std::int64_t item) const {
    const std::int64_t box = item / n;
    const int k = static_cast<int>(item % n);
    double sum = 0;
    for (int s = first_slice[box]; s < first_slice[box + 1]; ++s)
      sum += partial[static_cast<std::int64_t>(s) * n + k];
    sums[item] = sum;
  }
};

/// The largest of what a step must not exceed, by slice; NaN is larger than everything.
struct LargestMoves {
  static constexpr bool blocks = true;
  const Slice* slices;
  const double* back;        ///< [box][9]: into the cell that the list was made in, r' = r·back
  const double* positions;   ///< [3·atom]
  const double* built;       ///< [3·atom]
  const double* velocities;  ///< [3·atom] or null
  double* largest;           ///< [slice][3]: |r' − built|², |v|² and the atom that has it
  [[nodiscard]] static std::size_t scratch() { return slice_parts * 3 * sizeof(double); }

  template <typename Block>
  SOLION_BOTH void operator()(Block& block, std::int64_t s) const {
    auto* parts = reinterpret_cast<double*>(block.memory);
    const Slice slice = slices[s];
    block.for_each(slice_parts, [&](int part) {
      double most[3] = {0, 0, static_cast<double>(slice.first)};
      for (int k = part; k < slice.n; k += slice_parts) look(slice.first + k, back + 9 * slice.box, most);
      for (int q = 0; q < 3; ++q) parts[3 * part + q] = most[q];
    });
    block.for_each(1, [&](int /*only*/) {
      double most[3] = {parts[0], parts[1], parts[2]};
      for (int part = 1; part < slice_parts; ++part) keep(parts + 3 * part, most);
      for (int q = 0; q < 3; ++q) largest[3 * s + q] = most[q];
    });
  }

 private:
  /// True if b should take the place of a.
  static SOLION_BOTH bool more(double b, double a) { return a == a && !(b <= a); }
  static SOLION_BOTH void keep(const double* found, double* most) {
    if (more(found[0], most[0])) most[0] = found[0];
    if (more(found[1], most[1])) {
      most[1] = found[1];
      most[2] = found[2];
    }
  }
  SOLION_BOTH void look(std::int64_t atom, const double* m, double* most) const {
    const double* r = positions + 3 * atom;
    double found[3] = {0, 0, static_cast<double>(atom)};
    for (int k = 0; k < 3; ++k) {
      const double d = r[0] * m[k] + r[1] * m[3 + k] + r[2] * m[6 + k] - built[3 * atom + k];
      found[0] += d * d;
    }
    for (int k = 0; velocities != nullptr && k < 3; ++k)
      found[1] += velocities[3 * atom + k] * velocities[3 * atom + k];
    keep(found, most);
  }
};

}  // namespace solion::gpu
