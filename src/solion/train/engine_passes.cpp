// The passes over one block of atoms: environment, descriptor and fitting, there and back.
// Symbols as in docs/theory/train.md.
#include <algorithm>

#include "solion/base/row_major.hpp"
#include "solion/base/threads.hpp"
#include "solion/dp/environment.hpp"
#include "solion/train/contraction.hpp"
#include "solion/train/engine.hpp"

namespace solion::train {

template <typename T>
void Engine<T>::forward_padding() {
  for (std::size_t k = 0; k < rows_.size(); ++k) {
    Rows& rows = rows_[k];
    for (int a = 0; a < n_types_; ++a) {
      const std::ptrdiff_t p = rows.padding[static_cast<std::size_t>(a)];
      if (p < 0) continue;
      const int b = type_one_side_ ? static_cast<int>(k) : static_cast<int>(k) / n_types_;
      const dp::Normalisation& norm = descriptor_.normalisation[row_major(a, b, n_types_)];
      T* r = rows.environment.data() + 4 * p;
      for (std::size_t c = 0; c < 4; ++c) r[c] = static_cast<T>(-norm.mean[c] / norm.deviation[c]);
      rows.tape.input()[p] = r[0];
      rows.tape.input_tangent()[p] = 0;
    }
    rows.tape.forward(parameters_.data(), rows.n_pairs, rows.tape.n());
    rows.tape.tangent(parameters_.data(), rows.n_pairs, rows.tape.n());
  }
}

template <typename T>
void Engine<T>::environment(const Block& block) {
  for (int b = 0; b < n_types_; ++b) {
    if (excluded(block.type, b)) continue;
    Rows& rows = rows_[net(block.type, b)];
    const dp::Normalisation& norm = descriptor_.normalisation[row_major(block.type, b, n_types_)];
    std::array<T, 4> mean{};
    std::array<T, 4> scale{};
    for (std::size_t c = 0; c < 4; ++c) {
      mean[c] = static_cast<T>(norm.mean[c]);
      scale[c] = static_cast<T>(1 / norm.deviation[c]);
    }
    const T rcut = static_cast<T>(descriptor_.rcut);
    const T smth = static_cast<T>(descriptor_.rcut_smth);
    const T protection = static_cast<T>(descriptor_.env_protection);
    for (std::size_t s = block.begin; s < block.end; ++s) {
      const Atom& atom = atoms_[s];
      const Prepared<T>& frame = *frames_[atom.frame];
      const std::size_t first =
          frame.offset[atom.in_frame * static_cast<std::size_t>(n_types_) + static_cast<std::size_t>(b)];
      const std::ptrdiff_t at = row(s, b);
      for (std::ptrdiff_t p = at; p < at + count(s, b); ++p) {
        const std::size_t from = first + static_cast<std::size_t>(p - at);
        const T* d = frame.vector.data() + 3 * from;
        const T r = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
        const dp::Switched<T> w = dp::switched(r, rcut, smth, protection);
        T* row_r = rows.environment.data() + 4 * p;
        row_r[0] = (w.s - mean[0]) * scale[0];
        for (std::size_t c = 0; c < 3; ++c) row_r[c + 1] = (w.q * d[c] - mean[c + 1]) * scale[c + 1];
        T* pair = rows.pair.data() + 8 * p;
        std::copy_n(d, 3, pair);
        pair[3] = 1 / r;
        pair[4] = w.ds;
        pair[5] = w.q;
        pair[6] = w.dq;
        rows.other[static_cast<std::size_t>(p)] =
            static_cast<int>(frame_begin_[atom.frame] + static_cast<std::size_t>(frame.neighbour[from]));
        rows.tape.input()[p] = row_r[0];
        rows.tape.input_tangent()[p] = 1;  // so that the output tangent is dG/ds
      }
    }
  }
}

template <typename T>
void Engine<T>::forward_block(const Block& block) {
  for (int b = 0; b < n_types_; ++b) {
    Rows& rows = rows_[net(block.type, b)];
    const auto [begin, end] = block.rows[static_cast<std::size_t>(b)];
    rows.tape.forward(parameters_.data(), begin, end);
    rows.tape.tangent(parameters_.data(), begin, end);
  }
  const auto type = static_cast<std::size_t>(block.type);
  nn::Tape<T>& fitting = fitting_[type];
  const auto fit_begin = static_cast<std::ptrdiff_t>(block.begin - first_atom_[type]);
  const auto fit_end = static_cast<std::ptrdiff_t>(block.end - first_atom_[type]);
  const T scale = 1 / static_cast<T>(descriptor_.sel_total());
  for (std::size_t s = block.begin; s < block.end; ++s) {
    T* t = t_of(t_, s);
    std::fill_n(t, 4 * m1_, T(0));
    for (int b = 0; b < n_types_; ++b) {
      Rows& rows = rows_[net(block.type, b)];
      const std::ptrdiff_t at = row(s, b);
      if (!excluded(block.type, b)) {
        accumulate(count(s, b), m1_, rows.environment.data() + 4 * at, rows.tape.output() + m1_ * at, t);
      }
      const std::ptrdiff_t pad = rows.padding[type];
      if (pad < 0) continue;
      std::array<T, 4> weighted{};
      for (std::size_t c = 0; c < 4; ++c) {
        weighted[c] = static_cast<T>(padding_count(s, b)) *
                      rows.environment.data()[4 * pad + static_cast<std::ptrdiff_t>(c)];
      }
      accumulate<T>(1, m1_, weighted.data(), rows.tape.output() + m1_ * pad, t);
    }
    for (std::ptrdiff_t k = 0; k < 4 * m1_; ++k) t[k] *= scale;
    outer(m1_, m2_, t, t, false,
          fitting.input() + static_cast<std::ptrdiff_t>(s - first_atom_[type]) * m1_ * m2_);
  }
  fitting.forward(parameters_.data(), fit_begin, fit_end);
  std::fill(fitting.output_adjoint() + fit_begin, fitting.output_adjoint() + fit_end, T(1));
  fitting.backward(parameters_.data(), fit_begin, fit_end, true);
}

template <typename T>
void Engine<T>::pair_gradients(const Block& block) {
  const auto type = static_cast<std::size_t>(block.type);
  const T scale = 1 / static_cast<T>(descriptor_.sel_total());
  for (std::size_t s = block.begin; s < block.end; ++s) {
    T* grad_t = t_of(grad_t_, s);
    std::fill_n(grad_t, 4 * m1_, T(0));
    outer_transposed(
        m1_, m2_,
        fitting_[type].input_adjoint() + static_cast<std::ptrdiff_t>(s - first_atom_[type]) * m1_ * m2_,
        t_of(t_, s), grad_t);
    for (std::ptrdiff_t k = 0; k < 4 * m1_; ++k) grad_t[k] *= scale;
    for (int b = 0; b < n_types_; ++b) {
      if (excluded(block.type, b)) continue;
      Rows& rows = rows_[net(block.type, b)];
      const dp::Normalisation& norm = descriptor_.normalisation[row_major(block.type, b, n_types_)];
      const std::ptrdiff_t at = row(s, b);
      for (std::ptrdiff_t p = at; p < at + count(s, b); ++p) {
        const T* r = rows.environment.data() + 4 * p;
        std::array<T, 4> g = project(m1_, rows.tape.output() + m1_ * p, grad_t);
        const std::array<T, 4> by_s =
            project(m1_, static_cast<const T*>(rows.tape.output_tangent()) + m1_ * p, grad_t);
        for (std::size_t c = 0; c < 4; ++c) g[0] += by_s[c] * r[c];
        for (std::size_t c = 0; c < 4; ++c) g[c] /= static_cast<T>(norm.deviation[c]);
        const T* d = rows.pair.data() + 8 * p;
        const T dot = g[1] * d[0] + g[2] * d[1] + g[3] * d[2];
        const T radial = (g[0] * d[4] + dot * d[6]) * d[3];
        T* out = rows.gradient.data() + 4 * p;
        for (std::size_t c = 0; c < 3; ++c) out[c] = radial * d[c] + d[5] * g[c + 1];
      }
    }
  }
}

template <typename T>
void Engine<T>::displace(const Block& block) {
  for (int b = 0; b < n_types_; ++b) {
    if (excluded(block.type, b)) continue;
    Rows& rows = rows_[net(block.type, b)];
    const dp::Normalisation& norm = descriptor_.normalisation[row_major(block.type, b, n_types_)];
    std::array<T, 4> scale{};
    for (std::size_t c = 0; c < 4; ++c) scale[c] = static_cast<T>(1 / norm.deviation[c]);
    for (std::size_t s = block.begin; s < block.end; ++s) {
      std::array<T, 9> strain{};
      for (std::size_t k = 0; k < 9; ++k) strain[k] = static_cast<T>(virial_cotangent_[atoms_[s].frame][k]);
      const T* v_i = force_cotangent_.data() + 3 * atoms_[s].in_batch;
      const std::ptrdiff_t at = row(s, b);
      for (std::ptrdiff_t p = at; p < at + count(s, b); ++p) {
        const T* d = rows.pair.data() + 8 * p;
        const T* v_j =
            force_cotangent_.data() + 3 * static_cast<std::size_t>(rows.other[static_cast<std::size_t>(p)]);
        std::array<T, 3> move{};
        for (std::size_t c = 0; c < 3; ++c) {
          move[c] = v_i[c] - v_j[c] - strain[c] * d[0] - strain[3 + c] * d[1] - strain[6 + c] * d[2];
        }
        const T rate = (move[0] * d[0] + move[1] * d[1] + move[2] * d[2]) * d[3];
        T* out = rows.tangent.data() + 4 * p;
        out[0] = d[4] * rate * scale[0];
        for (std::size_t c = 0; c < 3; ++c) out[c + 1] = (d[6] * rate * d[c] + d[5] * move[c]) * scale[c + 1];
      }
    }
  }
}

/// How the descriptors of a block change along the tangent, into the input of its fitting net.
template <typename T>
void Engine<T>::descriptor_tangents(const Block& block) {
  const auto type = static_cast<std::size_t>(block.type);
  nn::Tape<T>& fitting = fitting_[type];
  const T scale = 1 / static_cast<T>(descriptor_.sel_total());
  std::vector<T> scaled;
  for (std::size_t s = block.begin; s < block.end; ++s) {
    T* dt = t_of(tangent_t_, s);
    std::fill_n(dt, 4 * m1_, T(0));
    for (int b = 0; b < n_types_; ++b) {
      if (excluded(block.type, b)) continue;
      Rows& rows = rows_[net(block.type, b)];
      const std::ptrdiff_t at = row(s, b);
      const std::ptrdiff_t n = count(s, b);
      const T* r = rows.environment.data() + 4 * at;
      const T* dr = rows.tangent.data() + 4 * at;
      scaled.resize(static_cast<std::size_t>(4 * n));
      for (std::ptrdiff_t k = 0; k < 4 * n; ++k) scaled[static_cast<std::size_t>(k)] = r[k] * dr[k - k % 4];
      accumulate<T>(n, m1_, dr, rows.tape.output() + m1_ * at, dt);
      accumulate<T>(n, m1_, scaled.data(), rows.tape.output_tangent() + m1_ * at, dt);
    }
    for (std::ptrdiff_t k = 0; k < 4 * m1_; ++k) dt[k] *= scale;
    T* d_tangent = fitting.input_tangent() + static_cast<std::ptrdiff_t>(s - first_atom_[type]) * m1_ * m2_;
    outer(m1_, m2_, dt, t_of(t_, s), false, d_tangent);
    outer(m1_, m2_, t_of(t_, s), dt, true, d_tangent);
    fitting.output_cotangent()[s - first_atom_[type]] = static_cast<T>(energy_cotangent_[atoms_[s].frame]);
  }
}

/// From the cotangents of the fitting net's input to those of the embedding nets' outputs.
template <typename T>
void Engine<T>::descriptor_cotangents(const Block& block, T* padding) {
  const auto type = static_cast<std::size_t>(block.type);
  nn::Tape<T>& fitting = fitting_[type];
  const T scale = 1 / static_cast<T>(descriptor_.sel_total());
  for (std::size_t s = block.begin; s < block.end; ++s) {
    const std::ptrdiff_t fit_row = static_cast<std::ptrdiff_t>(s - first_atom_[type]) * m1_ * m2_;
    T* t_bar = t_of(cotangent_t_, s);
    const T* grad_t = t_of(grad_t_, s);
    std::fill_n(t_bar, 4 * m1_, T(0));
    outer_transposed<T>(m1_, m2_, fitting.input_cotangent() + fit_row, t_of(t_, s), t_bar);
    outer_transposed<T>(m1_, m2_, fitting.input_adjoint() + fit_row, t_of(tangent_t_, s), t_bar);
    for (std::ptrdiff_t k = 0; k < 4 * m1_; ++k) t_bar[k] *= scale;
    for (int b = 0; b < n_types_; ++b) {
      Rows& rows = rows_[net(block.type, b)];
      const std::ptrdiff_t pad = rows.padding[type];
      if (pad >= 0) {
        std::array<T, 4> weighted{};
        for (std::size_t c = 0; c < 4; ++c) {
          weighted[c] = static_cast<T>(padding_count(s, b)) *
                        rows.environment.data()[4 * pad + static_cast<std::ptrdiff_t>(c)];
        }
        std::vector<T> line(static_cast<std::size_t>(m1_));
        expand<T>(m1_, weighted.data(), t_bar, line.data());
        for (std::ptrdiff_t m = 0; m < m1_; ++m) padding[b * m1_ + m] += line[static_cast<std::size_t>(m)];
      }
      if (excluded(block.type, b)) continue;
      const std::ptrdiff_t at = row(s, b);
      for (std::ptrdiff_t p = at; p < at + count(s, b); ++p) {
        const T* r = rows.environment.data() + 4 * p;
        const T* dr = rows.tangent.data() + 4 * p;
        const std::array<T, 4> by_slope{r[0] * dr[0], r[1] * dr[0], r[2] * dr[0], r[3] * dr[0]};
        expand<T>(m1_, r, t_bar, dr, grad_t, rows.tape.output_cotangent() + m1_ * p);
        expand<T>(m1_, by_slope.data(), grad_t, rows.tape.output_adjoint() + m1_ * p);
      }
    }
  }
}

template <typename T>
void Engine<T>::backward_block(const Block& block, T* padding) {
  const auto type = static_cast<std::size_t>(block.type);
  const auto fit_begin = static_cast<std::ptrdiff_t>(block.begin - first_atom_[type]);
  const auto fit_end = static_cast<std::ptrdiff_t>(block.end - first_atom_[type]);
  descriptor_tangents(block);
  fitting_[type].tangent(parameters_.data(), fit_begin, fit_end);
  fitting_[type].tangent_backward(parameters_.data(), fit_begin, fit_end, true);
  descriptor_cotangents(block, padding);
  for (int b = 0; b < n_types_; ++b) {
    Rows& rows = rows_[net(block.type, b)];
    const auto [begin, end] = block.rows[static_cast<std::size_t>(b)];
    rows.tape.backward(parameters_.data(), begin, end, false);
    rows.tape.tangent_backward(parameters_.data(), begin, end, false);
  }
}

template <typename T>
void Engine<T>::backward_padding(const std::vector<T>& sums) {
  for (std::size_t k = 0; k < rows_.size(); ++k) {
    Rows& rows = rows_[k];
    const std::ptrdiff_t n = rows.tape.n() - rows.n_pairs;
    std::fill_n(rows.tape.output_adjoint() + m1_ * rows.n_pairs, m1_ * n, T(0));
    std::fill_n(rows.tape.output_cotangent() + m1_ * rows.n_pairs, m1_ * n, T(0));
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const int a = blocks_[i].type;
      const std::ptrdiff_t pad = rows.padding[static_cast<std::size_t>(a)];
      if (pad < 0) continue;
      const int b = type_one_side_ ? static_cast<int>(k) : static_cast<int>(k) / n_types_;
      const T* sum = sums.data() + (static_cast<std::ptrdiff_t>(i) * n_types_ + b) * m1_;
      T* out = rows.tape.output_cotangent() + m1_ * pad;
      for (std::ptrdiff_t m = 0; m < m1_; ++m) out[m] += sum[m];
    }
    rows.tape.backward(parameters_.data(), rows.n_pairs, rows.tape.n(), false);
    rows.tape.tangent_backward(parameters_.data(), rows.n_pairs, rows.tape.n(), false);
  }
}

