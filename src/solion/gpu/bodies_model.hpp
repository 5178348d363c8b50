// Kernel bodies of the descriptor and of the forces, one block an atom. Theory: docs/theory/gpu.md,
// section 3.
#pragma once

#include <cmath>

#include "solion/dp/environment.hpp"
#include "solion/dp/hermite.hpp"
#include "solion/gpu/bodies_list.hpp"

namespace solion::gpu {

/// A table of dp/tables.hpp; the numbers of its nodes count through all tables.
template <typename T>
struct TableView {
  T low, inverse_width, segments;
  int first;  ///< of its segments, among those of all tables
};

/// What the pairs of a centre type with a neighbour type share.
template <typename T>
struct PairView {
  T mean[4], inverse_deviation[4];
  TableView<T> far, close;  ///< `close` goes on where `far` ends
  T far_end;                ///< x of that place
  int counts;               ///< 0: the model leaves the pair out
  int enters;               ///< 0: the descriptor leaves it out; it still takes the place of a padded row
};

template <typename T>
struct ModelView {
  int n_types, m1, m2, stride;
  double rcut2;
  T rcut, rcut_smth, protection;
  T nearest2;                ///< the tables end here, Å²
  const PairView<T>* pairs;  ///< [centre·n_types + neighbour]
  const int* first;          ///< [segment]: first node
  const T* splits;           ///< [segment]: intervals
  const T* nodes;            ///< [node][3][stride]
  const T* padding;          ///< [pair][4][stride]: Gᵀ·R of one padded row, times Σsel
  const int* sel;            ///< [type]

  /// Numbers of the descriptor: D[k][c] = D[c][k] once.
  [[nodiscard]] SOLION_BOTH int descriptor_size() const { return m1 * m2 - m2 * (m2 - 1) / 2; }
  /// Where D[k][c], k ≤ c, stands.
  [[nodiscard]] SOLION_BOTH int descriptor_place(int k, int c) const {
    return k * m1 - k * (k - 1) / 2 + c - k;
  }
};

/// A neighbour within the cutoff.
template <typename T>
struct Candidate {
  T r[3], square;
  int type, neighbor;
};

/// Looks at the k-th neighbour of atom i; true if it lies within the cutoff.
template <typename T>
SOLION_BOTH inline bool look_at(const ListView& list, double rcut2, std::int64_t i, int k, Candidate<T>& c) {
  const std::int64_t place = i * list.capacity + k;
  const Site& site = list.sites[i];
  c.neighbor = list.neighbors[place];
  const Site& other = list.sites[c.neighbor];
  double shift[3];
  shift_vector(list.shifts[place], list.boxes[site.box].h, shift);
  const double x = other.x - site.x + shift[0], y = other.y - site.y + shift[1],
               z = other.z - site.z + shift[2];
  const double square = x * x + y * y + z * z;
  if (!(square < rcut2)) return false;
  c.r[0] = static_cast<T>(x);
  c.r[1] = static_cast<T>(y);
  c.r[2] = static_cast<T>(z);
  c.square = static_cast<T>(square);
  c.type = other.type;
  return true;
}

/// Row of the environment matrix and table weights of a neighbour: what the sums over channels need.
/// Aligned, so that a thread reads it in few accesses.
template <typename T>
struct alignas(16) Entry {
  T row[4], value[6];
  int node;
};
template <typename T>
struct alignas(16) SlopedEntry {
  T row[4], value[6], slope[6];
  T r[3];
  int node, place;
};

template <typename T, typename E>
SOLION_BOTH inline dp::HermiteWeights<T> fill_entry(const ModelView<T>& model, const PairView<T>& pair,
                                                    const Candidate<T>& c, E& entry) {
  const T r = std::sqrt(c.square);
  const dp::Switched<T> w = dp::switched(r, model.rcut, model.rcut_smth, model.protection);
  entry.row[0] = (w.s - pair.mean[0]) * pair.inverse_deviation[0];
  for (int a = 0; a < 3; ++a)
    entry.row[a + 1] = (w.q * c.r[a] - pair.mean[a + 1]) * pair.inverse_deviation[a + 1];
  const T x = entry.row[0];
  const TableView<T>& table = x <= pair.far_end ? pair.far : pair.close;
  const auto at = dp::table_place(x, table.low, table.inverse_width, table.segments,
                                  model.first + table.first, model.splits + table.first);
  entry.node = at.node;
  const dp::HermiteWeights<T> weights = dp::hermite(at.t, at.inverse_h);
  for (int m = 0; m < 6; ++m) entry.value[m] = weights.value[m];
  return weights;
}

/// A pair that lies too close, as one number: the smallest one is reported.
SOLION_BOTH inline unsigned long long name_pair(std::int64_t i, int j) {
  return static_cast<unsigned long long>(i) << 32U | static_cast<unsigned>(j);
}

/// T·Σsel and the descriptor of the atom order[first + b].
template <typename T>
struct Environment {
  static constexpr bool blocks = true;
  ModelView<T> model;
  ListView list;
  const int* order;
  T* t;          ///< [b][4][stride]
  Operand<T> d;  ///< [b]
  int first;
  int tile;                     ///< so many neighbours are looked at together
  unsigned long long* closest;  ///< [box]: the first pair closer than the tables reach
  int* most;                    ///< [type]: most neighbours of it

