// One step of whichever optimiser was asked for.
#include "solion/train/optimizer.hpp"

namespace solion::train {
namespace {

template <typename T>
std::vector<nn::AlignedVector<T>*> arrays_of(nn::Adam<T>& adam) {
  return {&adam.first, &adam.second};
}
template <typename T>
std::vector<nn::AlignedVector<T>*> arrays_of(nn::Soap<T>& soap) {
  return {&soap.first, &soap.second, &soap.bases};
}

/// Neighbours of one owner become one part.
void append(std::vector<ranks::Part>& parts, const ranks::Part& part) {
  if (part.begin == part.end) return;
  if (!parts.empty() && parts.back().owner == part.owner && parts.back().end == part.begin) {
    parts.back().end = part.end;
  } else {
    parts.push_back(part);
  }
}

}  // namespace

template <typename T>
Optimizer<T>::Optimizer(const OptimizerSettings& settings, const std::vector<nn::NetworkLayout>& nets,
                        std::size_t n_parameters) {
  if (settings.kind == OptimizerSettings::Kind::adam) {
    method_ = nn::Adam<T>(n_parameters, settings.adam);
    return;
  }
  std::vector<nn::LayerLayout> layers;
  for (const auto& net : nets) layers.insert(layers.end(), net.layers.begin(), net.layers.end());
  method_ = nn::Soap<T>(layers, n_parameters, settings.soap);
}

template <typename T>
void Optimizer<T>::update(double learning_rate, T* parameters, T* gradient,
                          const std::vector<unsigned char>& trained, int threads) {
  std::visit([&](auto& method) { method.update(learning_rate, parameters, gradient, trained, threads); },
             method_);
}

template <typename T>
std::vector<ranks::Part> Optimizer<T>::share(const ranks::Ranks& ranks) {
  const std::vector<nn::UpdateUnit> units =
      std::visit([&](const auto& method) { return method.units(ranks.size()); }, method_);
  std::vector<double> costs;
  costs.reserve(units.size());
  for (const nn::UpdateUnit& unit : units) costs.push_back(unit.cost);
  const std::vector<int> owners = ranks::deal(costs, ranks.size());
  std::vector<nn::UpdateUnit> mine;
  parts_.clear();
  bases_parts_.clear();
  for (std::size_t k = 0; k < units.size(); ++k) {
    const nn::UpdateUnit& unit = units[k];
    if (owners[k] == ranks.rank()) mine.push_back(unit);
    append(parts_, {unit.begin, unit.end, owners[k]});
    append(bases_parts_, {unit.bases_begin, unit.bases_end, owners[k]});
  }
  if (ranks.size() > 1) std::visit([&](auto& method) { method.move_only(mine); }, method_);
  return parts_;
}

template <typename T>
void Optimizer<T>::gather(ranks::Ranks& ranks) {
  if (ranks.size() == 1) return;
  std::visit(
      [&](auto& method) {
        const auto arrays = arrays_of(method);
        for (std::size_t k = 0; k < arrays.size(); ++k)
          ranks.spread<T>(std::span<T>(*arrays[k]), k < 2 ? parts_ : bases_parts_);
      },
      method_);
}

template <typename T>
OptimizerState<T> Optimizer<T>::state() const {
  return std::visit(
      [](auto method) {  // a copy
        OptimizerState<T> state{method.updates, {}};
        for (auto* array : arrays_of(method)) state.arrays.push_back(std::move(*array));
        return state;
      },
      method_);
}

template <typename T>
bool Optimizer<T>::set_state(OptimizerState<T> state) {
  return std::visit(
      [&](auto& method) {
        const auto arrays = arrays_of(method);
        if (arrays.size() != state.arrays.size()) return false;
        for (std::size_t k = 0; k < arrays.size(); ++k) {
          if (arrays[k]->size() != state.arrays[k].size()) return false;
        }
        for (std::size_t k = 0; k < arrays.size(); ++k) *arrays[k] = std::move(state.arrays[k]);
        method.updates = state.updates;
        return true;
      },
      method_);
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace solion::train