/// Slices of weight matrices, so that threads write to disjoint parts and no sums of copies are needed.
template <typename T>
void Engine<T>::add_tasks(std::size_t net, bool weights, std::vector<Task>& tasks) const {
  const nn::NetworkLayout& layout = tape_of(net).layout();
  for (std::size_t l = 0; l < layout.layers.size(); ++l) {
    tasks.push_back({net, l, 0, 0});
    const std::ptrdiff_t n_in = weights ? layout.layers[l].n_in : 0;
    for (std::ptrdiff_t i = 0; i < n_in; i += slice_rows)
      tasks.push_back({net, l, i, std::min(n_in, i + slice_rows)});
  }
}

template <typename T>
void Engine<T>::run(const std::vector<Task>& tasks, int threads) {
  parallel_dynamic(tasks.size(), threads, [&](std::size_t k, int) {
    const Task& task = tasks[k];
    const nn::Tape<T>& tape = tape_of(task.net);
    if (task.begin == task.end) {
      tape.bias_gradient(task.layer, gradient_.data());
    } else {
      const nn::LayerLayout& layer = tape.layout().layers[task.layer];
      nn::weight_gradient<T>(layer, tape.rows(task.layer), task.begin, task.end, false,
                             gradient_.data() + nn::weight_row(layer, task.begin));
    }
  });
}

