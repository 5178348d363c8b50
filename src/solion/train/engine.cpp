// The layout of a batch, its loss, and the order in which the passes run.
#include "solion/train/engine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "solion/base/errors.hpp"
#include "solion/base/threads.hpp"

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
  parameters_.resize(at);
  gradient_.resize(at);
  rows_.resize(embedding_layout_.size());
  for (std::size_t k = 0; k < rows_.size(); ++k) {
    nn::pack(model.descriptor.embedding[k], embedding_layout_[k], parameters_.data());
    rows_[k].tape = nn::Tape<T>(embedding_layout_[k]);
  }
  for (std::size_t a = 0; a < fitting_.size(); ++a) {
    nn::pack(model.fitting[a], fitting_layout_[a], parameters_.data());
  }
  descriptor_.embedding.clear();
}

template <typename T>
void Engine<T>::store(dp::Model& model) const {
  for (std::size_t k = 0; k < embedding_layout_.size(); ++k) {
    nn::unpack(parameters_.data(), embedding_layout_[k], model.descriptor.embedding[k]);
  }
  for (std::size_t a = 0; a < fitting_layout_.size(); ++a) {
    nn::unpack(parameters_.data(), fitting_layout_[a], model.fitting[a]);
  }
}

template <typename T>
void Engine<T>::sort_atoms(std::span<const Prepared<T>* const> frames) {
  frames_.assign(frames.begin(), frames.end());
  frame_begin_.assign(1, 0);
  for (const auto* frame : frames) {
    frame_begin_.push_back(frame_begin_.back() + static_cast<std::size_t>(frame->n_atoms));
  }
  atoms_.clear();
  sorted_.resize(frame_begin_.back());
  first_atom_.clear();
  blocks_.clear();
  for (int type = 0; type < n_types_; ++type) {
    first_atom_.push_back(atoms_.size());
    for (std::size_t f = 0; f < frames.size(); ++f) {
      for (std::size_t i = 0; i < frames[f]->types.size(); ++i) {
        if (frames[f]->types[i] != type) continue;
        sorted_[frame_begin_[f] + i] = atoms_.size();
        atoms_.push_back({f, i, frame_begin_[f] + i});
      }
    }
    const std::size_t n = atoms_.size() - first_atom_.back();
    const std::size_t parts = (n + block_atoms - 1) / block_atoms;
    for (std::size_t k = 0; k < parts; ++k) {
      blocks_.push_back(
          {type, first_atom_.back() + n * k / parts, first_atom_.back() + n * (k + 1) / parts, {}});
    }
  }
  first_atom_.push_back(atoms_.size());
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
void Engine<T>::arrange(std::span<const Prepared<T>* const> frames) {
  sort_atoms(frames);
  assign_rows();
  for (std::size_t a = 0; a < fitting_.size(); ++a) {
    fitting_[a].resize(static_cast<std::ptrdiff_t>(first_atom_[a + 1] - first_atom_[a]));
  }
  const std::size_t size = 4 * static_cast<std::size_t>(m1_) * atoms_.size();
  for (nn::Buffer<T>* buffer : {&t_, &grad_t_, &tangent_t_, &cotangent_t_}) buffer->reserve(size);
}

template <typename T>
const std::vector<Prediction>& Engine<T>::evaluate(std::span<const Prepared<T>* const> frames, int threads) {
  arrange(frames);
  forward_padding();
  parallel_dynamic(blocks_.size(), threads, [&](std::size_t k, int) {
    environment(blocks_[k]);
    forward_block(blocks_[k]);
    pair_gradients(blocks_[k]);
  });
  reduce(frames, threads);
  return predictions_;
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
void Engine<T>::cotangents(std::span<const Prepared<T>* const> frames, std::size_t n_batch,
                           const LossWeights& weights) {
  energy_cotangent_.assign(frames.size(), 0.0);
  virial_cotangent_.assign(frames.size(), std::array<double, 9>{});
  force_cotangent_.assign(3 * sorted_.size(), T(0));
  const auto n = static_cast<double>(n_batch);
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
LossSums Engine<T>::share_of_gradient(std::span<const Prepared<T>* const> frames, std::size_t n,
                                      const LossWeights& weights, int threads) {
  evaluate(frames, threads);
  const LossSums total = sums(frames, weights);
  cotangents(frames, n, weights);
  const auto line = static_cast<std::size_t>(n_types_ * m1_);
  std::vector<T> padding(blocks_.size() * line, T(0));
  parallel_dynamic(blocks_.size(), threads, [&](std::size_t k, int) {
    displace(blocks_[k]);
    backward_block(blocks_[k], padding.data() + k * line);
  });
  backward_padding(padding);
  parameter_gradients(threads);
  return total;
}

template class Engine<float>;
template class Engine<double>;

}  // namespace solion::train
