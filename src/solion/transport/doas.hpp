// Density of atomistic states: how the atomic energies of one species are distributed, by a model and its
// committee.
#pragma once

#include <string>
#include <vector>

#include "solion/relax/minimize.hpp"

namespace solion::transport {

struct DoasOptions {
  std::string species;
  bool relax = true;  ///< each frame at fixed cell with the first model, which takes the thermal motion out
  relax::RelaxOptions relaxation{.force_eV_per_A = 0.02};
  double width_eV = 0.02;  ///< of the Gaussian that each energy is drawn as
};

struct Doas {
  std::size_t n_frames = 0, n_ions = 0, n_unrelaxed = 0;  ///< frames whose relaxation did not end
  struct Model {
    double mean_eV = 0, deviation_eV = 0;
    std::vector<double> density;  ///< 1/eV an ion, at each of `energy_eV`
  };
  std::vector<double> energy_eV;  ///< relative to each model's own mean
  std::vector<Model> models;
  /// Root mean square, over ions, of the spread between models of an ion's energy relative to the model's
  /// mean: what lies closer together than this the committee does not tell apart. NaN for one model.
  double committee_spread_eV = 0;
};

/// After Wang, Liu and Mo, Angew. Chem. 2023, e202215544. The energy of an atom is a gauge of the model, so
/// that only energies of one model compare. Memory: one number an ion, frame and model.
class DoasAccumulator {
 public:
  /// InputError without models or for a width that is not positive.
  DoasAccumulator(DoasOptions options, std::vector<Potential*> models);
  /// InputError if no atom is of the species, or a model gives no atomic energies.
  void add(const Frame& frame, const std::string& where);
  /// InputError without frames.
  [[nodiscard]] Doas result() const;

 private:
  DoasOptions options_;
  std::vector<Potential*> models_;
  std::vector<std::vector<double>> energies_;  // by model
  std::size_t n_frames_ = 0, n_unrelaxed_ = 0;
};

}  // namespace solion::transport
