// Loops over atoms and neighbours with the chain rule written out; kept simple, not fast.
#include "solion/dp/reference_path.hpp"

#include "solion/base/errors.hpp"
#include "solion/dp/activation.hpp"
#include "solion/dp/environment.hpp"

namespace solion::dp {
namespace {

using nn::Matrix;
using nn::Network;
using nn::Row;
using Row4 = Eigen::RowVector4d;

/// A network's pass over one input, with what its way back needs.
class Pass {
 public:
  Row<double> forward(const Network& network, Row<double> x) {
    network_ = &network;
    slopes_.clear();
    for (const nn::Layer& layer : network.layers) {
      Row<double> z = x * layer.w;
      if (layer.b.size() > 0) z += layer.b;
      Row<double> slope(z.size());
      for (Eigen::Index k = 0; k < z.size(); ++k) {
        const Jet jet = activate(layer.activation, z[k]);
        const double idt = layer.idt.size() > 0 ? layer.idt[k] : 1.0;
        z[k] = jet.value * idt;
        slope[k] = jet.first * idt;
      }
      if (layer.skip() == 1) z += x;
      if (layer.skip() == 2) {
        z.head(x.size()) += x;
        z.tail(x.size()) += x;
      }
      slopes_.push_back(std::move(slope));
      x = std::move(z);
    }
    return x;
  }

  /// From ∂E/∂output to ∂E/∂input.
  Row<double> backward(Row<double> grad) const {
    for (std::size_t l = slopes_.size(); l-- > 0;) {
      const nn::Layer& layer = network_->layers[l];
      Row<double> grad_x = grad.cwiseProduct(slopes_[l]) * layer.w.transpose();
      if (layer.skip() == 1) grad_x += grad;
      if (layer.skip() == 2) grad_x += grad.head(grad_x.size()) + grad.tail(grad_x.size());
      grad = std::move(grad_x);
    }
    return grad;
  }

 private:
  const Network* network_ = nullptr;
  std::vector<Row<double>> slopes_;
};

struct Neighbour {
  int atom = 0;
  int type = 0;
  Vec3 r = Vec3::Zero();  ///< r_ij
  double distance = 0;
  Switched<double> w{};
  Row4 row = Row4::Zero();  ///< normalised row of the environment matrix
  Row<double> g;            ///< embedding, M1
  Pass embedding;
};

class Atom {
 public:
  Atom(const Model& model, const NeighborView& list, std::span<const int> types, int i)
      : model_(model), list_(list), types_(types), i_(i), type_(types[static_cast<std::size_t>(i)]) {}

  double energy(SelExcess& excess) {
    t_ = Matrix<double>::Zero(model_.n_embedding(), 4);
    std::vector<int> count(model_.descriptor.sel.size(), 0);
    for (const int j : list_.neighbors(i_)) add(j, count);
    for (int b = 0; b < model_.n_types(); ++b) add_padding(b, count[static_cast<std::size_t>(b)], excess);
    t_ /= model_.descriptor.sel_total();
    const auto m2 = static_cast<Eigen::Index>(model_.descriptor.axis_neuron);
    const Matrix<double> d = t_ * t_.topRows(m2).transpose();
    const auto type = static_cast<std::size_t>(type_);
    const Row<double> out =
        fitting_.forward(model_.fitting[type], Eigen::Map<const Row<double>>(d.data(), d.size()));
    return out[0] + model_.bias_atom_e[type] + model_.out_bias[type];
  }

  /// Calls visit(j, r_ij, ∂E_i/∂r_ij) for every neighbour.
  template <typename F>
  void gradient(const F& visit) const {
    const auto m1 = t_.rows();
    const auto m2 = static_cast<Eigen::Index>(model_.descriptor.axis_neuron);
    const Row<double> grad_d_flat = fitting_.backward(Row<double>::Ones(1));
    const Eigen::Map<const Matrix<double>> grad_d(grad_d_flat.data(), m1, m2);
    // D = T·T[:M2]ᵀ
    Matrix<double> grad_t = grad_d * t_.topRows(m2);
    grad_t.topRows(m2) += grad_d.transpose() * t_;
    grad_t /= model_.descriptor.sel_total();
    for (const Neighbour& n : neighbours_) {
      // T = Σ Gᵀ R / Σsel, and G depends on the first column of R.
      Row4 grad_row = n.g * grad_t;
      grad_row[0] += n.embedding.backward((grad_t * n.row.transpose()).transpose())[0];
      const auto& deviation = model_.normalisation(type_, n.type).deviation;
      for (int c = 0; c < 4; ++c) grad_row[c] /= deviation[static_cast<std::size_t>(c)];
      Vec3 grad;
      row_to_vector(grad_row.data(), n.r.data(), 1 / n.distance, n.w, grad.data());
      visit(n.atom, n.r, grad);
    }
  }

