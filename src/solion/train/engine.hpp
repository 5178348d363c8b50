// Energies, forces and virials of a batch of frames, and the gradient of the loss by all parameters.
// Theory: docs/theory/train.md.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "solion/base/row_major.hpp"
#include "solion/dp/model.hpp"
#include "solion/nn/tape.hpp"
#include "solion/ranks/ranks.hpp"
#include "solion/train/prediction.hpp"
#include "solion/train/prepared.hpp"

namespace solion::gpu {
class Device;
}

namespace solion::train {

template <typename T>
class DevicePasses;

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

/// The sums behind LossTerms.
struct LossSums {
  double loss = 0;
  std::array<double, 3> square{};  ///< energy, force, virial
  std::array<double, 3> labels{};  ///< frames that have the label
};
/// `n`: frames of the batch.
LossTerms terms_of(const LossSums& sums, std::size_t n);

/// Computes in precision T with sums over atoms in double. The order of all sums depends on the batch and the
/// number of processes alone, so that any number of threads gives the same bits.
template <typename T>
class Engine {
 public:
  /// Takes sizes, normalisation, biases and parameters of the model.
  explicit Engine(const dp::Model& model);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  Engine(Engine&&) = delete;
  Engine& operator=(Engine&&) = delete;
  ~Engine();

  /// From now on batches are computed there; for one process alone. The device must outlive the engine.
  void compute_on(gpu::Device& device);

  /// All weights in one array: embedding nets in the model's order, then fitting nets.
  std::span<T> parameters() { return parameters_; }
  /// Same layout; `loss_and_gradient` sets it.
  std::span<T> gradient() { return gradient_; }
  [[nodiscard]] const std::vector<nn::NetworkLayout>& embedding_layout() const { return embedding_layout_; }
  [[nodiscard]] const std::vector<nn::NetworkLayout>& fitting_layout() const { return fitting_layout_; }
  /// Both, in the order of the array.
  [[nodiscard]] std::vector<nn::NetworkLayout> layout() const {
    std::vector<nn::NetworkLayout> nets = embedding_layout_;
    nets.insert(nets.end(), fitting_layout_.begin(), fitting_layout_.end());
    return nets;
  }
  /// Writes numbers that lie as `parameters()` do into a model of the same sizes.
  void store(std::span<const T> numbers, dp::Model& model) const;

  /// Energies, forces and virials of the frames.
  const std::vector<Prediction>& evaluate(std::span<const Prepared<T>* const> frames, int threads);
  /// The loss of the last evaluated frames.
  [[nodiscard]] LossTerms loss(std::span<const Prepared<T>* const> frames, const LossWeights& weights) const {
    return terms_of(sums(frames, weights), frames.size());
  }
  /// evaluate and loss, and sets `gradient()` to ∂L/∂θ.
  LossTerms loss_and_gradient(std::span<const Prepared<T>* const> frames, const LossWeights& weights,
                              int threads);

  /// A range of parameters and ∂L/∂θ of them, which is scratch afterwards; from several threads at once.
  using Take = std::function<void(std::size_t begin, std::size_t end, T* gradient)>;
  /// `loss_and_gradient` in two halves: the loss, and ∂L/∂θ of that batch as `gradient()`, or in parts that
  /// `take` gets each once while they are in the cache, after which parameters may move. The parts are for
  /// one process alone; how they are cut does not depend on the number of threads. `along` become their sums
  /// over the processes, on the way.
  LossTerms evaluate_loss(std::span<const Prepared<T>* const> frames, const LossWeights& weights, int threads,
                          std::span<double> along);
  void make_gradient(int threads);
  /// Sets `gradient()` to the derivative of Σ_f c_f·E_f + Σ v·F of the last evaluated frames instead:
  /// `energy` one c a frame, `force` three v an atom, frames one after another. For one process alone.
  void make_gradient_of(std::span<const double> energy, std::span<const T> force, int threads);
  /// What the model said of the last evaluated frames.
  [[nodiscard]] const std::vector<Prediction>& predictions() const { return predictions_; }
  void hand_out_gradient(int threads, const Take& take);