  [[nodiscard]] std::size_t scratch() const {
    return static_cast<std::size_t>(tile) * sizeof(Entry<T>) +
           4 * static_cast<std::size_t>(model.stride) * sizeof(T) +
           static_cast<std::size_t>(model.n_types) * sizeof(int);
  }

  template <typename Block>
  SOLION_BOTH void operator()(Block& block, std::int64_t b) const {
    auto* entries = reinterpret_cast<Entry<T>*>(block.memory);
    T* sum = reinterpret_cast<T*>(entries + tile);
    int* count = reinterpret_cast<int*>(sum + 4 * model.stride);
    const std::int64_t i = order[first + b];
    const PairView<T>* pairs = model.pairs + list.sites[i].type * model.n_types;
    block.for_each(4 * model.stride, [&](int k) { sum[k] = 0; });
    block.for_each(model.n_types, [&](int k) { count[k] = 0; });
    for (int begin = 0; begin < list.counts[i]; begin += tile) {
      const int n = list.counts[i] - begin < tile ? list.counts[i] - begin : tile;
      const int found = block.template select<Candidate<T>>(
          n, [&](int k, Candidate<T>& c) { return enters(pairs, i, begin + k, count, c); },
          [&](int /*k*/, int place, const Candidate<T>& c) {
            fill_entry(model, pairs[c.type], c, entries[place]);
          });
      block.for_each(model.m1, [&](int c) { add_channel(entries, found, c, sum); });
    }
    block.for_each(model.m1, [&](int c) { pad(pairs, count, b, c, sum); });
    block.for_each(model.m1 * model.m2, [&](int kc) {
      const int k = kc / model.m1, c = kc % model.m1;
      if (c < k) return;
      T product = 0;
      for (int x = 0; x < 4; ++x) product += sum[x * model.stride + k] * sum[x * model.stride + c];
      d.store(b, model.descriptor_place(k, c), product);
    });
  }

 private:
  SOLION_BOTH bool enters(const PairView<T>* pairs, std::int64_t i, int k, int* count,
                          Candidate<T>& c) const {
    if (!look_at(list, model.rcut2, i, k, c)) return false;
    if (!(c.square > model.nearest2)) lower(closest + list.sites[i].box, name_pair(i, c.neighbor));
    if (pairs[c.type].counts == 0) return false;
    add(count + c.type, 1);
    return pairs[c.type].enters != 0;
  }

  SOLION_BOTH void add_channel(const Entry<T>* entries, int n, int c, T* sum) const {
    T s[4] = {};
    for (int p = 0; p < n; ++p) {
      const Entry<T> entry = entries[p];
      const T* node = model.nodes + static_cast<std::int64_t>(entry.node) * 3 * model.stride + c;
      T g = entry.value[0] * node[0];
      for (int m = 1; m < 6; ++m) g += entry.value[m] * node[m * model.stride];
      for (int x = 0; x < 4; ++x) s[x] += entry.row[x] * g;
    }
    for (int x = 0; x < 4; ++x) sum[x * model.stride + c] += s[x];
  }

  /// The rows that fill `sel`; T goes to memory for the way back.
  SOLION_BOTH void pad(const PairView<T>* pairs, const int* count, std::int64_t b, int c, T* sum) const {
    for (int type = 0; type < model.n_types; ++type) {
      const T factor = static_cast<T>(model.sel[type] - count[type]);
      const T* padding = model.padding + (pairs - model.pairs + type) * 4 * model.stride + c;
      for (int x = 0; x < 4; ++x) sum[x * model.stride + c] += factor * padding[x * model.stride];
      if (c == 0) raise(most + type, count[type]);
    }
    for (int x = 0; x < 4; ++x) t[(b * 4 + x) * model.stride + c] = sum[x * model.stride + c];
  }
};

/// ∂E/∂r_ij of all neighbours of the atom order[first + b], and its virial, from ∂E/∂D.
template <typename T>
struct Gradients {
  static constexpr bool blocks = true;
  ModelView<T> model;
  ListView list;
  const int* order;
  const T* t;       ///< [b][4][stride], of Environment
  const T* grad_d;  ///< [b][d_stride]
  std::int64_t d_stride;
  int first;
  int tile;
  T* gradients;     ///< [3·(atom·capacity + k)]; 0 beyond the cutoff
  double* virials;  ///< [9·atom]: −Σ r ⊗ ∂E_i/∂r

