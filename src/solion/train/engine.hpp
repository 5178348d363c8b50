// Energies, forces and virials of a batch of frames, and the gradient of the loss by all parameters.
// Theory: docs/theory/train.md.
#pragma once

#include <span>
#include <vector>

#include "solion/base/row_major.hpp"
#include "solion/dp/model.hpp"
#include "solion/nn/tape.hpp"
#include "solion/train/prepared.hpp"

namespace solion::train {

/// Prefactors of the three terms of the loss; a term with 0 needs no label.
struct LossWeights {
  double energy = 0;
  double force = 0;
  double virial = 0;
};

/// The loss of a batch of n frames with N_f atoms each, and its parts,
///   L = (1/n) Σ_f [ p_e ΔE²/N_f + p_f ΣΔF²/(3N_f) + p_v ΣΔW²/(9N_f) ],
/// as DeePMD-kit's loss `ener`. The mean squares are what `lcurve.out` shows the roots of: energy and virial
/// per atom. NaN where no frame of the batch has the label.
struct LossTerms {
  double loss = 0;
  double energy_mse = 0;  ///< mean of (ΔE/N)², eV²
  double force_mse = 0;   ///< mean of ΔF² of the components, (eV/Å)²
  double virial_mse = 0;  ///< mean of (ΔW/N)² of the components, eV²
};

/// The sums behind LossTerms, which those of other frames of the same batch can be added to.
struct LossSums {
  double loss = 0;
  std::array<double, 3> square{};  ///< energy, force, virial
  std::array<double, 3> labels{};  ///< frames that have the label
};
/// `n`: frames of the batch.
LossTerms terms_of(const LossSums& sums, std::size_t n);

/// What the model says of one frame of the batch.
struct Prediction {
  double energy = 0;               ///< eV
  std::vector<double> forces;      ///< eV/Å, 3 an atom
  std::array<double, 9> virial{};  ///< eV, −∂E/∂ε
};

/// Computes in precision T with sums over atoms in double. The order of all sums depends on the batch alone,
/// so that any number of threads gives the same bits.
template <typename T>
class Engine {
 public:
  /// Takes sizes, normalisation, biases and parameters of the model.
  explicit Engine(const dp::Model& model);

  /// All weights in one array: embedding nets in the model's order, then fitting nets.
  nn::AlignedVector<T>& parameters() { return parameters_; }
  /// Same layout; `loss_and_gradient` adds to it.
  nn::AlignedVector<T>& gradient() { return gradient_; }
  [[nodiscard]] const std::vector<nn::NetworkLayout>& embedding_layout() const { return embedding_layout_; }
  [[nodiscard]] const std::vector<nn::NetworkLayout>& fitting_layout() const { return fitting_layout_; }
  /// Writes the parameters into a model of the same sizes.
  void store(dp::Model& model) const;

  /// Energies, forces and virials of the frames.
  const std::vector<Prediction>& evaluate(std::span<const Prepared<T>* const> frames, int threads);
  /// The loss of the last evaluated frames.
  [[nodiscard]] LossTerms loss(std::span<const Prepared<T>* const> frames, const LossWeights& weights) const {
    return terms_of(sums(frames, weights), frames.size());
  }
  /// evaluate and loss, and adds ∂L/∂θ to `gradient()`.
  LossTerms loss_and_gradient(std::span<const Prepared<T>* const> frames, const LossWeights& weights,
                              int threads) {
    return terms_of(share_of_gradient(frames, frames.size(), weights, threads), frames.size());
  }
  /// The same for some frames of a batch of n: the sums over them, and what they give to ∂L/∂θ of the batch.
  LossSums share_of_gradient(std::span<const Prepared<T>* const> frames, std::size_t n,
                             const LossWeights& weights, int threads);

