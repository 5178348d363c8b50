// Kernel bodies of the training of a Deep Potential: environment, descriptor, pair gradients and the way back
// of a batch of frames. Theory: docs/theory/train.md; train/engine_passes.cpp has the same on the processor.
#pragma once

#include <cmath>

#include "solion/dp/environment.hpp"
#include "solion/gpu/block.hpp"

namespace solion::gpu {

/// A batch: its atoms ordered by type, its rows (pairs, then padding rows) ordered by embedding net and, in
/// each, by atom. A kind is centre type · n_types + neighbour type. Sizes of the model with it.
template <typename T>
struct TrainingView {
  int n_types, m1, m2;
  T scale;               ///< 1/Σsel
  const int* type;       ///< [atom]
  const int* frame;      ///< [atom]
  const int* row;        ///< [atom, type] first of its pairs with that type
  const int* count;      ///< [atom, type] so many
  const int* empty;      ///< [atom, type] places of sel that nobody takes
  const int* padding;    ///< [kind] its padding row, or −1
  const int* centre;     ///< [row] atom, or −1
  const int* other;      ///< [row] atom
  const int* kind;       ///< [row]
  const T* environment;  ///< [row, 4] normalised
  const T* pair;         ///< [row, 8]: x, y, z, 1/r, ds/dr, q, dq/dr, unused
  const T* g;            ///< [row, m1] output of the embedding net
  const T* g_slope;      ///< [row, m1] its derivative by the input
  const T* scales;       ///< [kind, 4] 1/deviation

  [[nodiscard]] SOLION_BOTH std::int64_t line(std::int64_t atom, int b) const { return atom * n_types + b; }
};

/// One number, k = m·m2 + q, of D[m][q] = Σ_c t[c][m]·u[c][q].
template <typename T>
SOLION_BOTH inline T outer_at(int k, int m1, int m2, const T* t, const T* u) {
  const int m = k / m2, q = k % m2;
  T sum = 0;
  for (int c = 0; c < 4; ++c) sum += t[c * m1 + m] * u[c * m1 + q];
  return sum;
}

/// One number, k = c·m1 + m, of the gradient by t where u is t and d the gradient by D:
/// Σ_q d[m][q]·t[c][q] + (m < m2) Σ_n d[n][m]·t[c][n].
template <typename T>
SOLION_BOTH inline T outer_transposed_at(int k, int m1, int m2, const T* d, const T* t) {
  const int c = k / m1, m = k % m1;
  T sum = 0;
  for (int q = 0; q < m2; ++q) sum += d[m * m2 + q] * t[c * m1 + q];
  if (m < m2) {
    for (int n = 0; n < m1; ++n) sum += d[n * m2 + m] * t[c * m1 + n];
  }
  return sum;
}

/// Rows of the environment matrix. One item a row; padding rows have a vector beyond the cutoff.
template <typename T>
struct TrainEnvironment {
  const T* vector;  ///< [row, 3]
  const int* kind;  ///< [row]
  const T* means;   ///< [kind, 4]
  const T* scales;  ///< [kind, 4] 1/deviation
  T rcut, rcut_smth, protection;
  T* environment;    ///< [row, 4]
  T* pair;           ///< [row, 8]
  T* input;          ///< [row] of the embedding net
  T* input_tangent;  ///< [row] 1, so that the output's tangent is its derivative

  SOLION_BOTH void operator()(std::int64_t row) const {
    const T* d = vector + 3 * row;
    const T* mean = means + 4 * kind[row];
    const T* scale = scales + 4 * kind[row];
    const T r = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    const dp::Switched<T> w = dp::switched(r, rcut, rcut_smth, protection);
    T* out = environment + 4 * row;
    out[0] = (w.s - mean[0]) * scale[0];
    for (int c = 0; c < 3; ++c) out[c + 1] = (w.q * d[c] - mean[c + 1]) * scale[c + 1];
    T* keep = pair + 8 * row;
    for (int c = 0; c < 3; ++c) keep[c] = d[c];
    keep[3] = 1 / r;
    keep[4] = w.ds;
    keep[5] = w.q;
    keep[6] = w.dq;
    keep[7] = 0;
    input[row] = out[0];
    input_tangent[row] = 1;
  }
};

/// T and the descriptor D = T·T[:m2]ᵀ of an atom.
template <typename T>
struct TrainDescriptor {
  static constexpr bool blocks = true;
  TrainingView<T> view;
  T* t;  ///< [atom, 4, m1]
  T* d;  ///< [atom, m1, m2]
  [[nodiscard]] static std::size_t scratch() { return 0; }