template <typename T>
void Engine<T>::run(const std::vector<Task>& tasks, int threads, const Take& take) {
  parallel_dynamic(tasks.size(), threads, [&](std::size_t k, int) {
    static thread_local nn::AlignedVector<T> part;  // never goes to memory
    const Task& task = tasks[k];
    const nn::Tape<T>& tape = tape_of(task.net);
    const nn::LayerLayout& layer = tape.layout().layers[task.layer];
    if (task.begin < task.end) {
      const std::size_t begin = nn::weight_row(layer, task.begin);
      const std::size_t end = nn::weight_row(layer, task.end);
      part.resize(std::max(part.size(), end - begin));
      nn::weight_gradient<T>(layer, tape.rows(task.layer), task.begin, task.end, false, part.data());
      take(begin, end, part.data());
      return;
    }
    tape.bias_gradient(task.layer, gradient_.data());
    for (const std::size_t at : {layer.b, layer.idt})
      if (at != nn::absent) take(at, at + static_cast<std::size_t>(layer.n_out), gradient_.data() + at);
  });
}

template void Engine<float>::forward_padding();
template void Engine<float>::environment(const Block&);
template void Engine<float>::forward_block(const Block&);
template void Engine<float>::pair_gradients(const Block&);
template void Engine<float>::displace(const Block&);
template void Engine<float>::backward_block(const Block&, float*);
template void Engine<float>::backward_padding(const std::vector<float>&);
template void Engine<float>::add_tasks(std::size_t, bool, std::vector<Task>&) const;
template void Engine<float>::run(const std::vector<Task>&, int);
template void Engine<float>::run(const std::vector<Task>&, int, const Take&);
template void Engine<double>::forward_padding();
template void Engine<double>::environment(const Block&);
template void Engine<double>::forward_block(const Block&);
template void Engine<double>::pair_gradients(const Block&);
template void Engine<double>::displace(const Block&);
template void Engine<double>::backward_block(const Block&, double*);
template void Engine<double>::backward_padding(const std::vector<double>&);
template void Engine<double>::add_tasks(std::size_t, bool, std::vector<Task>&) const;
template void Engine<double>::run(const std::vector<Task>&, int);
template void Engine<double>::run(const std::vector<Task>&, int, const Take&);

}  // namespace solion::train
