// Statistics of the training data and random initial weights.
#include "solion/train/initial_model.hpp"

#include <fmt/ranges.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"
#include "solion/base/random.hpp"
#include "solion/dp/environment.hpp"

namespace solion::train {
namespace {

nn::Network random_network(const std::vector<int>& widths, bool fitting, nn::Activation activation, bool idt,
                           RandomStream random) {
  nn::Network network;
  for (std::size_t l = 1; l < widths.size(); ++l) {
    const bool last = fitting && l + 1 == widths.size();
    nn::Layer layer;
    layer.activation = last ? nn::Activation::linear : activation;
    layer.resnet = !last;
    const int n_in = widths[l - 1];
    const int n_out = widths[l];
    const double scale = 1 / std::sqrt(static_cast<double>(n_in + n_out));
    layer.w.resize(n_in, n_out);
    for (double& w : layer.w.reshaped<Eigen::RowMajor>()) w = scale * random.normal();
    layer.b.resize(n_out);
    for (double& b : layer.b) b = random.normal();
    if (idt && !last && layer.skip() > 0) {
      layer.idt.resize(n_out);
      for (double& d : layer.idt) d = 0.1 + 0.001 * random.normal();
    }
    network.layers.push_back(std::move(layer));
  }
  return network;
}

/// Mean and deviation of numbers of which only count, sum and sum of squares are kept.
struct Moments {
  double n = 0;
  double sum = 0;
  double square = 0;

  [[nodiscard]] double mean() const { return n > 0 ? sum / n : 0; }
  [[nodiscard]] double deviation() const {
    if (n == 0) return 0.1;
    return std::max(std::sqrt(std::max(0.0, square / n - mean() * mean())), 0.01);
  }
};

/// Elements of a wide type map, for later data: their parameters stay about as they are made.
void warn_of_unseen(const std::vector<bool>& seen, const dp::Model& model) {
  std::vector<std::string> unseen;
  for (std::size_t t = 0; t < seen.size(); ++t)
    if (!seen[t]) unseen.push_back(model.type_map.names()[t]);
  if (!unseen.empty())
    log().warn("no atom of {} in the training data: the model knows the name and nothing else of it",
               fmt::join(unseen, ", "));
}

template <typename T>
void count_neighbours(const ModelSettings& settings, const std::vector<PreparedSystem<T>>& systems,
                      bool any_types, dp::Model& model) {
  const auto n_types = static_cast<std::size_t>(model.n_types());
  std::vector<int> most(n_types, 0);
  double closest = std::numeric_limits<double>::infinity();
  std::vector<bool> seen(n_types, false);
  for (const auto& system : systems) {
    for (const Prepared<T>& frame : *system.frames) {
      for (const int t : frame.types) seen[static_cast<std::size_t>(t)] = true;
      for (std::size_t k = 0; k + 1 < frame.offset.size(); ++k) {
        most[k % n_types] =
            std::max(most[k % n_types], static_cast<int>(frame.offset[k + 1] - frame.offset[k]));
      }
      for (std::size_t p = 0; p < frame.n_pairs(); ++p) {
        const T* d = frame.vector.data() + 3 * p;
        closest = std::min(closest, static_cast<double>(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]));
      }
    }
  }
  if (!any_types) warn_of_unseen(seen, model);
  model.min_nbor_dist = std::isfinite(closest) ? std::sqrt(closest) : 0.0;
  model.descriptor.sel = settings.sel;
  if (settings.sel.empty()) {
    for (const int n : most) {
      const int wanted = static_cast<int>(n * settings.sel_factor);
      model.descriptor.sel.push_back(std::max(4, (wanted + 3) / 4 * 4));
    }
  }
  for (std::size_t t = 0; t < n_types; ++t) {
    if (most[t] > model.descriptor.sel[t]) {
      log().warn(
          "up to {} neighbours of type {}, more than its sel of {}: all are used here, but DeePMD-kit would "
          "leave out the farthest",
          most[t], model.type_map.names()[t], model.descriptor.sel[t]);
    }
  }
}

template <typename T>
void normalise(const ModelSettings& settings, const std::vector<PreparedSystem<T>>& systems,
               dp::Model& model) {
  const auto n_types = static_cast<std::size_t>(model.n_types());
  const dp::Descriptor& d = model.descriptor;
  std::vector<Moments> radial(n_types);
  std::vector<Moments> angular(n_types);
  for (const auto& system : systems) {
    for (std::size_t k = 0; k < system.n_sampled; ++k) {
      const Prepared<T>& frame = (*system.frames)[k * system.frames->size() / system.n_sampled];
      for (std::size_t i = 0; i < frame.types.size(); ++i) {
        const auto a = static_cast<std::size_t>(frame.types[i]);
        radial[a].n += d.sel_total();
        angular[a].n += 3 * d.sel_total();
        for (std::size_t b = 0; b < n_types; ++b) {
          if (d.exclude_types.contains({static_cast<int>(a), static_cast<int>(b)})) continue;
          for (std::size_t p = frame.offset[i * n_types + b]; p < frame.offset[i * n_types + b + 1]; ++p) {
            const T* v = frame.vector.data() + 3 * p;
            const Vec3 r(static_cast<double>(v[0]), static_cast<double>(v[1]), static_cast<double>(v[2]));
            const auto w = dp::switched(r.norm(), d.rcut, d.rcut_smth, d.env_protection);
            radial[a].sum += w.s;
            radial[a].square += w.s * w.s;
            angular[a].sum += w.q * r.sum();
            angular[a].square += w.q * w.q * r.squaredNorm();
          }
        }
      }
    }
  }
  for (std::size_t a = 0; a < n_types; ++a) {
    dp::Normalisation norm;
    norm.mean = {settings.set_davg_zero ? 0.0 : radial[a].mean(), 0, 0, 0};
    const double s = angular[a].deviation();
    norm.deviation = {radial[a].deviation(), s, s, s};
    for (std::size_t b = 0; b < n_types; ++b) model.descriptor.normalisation.push_back(norm);
  }
}

/// The x of minimum norm that minimises |Ax − y|, through the eigenvectors of AᵀA, which is only n_types
/// wide. Directions with singular values below rcond (at least 1e-7) of the largest cannot be told from the
/// data and are left at 0.
Eigen::VectorXd least_squares(const Eigen::MatrixXd& a, const Eigen::VectorXd& y, double rcond) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(a.transpose() * a);
  const double smallest = std::pow(std::max(rcond, 1e-7), 2) * solver.eigenvalues().maxCoeff();
  const Eigen::VectorXd inverse =
      (solver.eigenvalues().array() > smallest).select(solver.eigenvalues().cwiseInverse(), 0.0);
  const auto solve = [&](const Eigen::VectorXd& right) -> Eigen::VectorXd {
    const Eigen::VectorXd projected = solver.eigenvectors().transpose() * (a.transpose() * right);
    return solver.eigenvectors() * inverse.cwiseProduct(projected);
  };
  // AᵀA squares the condition number; corrections by the residual win the lost digits back.
  Eigen::VectorXd x = solve(y);
  for (int k = 0; k < 3; ++k) x += solve(y - a * x);
  return x;
}

