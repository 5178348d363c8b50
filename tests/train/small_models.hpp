// Small random models and frames for the tests of room train.
#pragma once

#include <algorithm>
#include <vector>

#include "solion/base/random.hpp"
#include "solion/dp/model.hpp"
#include "solion/structure/frame.hpp"

namespace solion::train::testing {

struct ModelKind {
  const char* name = "";
  bool type_one_side = true;
  bool resnet_dt = true;
  bool zero_mean = false;
  bool exclude = false;
  nn::Activation activation = nn::Activation::tanh;
  int axis = 2;  ///< 8 and 16 have loops of their own
};

inline nn::Network random_network(const std::vector<int>& widths, bool fitting, const ModelKind& kind,
                                  RandomStream& random) {
  nn::Network network;
  for (std::size_t l = 1; l < widths.size(); ++l) {
    const bool last = fitting && l + 1 == widths.size();
    nn::Layer layer;
    layer.activation = last ? nn::Activation::linear : kind.activation;
    layer.resnet = !last;
    const int n_in = widths[l - 1];
    const int n_out = widths[l];
    layer.w = nn::Matrix<double>::NullaryExpr(n_in, n_out, [&] { return random.normal() * 0.6; });
    layer.b = nn::Row<double>::NullaryExpr(n_out, [&] { return random.normal() * 0.5; });
    if (kind.resnet_dt && !last && layer.skip() > 0) {
      layer.idt = nn::Row<double>::NullaryExpr(n_out, [&] { return 0.5 + 0.2 * random.normal(); });
    }
    network.layers.push_back(layer);
  }
  return network;
}

/// Types O and H, cutoff 3.5 Å, embedding 3-6 (3-axis for a wider axis), fitting 5-5.
inline dp::Model random_model(const ModelKind& kind, std::uint64_t seed) {
  RandomStream random(seed, "random model");
  dp::Model model;
  model.type_map = TypeMap({"O", "H"});
  dp::Descriptor& d = model.descriptor;
  d.rcut = 3.5;
  d.rcut_smth = 1.0;
  d.sel = {7, 9};  // fewer than some atoms have, more than others
  d.axis_neuron = kind.axis;
  d.type_one_side = kind.type_one_side;
  for (int k = 0; k < 4; ++k) {
    dp::Normalisation norm;
    // DeePMD's statistics give the first column a mean alone; the formula holds for any.
    if (!kind.zero_mean) norm.mean = {0.1 + 0.02 * k, 0.01, -0.02, 0.015};
    norm.deviation = {0.2 + 0.03 * k, 0.25, 0.22, 0.27};
    d.normalisation.push_back(norm);
  }
  if (kind.exclude) d.exclude_types = {{0, 1}, {1, 0}};
  for (int k = 0; k < (kind.type_one_side ? 2 : 4); ++k) {
    d.embedding.push_back(random_network({1, 3, std::max(6, kind.axis)}, false, kind, random));
  }
  for (int a = 0; a < 2; ++a)
    model.fitting.push_back(
        random_network({std::max(6, kind.axis) * kind.axis, 5, 5, 1}, true, kind, random));
  model.bias_atom_e = {-3.0, 1.5};
  model.out_bias = {0.25, 0.0};
  model.out_std = {1.0, 1.0};
  return model;
}

/// n atoms at random places of the cell (or of a box of its size without one), no two closer than 0.8 Å to
/// each other's nearest image, with labels of every kind.
inline Frame random_frame(int n, const Mat3& h, bool periodic, std::uint64_t seed) {
  RandomStream random(seed, "random frame");
  const Cell cell(h);
  Frame frame;
  frame.type_map = TypeMap({"H", "O"});  // another order than the model's
  if (periodic) frame.cell = cell;
  while (static_cast<int>(frame.n_atoms()) < n) {
    const Vec3 r = cell.to_cartesian(Vec3(random.uniform(), random.uniform(), random.uniform()));
    bool free = true;
    for (const Vec3& other : frame.positions) free = free && cell.minimum_image(r - other).norm() > 0.8;
    if (free) frame.add_atom(frame.n_atoms() % 3 == 0 ? "O" : "H", r);
  }
  frame.labels.energy_eV = -2.0 + random.normal();
  for (int i = 0; i < n; ++i) {
    frame.labels.forces_eV_per_A.emplace_back(random.normal(), random.normal(), random.normal());
  }
  Mat3 virial;
  for (int k = 0; k < 9; ++k) virial(k / 3, k % 3) = random.normal();
  frame.labels.virial_eV = Mat3((virial + virial.transpose()) / 2);
  return frame;
}

/// Systems of different size: a triclinic cell smaller than the cutoff, a free cluster, a larger cell.
inline std::vector<Frame> mixed_frames() {
  Mat3 small;
  small << 2.6, 0, 0, 0.4, 2.9, 0, -0.3, 0.5, 3.1;
  Mat3 large;
  large << 5.2, 0, 0, 0.8, 5.0, 0, 0.2, -0.6, 4.7;
  return {random_frame(3, small, true, 1), random_frame(4, small * 1.4, false, 2),
          random_frame(19, large, true, 3)};
}

}  // namespace solion::train::testing
