// The layout of a batch, its loss, and the order in which the passes run.
#include "solion/train/engine.hpp"

#include <algorithm>
#include <limits>

#include "solion/base/errors.hpp"
#include "solion/base/threads.hpp"
#include "solion/train/device_passes.hpp"

namespace solion::train {

/// Atoms in one block: enough rows for the matrix products, few enough that a small frame feeds two threads.
constexpr std::size_t block_atoms = 16;

template <typename T>
Engine<T>::Engine(const dp::Model& model)
    : n_types_(model.n_types()),
      type_one_side_(model.descriptor.type_one_side),
      m1_(model.n_embedding()),
      m2_(model.descriptor.axis_neuron),
      descriptor_(model.descriptor),
      bias_(model.bias_atom_e) {
  if (!model.pair_exclude_types.empty() || !model.atom_exclude_types.empty()) {
    throw InputError("training with pair_exclude_types or atom_exclude_types is not supported");
  }
  for (std::size_t a = 0; a < bias_.size(); ++a) bias_[a] += model.out_bias.empty() ? 0.0 : model.out_bias[a];
  for (int a = 0; a < n_types_; ++a) {
    for (int b = 0; b < n_types_; ++b) excluded_.push_back(descriptor_.exclude_types.contains({a, b}));
  }
  std::size_t at = 0;
  for (const nn::Network& network : model.descriptor.embedding) {
    embedding_layout_.push_back(nn::layout_of(network, at));
    at = embedding_layout_.back().end;
  }
  for (const nn::Network& network : model.fitting) {
    fitting_layout_.push_back(nn::layout_of(network, at));
    at = fitting_layout_.back().end;
    fitting_.emplace_back(fitting_layout_.back());
  }
  own_parameters_.resize(at);
  own_gradient_.resize(at);
  parameters_ = own_parameters_;
  gradient_ = own_gradient_;
  rows_.resize(embedding_layout_.size());
  for (std::size_t k = 0; k < rows_.size(); ++k) {
    nn::pack(model.descriptor.embedding[k], embedding_layout_[k], parameters_.data());
    rows_[k].tape = nn::Tape<T>(embedding_layout_[k]);
  }
  for (std::size_t a = 0; a < fitting_.size(); ++a) {
    nn::pack(model.fitting[a], fitting_layout_[a], parameters_.data());
  }
  descriptor_.embedding.clear();
  // Forward, tangent, backward, tangent-backward, and for pairs the gradients, and functions of each channel.
  const auto add = [](const nn::NetworkLayout& net, double by_weight, double by_channel, double& cost) {
    for (const nn::LayerLayout& layer : net.layers)
      cost += by_weight * static_cast<double>(layer.n_in * layer.n_out) +
              by_channel * static_cast<double>(layer.n_out);
  };
  add(fitting_layout_.front(), 4, 100, atom_cost_);
  add(fitting_layout_.front(), 60, 0, type_cost_);  // its weights come from memory
  add(embedding_layout_.front(), 6, 100, pair_cost_);
}

template <typename T>
Engine<T>::~Engine() = default;

template <typename T>
void Engine<T>::compute_on(gpu::Device& device) {
  device_ = std::make_unique<DevicePasses<T>>(
      device, ModelSizes{descriptor_, bias_, excluded_, embedding_layout_, fitting_layout_});
}

template <typename T>
void Engine<T>::store(std::span<const T> numbers, dp::Model& model) const {
  for (std::size_t k = 0; k < embedding_layout_.size(); ++k) {
    nn::unpack(numbers.data(), embedding_layout_[k], model.descriptor.embedding[k]);
  }
  for (std::size_t a = 0; a < fitting_layout_.size(); ++a) {
    nn::unpack(numbers.data(), fitting_layout_[a], model.fitting[a]);
  }
}

template <typename T>
void Engine<T>::place_frames(std::span<const Prepared<T>* const> frames) {
  frames_.assign(frames.begin(), frames.end());
  frame_begin_.assign(1, 0);
  for (const auto* frame : frames)
    frame_begin_.push_back(frame_begin_.back() + static_cast<std::size_t>(frame->n_atoms));
}

template <typename T>
void Engine<T>::sort_atoms(std::span<const Prepared<T>* const> frames, bool together) {
  place_frames(frames);
  atoms_.clear();
  type_begin_.assign(1, 0);
  for (int type = 0; type < n_types_; ++type) {
    for (std::size_t f = 0; f < frames.size(); ++f) {
      for (std::size_t i = 0; i < frames[f]->types.size(); ++i)
        if (frames[f]->types[i] == type) atoms_.push_back({f, i, frame_begin_[f] + i});
    }
    type_begin_.push_back(atoms_.size());
  }
  cut(together ? company_.ranks->size() : 1);
  const auto me = static_cast<std::size_t>(together ? company_.ranks->rank() : 0);
  atoms_.erase(atoms_.begin() + static_cast<std::ptrdiff_t>(cuts_[me + 1]), atoms_.end());
  atoms_.erase(atoms_.begin(), atoms_.begin() + static_cast<std::ptrdiff_t>(cuts_[me]));
  sorted_.assign(frame_begin_.back(), nn::absent);
  for (std::size_t s = 0; s < atoms_.size(); ++s) sorted_[atoms_[s].in_batch] = s;
  first_atom_.assign(1, 0);
  blocks_.clear();
  for (int type = 0; type < n_types_; ++type) {
    const std::size_t begin = first_atom_.back();
    const auto n = static_cast<std::size_t>(atoms_of(me, static_cast<std::size_t>(type)));
    first_atom_.push_back(begin + n);
    const std::size_t parts = (n + block_atoms - 1) / block_atoms;
    for (std::size_t k = 0; k < parts; ++k)
      blocks_.push_back({type, begin + n * k / parts, begin + n * (k + 1) / parts, {}});
  }
}

/// Cuts the order by type into pieces of about the same cost, so that a process meets few types: it then
/// reads few of the fitting nets, and multiplies by each with many rows.
template <typename T>
void Engine<T>::cut(int processes) {
  std::vector<double> until{0.0};  // cost of the atoms before
  const auto types = static_cast<std::size_t>(n_types_);
  for (std::size_t type = 0; type < types; ++type) {
    double more = type_cost_;
    for (std::size_t s = type_begin_[type]; s < type_begin_[type + 1]; ++s) {
      const Atom& atom = atoms_[s];
      const std::uint32_t* offset = frames_[atom.frame]->offset.data() + atom.in_frame * types;
      const auto pairs = static_cast<double>(offset[types] - offset[0]);
      until.push_back(until.back() + more + atom_cost_ + pair_cost_ * pairs);
      more = 0;
    }
  }
  cuts_.assign(1, 0);
  for (int k = 1; k < processes; ++k) {
    const double wanted = until.back() * k / processes;
    const auto above = std::lower_bound(until.begin(), until.end(), wanted);
    const bool below = above != until.begin() && wanted - *(above - 1) < *above - wanted;
    cuts_.push_back(static_cast<std::size_t>(above - until.begin()) - (below ? 1 : 0));
  }
  cuts_.push_back(atoms_.size());
}

template <typename T>
std::ptrdiff_t Engine<T>::atoms_of(std::size_t process, std::size_t type) const {
  const std::size_t begin = std::max(cuts_[process], type_begin_[type]);
  const std::size_t end = std::min(cuts_[process + 1], type_begin_[type + 1]);
  return begin < end ? static_cast<std::ptrdiff_t>(end - begin) : 0;
}

template <typename T>
void Engine<T>::assign_rows() {
  const auto types = static_cast<std::size_t>(n_types_);
  for (Rows& rows : rows_) rows.n_pairs = 0;
  row_of_.resize(atoms_.size() * types);
  for (Block& block : blocks_) {
    for (int b = 0; b < n_types_; ++b) {
      Rows& rows = rows_[net(block.type, b)];
      const std::ptrdiff_t begin = rows.n_pairs;
      for (std::size_t s = block.begin; s < block.end; ++s) {
        row_of_[s * types + static_cast<std::size_t>(b)] = rows.n_pairs;
        if (!excluded(block.type, b)) rows.n_pairs += count(s, b);
      }
      block.rows.emplace_back(begin, rows.n_pairs);
    }
  }
  for (int a = 0; a < n_types_; ++a) {
    for (int b = 0; b < n_types_; ++b) rows_[net(a, b)].padding.assign(types, -1);
  }
  std::vector<std::ptrdiff_t> total;
  total.reserve(rows_.size());
  for (const Rows& rows : rows_) total.push_back(rows.n_pairs);
  for (int a = 0; a < n_types_; ++a) {
    for (int b = 0; b < n_types_; ++b) {
      // A padding row of zeros adds nothing unless the normalisation moves it.
      const auto& mean =
          descriptor_.normalisation[static_cast<std::size_t>(a) * types + static_cast<std::size_t>(b)].mean;
      if (std::all_of(mean.begin(), mean.end(), [](double m) { return m == 0; })) continue;
      rows_[net(a, b)].padding[static_cast<std::size_t>(a)] = total[net(a, b)]++;
    }
  }
  for (std::size_t k = 0; k < rows_.size(); ++k) {
    const auto n = static_cast<std::size_t>(total[k]);
    rows_[k].tape.resize(total[k]);
    rows_[k].environment.reserve(4 * n);
    rows_[k].tangent.reserve(4 * n);
    rows_[k].pair.reserve(8 * n);
    rows_[k].gradient.reserve(4 * n);
    rows_[k].other.resize(n);
  }
}

template <typename T>
void Engine<T>::arrange(std::span<const Prepared<T>* const> frames, bool together) {
  sort_atoms(frames, together);
  assign_rows();
  if (together && company_.shares_memory) make_room_for_rows();
  for (std::size_t a = 0; a < fitting_.size(); ++a) {
    T* rows = nullptr;
    if (together && company_.shares_memory) {
      const auto me = static_cast<std::size_t>(company_.ranks->rank());
      rows = company_.rows[me] + rows_before(me, a);
    }
    fitting_[a].resize(static_cast<std::ptrdiff_t>(first_atom_[a + 1] - first_atom_[a]), rows);
  }
  const std::size_t size = 4 * static_cast<std::size_t>(m1_) * atoms_.size();
  for (nn::Buffer<T>* buffer : {&t_, &grad_t_, &tangent_t_, &cotangent_t_}) buffer->reserve(size);
}

template <typename T>
const std::vector<Prediction>& Engine<T>::evaluate(std::span<const Prepared<T>* const> frames, int threads) {
  if (device_) {
    place_frames(frames);
    device_->forward(frames, parameters_, predictions_);
    return predictions_;
  }
  arrange(frames, false);
  forward(threads);
  return predictions_;
}

template <typename T>
void Engine<T>::forward(int threads) {
  forward_padding();
  parallel_dynamic(blocks_.size(), threads, [&](std::size_t k, int) {
    environment(blocks_[k]);
    forward_block(blocks_[k]);
    pair_gradients(blocks_[k]);
  });
  reduce(frames_, threads);
}

template <typename T>
void Engine<T>::reduce(std::span<const Prepared<T>* const> frames, int threads) {
  predictions_.resize(frames.size());
  parallel_for(frames.size(), threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t f = begin; f < end; ++f) {
      Prediction& out = predictions_[f];
      const auto n = static_cast<std::size_t>(frames[f]->n_atoms);
      out.energy = 0;
      out.forces.assign(3 * n, 0.0);
      out.virial.fill(0);
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t s = sorted_[frame_begin_[f] + i];
        if (s == nn::absent) continue;
        const auto type = static_cast<std::size_t>(frames[f]->types[i]);
        out.energy += static_cast<double>(fitting_[type].output()[s - first_atom_[type]]) + bias_[type];
        for (int b = 0; b < n_types_; ++b) {
          if (excluded(static_cast<int>(type), b)) continue;
          const Rows& rows = rows_[net(static_cast<int>(type), b)];
          const std::ptrdiff_t first = row(s, b);
          for (std::ptrdiff_t p = first; p < first + count(s, b); ++p) {
            const T* g = rows.gradient.data() + 4 * p;
            const T* d = rows.pair.data() + 8 * p;
            double* other =
                out.forces.data() +
                3 * (static_cast<std::size_t>(rows.other[static_cast<std::size_t>(p)]) - frame_begin_[f]);
            for (std::size_t x = 0; x < 3; ++x) {
              const auto gx = static_cast<double>(g[x]);
              out.forces[3 * i + x] += gx;
              other[x] -= gx;
              for (std::size_t y = 0; y < 3; ++y) out.virial[3 * y + x] -= static_cast<double>(d[y]) * gx;
            }
          }
        }
      }
    }
  });
}