 private:
  /// Rows of one embedding net: pairs, then one padding row for each centre type that needs it.
  struct Rows {
    nn::Tape<T> tape;
    nn::Buffer<T> environment;  ///< (n, 4) normalised rows of the environment matrix
    nn::Buffer<T> tangent;      ///< (n, 4) their derivative along the displacement
    nn::Buffer<T> pair;         ///< (n, 8) x, y, z, 1/r, ds/dr, q, dq/dr, unused
    nn::Buffer<T> gradient;     ///< (n, 4) ∂E/∂r_ij, unused
    std::vector<int> other;     ///< (n) the neighbour's number in the batch
    std::ptrdiff_t n_pairs = 0;
    std::vector<std::ptrdiff_t> padding;  ///< [centre type] row, or -1
  };
  /// Consecutive atoms of one type, the unit of work of a thread.
  struct Block {
    int type = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>> rows;  ///< [neighbour type] in its net
  };
  /// An atom of the batch in the order by type.
  struct Atom {
    std::size_t frame = 0;
    std::size_t in_frame = 0;
    std::size_t in_batch = 0;  ///< frames one after another
  };

  std::size_t net(int centre, int neighbour) const {
    return type_one_side_ ? static_cast<std::size_t>(neighbour) : row_major(neighbour, centre, n_types_);
  }
  std::ptrdiff_t row(std::size_t atom, int type) const {
    return row_of_[atom * static_cast<std::size_t>(n_types_) + static_cast<std::size_t>(type)];
  }
  std::ptrdiff_t count(std::size_t atom, int type) const {
    const Atom& a = atoms_[atom];
    const auto* offset =
        frames_[a.frame]->offset.data() + a.in_frame * static_cast<std::size_t>(n_types_) + type;
    return static_cast<std::ptrdiff_t>(offset[1]) - static_cast<std::ptrdiff_t>(offset[0]);
  }
  std::ptrdiff_t padding_count(std::size_t atom, int type) const {
    return descriptor_.sel[static_cast<std::size_t>(type)] - count(atom, type);
  }
  bool excluded(int centre, int neighbour) const { return excluded_[row_major(centre, neighbour, n_types_)]; }

  void arrange(std::span<const Prepared<T>* const> frames);
  void sort_atoms(std::span<const Prepared<T>* const> frames);
  void assign_rows();
  void forward_padding();
  void environment(const Block& block);
  void forward_block(const Block& block);
  void pair_gradients(const Block& block);
  void reduce(std::span<const Prepared<T>* const> frames, int threads);
  [[nodiscard]] LossSums sums(std::span<const Prepared<T>* const> frames, const LossWeights& weights) const;
  void cotangents(std::span<const Prepared<T>* const> frames, std::size_t n_batch,
                  const LossWeights& weights);
  void displace(const Block& block);
  void backward_block(const Block& block, T* padding);
  void backward_padding(const std::vector<T>& sums);
  void parameter_gradients(int threads);
  T* t_of(nn::Buffer<T>& buffer, std::size_t atom) {
    return buffer.data() + 4 * m1_ * static_cast<std::ptrdiff_t>(atom);
  }

  int n_types_;
  bool type_one_side_;
  std::ptrdiff_t m1_;
  std::ptrdiff_t m2_;
  dp::Descriptor descriptor_;  ///< without its nets
  std::vector<double> bias_;
  std::vector<bool> excluded_;  ///< [centre, neighbour] left out by the descriptor
  std::vector<nn::NetworkLayout> embedding_layout_;
  std::vector<nn::NetworkLayout> fitting_layout_;
  nn::AlignedVector<T> parameters_;
  nn::AlignedVector<T> gradient_;

  std::vector<const Prepared<T>*> frames_;
  std::vector<Rows> rows_;               ///< [embedding net]
  std::vector<nn::Tape<T>> fitting_;     ///< [type]
  std::vector<std::size_t> first_atom_;  ///< [type] in atoms_, and the end
  std::vector<Atom> atoms_;
  std::vector<std::size_t> sorted_;       ///< [atom in batch] its place in atoms_
  std::vector<std::size_t> frame_begin_;  ///< [frame] its first atom in the batch
  std::vector<std::ptrdiff_t> row_of_;    ///< [atom, neighbour type]
  std::vector<Block> blocks_;
  nn::Buffer<T> t_, grad_t_, tangent_t_, cotangent_t_;  ///< (atoms, 4, M1)
  std::vector<Prediction> predictions_;
  std::vector<double> energy_cotangent_;  ///< [frame] ∂L/∂E
  std::vector<T> force_cotangent_;        ///< (atoms in batch, 3) ∂L/∂F
  std::vector<std::array<double, 9>> virial_cotangent_;
};

}  // namespace solion::train