  template <typename Block>
  SOLION_BOTH void operator()(Block& block, std::int64_t atom) const {
    const int m1 = view.m1;
    T* mine = t + 4 * m1 * atom;
    block.for_each(4 * m1, [&](int k) {
      const int c = k / m1, m = k % m1;
      T sum = 0;
      for (int b = 0; b < view.n_types; ++b) {
        const std::int64_t at = view.line(atom, b);
        const std::int64_t first = view.row[at], end = first + view.count[at];
        for (std::int64_t p = first; p < end; ++p) sum += view.environment[4 * p + c] * view.g[p * m1 + m];
        const std::int64_t pad = view.padding[view.line(view.type[atom], b)];
        if (pad >= 0)
          sum += static_cast<T>(view.empty[at]) * view.environment[4 * pad + c] * view.g[pad * m1 + m];
      }
      mine[k] = sum * view.scale;
    });
    block.for_each(m1 * view.m2,
                   [&](int k) { d[atom * m1 * view.m2 + k] = outer_at(k, m1, view.m2, mine, mine); });
  }
};

/// ∂E/∂T of an atom, and ∂E/∂r⃗ of its pairs.
template <typename T>
struct TrainPairGradients {
  static constexpr bool blocks = true;
  TrainingView<T> view;
  const T* t;          ///< [atom, 4, m1]
  const T* d_adjoint;  ///< [atom, m1, m2] ∂E/∂D
  T* t_adjoint;        ///< [atom, 4, m1] ∂E/∂T
  T* gradient;         ///< [row, 4], the last one unused
  [[nodiscard]] static std::size_t scratch() { return 0; }

  template <typename Block>
  SOLION_BOTH void operator()(Block& block, std::int64_t atom) const {
    const int m1 = view.m1, m2 = view.m2;
    T* by_t = t_adjoint + 4 * m1 * atom;
    block.for_each(4 * m1, [&](int k) {
      by_t[k] = view.scale * outer_transposed_at(k, m1, m2, d_adjoint + atom * m1 * m2, t + 4 * m1 * atom);
    });
    for (int b = 0; b < view.n_types; ++b) {
      const std::int64_t first = view.row[view.line(atom, b)];
      block.template sum_each<8, T>(
          view.count[view.line(atom, b)], m1,
          [&](int p, int m, T* sums) {
            const T value = view.g[(first + p) * m1 + m], slope = view.g_slope[(first + p) * m1 + m];
            for (int c = 0; c < 4; ++c) {
              sums[c] += value * by_t[c * m1 + m];
              sums[4 + c] += slope * by_t[c * m1 + m];
            }
          },
          [&](int p, const T* sums) { finish(first + p, sums); });
    }
  }

 private:
  SOLION_BOTH void finish(std::int64_t row, const T* sums) const {
    const T* scale = view.scales + 4 * view.kind[row];
    T y[4];
    for (int c = 0; c < 4; ++c) y[c] = sums[c];
    for (int c = 0; c < 4; ++c) y[0] += sums[4 + c] * view.environment[4 * row + c];
    for (int c = 0; c < 4; ++c) y[c] *= scale[c];
    const T* pair = view.pair + 8 * row;
    dp::row_to_vector(y, pair, pair[3], {T(0), pair[5], pair[4], pair[6]}, gradient + 4 * row);
  }
};

/// Energy, force and virial of an atom, in double. One item an atom.
template <typename T>
struct TrainForces {
  TrainingView<T> view;
  const T* gradient;          ///< [row, 4]
  const int* incoming_begin;  ///< [atom], one more behind
  const int* incoming;        ///< rows that end at the atom
  const T* output;            ///< [atom] of the fitting net
  const double* bias;         ///< [type]
  double* said;               ///< [atom, 13]: energy, force, virial