LossTerms terms_of(const LossSums& sums, std::size_t n) {
  const auto mean = [&](std::size_t k) {
    return sums.labels[k] > 0 ? sums.square[k] / sums.labels[k] : std::numeric_limits<double>::quiet_NaN();
  };
  return {sums.loss / static_cast<double>(n), mean(0), mean(1), mean(2)};
}

template <typename T>
LossSums Engine<T>::sums(std::span<const Prepared<T>* const> frames, const LossWeights& weights) const {
  LossSums total;
  for (std::size_t f = 0; f < frames.size(); ++f) {
    const Prepared<T>& label = *frames[f];
    const Prediction& said = predictions_[f];
    const double n_atoms = label.n_atoms;
    if (label.has_energy) {
      const double d = said.energy - label.energy;
      total.square[0] += d * d / (n_atoms * n_atoms);
      total.labels[0] += 1;
      total.loss += weights.energy * d * d / n_atoms;
    }
    if (label.has_forces) {
      double square = 0;
      for (std::size_t k = 0; k < label.forces.size(); ++k) {
        square += (said.forces[k] - label.forces[k]) * (said.forces[k] - label.forces[k]);
      }
      total.square[1] += square / (3 * n_atoms);
      total.labels[1] += 1;
      total.loss += weights.force * square / (3 * n_atoms);
    }
    if (label.has_virial) {
      double square = 0;
      for (std::size_t k = 0; k < 9; ++k) {
        square += (said.virial[k] - label.virial[k]) * (said.virial[k] - label.virial[k]);
      }
      total.square[2] += square / (9 * n_atoms * n_atoms);
      total.labels[2] += 1;
      total.loss += weights.virial * square / (9 * n_atoms);
    }
  }
  return total;
}

