// Blocks of atoms of one type: environment and T (kernels), fitting net (matrix products), forces (kernels).
#include "solion/dp/fast_path.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "solion/base/errors.hpp"
#include "solion/base/row_major.hpp"
#include "solion/base/threads.hpp"
#include "solion/dp/environment.hpp"

namespace solion::dp {
namespace {

/// So many atoms go through the fitting net together: their descriptors stay in the second-level cache, the
/// weights are read once for all of them.
constexpr int block_size = 64;

/// Pairs closer than this go through the exact net: no table is spent on distances that hardly occur.
double table_start(const Model& model) {
  return model.min_nbor_dist > 0 ? std::clamp(0.7 * model.min_nbor_dist, 0.5, 1.5) : 0.8;
}

}  // namespace

nn::Network folded_fitting(const Model& model, int centre) {
  nn::Network network = model.fitting[static_cast<std::size_t>(centre)];
  const int m1 = static_cast<int>(model.n_embedding());
  const int m2 = model.descriptor.axis_neuron;
  const double sel_total = model.descriptor.sel_total();
  nn::Layer& first = network.layers.front();
  const nn::Matrix<double> w = first.w / (sel_total * sel_total);
  first.w.resize(static_cast<Eigen::Index>(m1) * m2 - m2 * (m2 - 1) / 2, w.cols());
  Eigen::Index row = 0;
  for (int k = 0; k < m2; ++k) {
    for (int c = k; c < m1; ++c, ++row) {
      first.w.row(row) = w.row(c * m2 + k);
      if (c != k && c < m2) first.w.row(row) += w.row(k * m2 + c);
    }
  }
  return network;
}

template <typename T>
typename FastModel<T>::Pair FastModel<T>::pair_of(int a, int b, std::vector<double>& low,
                                                  std::vector<double>& high) const {
  const Model& m = *model;
  const Descriptor& d = m.descriptor;
  const Normalisation& norm = m.normalisation(a, b);
  Pair pair;
  pair.counts = !m.pair_exclude_types.contains({a, b});
  pair.enters = pair.counts && !d.exclude_types.contains({a, b});
  pair.table = d.type_one_side ? b : a + b * n_types;
  nn::Row<double> row(4);
  for (std::size_t c = 0; c < 4; ++c) {
    pair.kind.mean[c] = static_cast<T>(norm.mean[c]);
    pair.kind.inverse_deviation[c] = static_cast<T>(1 / norm.deviation[c]);
    row[static_cast<Eigen::Index>(c)] = -norm.mean[c] / norm.deviation[c];
  }
  const double s_largest = switched(table_start(m), d.rcut, d.rcut_smth, d.env_protection).s;
  for (const double s : {0.0, s_largest}) {
    const auto net = static_cast<std::size_t>(pair.table);
    const double x = (s - norm.mean[0]) / norm.deviation[0];
    low[net] = std::min(low[net], x);
    high[net] = std::max(high[net], x);
  }
  const nn::Matrix<double> jet = embedding_jet(m.embedding(a, b), row[0]);
  int rows = 4;
  while (rows > 0 && row[rows - 1] == 0) --rows;
  pair.padding.assign(static_cast<std::size_t>(rows) * static_cast<std::size_t>(stride), T(0));
  for (int c = 0; c < rows; ++c) {
    for (int k = 0; k < m1; ++k) pair.padding[row_major(c, k, stride)] = static_cast<T>(row[c] * jet(0, k));
  }
  return pair;
}

template <typename T>
void FastModel<T>::point_into_tables() {
  for (Pair& pair : pairs) {
    const Table<T>& table = tables[static_cast<std::size_t>(pair.table)];
    pair.kind.low = table.low;
    pair.kind.inverse_width = table.inverse_width;
    pair.kind.segments = static_cast<T>(table.segments());
    pair.kind.first = table.first.data();
    pair.kind.splits = table.splits.data();
  }
}

template <typename T>
FastModel<T>::FastModel(std::shared_ptr<const Model> source) : model(std::move(source)) {
  const Model& m = *model;
  const Descriptor& d = m.descriptor;
  n_types = m.n_types();
  m1 = static_cast<int>(m.n_embedding());
  stride = static_cast<int>(nn::PackedMatrix<T>::padded_columns(m1));
  m2 = d.axis_neuron;
  // A skip around the first fitting layer would see the reordered descriptor.
  for (const nn::Network& net : m.fitting) {
    if (net.layers.front().skip() != 0) return;
  }
  std::vector<double> low(d.embedding.size(), INFINITY), high(d.embedding.size(), -INFINITY);
  for (int a = 0; a < n_types; ++a) {
    for (int b = 0; b < n_types; ++b) pairs.push_back(pair_of(a, b, low, high));
  }
  for (std::size_t k = 0; k < d.embedding.size(); ++k) {
    tables.push_back(make_table<T>(d.embedding[k], low[k], high[k], stride, table_bound<T>()));
    if (tables.back().intervals == 0) return;
  }
  for (int a = 0; a < n_types; ++a) fitting.emplace_back(folded_fitting(m, a));
  point_into_tables();
  for (std::size_t a = 0; a < m.fitting.size(); ++a) bias.push_back(m.bias_atom_e[a] + m.out_bias[a]);
  tabulated = true;
}

/// What one thread needs: buffers of one block, and its share of the sums.
template <typename T>
class FastPath<T>::Worker {
 public:
  explicit Worker(const FastModel<T>& model) : model_(model) {}