  [[nodiscard]] std::size_t scratch() const {
    return 9 * sizeof(double) + 4 * static_cast<std::size_t>(model.stride) * sizeof(T) +
           static_cast<std::size_t>(tile) * sizeof(SlopedEntry<T>);
  }

  template <typename Block>
  SOLION_BOTH void operator()(Block& block, std::int64_t b) const {
    auto* entries = reinterpret_cast<SlopedEntry<T>*>(block.memory);
    auto* virial = reinterpret_cast<double*>(entries + tile);
    T* grad_t = reinterpret_cast<T*>(virial + 9);
    const std::int64_t i = order[first + b];
    const PairView<T>* pairs = model.pairs + list.sites[i].type * model.n_types;
    descriptor_backward(block, b, grad_t);
    block.for_each(9, [&](int k) { virial[k] = 0; });
    for (int begin = 0; begin < list.counts[i]; begin += tile) {
      const int n = list.counts[i] - begin < tile ? list.counts[i] - begin : tile;
      const int found = block.template select<Candidate<T>>(
          n, [&](int k, Candidate<T>& c) { return enters(pairs, i, begin + k, c); },
          [&](int k, int place, const Candidate<T>& c) {
            fill(pairs[c.type], c, begin + k, entries[place]);
          });
      block.template sum_each<4, T>(
          found, model.m1, [&](int p, int c, T* y) { add_channel(entries[p], c, grad_t, y); },
          [&](int p, const T* y) {
            for (int x = 0; x < 4; ++x) entries[p].value[x] = y[x];  // the weights are no longer needed
          });
      block.for_each(found, [&](int p) { finish(pairs, i, entries[p]); });
      block.template sum_each<9, T>(
          1, found, [&](int /*only*/, int p, T* w) { add_virial(entries[p], w); },
          [&](int /*only*/, const T* w) {
            for (int k = 0; k < 9; ++k) virial[k] += static_cast<double>(w[k]);
          });
    }
    block.for_each(9, [&](int k) { virials[9 * i + k] = virial[k]; });
  }

 private:
  /// ∂E/∂T of D[k][c] = Σ_x T[x][k]·T[x][c] for k ≤ c.
  template <typename Block>
  SOLION_BOTH void descriptor_backward(Block& block, std::int64_t b, T* grad_t) const {
    const T* grad = grad_d + b * d_stride;
    const T* own = t + b * 4 * model.stride;
    block.for_each(4 * model.stride, [&](int xc) {
      const int x = xc / model.stride, c = xc % model.stride;
      T sum = 0;
      for (int k = 0; c < model.m1 && k < model.m2 && k <= c; ++k)
        sum += grad[model.descriptor_place(k, c)] * own[x * model.stride + k];
      grad_t[xc] = sum;
    });
    block.template sum_each<4, T>(
        model.m2, model.m1,
        [&](int k, int c, T* sums) {
          if (c < k) return;
          const T value = grad[model.descriptor_place(k, c)];
          for (int x = 0; x < 4; ++x) sums[x] += value * own[x * model.stride + c];
        },
        [&](int k, const T* sums) {
          for (int x = 0; x < 4; ++x) grad_t[x * model.stride + k] += sums[x];
        });
  }

  SOLION_BOTH bool enters(const PairView<T>* pairs, std::int64_t i, int k, Candidate<T>& c) const {
    if (look_at(list, model.rcut2, i, k, c) && pairs[c.type].counts != 0 && pairs[c.type].enters != 0)
      return true;
    T* gradient = gradients + 3 * (i * list.capacity + k);
    for (int a = 0; a < 3; ++a) gradient[a] = 0;
    return false;
  }

  SOLION_BOTH void fill(const PairView<T>& pair, const Candidate<T>& c, int place, SlopedEntry<T>& e) const {
    const dp::HermiteWeights<T> weights = fill_entry(model, pair, c, e);
    for (int m = 0; m < 6; ++m) e.slope[m] = weights.slope[m];
    for (int a = 0; a < 3; ++a) e.r[a] = c.r[a];
    e.place = place;
  }

