// The passes of the engine over a batch, on a device. Theory: docs/theory/train.md; docs/theory/gpu.md,
// section 6.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "solion/dp/model.hpp"
#include "solion/gpu/device_tape.hpp"
#include "solion/train/prediction.hpp"
#include "solion/train/prepared.hpp"

namespace solion::train {

/// What the passes need to know of a model besides its parameters.
struct ModelSizes {
  dp::Descriptor descriptor;   ///< without its nets
  std::vector<double> bias;    ///< [type] eV
  std::vector<bool> excluded;  ///< [centre, neighbour] left out by the descriptor
  std::vector<nn::NetworkLayout> embedding, fitting;
};

/// Parameters and gradients are the host's, laid out as the layouts say; a pass uploads or downloads all of
/// them.
template <typename T>
class DevicePasses {
 public:
  DevicePasses(gpu::Device& device, ModelSizes sizes);

  /// Energies, forces and virials of the frames.
  void forward(std::span<const Prepared<T>* const> frames, std::span<const T> parameters,
               std::vector<Prediction>& predictions);
  /// Of the frames and parameters of the last `forward`: the derivative by the parameters of Σ_f energy_f·E_f
  /// + Σ force·F + Σ virial·W. `force`: three numbers an atom, frames one after another.
  void backward(std::span<const double> energy, std::span<const T> force,
                std::span<const std::array<double, 9>> virial, std::span<T> gradient);

 private:
  /// Of the batch, in the order of the device: atoms by type, rows by embedding net.
  struct Arrangement {
    std::vector<int> type, frame, first_atom;
    std::vector<int> row, count, empty;  ///< [atom, neighbour type]
    std::vector<int> padding;            ///< [kind]
    std::vector<int> centre, other, kind;
    std::vector<T> vector;
    std::vector<int> incoming_begin, incoming;
    std::vector<std::int64_t> rows_of_nets, atoms_of_types;
    std::vector<int> place;  ///< [atom in batch] its place in that order
  };
  /// An atom in the order by type.
  struct Atom {
    const Prepared<T>* frame;
    std::size_t in_frame, begin;  ///< `begin`: of its frame in the batch
  };

  [[nodiscard]] Arrangement arrange(std::span<const Prepared<T>* const> frames) const;
  std::vector<Atom> sort_atoms(std::span<const Prepared<T>* const> frames, Arrangement& out) const;
  void add_rows(const std::vector<Atom>& atoms, int a, int b, Arrangement& out) const;
  void add_padding(int a, int b, Arrangement& out) const;
  static void find_incoming(Arrangement& out);
  void upload(const Arrangement& arrangement);
  [[nodiscard]] bool pads(int a, int b) const;
  [[nodiscard]] std::size_t kind_of(int a, int b) const {
    return static_cast<std::size_t>(a) * static_cast<std::size_t>(n_types_) + static_cast<std::size_t>(b);
  }
  [[nodiscard]] gpu::TrainingView<T> view();

  gpu::Device& device_;
  ModelSizes sizes_;
  int n_types_;
  int m1_, m2_;
  gpu::DeviceTape<T> embedding_, fitting_;

  std::vector<int> place_;  ///< [atom in batch]
  std::int64_t n_atoms_ = 0, n_rows_ = 0;
  gpu::DeviceArray<T> parameters_, gradient_;
  gpu::DeviceArray<T> means_, scales_;  ///< [kind, 4]
  gpu::DeviceArray<double> bias_;
  gpu::DeviceArray<int> type_, frame_, first_atom_, row_, count_, empty_, padding_, centre_, other_, kind_;
  gpu::DeviceArray<int> incoming_begin_, incoming_;
  gpu::DeviceArray<T> vector_, environment_, pair_, pair_gradient_, tangent_;
  gpu::DeviceArray<T> t_, t_adjoint_, t_tangent_, share_;
  gpu::DeviceArray<T> energy_cotangent_, force_cotangent_, virial_cotangent_;
  gpu::DeviceArray<double> said_;
};

}  // namespace solion::train
