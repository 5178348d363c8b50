// A Deep Potential (DeepPot-SE, se_e2_a, energy) as data: what a model file holds and every path evaluates.
// Theory: docs/theory/dp.md; Zhang et al., NeurIPS 2018 (arXiv 1805.09003).
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "solion/base/input.hpp"
#include "solion/base/row_major.hpp"
#include "solion/nn/network.hpp"
#include "solion/structure/types.hpp"

namespace solion::dp {

/// Mean and standard deviation of the four columns (s, s·x/r, s·y/r, s·z/r) of the environment matrix of a
/// centre type, for one neighbour type.
struct Normalisation {
  std::array<double, 4> mean{0, 0, 0, 0};
  std::array<double, 4> deviation{1, 1, 1, 1};
};

struct Descriptor {
  double rcut = 6.0;       ///< Å
  double rcut_smth = 0.5;  ///< Å
  std::vector<int> sel;    ///< by neighbour type: pads and divides, never cuts (see docs/theory/dp.md)
  int axis_neuron = 16;
  bool type_one_side = true;
  double env_protection = 0.0;  ///< Å, added to r in the denominators of the environment matrix
  bool set_davg_zero = false;   ///< training leaves `mean` at zero
  bool trainable = true;        ///< training may change the embedding nets
  std::set<std::pair<int, int>> exclude_types;  ///< both orders are stored
  std::vector<Normalisation> normalisation;     ///< [centre·n_types + neighbour]
  /// type_one_side: [neighbour]; otherwise [centre + neighbour·n_types], as DeePMD-kit's NetworkCollection.
  std::vector<nn::Network> embedding;
  bool single_precision =
      false;  ///< the file's `precision`; the reference path computes in double either way

  [[nodiscard]] int sel_total() const {
    int n = 0;
    for (const int s : sel) n += s;
    return n;
  }
};

struct Model {
  TypeMap type_map;
  Descriptor descriptor;
  std::vector<nn::Network> fitting;  ///< by centre type: descriptor (M1·M2) → 1
  std::vector<double> bias_atom_e;   ///< eV by type
  std::vector<double> out_bias;      ///< eV by type; the energy of an atom is net(D) + bias_atom_e + out_bias
  std::vector<double> out_std;       ///< carried through the file, not applied to the energy
  std::set<int> atom_exclude_types;
  std::set<std::pair<int, int>> pair_exclude_types;  ///< both orders are stored
  bool fitting_single_precision = false;
  std::vector<bool> fitting_trainable;  ///< by layer of a fitting net; empty: all
  double min_nbor_dist = 0;             ///< Å, as found in the training data
  Json definition;  ///< DeePMD-kit's `model_def_script` (descriptor, fitting_net, type_map)
  Json provenance;  ///< ours: how it was trained; kept under a name that DeePMD-kit ignores

  [[nodiscard]] int n_types() const { return type_map.size(); }
  [[nodiscard]] const nn::Network& embedding(int centre, int neighbour) const {
    const int index = descriptor.type_one_side ? neighbour : centre + neighbour * n_types();
    return descriptor.embedding[static_cast<std::size_t>(index)];
  }
  [[nodiscard]] const Normalisation& normalisation(int centre, int neighbour) const {
    return descriptor.normalisation[row_major(centre, neighbour, n_types())];
  }
  [[nodiscard]] Eigen::Index n_embedding() const { return descriptor.embedding.front().n_out(); }
};

}  // namespace solion::dp
