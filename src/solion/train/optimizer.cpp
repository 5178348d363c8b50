// One step of whichever optimiser was asked for.
#include "solion/train/optimizer.hpp"

#include <algorithm>

namespace solion::train {
namespace {

/// An array of what an optimiser remembers; `of_parameters`: one number a parameter.
template <typename T>
struct Memory {
  nn::AlignedVector<T>* array;
  bool of_parameters;
};
template <typename T>
std::vector<Memory<T>> memory_of(nn::Adam<T>& adam) {
  return {{&adam.first, true}, {&adam.second, true}};
}
template <typename T>
std::vector<Memory<T>> memory_of(nn::Soap<T>& soap) {
  return {{&soap.first, true}, {&soap.second, true}, {&soap.bases, false}};
}
template <typename T>
std::vector<Memory<T>> memory_of(nn::Muon<T>& muon) {
  return {{&muon.first, true}, {&muon.second, true}};
}
template <typename T>
std::vector<Memory<T>> memory_of(nn::Kalman<T>& filter) {
  return {{&filter.covariance, false}};
}

/// Ranges by owner, with neighbours of one owner as one; `mine` of them.
std::vector<ranks::Part> dealt(const std::vector<nn::UpdateUnit>& units, const std::vector<double>& costs,
                               const ranks::Ranks& ranks, std::vector<nn::UpdateUnit>& mine) {
  const std::vector<int> owners = ranks::deal(costs, ranks.size());
  std::vector<ranks::Part> parts;
  for (std::size_t k = 0; k < units.size(); ++k) {
    const nn::UpdateUnit& unit = units[k];
    if (unit.begin == unit.end) continue;
    if (owners[k] == ranks.rank()) mine.push_back(unit);
    if (!parts.empty() && parts.back().owner == owners[k] && parts.back().end == unit.begin) {
      parts.back().end = unit.end;
    } else {
      parts.push_back({unit.begin, unit.end, owners[k]});
    }
  }
  return parts;
}

std::vector<double> costs_of(const std::vector<nn::UpdateUnit>& units) {
  std::vector<double> costs;
  costs.reserve(units.size());
  for (const nn::UpdateUnit& unit : units) costs.push_back(unit.cost);
  return costs;
}

/// The same with the gradients: each weight is multiplied twice for a sample, by its value and its tangent.
std::vector<double> costs_of(const std::vector<nn::UpdateUnit>& units,
                             const std::vector<nn::NetworkLayout>& nets, const std::vector<double>& samples) {
  std::vector<double> costs = costs_of(units);
  for (std::size_t k = 0; k < units.size(); ++k) {
    for (std::size_t net = 0; net < nets.size(); ++net) {
      const std::size_t begin = std::max(units[k].begin, nets[net].begin);
      const std::size_t end = std::min(units[k].end, nets[net].end);
      if (begin < end) costs[k] += 2 * samples[net] * static_cast<double>(end - begin);
    }
  }
  return costs;
}

std::vector<nn::LayerLayout> layers_of(const std::vector<nn::NetworkLayout>& nets) {
  std::vector<nn::LayerLayout> layers;
  for (const auto& net : nets) layers.insert(layers.end(), net.layers.begin(), net.layers.end());
  return layers;
}

}  // namespace

template <typename T>
Optimizer<T>::Optimizer(const OptimizerSettings& settings, const std::vector<nn::NetworkLayout>& nets,
                        std::size_t n_parameters)
    : nets_(nets) {
  using Kind = OptimizerSettings::Kind;
  switch (settings.kind) {
    case Kind::adam:
      method_ = nn::Adam<T>(n_parameters, settings.adam);
      break;
    case Kind::soap:
      method_ = nn::Soap<T>(layers_of(nets), n_parameters, settings.soap);
      break;
    case Kind::muon:
      method_ = nn::Muon<T>(layers_of(nets), n_parameters, settings.muon);
      break;
    case Kind::kalman:
      method_ = nn::Kalman<T>(nets, settings.kalman.filter);
      break;
  }
}

template <typename T>
void Optimizer<T>::update(double learning_rate, T* parameters, T* gradient,
                          const std::vector<unsigned char>& trained, int threads) {
  if (auto* adam = std::get_if<nn::Adam<T>>(&method_)) {
    adam->update(learning_rate, parameters, gradient, trained, threads);
    return;
  }
  if (auto* muon = std::get_if<nn::Muon<T>>(&method_)) {
    muon->update(learning_rate, parameters, gradient, trained, threads);
    return;
  }
  auto& soap = std::get<nn::Soap<T>>(method_);
  if (!soap.step(learning_rate, parameters, gradient, trained, threads)) return;
  // A base looks at the whole gradient of its matrix, and turns all of it.
  if (ranks_ != nullptr) ranks_->spread<T>(std::span<T>(gradient, soap.first.size()), parts_);
  soap.improve(gradient, threads);
  if (ranks_ != nullptr) ranks_->spread<T>(std::span<T>(soap.bases), bases_parts_);
  soap.turn(threads);
}

template <typename T>
typename Optimizer<T>::Move Optimizer<T>::in_parts(double learning_rate, T* parameters,
                                                   const std::vector<unsigned char>& trained) {
  auto* adam = std::get_if<nn::Adam<T>>(&method_);
  if (adam == nullptr || ranks_ != nullptr) return nullptr;
  return [adam, step = adam->next(learning_rate), parameters, &trained](std::size_t begin, std::size_t end,
                                                                        T* gradient) {
    adam->move(step, begin, end, parameters, gradient, trained);
  };
}

template <typename T>
std::vector<ranks::Part> Optimizer<T>::share(ranks::Ranks& ranks, const std::vector<double>& samples) {
  std::vector<nn::UpdateUnit> mine, my_bases;
  if (auto* adam = std::get_if<nn::Adam<T>>(&method_)) {
    const auto units = adam->units(layers_of(nets_), ranks.size());
    parts_ = dealt(units, costs_of(units, nets_, samples), ranks, mine);
    if (ranks.size() > 1) adam->move_only(mine);
  } else if (auto* muon = std::get_if<nn::Muon<T>>(&method_)) {
    const auto units = muon->units();
    parts_ = dealt(units, costs_of(units, nets_, samples), ranks, mine);
    if (ranks.size() > 1) muon->do_only(mine);
  } else if (auto* soap = std::get_if<nn::Soap<T>>(&method_)) {
    const auto units = soap->units();
    parts_ = dealt(units, costs_of(units, nets_, samples), ranks, mine);
    const auto bases_units = soap->bases_units();
    bases_parts_ = dealt(bases_units, costs_of(bases_units), ranks, my_bases);
    if (ranks.size() > 1) soap->do_only(mine, my_bases);
  } else {
    parts_ = {{0, nets_.back().end, 0}};
  }
  if (ranks.size() > 1) ranks_ = &ranks;
  return parts_;
}

template <typename T>
void Optimizer<T>::gather(ranks::Ranks& ranks) {
  if (ranks.size() == 1) return;
  std::visit(
      [&](auto& method) {
        for (const auto& [array, of_parameters] : memory_of(method))
          ranks.spread<T>(std::span<T>(*array), of_parameters ? parts_ : bases_parts_);
      },
      method_);
}

template <typename T>
OptimizerState<T> Optimizer<T>::state() const {
  return std::visit(
      [&](auto method) {  // a copy
        OptimizerState<T> state{method.updates, {}};
        for (const auto& [array, of_parameters] : memory_of(method)) {
          state.arrays.push_back(of_parameters ? nn::without_gaps<T>(*array, nets_) : std::move(*array));
        }
        return state;
      },
      method_);
}

template <typename T>
bool Optimizer<T>::set_state(OptimizerState<T> state) {
  return std::visit(
      [&](auto& method) {
        const auto own = memory_of(method);
        if (own.size() != state.arrays.size()) return false;
        for (std::size_t k = 0; k < own.size(); ++k) {
          const std::size_t size = own[k].of_parameters ? nn::count_numbers(nets_) : own[k].array->size();
          if (state.arrays[k].size() != size) return false;
        }
        for (std::size_t k = 0; k < own.size(); ++k) {
          *own[k].array = own[k].of_parameters
                              ? nn::with_gaps<T>(state.arrays[k], nets_, own[k].array->size())
                              : std::move(state.arrays[k]);
        }
        method.updates = state.updates;
        return true;
      },
      method_);
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace solion::train