  void start(std::size_t n_owners, const Request& request) {
    energy = 0;
    virial.setZero();
    excess = {};
    forces.assign(request.forces ? n_owners : 0, Vec3::Zero());
    virials.assign(request.atomic_virials ? n_owners : 0, Mat3::Zero());
  }

  void run(const Block& block, const std::vector<int>& order, const NeighborView& list,
           std::span<const int> types, const Request& request, Evaluation& result) {
    const int n = block.end - block.begin;
    const auto atom = [&](int k) {
      return order[static_cast<std::size_t>(block.begin) + static_cast<std::size_t>(k)];
    };
    const nn::PackedNetwork<T>& net = model_.fitting[static_cast<std::size_t>(block.type)];
    make_room(block, order, list, net);
    for (int k = 0; k < n; ++k) {
      collect(k, atom(k), block.type, list, types);
      environment(k, block.type);
      kernels_.descriptor(t(k), model_.stride, model_.m1, model_.m2, d_.data() + k * net.row_stride());
    }
    // Rows that only fill a group up.
    std::fill(d_.data() + n * net.row_stride(),
              d_.data() + nn::PackedMatrix<T>::padded_rows(n) * net.row_stride(), T(0));
    const T* energies = net.forward(n, d_.data(), work_);
    for (int k = 0; k < n; ++k) {
      const double e = static_cast<double>(energies[k * nn::PackedMatrix<T>::lanes]) +
                       model_.bias[static_cast<std::size_t>(block.type)];
      energy += e;
      if (request.atomic_energies) result.atomic_energies[static_cast<std::size_t>(atom(k))] = e;
    }
    if (!request.forces && !request.virial && !request.atomic_virials) return;
    net.backward(n, d_.data(), work_);
    for (int k = 0; k < n; ++k) {
      kernels_.descriptor_gradient(d_.data() + k * net.row_stride(), t(k), model_.stride, model_.m1,
                                   model_.m2, grad_t_.data());
      add_forces(k, block.type, atom(k), request);
    }
  }

  double energy = 0;
  Mat3 virial = Mat3::Zero();
  SelExcess excess;
  std::vector<Vec3> forces;
  std::vector<Mat3> virials;

 private:
  /// Kernels touch whole vectors of 64 bytes.
  static constexpr std::size_t slack = 64 / sizeof(T);
  T* t(int k) { return t_.data() + 4 * static_cast<std::ptrdiff_t>(model_.stride) * k; }

