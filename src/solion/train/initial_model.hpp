// The model before the first step: statistics of the data and random weights.
#pragma once

#include <vector>

#include "solion/dp/model.hpp"
#include "solion/train/data.hpp"
#include "solion/train/settings.hpp"

namespace solion::train {

/// Builds the model that training starts from, as DeePMD-kit does:
/// - `sel` (if automatic): the largest count of neighbours of each type times the factor, up to a multiple of
/// 4;
/// - mean and deviation of the environment matrix by centre type, over all Σsel rows with the empty ones as
/// zeros: the
///   first column by itself, the three others with one deviation and no mean; deviations of at least 0.01;
/// - energies by type from least squares of the energies against the composition (minimum norm where the data
///   cannot tell types apart);
/// - weights normal with variance 1/(n_in + n_out), biases normal with variance 1, idt 0.1 ± 0.001.
/// A type without an atom in the data has no energy and the deviation 0.1, and one warning names all of them,
/// unless `any_types`: parameters and statistics will be another model's.
template <typename T>
dp::Model initial_model(const ModelSettings& settings, const std::vector<PreparedSystem<T>>& systems,
                        bool any_types = false);

}  // namespace solion::train