  SOLION_BOTH void operator()(std::int64_t atom) const {
    double sums[13] = {static_cast<double>(output[atom]) + bias[view.type[atom]]};
    for (int b = 0; b < view.n_types; ++b) {
      const std::int64_t first = view.row[view.line(atom, b)], end = first + view.count[view.line(atom, b)];
      for (std::int64_t p = first; p < end; ++p) {
        for (int x = 0; x < 3; ++x) {
          const auto g = static_cast<double>(gradient[4 * p + x]);
          sums[1 + x] += g;
          for (int y = 0; y < 3; ++y) sums[4 + 3 * y + x] -= static_cast<double>(view.pair[8 * p + y]) * g;
        }
      }
    }
    for (int k = incoming_begin[atom]; k < incoming_begin[atom + 1]; ++k) {
      for (int x = 0; x < 3; ++x)
        sums[1 + x] -= static_cast<double>(gradient[4 * static_cast<std::int64_t>(incoming[k]) + x]);
    }
    for (int k = 0; k < 13; ++k) said[13 * atom + k] = sums[k];
  }
};

/// The derivative of a row of the environment matrix along the displacement that the loss asks for. One item
/// a row.
template <typename T>
struct TrainDisplace {
  TrainingView<T> view;
  const T* force;   ///< [atom, 3] ∂L/∂F
  const T* virial;  ///< [frame, 9] ∂L/∂W
  T* tangent;       ///< [row, 4]

  SOLION_BOTH void operator()(std::int64_t row) const {
    T* out = tangent + 4 * row;
    const std::int64_t i = view.centre[row];
    if (i < 0) {
      for (int c = 0; c < 4; ++c) out[c] = 0;
      return;
    }
    const T* v_i = force + 3 * i;
    const T* v_j = force + 3 * static_cast<std::int64_t>(view.other[row]);
    const T* strain = virial + 9 * static_cast<std::int64_t>(view.frame[i]);
    const T* d = view.pair + 8 * row;
    const T* scale = view.scales + 4 * view.kind[row];
    T move[3];
    for (int c = 0; c < 3; ++c)
      move[c] = v_i[c] - v_j[c] - strain[c] * d[0] - strain[3 + c] * d[1] - strain[6 + c] * d[2];
    const T rate = (move[0] * d[0] + move[1] * d[1] + move[2] * d[2]) * d[3];
    out[0] = d[4] * rate * scale[0];
    for (int c = 0; c < 3; ++c) out[c + 1] = (d[6] * rate * d[c] + d[5] * move[c]) * scale[c + 1];
  }
};

/// Ṫ and Ḋ of an atom, and ∂L/∂E of its net.
template <typename T>
struct TrainDescriptorTangent {
  static constexpr bool blocks = true;
  TrainingView<T> view;
  const T* tangent;  ///< [row, 4]
  const T* t;        ///< [atom, 4, m1]
  const T* energy;   ///< [frame] ∂L/∂E
  T* t_tangent;      ///< [atom, 4, m1]
  T* d_tangent;      ///< [atom, m1, m2]
  T* output;         ///< [atom] cotangent of the fitting net's output
  [[nodiscard]] static std::size_t scratch() { return 0; }