  /// Buffers for the block, for as many pairs as its list has.
  void make_room(const Block& block, const std::vector<int>& order, const NeighborView& list,
                 const nn::PackedNetwork<T>& net) {
    std::size_t all = 0, most = 0;
    for (int k = block.begin; k < block.end; ++k) {
      const std::size_t n = list.neighbors(order[static_cast<std::size_t>(k)]).size();
      all += n;
      most = std::max(most, n);
    }
    const auto n = static_cast<std::size_t>(block.end - block.begin);
    const auto n_types = static_cast<std::size_t>(model_.n_types);
    most_ = most + slack;
    room_ = all + slack;
    for (auto& numbers : pairs_) numbers.reserve(room_);
    node_.resize(std::max(node_.size(), room_));
    owner_.resize(std::max(owner_.size(), room_));
    for (auto& numbers : found_) numbers.reserve(n_types * most_);
    found_owner_.resize(std::max(found_owner_.size(), n_types * most_));
    for (auto& numbers : gradient_) numbers.reserve(most_);
    weights_.reserve(12 * most_);
    sums_.reserve(4 * most_);
    first_.assign(n * n_types + 1, 0);
    counted_.resize(n_types);
    const auto stride = static_cast<std::size_t>(model_.stride);
    t_.reserve(4 * stride * n + slack);
    grad_t_.reserve(4 * stride);
    const auto rows =
        static_cast<std::size_t>(nn::PackedMatrix<T>::padded_rows(static_cast<std::ptrdiff_t>(n)));
    d_.reserve(rows * static_cast<std::size_t>(net.row_stride()) + 2 * slack);
    n_exact_ = 0;
  }

  /// The arrays of pairs from the p-th on.
  Pairs<T> pairs(std::size_t p) {
    const auto at = [&](std::size_t k) { return pairs_[k].data() + p; };
    return {at(0),  at(1),  at(2),  at(3),           at(4), at(5), at(6), {at(7), at(8), at(9), at(10)},
            at(11), at(12), at(13), node_.data() + p};
  }

  /// The pairs of atom i within the cutoff by type of the neighbour, with all that both kernels need of them.
  void collect(int k, int i, int type, const NeighborView& list, std::span<const int> types) {
    const Descriptor& d = model_.model->descriptor;
    const auto n_types = static_cast<std::size_t>(model_.n_types);
    std::fill(counted_.begin(), counted_.end(), 0);
    const Vec3 centre = list.position(i);
    const double rcut2 = d.rcut * d.rcut;
    T *x = found_[0].data(), *y = found_[1].data(), *z = found_[2].data(), *square = found_[3].data();
    for (const int j : list.neighbors(i)) {
      const Vec3 r = list.position(j) - centre;
      const double r2 = r.squaredNorm();
      // Written in any case, kept if it counts: the branch would be a coin toss.
      const int owner = list.owner[static_cast<std::size_t>(j)];
      const auto b = static_cast<std::size_t>(types[static_cast<std::size_t>(owner)]);
      const std::size_t at = b * most_ + counted_[b];
      x[at] = static_cast<T>(r[0]);
      y[at] = static_cast<T>(r[1]);
      z[at] = static_cast<T>(r[2]);
      square[at] = static_cast<T>(r2);
      found_owner_[at] = owner;
      counted_[b] += r2 < rcut2 ? 1 : 0;
      if (!(r2 > same_place_A * same_place_A))
        throw InputError("atoms {} and {} lie at the same place", i + 1, owner + 1);
    }
    for (std::size_t b = 0; b < n_types; ++b) {
      const auto& pair = model_.pair(type, static_cast<int>(b));
      const std::size_t row = static_cast<std::size_t>(k) * n_types + b;
      const std::size_t first = first_[row];
      const std::size_t n = pair.enters ? counted_[b] : 0;
      first_[row + 1] = first + n;
      if (!pair.counts) counted_[b] = 0;
      if (n == 0) continue;
      const std::size_t from = b * most_;
      const Pairs<T> out = pairs(first);
      kernels_.prepare(static_cast<std::ptrdiff_t>(n), x + from, y + from, z + from, square + from,
                       static_cast<T>(d.rcut), static_cast<T>(d.rcut_smth), static_cast<T>(d.env_protection),
                       pair.kind, out);
      const Table<T>& table = model_.tables[static_cast<std::size_t>(pair.table)];
      for (std::size_t p = 0; p < n; ++p) {
        owner_[first + p] = found_owner_[from + p];
        const int left = static_cast<int>(out.left[p]);
        out.node[p] = left >= 0 ? table.node(left) : exact_node(pair.table, p, out);
      }
    }
  }

