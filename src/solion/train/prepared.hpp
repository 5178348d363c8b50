// A labelled frame made ready for training: its neighbours in the order in which the sums run.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion::train {

/// Atoms, pairs within the cutoff and labels of one frame. Pairs are ordered by centre atom, then by
/// neighbour type: those of atom i and type b are offset[i·n_types + b] … offset[i·n_types + b + 1].
template <typename T>
struct Prepared {
  int n_atoms = 0;
  std::vector<int> types;             ///< the model's type of each atom
  std::vector<std::uint32_t> offset;  ///< n_atoms·n_types + 1
  std::vector<int> neighbour;         ///< of each pair: the atom of the frame that it ends at
  std::vector<T> vector;              ///< of each pair: r_ij = r_j − r_i, Å (3 numbers)
  bool has_energy = false;
  bool has_forces = false;
  bool has_virial = false;
  double energy = 0;               ///< eV
  std::vector<double> forces;      ///< eV/Å, 3 an atom
  std::array<double, 9> virial{};  ///< eV

  [[nodiscard]] std::size_t n_pairs() const { return neighbour.size(); }
};

/// Finds the neighbours within `cutoff` (Å). InputError that starts with `where` for an element that the map
/// does not know and for atoms at the same place.
template <typename T>
Prepared<T> prepare(const Frame& frame, const TypeMap& type_map, double cutoff, const std::string& where);

}  // namespace solion::train
