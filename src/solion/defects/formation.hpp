// Formation and binding energies of neutral defects, with chemical potentials from compounds.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "solion/defects/kept.hpp"
#include "solion/relax/minimize.hpp"

namespace solion::defects {

/// A relaxed crystal: energy and composition of the cell that was given.
struct Reference {
  Frame frame;                         ///< relaxed
  Mat3 given_cell = Mat3::Identity();  ///< before relaxation
  double energy_eV = 0;                ///< of the whole cell
  std::map<std::string, int> atoms;    ///< by element
  int units = 1;                       ///< formula units: the greatest common divisor of the counts
};

struct Formation {
  std::string formula;
  int crystal_cells = 0;               ///< of the perfect cell in the supercell
  std::map<std::string, int> changed;  ///< n_i: atoms more (positive) or fewer than in the perfect supercell
  double energy_eV = 0;                ///< relaxed
  double unrelaxed_eV = 0;             ///< of the atoms where they were given, in the relaxed crystal's cell
  double excess_eV = 0;                ///< E_defect − E_perfect
  /// Formula units of each compound that make up `changed`; empty where they cannot.
  std::vector<double> compounds;
  double formation_eV = 0;  ///< excess − Σ compounds·μ; NaN where they cannot
  relax::RelaxResult relaxed;
  /// The defects have met and gone: nothing is added or missing, and every atom stands on a site of its own
  /// element in the perfect crystal, as not all did before.
  bool recombined = false;
  /// Atoms that went farther than 1 Å as they relaxed.
  int moved_atoms = 0;
};

/// Whether as few atoms moved as do about defects: at most five, or a tenth of all. Where more do, the
/// crystal itself gives way: its symmetry alone held it, and its energy is that of no minimum.
bool is_local(const Formation& formation);

/// The rows of the defect's cell in cells of the crystal: whole numbers. InputError if it has no cell, or one
/// that is no multiple.
Mat3 cells_of(const Frame& defect, const Mat3& crystal_cell);

/// Relaxes atoms and cell of a crystal, going on from what was `kept`. WorkError if it does not converge.
Reference relax_reference(Potential& potential, const Frame& crystal, const relax::RelaxOptions& options,
                          KeptRelaxations* kept = nullptr);

/// Formula units of each compound that add up to `changed` (atoms by element, removed ones negative); empty
/// if none do, or without compounds.
std::vector<double> as_compounds(const std::map<std::string, int>& changed,
                                 const std::vector<Reference>& compounds);

/// Atoms of a frame by element.
std::map<std::string, int> composition(const Frame& frame);

/// Share of the atoms that stand within 1 Å of a site of their element in the crystal, whatever the origin;
/// the frame's cell is one or several of the crystal's.
double share_on_sites(const Frame& frame, const Frame& crystal);

/// Whether the frame is the perfect crystal: as many atoms of each element, and one of its element within
/// 0.5 Å of each site. The cells are those of one supercell, one strained against the other.
bool is_perfect(const Frame& frame, const Frame& perfect);

/// E_f = E_defect − E_perfect − Σ n_i·μ_i with the n_i (added atoms positive) written as formula units of the
/// compounds, so that no μ of an element is needed: docs/theory/defects.md. The defect cell is strained as
/// the perfect cell was by its relaxation; its atoms then relax in that cell. InputError if it is no
/// supercell of the perfect one as given, or if most atoms are elsewhere (a turned cell); WorkError if it
/// does not converge.
Formation formation(Potential& potential, const Frame& defect, const Reference& perfect,
                    const std::vector<Reference>& compounds, const relax::RelaxOptions& options,
                    KeptRelaxations* kept = nullptr);

/// Σ E(isolated) − E(cluster), positive when bound; each cell against its own perfect supercell. InputError
/// unless the isolated defects together change the composition as the cluster does.
double binding_eV(const std::vector<Formation>& isolated, const Formation& cluster);

/// Mean of the formation energies at T with the weights g·exp(−E/(k_B T)). InputError for lists of different
/// length, no entry, or T that is not positive.
double boltzmann_mean_eV(const std::vector<double>& energies_eV, const std::vector<double>& degeneracies,
                         double temperature_K);

}  // namespace solion::defects