template <typename T>
void Engine<T>::cotangents(std::span<const Prepared<T>* const> frames, const LossWeights& weights) {
  energy_cotangent_.assign(frames.size(), 0.0);
  virial_cotangent_.assign(frames.size(), std::array<double, 9>{});
  force_cotangent_.assign(3 * frame_begin_.back(), T(0));
  const auto n = static_cast<double>(frames.size());
  for (std::size_t f = 0; f < frames.size(); ++f) {
    const Prepared<T>& label = *frames[f];
    const Prediction& said = predictions_[f];
    const double n_atoms = label.n_atoms;
    if (label.has_energy) {
      energy_cotangent_[f] = 2 * weights.energy * (said.energy - label.energy) / (n * n_atoms);
    }
    if (label.has_forces) {
      const double factor = 2 * weights.force / (n * 3 * n_atoms);
      T* out = force_cotangent_.data() + 3 * frame_begin_[f];
      for (std::size_t k = 0; k < label.forces.size(); ++k) {
        out[k] = static_cast<T>(factor * (said.forces[k] - label.forces[k]));
      }
    }
    if (label.has_virial) {
      const double factor = 2 * weights.virial / (n * 9 * n_atoms);
      for (std::size_t k = 0; k < 9; ++k) {
        virial_cotangent_[f][k] = factor * (said.virial[k] - label.virial[k]);
      }
    }
  }
}