 private:
  void add(int j, std::vector<int>& count) {
    Neighbour n;
    n.atom = j;
    const int owner = list_.owner[static_cast<std::size_t>(j)];
    n.type = types_[static_cast<std::size_t>(owner)];
    n.r = list_.position(j) - list_.position(i_);
    n.distance = n.r.norm();
    if (!(n.distance < model_.descriptor.rcut)) return;
    if (!(n.distance > same_place_A))
      throw InputError("atoms {} and {} lie at the same place", i_ + 1, owner + 1);
    // A pair that the model leaves out is no neighbour at all; one that the descriptor leaves out takes the
    // place of a padded row and adds nothing.
    if (model_.pair_exclude_types.contains({type_, n.type})) return;
    ++count[static_cast<std::size_t>(n.type)];
    if (model_.descriptor.exclude_types.contains({type_, n.type})) return;
    const Descriptor& d = model_.descriptor;
    n.w = switched(n.distance, d.rcut, d.rcut_smth, d.env_protection);
    n.row << n.w.s, n.w.q * n.r.transpose();
    normalise(n.row, n.type);
    n.g = n.embedding.forward(model_.embedding(type_, n.type), n.row.head<1>());
    t_ += n.g.transpose() * n.row;
    neighbours_.push_back(std::move(n));
  }

  /// The rows of zeros that fill `sel`; with more neighbours than sel the same term is taken back.
  void add_padding(int b, int count, SelExcess& excess) {
    const int sel = model_.descriptor.sel[static_cast<std::size_t>(b)];
    excess.consider(b, count, sel);
    Row4 row = Row4::Zero();
    normalise(row, b);
    Pass pass;
    const Row<double> g = pass.forward(model_.embedding(type_, b), row.head<1>());
    t_ += (sel - count) * (g.transpose() * row);
  }

  void normalise(Row4& row, int b) const {
    const Normalisation& norm = model_.normalisation(type_, b);
    for (int c = 0; c < 4; ++c) {
      const auto k = static_cast<std::size_t>(c);
      row[c] = (row[c] - norm.mean[k]) / norm.deviation[k];
    }
  }

  const Model& model_;
  const NeighborView& list_;
  std::span<const int> types_;
  int i_;
  int type_;
  std::vector<Neighbour> neighbours_;
  Matrix<double> t_;  ///< (M1, 4)
  Pass fitting_;
};

}  // namespace

SelExcess evaluate_reference(const Model& model, const NeighborView& list, std::span<const int> types,
                             const Request& request, Evaluation& result) {
  const auto n = static_cast<std::size_t>(list.n_owners);
  result.energy = 0;
  result.virial.setZero();
  result.forces.assign(request.forces ? n : 0, Vec3::Zero());
  result.atomic_energies.assign(request.atomic_energies ? n : 0, 0.0);
  result.atomic_virials.assign(request.atomic_virials ? n : 0, Mat3::Zero());
  SelExcess excess;
  for (const int i : list.centres) {
    const auto local = static_cast<std::size_t>(i);
    if (model.atom_exclude_types.contains(types[local])) continue;
    Atom atom(model, list, types, i);
    const double energy = atom.energy(excess);
    result.energy += energy;
    if (request.atomic_energies) result.atomic_energies[local] = energy;
    if (!request.forces && !request.virial && !request.atomic_virials) continue;
    atom.gradient([&](int j, const Vec3& r, const Vec3& grad) {
      if (request.forces) {
        result.forces[local] += grad;
        result.forces[static_cast<std::size_t>(list.owner[static_cast<std::size_t>(j)])] -= grad;
      }
      const Mat3 w = r * grad.transpose();
      result.virial -= w;
      if (request.atomic_virials)
        result.atomic_virials[static_cast<std::size_t>(list.owner[static_cast<std::size_t>(j)])] -= w;
    });
  }
  return excess;
}

}  // namespace solion::dp
