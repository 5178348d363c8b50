// Blocks of atoms of one type: environment and T (kernels), fitting net (matrix products), forces (kernels).
#include "solion/dp/fast_path.hpp"

#include <algorithm>
#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/base/threads.hpp"
#include "solion/dp/fast_kernels.hpp"

namespace solion::dp {
namespace {

/// So many atoms share a matrix product: enough for its speed, few enough that their descriptors stay in
/// cache.
constexpr int block_size = 192;

/// Pairs closer than this go through the exact net: no table is spent on distances that hardly occur.
double table_start(const Model& model) {
  return model.min_nbor_dist > 0 ? std::clamp(0.7 * model.min_nbor_dist, 0.5, 1.5) : 0.8;
}

/// Errors of the tables: far below what forces of 1e-9 relative (double) and 2e-5 eV/Å (single) need.
template <typename T>
constexpr TableBound table_bound() {
  if constexpr (sizeof(T) == sizeof(double)) {
    return {1e-12, 2e-11, 16384};
  } else {
    return {1e-7, 1e-6, 4096};
  }
}

/// The fitting net for the descriptor laid out [M2][M1] instead of [M1][M2].
nn::Network reordered(nn::Network network, int m1, int m2) {
  nn::Layer& first = network.layers.front();
  const nn::Matrix<double> w = first.w;
  for (int k1 = 0; k1 < m1; ++k1) {
    for (int k2 = 0; k2 < m2; ++k2) first.w.row(k2 * m1 + k1) = w.row(k1 * m2 + k2);
  }
  return network;
}

}  // namespace

template <typename T>
FastModel<T>::FastModel(std::shared_ptr<const Model> source) : model(std::move(source)) {
  const Model& m = *model;
  const Descriptor& d = m.descriptor;
  n_types = m.n_types();
  m1 = static_cast<int>(m.n_embedding());
  stride = Simd<T>::padded(m1);
  m2 = d.axis_neuron;
  // A skip around the first fitting layer would see the reordered descriptor.
  for (const nn::Network& net : m.fitting) {
    if (net.layers.front().skip() != 0) return;
  }
  const double s_largest = switched(table_start(m), d.rcut, d.rcut_smth, d.env_protection).s;
  std::vector<double> low(d.embedding.size(), INFINITY), high(d.embedding.size(), -INFINITY);
  for (int a = 0; a < n_types; ++a) {
    for (int b = 0; b < n_types; ++b) {
      const Normalisation& norm = m.normalisation(a, b);
      Pair pair;
      pair.counts = !m.pair_exclude_types.contains({a, b});
      pair.enters = pair.counts && !d.exclude_types.contains({a, b});
      pair.table = d.type_one_side ? b : a + b * n_types;
      const auto net = static_cast<std::size_t>(pair.table);
      nn::Row<double> row(4);
      for (std::size_t c = 0; c < 4; ++c) {
        pair.mean[c] = static_cast<T>(norm.mean[c]);
        pair.inverse_deviation[c] = static_cast<T>(1 / norm.deviation[c]);
        row[static_cast<Eigen::Index>(c)] = -norm.mean[c] / norm.deviation[c];
      }
      for (const double s : {0.0, s_largest}) {
        const double x = (s - norm.mean[0]) / norm.deviation[0];
        low[net] = std::min(low[net], x);
        high[net] = std::max(high[net], x);
      }
      const nn::Matrix<double> jet = embedding_jet(m.embedding(a, b), row[0]);
      pair.padding.assign(4 * static_cast<std::size_t>(stride), T(0));
      for (int c = 0; c < 4; ++c) {
        for (int k = 0; k < m1; ++k)
          pair.padding[static_cast<std::size_t>(c * stride + k)] = static_cast<T>(row[c] * jet(0, k));
      }
      pairs.push_back(std::move(pair));
    }
  }
  for (std::size_t k = 0; k < d.embedding.size(); ++k) {
    tables.push_back(make_table<T>(d.embedding[k], low[k], high[k], stride, table_bound<T>()));
    if (tables.back().intervals == 0) return;
  }
  for (const nn::Network& net : m.fitting) {
    fitting.push_back(nn::layout_of(net, fitting_flat.size()));
    fitting_flat.resize(fitting.back().end);
    nn::pack(reordered(net, m1, m2), fitting.back(), fitting_flat.data());
  }
  for (std::size_t a = 0; a < m.fitting.size(); ++a) bias.push_back(m.bias_atom_e[a] + m.out_bias[a]);
  tabulated = true;
}

/// What one thread needs: buffers of one block, and its share of the sums.
template <typename T>
class FastPath<T>::Worker {
 public:
  explicit Worker(const FastModel<T>& model) : model_(model) {
    for (const nn::NetworkLayout& layout : model.fitting) tapes_.emplace_back(layout);
    count_.resize(static_cast<std::size_t>(model.n_types));
  }