template <typename T>
LossTerms Engine<T>::loss_and_gradient(std::span<const Prepared<T>* const> frames, const LossWeights& weights,
                                       int threads) {
  const LossTerms terms = evaluate_loss(frames, weights, threads, {});
  make_gradient(threads);
  return terms;
}

template <typename T>
LossTerms Engine<T>::evaluate_loss(std::span<const Prepared<T>* const> frames, const LossWeights& weights,
                                   int threads, std::span<double> along) {
  const bool together = company_.ranks != nullptr;
  if (device_) {
    evaluate(frames, threads);
  } else {
    arrange(frames, together);
    forward(threads);
  }
  if (together) exchange_predictions(along);
  cotangents(frames, weights);
  return terms_of(sums(frames, weights), frames.size());
}

template <typename T>
void Engine<T>::make_gradient(int threads) {
  if (device_) return backward_on_device();
  if (company_.ranks != nullptr && !company_.shares_memory) return collect_gradient(threads);
  run(backward(threads), threads);
  if (company_.ranks != nullptr) make_gradients(threads);
}

template <typename T>
void Engine<T>::make_gradient_of(std::span<const double> energy, std::span<const T> force, int threads) {
  energy_cotangent_.assign(energy.begin(), energy.end());
  force_cotangent_.assign(force.begin(), force.end());
  virial_cotangent_.assign(energy.size(), std::array<double, 9>{});
  if (device_) return backward_on_device();
  run(backward(threads), threads);
}

