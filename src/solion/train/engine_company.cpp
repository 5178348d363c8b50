// How several processes make one gradient: what they hand to each other, and when.
// Theory: docs/theory/train.md, section 7.
#include <algorithm>

#include "solion/base/threads.hpp"
#include "solion/train/engine.hpp"

namespace solion::train {
namespace {

/// What two ranges have in common; empty where end <= begin.
ranks::Part common(const ranks::Part& part, std::size_t begin, std::size_t end) {
  return {std::max(part.begin, begin), std::min(part.end, end), part.owner};
}

std::vector<ranks::Part> parts_within(const std::vector<ranks::Part>& parts, std::size_t begin,
                                      std::size_t end) {
  std::vector<ranks::Part> within;
  for (const ranks::Part& part : parts)
    if (const ranks::Part both = common(part, begin, end); both.begin < both.end) within.push_back(both);
  return within;
}

}  // namespace

template <typename T>
void Engine<T>::join(ranks::Ranks& ranks) {
  if (ranks.size() == 1) return;
  company_.ranks = &ranks;
  const std::vector<T*> parameters = ranks.share<T>(ranks.first() ? parameters_.size() : 1);
  if (parameters.empty()) return;
  company_.gradients = ranks.share<T>(gradient_.size());
  if (company_.gradients.empty()) return;
  company_.shares_memory = true;
  if (ranks.first()) std::copy(parameters_.begin(), parameters_.end(), parameters.front());
  parameters_ = {parameters.front(), parameters_.size()};
  gradient_ = {company_.gradients[static_cast<std::size_t>(ranks.rank())], gradient_.size()};
  own_parameters_ = {};
  own_gradient_ = {};
  ranks.meet();
}

template <typename T>
void Engine<T>::leave_shared_memory() {
  own_parameters_.assign(parameters_.begin(), parameters_.end());
  own_gradient_.resize(gradient_.size());
  parameters_ = own_parameters_;
  gradient_ = own_gradient_;
  company_.shares_memory = false;
}

template <typename T>
void Engine<T>::divide_gradient(std::vector<ranks::Part> parts) {
  company_.parts = std::move(parts);
  company_.mine.clear();
  company_.mine_else.clear();
  if (company_.ranks == nullptr) return;
  for (const ranks::Part& part : company_.parts) {
    if (part.owner != company_.ranks->rank()) continue;
    std::size_t done = part.begin;
    const auto else_until = [&](std::size_t end) {
      if (done < end) company_.mine_else.push_back({done, end, part.owner});
    };
    for (std::size_t a = 0; a < fitting_layout_.size(); ++a) {
      for (std::size_t l = 0; l < fitting_layout_[a].layers.size(); ++l) {
        const nn::LayerLayout& layer = fitting_layout_[a].layers[l];
        const auto width = static_cast<std::size_t>(layer.n_out);
        const ranks::Part both =
            common(part, layer.w, layer.w + static_cast<std::size_t>(layer.n_in) * width);
        if (both.begin >= both.end) continue;
        else_until(both.begin);
        done = both.end;
        // Whole rows: what is too much is in nobody's part here.
        const auto first = static_cast<std::ptrdiff_t>((both.begin - layer.w) / width);
        const auto last = static_cast<std::ptrdiff_t>((both.end - layer.w + width - 1) / width);
        for (std::ptrdiff_t i = first; i < last; i += slice_rows)
          company_.mine.push_back({rows_.size() + a, l, i, std::min(last, i + slice_rows)});
      }
    }
    else_until(part.end);
  }
}

template <typename T>
void Engine<T>::exchange_parameters() {
  if (company_.ranks == nullptr) return;
  if (company_.shares_memory) {
    company_.ranks->meet();
  } else {
    company_.ranks->template spread<T>(parameters_, company_.parts);
  }
}

/// Where the rows of a type begin in the memory of a process.
template <typename T>
std::size_t Engine<T>::rows_before(std::size_t process, std::size_t type) const {
  std::size_t size = 0;
  for (std::size_t a = 0; a < type; ++a) size += nn::rows_size<T>(fitting_layout_[a], atoms_of(process, a));
  return size;
}

template <typename T>
void Engine<T>::make_room_for_rows() {
  std::size_t most = 1;
  for (std::size_t k = 0; k < static_cast<std::size_t>(company_.ranks->size()); ++k)
    most = std::max(most, rows_before(k, fitting_.size()));
  if (most <= company_.room) return;
  company_.room = most + most / 2;
  company_.rows = company_.ranks->template share<T>(company_.room);
  if (company_.rows.empty()) leave_shared_memory();
}

/// Of energies, forces and virials each process has the terms of its atoms.
template <typename T>
void Engine<T>::exchange_predictions(std::span<double> along) {
  std::vector<double> flat(along.begin(), along.end());
  for (const Prediction& p : predictions_) {
    flat.push_back(p.energy);
    flat.insert(flat.end(), p.virial.begin(), p.virial.end());
    flat.insert(flat.end(), p.forces.begin(), p.forces.end());
  }
  company_.ranks->sum(flat);
  const double* at = flat.data();
  const auto take = [&](auto& numbers) {
    std::copy_n(at, numbers.size(), numbers.begin());
    at += numbers.size();
  };
  take(along);
  for (Prediction& p : predictions_) {
    p.energy = *at++;
    take(p.virial);
    take(p.forces);
  }
}

/// Processes that do not share memory send gradients to their owners, each fitting net's while those of the
/// next type are made.
template <typename T>
void Engine<T>::collect_gradient(int threads) {
  std::vector<T> padding(blocks_.size() * static_cast<std::size_t>(n_types_ * m1_), T(0));
  ranks::Ranks& ranks = *company_.ranks;
  const auto send = [&](std::size_t begin, std::size_t end) {
    ranks.begin_collect<T>(gradient_, parts_within(company_.parts, begin, end));
  };
  std::size_t block = 0;
  for (std::size_t a = 0; a < fitting_.size(); ++a) {
    for (; block < blocks_.size() && blocks_[block].type == static_cast<int>(a);) {
      const std::size_t end = std::min(block + static_cast<std::size_t>(threads), blocks_.size());
      std::size_t same = block;
      while (same < end && blocks_[same].type == static_cast<int>(a)) ++same;
      backward_blocks(block, same, threads, padding);
      ranks.go_on();
      block = same;
    }
    std::vector<Task> tasks;
    add_tasks(rows_.size() + a, true, tasks);
    run(tasks, threads);
    send(fitting_layout_[a].begin, fitting_layout_[a].end);
  }
  backward_padding(padding);
  ranks.go_on();
  std::vector<Task> tasks;
  for (std::size_t net = 0; net < rows_.size(); ++net) add_tasks(net, true, tasks);
  run(tasks, threads);
  send(0, embedding_layout_.back().end);
  ranks.finish();
}

/// Each process makes the gradients of its weights out of the rows of all, where nothing is left to be added
/// up; of the other numbers, which are few or have too many rows, it adds up the terms of all.
template <typename T>
void Engine<T>::make_gradients(int threads) {
  company_.ranks->meet();
  const auto processes = static_cast<std::size_t>(company_.ranks->size());
  const std::size_t n_tasks = company_.mine.size();
  parallel_dynamic(n_tasks + company_.mine_else.size(), threads, [&](std::size_t k, int) {
    if (k >= n_tasks) {
      const ranks::Part& part = company_.mine_else[k - n_tasks];
      for (const T* theirs : company_.gradients) {
        if (theirs == gradient_.data()) continue;
        for (std::size_t i = part.begin; i < part.end; ++i) gradient_[i] += theirs[i];
      }
      return;
    }
    const Task& task = company_.mine[k];
    const std::size_t type = task.net - rows_.size();
    const nn::NetworkLayout& net = fitting_layout_[type];
    bool add = false;
    for (std::size_t process = 0; process < processes; ++process) {
      const std::ptrdiff_t n = atoms_of(process, type);
      if (n == 0 && (add || process + 1 < processes)) continue;
      const T* memory = company_.rows[process] + rows_before(process, type);
      nn::weight_gradient<T>(net.layers[task.layer], nn::rows_in<T>(memory, net, task.layer, n), task.begin,
                             task.end, add,
                             gradient_.data() + nn::weight_row(net.layers[task.layer], task.begin));
      add = true;
    }
  });
}

template void Engine<float>::join(ranks::Ranks&);
template void Engine<float>::leave_shared_memory();
template void Engine<float>::divide_gradient(std::vector<ranks::Part>);
template void Engine<float>::exchange_parameters();
template std::size_t Engine<float>::rows_before(std::size_t, std::size_t) const;
template void Engine<float>::make_room_for_rows();
template void Engine<float>::exchange_predictions(std::span<double>);
template void Engine<float>::make_gradients(int);
template void Engine<float>::collect_gradient(int);
template void Engine<double>::join(ranks::Ranks&);
template void Engine<double>::leave_shared_memory();
template void Engine<double>::divide_gradient(std::vector<ranks::Part>);
template void Engine<double>::exchange_parameters();
template std::size_t Engine<double>::rows_before(std::size_t, std::size_t) const;
template void Engine<double>::make_room_for_rows();
template void Engine<double>::exchange_predictions(std::span<double>);
template void Engine<double>::make_gradients(int);
template void Engine<double>::collect_gradient(int);

}  // namespace solion::train