  void start(std::size_t n_local, const Request& request) {
    energy = 0;
    virial.setZero();
    excess = {};
    forces.assign(request.forces ? n_local : 0, Vec3::Zero());
  }

  void run(const Block& block, const std::vector<int>& order, const Neighborhood& list,
           std::span<const int> types, const Request& request, Evaluation& result) {
    const int n = block.end - block.begin;
    nn::Tape<T>& tape = tapes_[static_cast<std::size_t>(block.type)];
    const auto n_in = static_cast<std::ptrdiff_t>(model_.m1) * model_.m2;
    // The kernels read and write whole vectors, up to one behind the last row.
    tape.resize(n + (Simd<T>::lanes + n_in - 1) / n_in);
    pairs_.clear();
    first_pair_.assign(1, 0);
    n_exact_ = 0;
    const std::size_t t_size = 4 * static_cast<std::size_t>(model_.stride);
    if (t_.size() < t_size * static_cast<std::size_t>(n)) t_.resize(t_size * static_cast<std::size_t>(n));
    for (int k = 0; k < n; ++k) {
      const int i = order[static_cast<std::size_t>(block.begin + k)];
      T* t = t_.data() + t_size * static_cast<std::size_t>(k);
      collect(i, block.type, list, types);
      first_pair_.push_back(pairs_.size());
      environment(k, block.type, t);
      make_descriptor(t, model_.stride, model_.m1, model_.m2, tape.input() + k * n_in);
    }
    const T* flat = model_.fitting_flat.data();
    tape.forward(flat, 0, n);
    for (int k = 0; k < n; ++k) {
      const double e =
          static_cast<double>(tape.output()[k]) + model_.bias[static_cast<std::size_t>(block.type)];
      energy += e;
      if (request.atomic_energies)
        result.atomic_energies[static_cast<std::size_t>(order[static_cast<std::size_t>(block.begin + k)])] =
            e;
    }
    if (!request.forces && !request.virial) return;
    std::fill_n(tape.output_adjoint(), n, T(1));
    tape.backward(flat, 0, n, true);
    for (int k = 0; k < n; ++k) {
      T* t = t_.data() + t_size * static_cast<std::size_t>(k);
      descriptor_gradient(tape.input_adjoint() + k * n_in, t, model_.stride, model_.m1, model_.m2, scale(),
                          grad_t());
      add_forces(k, block.type, order[static_cast<std::size_t>(block.begin + k)], request);
    }
  }

  double energy = 0;
  Mat3 virial = Mat3::Zero();
  SelExcess excess;
  std::vector<Vec3> forces;

 private:
  [[nodiscard]] T scale() const { return T(1) / static_cast<T>(model_.model->descriptor.sel_total()); }
  T* grad_t() { return grad_t_.reserve(4 * static_cast<std::size_t>(model_.stride)); }