template <typename T>
void Engine<T>::hand_out_gradient(int threads, const Take& take) {
  if (!device_) return run(backward(threads), threads, take);
  backward_on_device();
  constexpr std::size_t piece = 1U << 14U;
  parallel_dynamic((gradient_.size() + piece - 1) / piece, threads, [&](std::size_t k, int) {
    const std::size_t begin = k * piece, end = std::min(begin + piece, gradient_.size());
    take(begin, end, gradient_.data() + begin);
  });
}

template <typename T>
void Engine<T>::backward_on_device() {
  device_->backward(energy_cotangent_, force_cotangent_, virial_cotangent_, gradient_);
}

/// Goes back through all atoms; returns what is left to do for ∂L/∂θ.
template <typename T>
std::vector<typename Engine<T>::Task> Engine<T>::backward(int threads) {
  std::vector<T> padding(blocks_.size() * static_cast<std::size_t>(n_types_ * m1_), T(0));
  backward_blocks(0, blocks_.size(), threads, padding);
  backward_padding(padding);
  const bool weights = company_.ranks == nullptr;
  std::vector<Task> tasks;
  for (std::size_t net = rows_.size(); net < rows_.size() + fitting_.size(); ++net)
    add_tasks(net, weights, tasks);
  for (std::size_t net = 0; net < rows_.size(); ++net) add_tasks(net, true, tasks);
  return tasks;
}

template <typename T>
void Engine<T>::backward_blocks(std::size_t begin, std::size_t end, int threads, std::vector<T>& padding) {
  const auto line = static_cast<std::size_t>(n_types_ * m1_);
  parallel_dynamic(end - begin, threads, [&](std::size_t k, int) {
    displace(blocks_[begin + k]);
    backward_block(blocks_[begin + k], padding.data() + (begin + k) * line);
  });
}

template class Engine<float>;
template class Engine<double>;

}  // namespace solion::train
