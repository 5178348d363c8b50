// What LAMMPS is given and what it gives back: its input and data, its log, dumps and restart files.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "solion/md/run.hpp"

namespace solion::engine {

/// LAMMPS's constants in units metal (its source, update.cpp), which differ from CODATA 2018 in the seventh
/// digit. Masses, temperatures and pressures are scaled on their way so that both engines integrate the same
/// equations.
namespace metal {
inline constexpr double boltzmann = 8.617343e-5;   ///< eV/K
inline constexpr double mv2_in_eV = 1.0364269e-4;  ///< amu (Å/ps)²
inline constexpr double bar_per_eV_A3 = 1.6021765e6;
}  // namespace metal

/// A stretch of the run with one set of commands. LAMMPS counts steps from the beginning of the production,
/// or of the equilibration while that lasts, because dumps count from 0.
struct Clock {
  std::int64_t offset = 0;  ///< step of the run = LAMMPS's step + offset
  std::int64_t begin = 0;   ///< steps of the run
  std::int64_t end = 0;
};

/// The input of LAMMPS from a step on. Data and dumps lie in the same folder under the names below.
std::string lammps_input(const md::Input& input, const TypeMap& types, const Clock& clock,
                         const std::string& kim_name);
constexpr const char* data_file = "start.data";
constexpr const char* log_file = "log.lammps";
constexpr const char* final_dump = "final.dump";
std::string trajectory_dump(std::size_t trajectory);
/// LAMMPS writes the two in turn.
constexpr const char* restart_files[] = {"a.restart", "b.restart"};

/// One row of LAMMPS's log, in our units and in LAMMPS's orientation.
struct Row {
  double potential_eV = 0, kinetic_eV = 0, conserved_eV = 0;
  Mat3 kinetic = Mat3::Zero();  ///< Σ m v⊗v, eV
  Mat3 virial = Mat3::Zero();   ///< W, eV
  Mat3 cell = Mat3::Zero();
};

/// All rows that stand whole in the log, by LAMMPS's step. The conserved energy goes on from stage to stage.
std::map<std::int64_t, Row> read_log(const std::filesystem::path& file);

/// Turns what LAMMPS has (cell along x and xy) back into the orientation of the input.
class Orientation {
 public:
  explicit Orientation(const Frame& start);
  [[nodiscard]] Mat3 cell(const Mat3& lammps) const { return lammps * back_; }
  [[nodiscard]] Mat3 tensor(const Mat3& lammps) const { return back_.transpose() * lammps * back_; }
  /// Positions, velocities and forces; types are the start's.
  void turn(Frame& frame, const Frame& start) const;

 private:
  Mat3 back_ = Mat3::Identity();
  bool same_ = true;
};

}  // namespace solion::engine