  /// The pairs of atom i within the cutoff, with all that both kernels need of them.
  void collect(int i, int type, const Neighborhood& list, std::span<const int> types) {
    const Descriptor& d = model_.model->descriptor;
    std::fill(count_.begin(), count_.end(), 0);
    const Vec3 centre = list.position(i);
    const double rcut2 = d.rcut * d.rcut;
    for (const int j : list.neighbors(i)) {
      const Vec3 r = list.position(j) - centre;
      const double r2 = r.squaredNorm();
      if (!(r2 < rcut2)) continue;
      const int owner = list.owner(j);
      if (!(r2 > 0)) throw InputError("atoms {} and {} lie at the same place", i + 1, owner + 1);
      const int b = types[static_cast<std::size_t>(owner)];
      const auto& kind = model_.pair(type, b);
      if (kind.counts) ++count_[static_cast<std::size_t>(b)];
      if (!kind.enters) continue;
      PairData<T> p;
      fill_pair(p, r, static_cast<T>(std::sqrt(r2)), d, kind.mean, kind.inverse_deviation);
      p.owner = owner;
      p.inverse_deviation = kind.inverse_deviation;
      place(p, kind.table);
      pairs_.push_back(p);
    }
  }

  /// Finds the interval of the table; pairs beyond its end get the exact net in place of two nodes.
  void place(PairData<T>& p, int net) {
    const Table<T>& table = model_.tables[static_cast<std::size_t>(net)];
    const T u = (p.row[0] - table.low) * table.inverse_h;
    p.inverse_h = table.inverse_h;
    if (u <= static_cast<T>(table.intervals)) {
      const int k = std::clamp(static_cast<int>(u), 0, table.intervals - 1);
      p.t = std::clamp(u - static_cast<T>(k), T(0), T(1));
      p.nodes = table.node(k);
      return;
    }
    const nn::Matrix<double> jet = embedding_jet(
        model_.model->descriptor.embedding[static_cast<std::size_t>(net)], static_cast<double>(p.row[0]));
    if (n_exact_ == exact_.size()) exact_.emplace_back();
    std::vector<T>& nodes = exact_[n_exact_++];
    nodes.assign(6 * static_cast<std::size_t>(model_.stride), T(0));
    // At t = 0 the weights are 1 for the value and 1/h for the second row.
    for (Eigen::Index c = 0; c < jet.cols(); ++c) {
      nodes[static_cast<std::size_t>(c)] = static_cast<T>(jet(0, c));
      nodes[static_cast<std::size_t>(model_.stride + c)] = static_cast<T>(jet(1, c)) / table.inverse_h;
    }
    p.t = 0;
    p.nodes = nodes.data();
  }

  /// T of the k-th atom of the block.
  void environment(int k, int type, T* t) {
    const std::size_t size = 4 * static_cast<std::size_t>(model_.stride);
    std::fill_n(t, size, T(0));
    for (int b = 0; b < model_.n_types; ++b) {
      const int sel = model_.model->descriptor.sel[static_cast<std::size_t>(b)];
      const int n = count_[static_cast<std::size_t>(b)];
      excess.consider(b, n, sel);
      const T factor = static_cast<T>(sel - n);
      const T* padding = model_.pair(type, b).padding.data();
      for (std::size_t c = 0; c < size; ++c) t[c] += factor * padding[c];
    }
    const auto at = static_cast<std::size_t>(k);
    add_environment(pairs_.data() + first_pair_[at], pairs_.data() + first_pair_[at + 1], model_.stride, t);
    for (std::size_t c = 0; c < size; ++c) t[c] *= scale();
  }

  void add_forces(int k, int type, int i, const Request& request) {
    (void)type;
    const auto at = static_cast<std::size_t>(k);
    Vec3 own = Vec3::Zero();
    Mat3 w = Mat3::Zero();
    const T* dt = grad_t();
    for (std::size_t p = first_pair_[at]; p < first_pair_[at + 1]; ++p) {
      const PairData<T>& pair = pairs_[p];
      T gradient[3];
      pair_gradient(pair, dt, model_.stride, gradient);
      const Vec3 g(static_cast<double>(gradient[0]), static_cast<double>(gradient[1]),
                   static_cast<double>(gradient[2]));
      if (request.forces) {
        own += g;
        forces[static_cast<std::size_t>(pair.owner)] -= g;
      }
      if (request.virial) {
        const Vec3 r(static_cast<double>(pair.r[0]), static_cast<double>(pair.r[1]),
                     static_cast<double>(pair.r[2]));
        w.noalias() -= r * g.transpose();
      }
    }
    if (request.forces) forces[static_cast<std::size_t>(i)] += own;
    virial += w;
  }