  /// From now on all processes, which have the same parameters, call `loss_and_gradient` together with the
  /// same batch: each computes a share of its atoms. Where they share memory, the parameters lie there.
  void join(ranks::Ranks& ranks);
  /// The processes share memory, where each makes the gradient of its weights out of all processes' rows.
  [[nodiscard]] bool owners_make_gradients() const { return company_.shares_memory; }
  /// Who has which part of the gradient, the only one that is defined where it is: in order and without gaps.
  void divide_gradient(std::vector<ranks::Part> parts);
  /// To be called by all when each has moved its part of the parameters: then all have all.
  void exchange_parameters();

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
  /// An atom of this process in the order by type.
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

  /// Rows of W in a task: the gradient of so many by 240 outputs stays in the second-level cache.
  static constexpr std::ptrdiff_t slice_rows = 80;
  /// One task of making gradients: rows of a weight matrix, or (no rows) the other numbers of the layer.
  struct Task {
    std::size_t net;  ///< embedding nets, then fitting nets
    std::size_t layer;
    std::ptrdiff_t begin, end;
  };
  /// What several processes need to make one gradient.
  struct Company {
    ranks::Ranks* ranks = nullptr;  ///< null: this one is alone
    bool shares_memory = false;
    std::vector<ranks::Part> parts;
    std::vector<T*> gradients;           ///< [process]
    std::vector<T*> rows;                ///< [process] LayerRows of its fitting nets, one behind the other
    std::size_t room = 0;                ///< for them, in numbers
    std::vector<Task> mine;              ///< weights of fitting nets that this one makes the gradient of
    std::vector<ranks::Part> mine_else;  ///< of its other numbers each process has made a term
  };

  /// Which frames, and where the atoms of each begin.
  void place_frames(std::span<const Prepared<T>* const> frames);
  void arrange(std::span<const Prepared<T>* const> frames, bool together);  ///< `together`: its share
  void sort_atoms(std::span<const Prepared<T>* const> frames, bool together);
  void cut(int processes);
  void assign_rows();
  void forward(int threads);
  std::vector<Task> backward(int threads);
  void backward_on_device();
  void forward_padding();
  void environment(const Block& block);
  void forward_block(const Block& block);
  void pair_gradients(const Block& block);
  void reduce(std::span<const Prepared<T>* const> frames, int threads);
  [[nodiscard]] LossSums sums(std::span<const Prepared<T>* const> frames, const LossWeights& weights) const;
  void cotangents(std::span<const Prepared<T>* const> frames, const LossWeights& weights);
  void displace(const Block& block);
  void backward_block(const Block& block, T* padding);
  void descriptor_tangents(const Block& block);
  void descriptor_cotangents(const Block& block, T* padding);
  void backward_padding(const std::vector<T>& sums);
  void backward_blocks(std::size_t begin, std::size_t end, int threads, std::vector<T>& padding);
  const nn::Tape<T>& tape_of(std::size_t net) const {
    return net < rows_.size() ? rows_[net].tape : fitting_[net - rows_.size()];
  }
  void add_tasks(std::size_t net, bool weights, std::vector<Task>& tasks) const;
  void run(const std::vector<Task>& tasks, int threads);
  void run(const std::vector<Task>& tasks, int threads, const Take& take);
  /// Atoms of a type that a process has.
  [[nodiscard]] std::ptrdiff_t atoms_of(std::size_t process, std::size_t type) const;
  [[nodiscard]] std::size_t rows_before(std::size_t process, std::size_t type) const;
  void make_room_for_rows();
  void leave_shared_memory();
  void exchange_predictions(std::span<double> along);
  void collect_gradient(int threads);
  void make_gradients(int threads);
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
  nn::AlignedVector<T> own_parameters_, own_gradient_;  ///< empty in shared memory
  std::span<T> parameters_, gradient_;
  /// Multiplications of an atom and of each of its pairs, and what takes as long as the first atom of a type.
  double atom_cost_ = 0, pair_cost_ = 0, type_cost_ = 0;
  Company company_;
  std::unique_ptr<DevicePasses<T>> device_;  ///< null: the processor computes

  std::vector<const Prepared<T>*> frames_;
  std::vector<Rows> rows_;               ///< [embedding net]
  std::vector<nn::Tape<T>> fitting_;     ///< [type]
  std::vector<std::size_t> type_begin_;  ///< [type] in the batch's order by type, and the end
  std::vector<std::size_t> cuts_;        ///< [process] its first atom in that order, and the end
  std::vector<std::size_t> first_atom_;  ///< [type] in atoms_, and the end
  std::vector<Atom> atoms_;
  std::vector<std::size_t> sorted_;       ///< [atom in batch] its place in atoms_, or nn::absent
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
