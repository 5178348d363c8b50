// Deep Potential models with random weights, and frames to evaluate them on.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "solion/base/random.hpp"
#include "solion/dp/model.hpp"
#include "solion/structure/frame.hpp"

namespace solion::testing {

struct ModelRecipe {
  int n_types = 3;
  std::vector<int> embedding{8, 16, 32};
  int axis = 4;
  std::vector<int> fitting{24, 24};
  bool type_one_side = true;
  bool resnet_dt = false;
  bool bias = true;  ///< of the embedding layers
  double rcut = 4.0;
  double rcut_smth = 1.0;
  int sel = 30;
  nn::Activation activation = nn::Activation::tanh;
  std::uint64_t seed = 1;
};

inline nn::Network random_network(int n_in, const std::vector<int>& widths, bool fitting,
                                  const ModelRecipe& recipe, RandomStream& random) {
  nn::Network network;
  const auto row = [&](int n, double mean, double deviation) {
    nn::Row<double> values(n);
    for (Eigen::Index k = 0; k < n; ++k) values[k] = mean + deviation * random.normal();
    return values;
  };
  const auto add = [&](int n_out, nn::Activation activation, bool resnet, bool bias) {
    nn::Layer layer;
    layer.w.resize(n_in, n_out);
    for (Eigen::Index k = 0; k < layer.w.size(); ++k)
      layer.w.data()[k] = random.normal() / std::sqrt(n_in + n_out);
    if (bias) layer.b = row(n_out, 0, 0.5);
    layer.activation = activation;
    layer.resnet = resnet;
    if (recipe.resnet_dt && layer.skip() != 0) layer.idt = row(n_out, 0.3, 0.05);
    network.layers.push_back(std::move(layer));
    n_in = n_out;
  };
  for (const int n : widths) add(n, recipe.activation, true, fitting || recipe.bias);
  if (fitting) add(1, nn::Activation::linear, false, true);
  return network;
}

/// Every part non-trivial: means and deviations by pair of types, biases, networks.
inline dp::Model random_model(const ModelRecipe& recipe = {}) {
  static const std::vector<std::string> names{"Li", "O", "Cl", "S", "P", "Na", "K", "F", "Br", "I"};
  RandomStream random(recipe.seed, "model");
  dp::Model model;
  const auto n = static_cast<std::size_t>(recipe.n_types);
  model.type_map = TypeMap({names.begin(), names.begin() + recipe.n_types});
  dp::Descriptor& d = model.descriptor;
  d.rcut = recipe.rcut;
  d.rcut_smth = recipe.rcut_smth;
  d.axis_neuron = recipe.axis;
  d.type_one_side = recipe.type_one_side;
  for (std::size_t b = 0; b < n; ++b) d.sel.push_back(recipe.sel + static_cast<int>(b));
  for (std::size_t k = 0; k < n * n; ++k) {
    const double mean = 0.1 + 0.05 * random.uniform();
    const double radial = 0.15 + 0.05 * random.uniform();
    const double angular = 0.1 + 0.05 * random.uniform();
    d.normalisation.push_back({{mean, 0, 0, 0}, {radial, angular, angular, angular}});
  }
  const std::size_t n_nets = recipe.type_one_side ? n : n * n;
  for (std::size_t k = 0; k < n_nets; ++k)
    d.embedding.push_back(random_network(1, recipe.embedding, false, recipe, random));
  for (std::size_t a = 0; a < n; ++a) {
    model.fitting.push_back(
        random_network(recipe.embedding.back() * recipe.axis, recipe.fitting, true, recipe, random));
    model.bias_atom_e.push_back(random.normal());
    model.out_bias.push_back(random.normal());
    model.out_std.push_back(1 + 0.1 * random.normal());
  }
  return model;
}

/// `n` atoms of the first `n_types` types, at least `closest` apart, in a triclinic cell of `density`
/// atoms/Å³.
inline Frame random_frame(int n, int n_types, std::uint64_t seed = 1, double density = 0.08,
                          double closest = 1.2) {
  static const std::vector<std::string> names{"Li", "O", "Cl", "S", "P", "Na", "K", "F", "Br", "I"};
  RandomStream random(seed, "frame");
  const double a = std::cbrt(n / density);
  Mat3 h;
  h << a, 0, 0, 0.2 * a, a, 0, -0.1 * a, 0.15 * a, a;
  Frame frame;
  frame.cell = Cell(h);
  while (static_cast<int>(frame.n_atoms()) < n) {
    const Vec3 r = frame.cell->to_cartesian(Vec3(random.uniform(), random.uniform(), random.uniform()));
    bool free = true;
    for (const Vec3& other : frame.positions)
      free = free && frame.cell->minimum_image(r - other).norm() > closest;
    if (free) frame.add_atom(names[random.below(static_cast<std::size_t>(n_types))], r);
  }
  return frame;
}

}  // namespace solion::testing