  /// Pair p, which lies beyond the end of the table, gets the exact net in place of two nodes.
  const T* exact_node(int net, std::size_t p, const Pairs<T>& out) {
    const nn::Matrix<double> jet =
        embedding_jet(model_.model->descriptor.embedding[static_cast<std::size_t>(net)],
                      static_cast<double>(out.row[0][p]));
    if (n_exact_ == exact_.size()) exact_.emplace_back();
    std::vector<T>& nodes = exact_[n_exact_++];
    nodes.assign(6 * static_cast<std::size_t>(model_.stride), T(0));
    // At t = 0 the weights are 1 for the value and 1/h for the second row.
    for (Eigen::Index c = 0; c < jet.cols(); ++c) {
      nodes[static_cast<std::size_t>(c)] = static_cast<T>(jet(0, c));
      nodes[static_cast<std::size_t>(model_.stride + c)] = static_cast<T>(jet(1, c));
    }
    out.t[p] = 0;
    out.inverse_h[p] = 1;
    return nodes.data();
  }

  /// T of the k-th atom of the block, times Σsel.
  void environment(int k, int type) {
    const std::size_t size = 4 * static_cast<std::size_t>(model_.stride);
    T* sum = t(k);
    std::fill_n(sum, size, T(0));
    for (int b = 0; b < model_.n_types; ++b) {
      const auto& pair = model_.pair(type, b);
      const int sel = model_.model->descriptor.sel[static_cast<std::size_t>(b)];
      const int n = static_cast<int>(counted_[static_cast<std::size_t>(b)]);
      excess.consider(b, n, sel);
      const T factor = static_cast<T>(sel - n);
      const T* padding = pair.padding.data();
      for (std::size_t c = 0; c < pair.padding.size(); ++c) sum[c] += factor * padding[c];
      const auto [first, count] = range(k, b);
      if (count > 0)
        kernels_.environment(static_cast<std::ptrdiff_t>(count), pairs(first), model_.stride, weights_.data(),
                             sum);
    }
  }

  /// First pair, and number of pairs, of the k-th atom with neighbours of type b.
  [[nodiscard]] std::pair<std::size_t, std::size_t> range(int k, int b) const {
    const std::size_t row =
        static_cast<std::size_t>(k) * static_cast<std::size_t>(model_.n_types) + static_cast<std::size_t>(b);
    return {first_[row], first_[row + 1] - first_[row]};
  }

  void add_forces(int k, int type, int i, const Request& request) {
    Vec3 own = Vec3::Zero();
    T *gx = gradient_[0].data(), *gy = gradient_[1].data(), *gz = gradient_[2].data();
    for (int b = 0; b < model_.n_types; ++b) {
      const auto [first, count] = range(k, b);
      if (count == 0) continue;
      kernels_.gradients(static_cast<std::ptrdiff_t>(count), pairs(first), model_.pair(type, b).kind,
                         grad_t_.data(), model_.stride, weights_.data(), sums_.data(), gx, gy, gz,
                         virial.data());
      if (request.atomic_virials) add_virials(pairs(first), first, count);
      if (!request.forces) continue;
      for (std::size_t p = 0; p < count; ++p) {
        const Vec3 g(static_cast<double>(gx[p]), static_cast<double>(gy[p]), static_cast<double>(gz[p]));
        own += g;
        forces[static_cast<std::size_t>(owner_[first + p])] -= g;
      }
    }
    if (request.forces) forces[static_cast<std::size_t>(i)] += own;
  }

