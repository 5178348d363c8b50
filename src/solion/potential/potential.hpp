// What every source of energies is to the rest of the program: analytic, Deep Potential or DFT.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion {

/// What to compute; energy always is.
struct Request {
  bool forces = true;
  bool virial = true;
  bool atomic_energies = false;
  bool atomic_virials = false;  ///< only from potentials that say so
};

/// Energy (eV), forces (eV/Å), virial W = −∂E/∂ε (eV), atomic energies and virials (eV). The virial of atom j
/// is W_j = −Σ_i r_ij ⊗ ∂E_i/∂r_ij, with which the heat current of a many-body potential is right (Fan et
/// al., Phys. Rev. B 92, 094301 (2015), eq. 23); they sum up to W. Reused between calls: vectors keep their
/// memory.
struct Evaluation {
  double energy = 0;
  std::vector<Vec3> forces;
  Mat3 virial = Mat3::Zero();
  std::vector<double> atomic_energies;
  std::vector<Mat3> atomic_virials;
};

/// A potential energy surface. An object may keep caches (a neighbour list, a running DFT process) between
/// calls on similar frames, so that one object serves one thread at a time; `clone()` shares what never
/// changes.
class Potential {
 public:
  Potential() = default;
  Potential(const Potential&) = default;
  Potential& operator=(const Potential&) = default;
  Potential(Potential&&) = default;
  Potential& operator=(Potential&&) = default;
  virtual ~Potential() = default;

  /// One line for logs and reports: kind, elements, cutoff.
  [[nodiscard]] virtual std::string description() const = 0;
  /// The elements it knows. A frame with another element is an InputError.
  [[nodiscard]] virtual const TypeMap& type_map() const = 0;
  /// Fills `result` for the frame. Throws InputError (unknown element, overlapping atoms, no cell where one
  /// is needed) or WorkError (a result that is not finite).
  virtual void evaluate(const Frame& frame, const Request& request, Evaluation& result) = 0;
  /// As `evaluate`, for a frame that `first` has just evaluated: members of a committee share a neighbour
  /// list.
  virtual void evaluate_beside(const Potential& first, const Frame& frame, const Request& request,
                               Evaluation& result) {
    (void)first;
    evaluate(frame, request, result);
  }
  [[nodiscard]] virtual std::unique_ptr<Potential> clone() const = 0;
  /// Drops every cache that earlier calls left behind (neighbour list, k-vectors of an old cell, …): the next
  /// evaluation gives bit for bit what a new object would. Molecular dynamics calls it at fixed steps, so
  /// that a continued run repeats the uninterrupted one exactly; a potential with a cache must override it.
  virtual void reset() {}
  /// Wall time spent on neighbour lists so far, s; 0 for a potential without one.
  [[nodiscard]] virtual double list_seconds() const { return 0; }
  /// The skin that its next neighbour lists should have, as measured since the last `reset`
  /// (structure/skin.hpp), Å; 0 for a potential without a list.
  [[nodiscard]] virtual double next_skin_A() const { return 0; }
  /// After a `reset`: the skin to begin with, where it is not one that the user gave.
  virtual void set_skin_A(double skin) { (void)skin; }
  /// How many threads one evaluation may use (default 1; ignored by potentials that use one).
  virtual void set_threads(int threads) { (void)threads; }

  Evaluation evaluate(const Frame& frame, const Request& request = {}) {
    Evaluation result;
    evaluate(frame, request, result);
    return result;
  }
};

/// For each type of the frame its number in the potential's map; InputError that names a missing element in
/// use and the known ones.
std::vector<int> match_types(const Frame& frame, const Potential& potential);

}  // namespace solion
