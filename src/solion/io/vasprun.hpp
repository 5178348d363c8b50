// vasprun.xml, read (https://www.vasp.at/wiki/Vasprun.xml).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion::io {

/// One ionic step: free energy (eV), forces (eV/Å), stress (eV/Å³, tension positive) if it was computed.
struct VaspStep {
  double energy_eV = 0;
  std::vector<Vec3> forces_eV_per_A;
  std::optional<Mat3> stress_eV_per_A3;
  int scf_steps = 0;
  bool converged = false;  ///< vasp_converged
};

/// What becomes of a file that ends in the middle, as that of a run that was killed or still goes on.
enum class WhenCutOff { refuse, read_whole_steps };

/// A whole file in memory. Every function throws InputError, with the file's name, for what is missing or no
/// number.
class Vasprun {
 public:
  /// InputError if the file is missing or no whole XML of VASP.
  explicit Vasprun(const std::filesystem::path& file, WhenCutOff when = WhenCutOff::refuse);
  Vasprun(const Vasprun&) = delete;
  Vasprun& operator=(const Vasprun&) = delete;
  Vasprun(Vasprun&&) = delete;
  Vasprun& operator=(Vasprun&&) = delete;
  ~Vasprun();

  /// VASP's version, empty if it is not said.
  [[nodiscard]] std::string version() const;
  [[nodiscard]] double n_electrons() const;
  [[nodiscard]] std::size_t n_steps() const;
  [[nodiscard]] bool cut_off() const;
  /// The step has a structure and electronic steps; those of a machine-learned force field have none.
  [[nodiscard]] bool by_scf(std::size_t i) const;
  [[nodiscard]] VaspStep step(std::size_t i, std::size_t n_atoms) const;
  /// Element names, cell and positions of a step, in the order of POSCAR.
  [[nodiscard]] Frame structure(std::size_t i) const;

 private:
  class Tree;
  std::unique_ptr<Tree> tree_;
};

}  // namespace solion::io