template <typename T>
void energies_by_type(const ModelSettings& settings, const std::vector<PreparedSystem<T>>& systems,
                      dp::Model& model) {
  const Eigen::Index n_types = model.n_types();
  std::vector<const Prepared<T>*> frames;
  for (const auto& system : systems) {
    for (const Prepared<T>& frame : *system.frames) {
      if (frame.has_energy) frames.push_back(&frame);
    }
  }
  model.bias_atom_e.assign(static_cast<std::size_t>(n_types), 0.0);
  model.out_bias.assign(static_cast<std::size_t>(n_types), 0.0);
  model.out_std.assign(static_cast<std::size_t>(n_types), 1.0);
  if (frames.empty()) return;
  Eigen::MatrixXd counts = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(frames.size()), n_types);
  Eigen::VectorXd energies(counts.rows());
  for (Eigen::Index f = 0; f < counts.rows(); ++f) {
    energies[f] = frames[static_cast<std::size_t>(f)]->energy;
    for (const int t : frames[static_cast<std::size_t>(f)]->types) counts(f, t) += 1;
  }
  const Eigen::VectorXd solution = least_squares(counts, energies, settings.rcond.value_or(0));
  for (Eigen::Index t = 0; t < n_types; ++t) model.bias_atom_e[static_cast<std::size_t>(t)] = solution[t];
  const Eigen::VectorXd rest = energies - counts * solution;
  const double mean = rest.mean();
  model.out_std.assign(static_cast<std::size_t>(n_types), std::sqrt((rest.array() - mean).square().mean()));
}

}  // namespace

template <typename T>
dp::Model initial_model(const ModelSettings& settings, const std::vector<PreparedSystem<T>>& systems,
                        bool any_types) {
  dp::Model model;
  model.type_map = TypeMap(settings.type_map);
  dp::Descriptor& d = model.descriptor;
  d.rcut = settings.rcut;
  d.rcut_smth = settings.rcut_smth;
  d.axis_neuron = settings.axis_neuron;
  d.type_one_side = settings.type_one_side;
  d.env_protection = settings.env_protection;
  d.set_davg_zero = settings.set_davg_zero;
  d.trainable = settings.train_embedding;
  d.single_precision = settings.embedding_single;
  for (const auto& [a, b] : settings.exclude_types) {
    d.exclude_types.insert({a, b});
    d.exclude_types.insert({b, a});
  }
  count_neighbours(settings, systems, any_types, model);
  normalise(settings, systems, model);
  energies_by_type(settings, systems, model);
  const int n_types = model.n_types();
  std::vector<int> widths{1};
  widths.insert(widths.end(), settings.embedding.begin(), settings.embedding.end());
  for (int k = 0; k < (d.type_one_side ? n_types : n_types * n_types); ++k) {
    d.embedding.push_back(random_network(
        widths, false, settings.embedding_activation, settings.embedding_resnet_dt,
        RandomStream(settings.embedding_seed, "embedding net", static_cast<std::uint64_t>(k))));
  }
  widths.assign(1, settings.embedding.back() * settings.axis_neuron);
  widths.insert(widths.end(), settings.fitting.begin(), settings.fitting.end());
  widths.push_back(1);
  for (int a = 0; a < n_types; ++a) {
    model.fitting.push_back(
        random_network(widths, true, settings.fitting_activation, settings.fitting_resnet_dt,
                       RandomStream(settings.fitting_seed, "fitting net", static_cast<std::uint64_t>(a))));
  }
  model.fitting_single_precision = settings.fitting_single;
  if (!settings.train_fitting) model.fitting_trainable.assign(settings.fitting.size() + 1, false);
  return model;
}

template dp::Model initial_model<float>(const ModelSettings&, const std::vector<PreparedSystem<float>>&,
                                        bool);
template dp::Model initial_model<double>(const ModelSettings&, const std::vector<PreparedSystem<double>>&,
                                         bool);

}  // namespace solion::train
