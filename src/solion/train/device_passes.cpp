// The layout of a batch on the device, and the order of the kernels.
#include "solion/train/device_passes.hpp"

#include <algorithm>
#include <utility>

namespace solion::train {
namespace {

constexpr int block_threads = 128;
/// What gpu::TrainForces says of an atom: energy, force (3), virial (9).
constexpr std::size_t said_of_atom = 13;

}  // namespace

template <typename T>
DevicePasses<T>::DevicePasses(gpu::Device& device, ModelSizes sizes)
    : device_(device),
      sizes_(std::move(sizes)),
      n_types_(static_cast<int>(sizes_.fitting.size())),
      m1_(static_cast<int>(sizes_.embedding.front().n_out())),
      m2_(sizes_.descriptor.axis_neuron),
      embedding_(device, sizes_.embedding),
      fitting_(device, sizes_.fitting) {
  std::vector<T> means, scales;
  for (const dp::Normalisation& norm : sizes_.descriptor.normalisation) {
    for (std::size_t c = 0; c < 4; ++c) {
      means.push_back(static_cast<T>(norm.mean[c]));
      scales.push_back(static_cast<T>(1 / norm.deviation[c]));
    }
  }
  means_.upload(device_, means);
  scales_.upload(device_, scales);
  bias_.upload(device_, sizes_.bias);
}

template <typename T>
bool DevicePasses<T>::pads(int a, int b) const {
  // A padding row of zeros adds nothing unless the normalisation moves it.
  const auto& mean = sizes_.descriptor.normalisation[kind_of(a, b)].mean;
  return std::any_of(mean.begin(), mean.end(), [](double m) { return m != 0; });
}

template <typename T>
std::vector<typename DevicePasses<T>::Atom> DevicePasses<T>::sort_atoms(
    std::span<const Prepared<T>* const> frames, Arrangement& out) const {
  std::vector<std::size_t> begin{0};
  for (const auto* frame : frames) begin.push_back(begin.back() + static_cast<std::size_t>(frame->n_atoms));
  out.place.assign(begin.back(), 0);
  out.first_atom.assign(1, 0);
  std::vector<Atom> atoms;
  for (int type = 0; type < n_types_; ++type) {
    for (std::size_t f = 0; f < frames.size(); ++f) {
      for (std::size_t i = 0; i < frames[f]->types.size(); ++i) {
        if (frames[f]->types[i] != type) continue;
        out.place[begin[f] + i] = static_cast<int>(atoms.size());
        out.type.push_back(type);
        out.frame.push_back(static_cast<int>(f));
        atoms.push_back({frames[f], i, begin[f]});
      }
    }
    out.atoms_of_types.push_back(static_cast<std::int64_t>(atoms.size()) - out.first_atom.back());
    out.first_atom.push_back(static_cast<int>(atoms.size()));
  }
  return atoms;
}

/// The pairs of all atoms of type a with neighbours of type b.
template <typename T>
void DevicePasses<T>::add_rows(const std::vector<Atom>& atoms, int a, int b, Arrangement& out) const {
  const auto n = static_cast<std::size_t>(n_types_);
  for (int s = out.first_atom[static_cast<std::size_t>(a)];
       s < out.first_atom[static_cast<std::size_t>(a) + 1]; ++s) {
    const Atom& atom = atoms[static_cast<std::size_t>(s)];
    const std::uint32_t* offset = atom.frame->offset.data() + atom.in_frame * n + static_cast<std::size_t>(b);
    const std::size_t line = static_cast<std::size_t>(s) * n + static_cast<std::size_t>(b);
    out.row[line] = static_cast<int>(out.kind.size());
    out.empty[line] =
        sizes_.descriptor.sel[static_cast<std::size_t>(b)] - static_cast<int>(offset[1] - offset[0]);
    if (sizes_.excluded[kind_of(a, b)]) continue;
    out.count[line] = static_cast<int>(offset[1] - offset[0]);
    for (std::size_t p = offset[0]; p < offset[1]; ++p) {
      out.kind.push_back(static_cast<int>(kind_of(a, b)));
      out.centre.push_back(s);
      out.other.push_back(out.place[atom.begin + static_cast<std::size_t>(atom.frame->neighbour[p])]);
      out.vector.insert(out.vector.end(), atom.frame->vector.data() + 3 * p,
                        atom.frame->vector.data() + 3 * p + 3);
    }
  }
}

/// A row that lies beyond the cutoff.
template <typename T>
void DevicePasses<T>::add_padding(int a, int b, Arrangement& out) const {
  if (!pads(a, b)) return;
  out.padding[kind_of(a, b)] = static_cast<int>(out.kind.size());
  out.kind.push_back(static_cast<int>(kind_of(a, b)));
  out.centre.push_back(-1);
  out.other.push_back(-1);
  out.vector.insert(out.vector.end(), {static_cast<T>(2 * sizes_.descriptor.rcut), T(0), T(0)});
}

/// For each atom the rows that end at it, in order: their gradients pull at it.
template <typename T>
void DevicePasses<T>::find_incoming(Arrangement& out) {
  out.incoming_begin.assign(out.type.size() + 1, 0);
  for (const int j : out.other)
    if (j >= 0) ++out.incoming_begin[static_cast<std::size_t>(j) + 1];
  for (std::size_t s = 0; s < out.type.size(); ++s) out.incoming_begin[s + 1] += out.incoming_begin[s];
  out.incoming.resize(static_cast<std::size_t>(out.incoming_begin.back()));
  std::vector<int> next(out.incoming_begin.begin(), out.incoming_begin.end() - 1);
  for (std::size_t p = 0; p < out.other.size(); ++p)
    if (out.other[p] >= 0)
      out.incoming[static_cast<std::size_t>(next[static_cast<std::size_t>(out.other[p])]++)] =
          static_cast<int>(p);
}

template <typename T>
typename DevicePasses<T>::Arrangement DevicePasses<T>::arrange(
    std::span<const Prepared<T>* const> frames) const {
  Arrangement out;
  const std::vector<Atom> atoms = sort_atoms(frames, out);
  const std::size_t lines = atoms.size() * static_cast<std::size_t>(n_types_);
  out.row.assign(lines, 0);
  out.count.assign(lines, 0);
  out.empty.assign(lines, 0);
  out.padding.assign(static_cast<std::size_t>(n_types_) * static_cast<std::size_t>(n_types_), -1);
  const bool one_side = sizes_.descriptor.type_one_side;
  for (int net = 0; net < static_cast<int>(sizes_.embedding.size()); ++net) {
    const std::size_t before = out.kind.size();
    const int b = one_side ? net : net / n_types_;
    const int first = one_side ? 0 : net % n_types_, last = one_side ? n_types_ - 1 : first;
    for (int a = first; a <= last; ++a) add_rows(atoms, a, b, out);
    for (int a = first; a <= last; ++a) add_padding(a, b, out);
    out.rows_of_nets.push_back(static_cast<std::int64_t>(out.kind.size() - before));
  }
  find_incoming(out);
  return out;
}

template <typename T>
void DevicePasses<T>::upload(const Arrangement& a) {
  type_.upload(device_, a.type);
  frame_.upload(device_, a.frame);
  first_atom_.upload(device_, a.first_atom);
  row_.upload(device_, a.row);
  count_.upload(device_, a.count);
  empty_.upload(device_, a.empty);
  padding_.upload(device_, a.padding);
  centre_.upload(device_, a.centre);
  other_.upload(device_, a.other);
  kind_.upload(device_, a.kind);
  incoming_begin_.upload(device_, a.incoming_begin);
  incoming_.upload(device_, a.incoming);
  vector_.upload(device_, a.vector);
  n_atoms_ = static_cast<std::int64_t>(a.type.size());
  n_rows_ = static_cast<std::int64_t>(a.kind.size());
  embedding_.resize(a.rows_of_nets);
  fitting_.resize(a.atoms_of_types);
  const auto rows = static_cast<std::size_t>(n_rows_), atoms = static_cast<std::size_t>(n_atoms_);
  const auto m1 = static_cast<std::size_t>(m1_);
  for (gpu::DeviceArray<T>* array : {&environment_, &pair_gradient_, &tangent_})
    array->resize(device_, 4 * rows);
  pair_.resize(device_, 8 * rows);
  for (gpu::DeviceArray<T>* array : {&t_, &t_adjoint_, &t_tangent_}) array->resize(device_, 4 * m1 * atoms);
  share_.resize(device_, static_cast<std::size_t>(n_types_) * m1 * atoms);
  said_.resize(device_, said_of_atom * atoms);
}

template <typename T>
gpu::TrainingView<T> DevicePasses<T>::view() {
  return {n_types_,
          m1_,
          m2_,
          1 / static_cast<T>(sizes_.descriptor.sel_total()),
          type_.data(),
          frame_.data(),
          row_.data(),
          count_.data(),
          empty_.data(),
          padding_.data(),
          centre_.data(),
          other_.data(),
          kind_.data(),
          environment_.data(),
          pair_.data(),
          embedding_.output(),
          embedding_.output_tangent(),
          scales_.data()};
}

template <typename T>
void DevicePasses<T>::forward(std::span<const Prepared<T>* const> frames, std::span<const T> parameters,
                              std::vector<Prediction>& predictions) {
  const Arrangement arrangement = arrange(frames);
  upload(arrangement);
  place_ = arrangement.place;
  parameters_.upload(device_, parameters);
  const T* flat = parameters_.data();
  const dp::Descriptor& descriptor = sizes_.descriptor;
  device_.each(n_rows_,
               gpu::TrainEnvironment<T>{vector_.data(), kind_.data(), means_.data(), scales_.data(),
                                        static_cast<T>(descriptor.rcut), static_cast<T>(descriptor.rcut_smth),
                                        static_cast<T>(descriptor.env_protection), environment_.data(),
                                        pair_.data(), embedding_.input(), embedding_.input_tangent()});
  embedding_.forward(flat);
  embedding_.tangent(flat);
  device_.blocks(n_atoms_, block_threads, gpu::TrainDescriptor<T>{view(), t_.data(), fitting_.input()});
  fitting_.forward(flat);
  const std::vector<T> ones(static_cast<std::size_t>(n_atoms_), T(1));
  device_.upload(fitting_.output_adjoint(), ones.data(), ones.size() * sizeof(T));
  fitting_.backward(flat, true);
  device_.blocks(n_atoms_, block_threads,
                 gpu::TrainPairGradients<T>{view(), t_.data(), fitting_.input_adjoint(), t_adjoint_.data(),
                                            pair_gradient_.data()});
  device_.each(n_atoms_,
               gpu::TrainForces<T>{view(), pair_gradient_.data(), incoming_begin_.data(), incoming_.data(),
                                   fitting_.output(), bias_.data(), said_.data()});
  const std::vector<double> said = said_.values();
  predictions.resize(frames.size());
  std::size_t atom = 0;
  for (std::size_t f = 0; f < frames.size(); ++f) {
    Prediction& out = predictions[f];
    out = {};
    for (int i = 0; i < frames[f]->n_atoms; ++i) {
      const double* of = said.data() + said_of_atom * static_cast<std::size_t>(place_[atom++]);
      out.energy += of[0];
      out.forces.insert(out.forces.end(), of + 1, of + 4);
      for (std::size_t k = 0; k < 9; ++k) out.virial[k] += of[4 + k];
    }
  }
}

template <typename T>
void DevicePasses<T>::backward(std::span<const double> energy, std::span<const T> force,
                               std::span<const std::array<double, 9>> virial, std::span<T> gradient) {
  std::vector<T> sorted(force.size()), strain;
  for (std::size_t i = 0; i < place_.size(); ++i)
    std::copy_n(force.data() + 3 * i, 3, sorted.data() + 3 * static_cast<std::size_t>(place_[i]));
  for (const auto& of_frame : virial)
    for (const double w : of_frame) strain.push_back(static_cast<T>(w));
  const std::vector<T> by_energy(energy.begin(), energy.end());
  energy_cotangent_.upload(device_, by_energy);
  force_cotangent_.upload(device_, sorted);
  virial_cotangent_.upload(device_, strain);
  const T* flat = parameters_.data();
  device_.each(n_rows_, gpu::TrainDisplace<T>{view(), force_cotangent_.data(), virial_cotangent_.data(),
                                              tangent_.data()});
  device_.blocks(n_atoms_, block_threads,
                 gpu::TrainDescriptorTangent<T>{view(), tangent_.data(), t_.data(), energy_cotangent_.data(),
                                                t_tangent_.data(), fitting_.input_tangent(),
                                                fitting_.output_cotangent()});
  fitting_.tangent(flat);
  fitting_.tangent_backward(flat, true);
  device_.blocks(
      n_atoms_, block_threads,
      gpu::TrainDescriptorBack<T>{view(), tangent_.data(), t_.data(), t_tangent_.data(), t_adjoint_.data(),
                                  fitting_.input_cotangent(), fitting_.input_adjoint(),
                                  embedding_.output_cotangent(), embedding_.output_adjoint(), share_.data()});
  device_.each(static_cast<std::int64_t>(n_types_) * n_types_ * m1_,
               gpu::TrainPadding<T>{view(), share_.data(), first_atom_.data(), embedding_.output_cotangent(),
                                    embedding_.output_adjoint()});
  embedding_.backward(flat, false);
  embedding_.tangent_backward(flat, false);
  gradient_.resize(device_, gradient.size());
  gradient_.clear();  // what lies between the layers is nobody's
  embedding_.gradient(gradient_.data());
  fitting_.gradient(gradient_.data());
  gradient_.download(gradient);
}

template class DevicePasses<float>;
template class DevicePasses<double>;

}  // namespace solion::train
