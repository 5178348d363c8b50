// How well a potential reproduces labels: RMSE, MAE and R² of energies, forces and virials.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "solion/base/input.hpp"
#include "solion/potential/potential.hpp"

namespace solion::train {

/// One frame of labels beside what the potential says. A label that is missing is not counted.
struct Comparison {
  std::size_t n_atoms = 0;
  bool has_energy = false;
  bool has_forces = false;
  bool has_virial = false;
  double energy_label = 0, energy = 0;                      ///< eV
  std::vector<Vec3> forces_label, forces;                   ///< eV/Å
  Mat3 virial_label = Mat3::Zero(), virial = Mat3::Zero();  ///< eV
};

/// Errors of n numbers. R² = 1 − Σ(y − ŷ)²/Σ(y − ȳ)² with y the labels.
class Errors {
 public:
  void add(double label, double predicted);
  [[nodiscard]] std::size_t n() const { return n_; }
  [[nodiscard]] double rmse() const;  ///< NaN without numbers
  [[nodiscard]] double mae() const;
  /// NaN for fewer than two numbers or labels that are all equal.
  [[nodiscard]] double r2() const;

 private:
  std::size_t n_ = 0;
  double square_ = 0;    ///< Σ(y − ŷ)²
  double absolute_ = 0;  ///< Σ|y − ŷ|
  double mean_ = 0;      ///< of the labels
  double spread_ = 0;    ///< Σ(y − ȳ)²
};

/// Errors of many frames: each frame counts once for energy, each component once for forces and virial.
struct Accuracy {
  std::size_t frames = 0;
  Errors energy;           ///< eV, whole frames
  Errors energy_per_atom;  ///< eV/atom
  Errors force;            ///< eV/Å, components
  Errors virial;           ///< eV, whole frames
  Errors virial_per_atom;  ///< eV/atom

  void add(const Comparison& frame);
};

/// {"frames", "energy_rmse_eV_per_atom", "energy_mae_eV_per_atom", "energy_r2", "force_rmse_eV_per_A",
/// "force_mae_eV_per_A", "force_r2", "virial_rmse_eV_per_atom", "virial_mae_eV_per_atom", "virial_r2"}; null
/// where there is no number. energy_r2 is that of the energies per atom.
Json to_json(const Accuracy& accuracy);

/// Evaluates every frame on clones of the potential, `threads` at a time.
std::vector<Comparison> compare(const Potential& potential, const std::vector<Frame>& frames, int threads);

/// A system with its name, for detail files and tables.
struct ComparedSystem {
  std::string name;
  std::vector<Comparison> frames;
};

/// DeePMD-kit's detail files: PREFIX.e.out and .e_peratom.out (label, predicted), .f.out (three label and
/// three predicted components an atom), .v.out and .v_peratom.out (nine and nine). One header line with the
/// system's name before the lines of each. A file is written if there are such labels. The names of the
/// written files are returned.
std::vector<std::filesystem::path> write_details(const std::string& prefix,
                                                 const std::vector<ComparedSystem>& systems);

}  // namespace solion::train