  void add_virials(const Pairs<T>& pairs, std::size_t first, std::size_t count) {
    for (std::size_t p = 0; p < count; ++p) {
      const Vec3 r(static_cast<double>(pairs.x[p]), static_cast<double>(pairs.y[p]),
                   static_cast<double>(pairs.z[p]));
      const Vec3 g(static_cast<double>(gradient_[0].data()[p]), static_cast<double>(gradient_[1].data()[p]),
                   static_cast<double>(gradient_[2].data()[p]));
      virials[static_cast<std::size_t>(owner_[first + p])] -= r * g.transpose();
    }
  }

  const FastModel<T>& model_;
  const Kernels<T> kernels_ = kernels<T>();
  // Of one atom: neighbours by type, `most_` places each.
  std::size_t most_ = 0;
  std::array<nn::Buffer<T>, 4> found_;  ///< x, y, z, r²
  std::vector<int> found_owner_;
  std::vector<std::size_t> counted_;  ///< by type
  std::array<nn::Buffer<T>, 3> gradient_;
  nn::Buffer<T> weights_, sums_, grad_t_;
  // Of a block: its pairs by atom and type.
  std::size_t room_ = 0;
  std::array<nn::Buffer<T>, 14> pairs_;
  std::vector<const T*> node_;
  std::vector<int> owner_;             ///< the local atom that the neighbour is an image of
  std::vector<std::size_t> first_;     ///< [atom·n_types + type]
  std::vector<std::vector<T>> exact_;  ///< nodes of pairs beyond their table
  std::size_t n_exact_ = 0;
  nn::Buffer<T> t_, d_;
  typename nn::PackedNetwork<T>::Workspace work_;
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
void FastPath<T>::plan(const NeighborView& list, std::span<const int> types, int threads) {
  // The neighbours of a block then share cache lines, in whatever order the frame has its atoms.
  if (spatial_of_ != list.generation || spatial_.size() != list.centres.size()) {
    std::vector<Vec3> places;
    places.reserve(list.centres.size());
    for (const int i : list.centres) places.push_back(list.position(i));
    spatial_ = spatial_order(places, list.cutoff);
    spatial_of_ = list.generation;
  }
  const auto n_types = static_cast<std::size_t>(model_->n_types);
  start_.assign(n_types + 1, 0);
  const auto type_of = [&](int i) { return static_cast<std::size_t>(types[static_cast<std::size_t>(i)]); };
  for (const int i : list.centres) ++start_[type_of(i) + 1];
  for (std::size_t t = 0; t < n_types; ++t) start_[t + 1] += start_[t];
  order_.resize(list.centres.size());
  for (const int place : spatial_) {
    const int i = list.centres[static_cast<std::size_t>(place)];
    order_[static_cast<std::size_t>(start_[type_of(i)]++)] = i;
  }
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
SelExcess FastPath<T>::evaluate(const NeighborView& list, std::span<const int> types, const Request& request,
                                int threads, Evaluation& result) {
  const auto n = static_cast<std::size_t>(list.n_owners);
  threads = std::max(1, threads);
  plan(list, types, threads);
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
  result.atomic_virials.assign(request.atomic_virials ? n : 0, Mat3::Zero());
  for (std::size_t w = 0; w < used; ++w) {
    const Worker& worker = *workers_[w];
    result.energy += worker.energy;
    result.virial += worker.virial;
    if (worker.excess.excess > excess.excess) excess = worker.excess;
    for (std::size_t i = 0; i < worker.forces.size(); ++i) result.forces[i] += worker.forces[i];
    for (std::size_t i = 0; i < worker.virials.size(); ++i) result.atomic_virials[i] += worker.virials[i];
  }
  return excess;
}

template struct FastModel<float>;
template struct FastModel<double>;
template class FastPath<float>;
template class FastPath<double>;

}  // namespace solion::dp
