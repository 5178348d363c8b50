// One migration barrier from two end structures, in a file that an interrupted run goes on from.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "solion/relax/minimize.hpp"
#include "solion/relax/neb.hpp"

namespace solion::defects {

struct BarrierOptions {
  int images = 7;          ///< between the ends
  bool idpp = true;        ///< first path by image-dependent pair potential; otherwise straight lines
  bool relax_ends = true;  ///< at fixed cell, to a quarter of the band's force
  int max_end_steps = 1000;
  relax::BandOptions band;
};

struct BarrierRun {
  /// Keeps the path (extxyz: both ends and the images, with energies and forces) and where the run stands;
  /// written at most every two seconds and at the end. Empty: nothing is kept.
  std::filesystem::path path_file;
  std::string potential_identity;  ///< whatever tells one potential from another
  bool fresh = false;              ///< start again whatever the file holds
  std::function<void(const std::string& stage, int step, double largest_force_eV_per_A, double barrier_eV)>
      each;
};

struct Barrier {
  relax::NebResult neb;
  int first_step = 0;  ///< of the band; more than 0 where a run was continued
  /// Largest distance that an atom moves from one end to the other, and how many move more than 0.5 Å.
  double hop_A = 0;
  int moving_atoms = 0;
  /// Atoms of the end where there are more that went farther than 1 Å as it relaxed.
  int moved_at_ends = 0;
  /// As few as about a vacancy (five, or a tenth of all); where more do, the crystal itself gave way.
  [[nodiscard]] bool ends_hold() const;
};

/// Relaxes both ends, draws a path and relaxes it. The ends have the same atoms in the same order; each atom
/// moves on a straight line between the positions as they stand (relax::nearest_images). A path file of the
/// same job is continued: ends that were being relaxed, or the band as it was, with the optimiser's memory
/// new. InputError if it holds another job; WorkError if the ends do not relax or relax to one structure, or
/// where the band comes where the potential has no energy. A band that does not converge is said in
/// the result.
Barrier find_barrier(Potential& potential, const Frame& initial, const Frame& final_frame,
                     const BarrierOptions& options, const BarrierRun& run = {});

/// Net charge (e) that rigid ions give the frame; 0 for a potential without charges. InputError for an
/// element that the potential does not know.
double net_charge_e(const Potential& potential, const Frame& frame);

}  // namespace solion::defects