  const FastModel<T>& model_;
  std::vector<nn::Tape<T>> tapes_;  ///< by type
  std::vector<PairData<T>> pairs_;  ///< of the atoms of a block, one after the other
  std::vector<std::size_t> first_pair_;
  std::vector<T> t_;  ///< [atom of the block][4][stride]
  nn::Buffer<T> grad_t_;
  std::vector<int> count_;
  std::vector<std::vector<T>> exact_;  ///< nodes of pairs beyond their table
  std::size_t n_exact_ = 0;
};

template <typename T>
FastPath<T>::FastPath(std::shared_ptr<const FastModel<T>> model) : model_(std::move(model)) {}
template <typename T>
FastPath<T>::FastPath(FastPath&&) noexcept = default;
template <typename T>
FastPath<T>& FastPath<T>::operator=(FastPath&&) noexcept = default;
template <typename T>
FastPath<T>::~FastPath() = default;

template <typename T>
void FastPath<T>::plan(std::span<const int> types, int threads) {
  const auto n_types = static_cast<std::size_t>(model_->n_types);
  start_.assign(n_types + 1, 0);
  for (const int t : types) ++start_[static_cast<std::size_t>(t) + 1];
  for (std::size_t t = 0; t < n_types; ++t) start_[t + 1] += start_[t];
  order_.resize(types.size());
  for (std::size_t i = 0; i < types.size(); ++i)
    order_[static_cast<std::size_t>(start_[static_cast<std::size_t>(types[i])]++)] = static_cast<int>(i);
  // start_[t] now is the end of type t. Equal blocks, as many of each type as the threads can share.
  blocks_.clear();
  int begin = 0;
  for (std::size_t t = 0; t < n_types; ++t) {
    const int n = start_[t] - begin;
    const int wanted = (n + block_size - 1) / block_size;
    const int count = std::min(n, (wanted + threads - 1) / threads * threads);
    const bool excluded = model_->model->atom_exclude_types.contains(static_cast<int>(t));
    for (int k = 0; k < count && !excluded; ++k) {
      blocks_.push_back({static_cast<int>(t), begin + static_cast<int>(static_cast<long>(n) * k / count),
                         begin + static_cast<int>(static_cast<long>(n) * (k + 1) / count)});
    }
    begin = start_[t];
  }
}

template <typename T>
SelExcess FastPath<T>::evaluate(const Neighborhood& list, std::span<const int> types, const Request& request,
                                int threads, Evaluation& result) {
  const auto n = static_cast<std::size_t>(list.n_local());
  threads = std::max(1, threads);
  plan(types, threads);
  result.atomic_energies.assign(request.atomic_energies ? n : 0, 0.0);
  while (static_cast<int>(workers_.size()) < threads) workers_.push_back(std::make_unique<Worker>(*model_));
  const auto used = static_cast<std::size_t>(threads);
  parallel_for(used, threads, [&](std::size_t first, std::size_t last, int) {
    for (std::size_t w = first; w < last; ++w) {
      workers_[w]->start(n, request);
      for (std::size_t b = w; b < blocks_.size(); b += used)
        workers_[w]->run(blocks_[b], order_, list, types, request, result);
    }
  });
  SelExcess excess;
  result.energy = 0;
  result.virial.setZero();
  result.forces.assign(request.forces ? n : 0, Vec3::Zero());
  for (std::size_t w = 0; w < used; ++w) {
    const Worker& worker = *workers_[w];
    result.energy += worker.energy;
    result.virial += worker.virial;
    if (worker.excess.excess > excess.excess) excess = worker.excess;
    for (std::size_t i = 0; i < worker.forces.size(); ++i) result.forces[i] += worker.forces[i];
  }
  return excess;
}

template struct FastModel<float>;
template struct FastModel<double>;
template class FastPath<float>;
template class FastPath<double>;

}  // namespace solion::dp