  /// y += ∂E/∂R through one channel; the part through G in the first.
  SOLION_BOTH void add_channel(const SlopedEntry<T>& e, int c, const T* grad_t, T* y) const {
    const T* node = model.nodes + static_cast<std::int64_t>(e.node) * 3 * model.stride + c;
    T g = 0, slope = 0, grad_g = 0;
    for (int m = 0; m < 6; ++m) {
      const T value = node[m * model.stride];
      g += e.value[m] * value;
      slope += e.slope[m] * value;
    }
    for (int x = 0; x < 4; ++x) {
      const T grad = grad_t[x * model.stride + c];
      y[x] += g * grad;
      grad_g += e.row[x] * grad;
    }
    y[0] += slope * grad_g;
  }

  /// From ∂E/∂R to ∂E/∂r⃗, which goes to memory and stays for the virial.
  SOLION_BOTH void finish(const PairView<T>* pairs, std::int64_t i, SlopedEntry<T>& e) const {
    const std::int64_t place = i * list.capacity + e.place;
    const PairView<T>& pair = pairs[list.sites[list.neighbors[place]].type];
    T y[4];
    for (int x = 0; x < 4; ++x) y[x] = e.value[x] * pair.inverse_deviation[x];
    const T r = std::sqrt(e.r[0] * e.r[0] + e.r[1] * e.r[1] + e.r[2] * e.r[2]);
    dp::row_to_vector(y, e.r, 1 / r, dp::switched(r, model.rcut, model.rcut_smth, model.protection), e.value);
    for (int a = 0; a < 3; ++a) gradients[3 * place + a] = e.value[a];
  }

  static SOLION_BOTH void add_virial(const SlopedEntry<T>& e, T* w) {
    for (int a = 0; a < 3; ++a) {
      for (int b = 0; b < 3; ++b) w[3 * a + b] -= e.r[a] * e.value[b];
    }
  }
};

/// F_i = Σ_j ∂E_i/∂r_ij − Σ_j ∂E_j/∂r_ji: `atoms_each` atoms a block, sums in double in the list's order.
template <typename T>
struct GatherForces {
  static constexpr bool blocks = true;
  static constexpr int atoms_each = 8;
  ListView list;
  const T* gradients;
  double* forces;  ///< [3·atom]
  std::int64_t n_atoms;
  [[nodiscard]] static std::size_t scratch() { return 0; }

  template <typename Block>
  SOLION_BOTH void operator()(Block& block, std::int64_t b) const {
    const std::int64_t begin = b * atoms_each;
    const int n = n_atoms - begin < atoms_each ? static_cast<int>(n_atoms - begin) : atoms_each;
    block.template sum_each<3, double>(
        n, list.capacity,
        [&](int p, int k, double* sum) {
          if (k >= list.counts[begin + p]) return;
          const std::int64_t place = (begin + p) * list.capacity + k;
          const T* own = gradients + 3 * place;
          const T* back = gradients + 3 * (static_cast<std::int64_t>(list.neighbors[place]) * list.capacity +
                                           list.reverse[place]);
          for (int a = 0; a < 3; ++a) sum[a] += static_cast<double>(own[a]) - static_cast<double>(back[a]);
        },
        [&](int p, const double* sum) {
          for (int a = 0; a < 3; ++a) forces[3 * (begin + p) + a] = sum[a];
        });
  }
};

/// The virial of atom j by who feels it: W_j = −Σ_i r_ij ⊗ ∂E_i/∂r_ij (potential.hpp).
template <typename T>
struct GatherVirials {
  ListView list;
  const T* gradients;
  double* virials;  ///< [9·atom]
  SOLION_BOTH void operator()(std::int64_t j) const {
    double w[9] = {};
    for (int k = 0; k < list.counts[j]; ++k) {
      const std::int64_t place = j * list.capacity + k;
      Candidate<double> c;
      if (!look_at(list, 1e300, j, k, c)) continue;
      const T* back = gradients + 3 * (static_cast<std::int64_t>(list.neighbors[place]) * list.capacity +
                                       list.reverse[place]);
      for (int a = 0; a < 3; ++a) {
        // r_ij of the pair that leads here is the opposite of the one that leads away.
        for (int b = 0; b < 3; ++b) w[3 * a + b] += c.r[a] * static_cast<double>(back[b]);
      }
    }
    for (int q = 0; q < 9; ++q) virials[9 * j + q] = w[q];
  }
};

}  // namespace solion::gpu