  template <typename Block>
  SOLION_BOTH void operator()(Block& block, std::int64_t atom) const {
    const int m1 = view.m1, m2 = view.m2;
    T* dt = t_tangent + 4 * m1 * atom;
    const T* mine = t + 4 * m1 * atom;
    block.for_each(4 * m1, [&](int k) {
      const int c = k / m1, m = k % m1;
      T sum = 0;
      for (int b = 0; b < view.n_types; ++b) {
        const std::int64_t first = view.row[view.line(atom, b)], end = first + view.count[view.line(atom, b)];
        for (std::int64_t p = first; p < end; ++p)
          sum += tangent[4 * p + c] * view.g[p * m1 + m] +
                 view.environment[4 * p + c] * tangent[4 * p] * view.g_slope[p * m1 + m];
      }
      dt[k] = sum * view.scale;
      if (k == 0) output[atom] = energy[view.frame[atom]];
    });
    block.for_each(m1 * m2, [&](int k) {
      d_tangent[atom * m1 * m2 + k] = outer_at(k, m1, m2, dt, mine) + outer_at(k, m1, m2, mine, dt);
    });
  }
};

/// Cotangents of the embedding nets' outputs of an atom's pairs, and its share of those of padding rows.
template <typename T>
struct TrainDescriptorBack {
  static constexpr bool blocks = true;
  TrainingView<T> view;
  const T* tangent;  ///< [row, 4]
  const T* t;        ///< [atom, 4, m1], as the next two
  const T* t_tangent;
  const T* t_adjoint;    ///< ∂E/∂T
  const T* d_cotangent;  ///< [atom, m1, m2] ∂L/∂D
  const T* d_adjoint;    ///< [atom, m1, m2] ∂L/∂Ḋ
  T* cotangent;          ///< [row, m1]
  T* adjoint;            ///< [row, m1]
  T* share;              ///< [atom, type, m1]
  [[nodiscard]] std::size_t scratch() const { return 4 * static_cast<std::size_t>(view.m1) * sizeof(T); }

  template <typename Block>
  SOLION_BOTH void operator()(Block& block, std::int64_t atom) const {
    const int m1 = view.m1, m2 = view.m2;
    T* t_bar = reinterpret_cast<T*>(block.memory);
    const std::int64_t d_at = atom * m1 * m2, t_at = 4 * m1 * atom;
    block.for_each(4 * m1, [&](int k) {
      t_bar[k] = view.scale * (outer_transposed_at(k, m1, m2, d_cotangent + d_at, t + t_at) +
                               outer_transposed_at(k, m1, m2, d_adjoint + d_at, t_tangent + t_at));
    });
    const T* by_t = t_adjoint + t_at;
    for (int b = 0; b < view.n_types; ++b) {
      const std::int64_t at = view.line(atom, b), first = view.row[at];
      block.for_each(view.count[at] * m1, [&](int k) {
        const std::int64_t p = first + k / m1;
        const int m = k % m1;
        const T* r = view.environment + 4 * p;
        const T* dr = tangent + 4 * p;
        T value = 0, slope = 0;
        for (int c = 0; c < 4; ++c) {
          value += r[c] * t_bar[c * m1 + m] + dr[c] * by_t[c * m1 + m];
          slope += r[c] * dr[0] * by_t[c * m1 + m];
        }
        cotangent[p * m1 + m] = value;
        adjoint[p * m1 + m] = slope;
      });
      const std::int64_t pad = view.padding[view.line(view.type[atom], b)];
      if (pad < 0) continue;  // the same for all threads
      block.for_each(m1, [&](int m) {
        T sum = 0;
        for (int c = 0; c < 4; ++c)
          sum += static_cast<T>(view.empty[at]) * view.environment[4 * pad + c] * t_bar[c * m1 + m];
        share[at * m1 + m] = sum;
      });
    }
  }
};

/// The cotangent of a padding row: the sum of what its atoms give. One item a number: kind·m1 + channel.
template <typename T>
struct TrainPadding {
  TrainingView<T> view;
  const T* share;         ///< [atom, type, m1]
  const int* first_atom;  ///< [type], one more behind
  T* cotangent;           ///< [row, m1]
  T* adjoint;             ///< [row, m1]

  SOLION_BOTH void operator()(std::int64_t item) const {
    const int kind = static_cast<int>(item / view.m1), m = static_cast<int>(item % view.m1);
    const std::int64_t pad = view.padding[kind];
    if (pad < 0) return;
    const int a = kind / view.n_types, b = kind % view.n_types;
    T sum = 0;
    for (int atom = first_atom[a]; atom < first_atom[a + 1]; ++atom)
      sum += share[view.line(atom, b) * view.m1 + m];
    cotangent[pad * view.m1 + m] = sum;
    adjoint[pad * view.m1 + m] = 0;
  }
};

}  // namespace solion::gpu
