// Relaxes, evaluates with every model, and draws each atomic energy as a Gaussian.
#include "solion/transport/doas.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"

namespace solion::transport {

namespace {

/// What a model cannot evaluate is said with the frame.
template <typename Work>
auto named(const std::string& where, const Work& work) {
  try {
    return work();
  } catch (const InputError& error) {
    throw InputError("{}: {}", where, error.what());
  }
}

}  // namespace

DoasAccumulator::DoasAccumulator(DoasOptions options, std::vector<Potential*> models)
    : options_(std::move(options)), models_(std::move(models)), energies_(models_.size()) {
  if (models_.empty()) throw InputError("doas: no model");
  if (!(options_.width_eV > 0)) throw InputError("doas: a width of {} eV", options_.width_eV);
  options_.relaxation.cell = relax::CellMode::fixed;
}

void DoasAccumulator::add(const Frame& frame, const std::string& where) {
  Frame still = frame;
  if (options_.relax) {
    const relax::RelaxResult r =
        named(where, [&] { return relax::minimize(*models_.front(), frame, options_.relaxation); });
    n_unrelaxed_ += r.converged ? 0 : 1;
    still = r.frame;
  }
  for (std::size_t m = 0; m < models_.size(); ++m) {
    Evaluation result;
    named(where, [&] { models_[m]->evaluate(still, {.forces = false, .atomic_energies = true}, result); });
    if (result.atomic_energies.size() != still.n_atoms())
      throw InputError("{}: {} gives no atomic energies", where, models_[m]->description());
    bool any = false;
    for (std::size_t i = 0; i < still.n_atoms(); ++i) {
      if (still.element(i) != options_.species) continue;
      energies_[m].push_back(result.atomic_energies[i]);
      any = true;
    }
    if (!any)
      throw InputError("{}: no atom is of species '{}'; found {}", where, options_.species, frame.formula());
  }
  ++n_frames_;
}

Doas DoasAccumulator::result() const {
  if (n_frames_ == 0) throw InputError("doas: no frames");
  Doas doas;
  doas.n_frames = n_frames_;
  doas.n_unrelaxed = n_unrelaxed_;
  const std::size_t samples = energies_.front().size();
  doas.n_ions = samples / n_frames_;
  const auto n = static_cast<double>(samples);
  double low = 0, high = 0;
  for (const auto& energies : energies_) {
    Doas::Model model;
    for (const double e : energies) model.mean_eV += e / n;
    for (const double e : energies) {
      model.deviation_eV += (e - model.mean_eV) * (e - model.mean_eV) / n;
      low = std::min(low, e - model.mean_eV);
      high = std::max(high, e - model.mean_eV);
    }
    model.deviation_eV = std::sqrt(model.deviation_eV);
    doas.models.push_back(std::move(model));
  }
  constexpr int points = 401;
  const double first = low - 4 * options_.width_eV,
               step = (high - low + 8 * options_.width_eV) / (points - 1);
  for (int k = 0; k < points; ++k) doas.energy_eV.push_back(first + k * step);
  for (std::size_t m = 0; m < models_.size(); ++m) {
    Doas::Model& model = doas.models[m];
    for (const double at : doas.energy_eV) {
      double sum = 0;
      for (const double e : energies_[m]) {
        const double z = (e - model.mean_eV - at) / options_.width_eV;
        sum += std::exp(-0.5 * z * z);
      }
      model.density.push_back(sum / (n * options_.width_eV * std::sqrt(2 * constants::pi)));
    }
  }
  doas.committee_spread_eV = std::numeric_limits<double>::quiet_NaN();
  if (models_.size() > 1) {
    const auto count = static_cast<double>(models_.size());
    double variance = 0;
    for (std::size_t i = 0; i < samples; ++i) {
      double mean = 0, square = 0;
      for (std::size_t m = 0; m < models_.size(); ++m) {
        const double e = energies_[m][i] - doas.models[m].mean_eV;
        mean += e / count;
        square += e * e / count;
      }
      variance += std::max(0.0, square - mean * mean) * count / (count - 1) / n;
    }
    doas.committee_spread_eV = std::sqrt(variance);
  }
  return doas;
}

}  // namespace solion::transport
