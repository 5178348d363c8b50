// Rigid ions: Buckingham short-range pairs and point charges by Ewald sums.
// Theory: docs/theory/potential.md, equations (1)–(6).
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "solion/base/constants.hpp"
#include "solion/base/input.hpp"
#include "solion/base/row_major.hpp"
#include "solion/potential/ewald.hpp"
#include "solion/potential/potential.hpp"
#include "solion/potential/scaled_erfc.hpp"
#include "solion/structure/neighborhood.hpp"

namespace solion {

/// V(r) = A·exp(−r/ρ) − C/r⁶ for r < cutoff, plainly truncated (no shift, no tail: LAMMPS' buck/coul/long).
struct BuckinghamPair {
  double a_eV = 0;
  double rho_A = 1;
  double c_eV_A6 = 0;
};

/// The parameters; shared by clones.
struct BuckinghamModel {
  TypeMap type_map;
  std::vector<double> charges;        ///< e, by type
  std::vector<BuckinghamPair> pairs;  ///< [type·n_types + type], symmetric
  double cutoff_A = 12.0;             ///< of the short-range part only
  /// Nearer than this two atoms are an InputError: −C/r⁶ wins at short distance and the pair would collapse.
  double closest_A = 0.8;
  double ewald_accuracy = 1e-10;  ///< root-mean-square force error over the force of unit charges at 1 Å
  double coulomb_eV_A = constants::coulomb_eV_A;  ///< e²/(4πε₀) that the parameters were made with
  /// A cell with a net charge gets a uniform charge that makes it neutral; otherwise it is refused.
  bool background = false;

  [[nodiscard]] const BuckinghamPair& pair(int a, int b) const {
    return pairs[row_major(a, b, type_map.size())];
  }
  /// Reads `kind = "buckingham"`: [charges] by element, [[pairs]] of every two elements with `elements`,
  /// `A_eV`, `rho_A`, `C_eV_A6`; and `cutoff_A`, `closest_A`, `ewald_accuracy`, `coulomb_eV_A` and
  /// `net_charge` ("refuse" or "background") if they differ from the above. InputError for unknown keys and
  /// elements, missing or repeated pairs, impossible values.
  static BuckinghamModel from_toml(TomlTable& table);
};

/// Needs a cell (any shape and size; it may be smaller than the cutoffs), without net charge unless the model
/// has a background.
class Buckingham final : public Potential {
 public:
  explicit Buckingham(BuckinghamModel model);

  [[nodiscard]] std::string description() const override;
  [[nodiscard]] const TypeMap& type_map() const override { return model_->type_map; }
  using Potential::evaluate;
  /// Also InputError for a net charge (in e) or two atoms nearer than `closest_A`.
  void evaluate(const Frame& frame, const Request& request, Evaluation& result) override;
  [[nodiscard]] std::unique_ptr<Potential> clone() const override;
  void reset() override;
  [[nodiscard]] double list_seconds() const override { return near_.seconds(); }
  [[nodiscard]] double next_skin_A() const override { return skin_.next(near_.cutoff()); }
  void set_skin_A(double skin) override { skin_.start(skin); }
  void set_threads(int threads) override { threads_ = threads; }
  [[nodiscard]] const BuckinghamModel& model() const { return *model_; }

 private:
  /// What one share of the atoms adds up.
  struct Share {
    std::vector<Vec3> forces;
    std::vector<double> energies;
    double energy = 0;
    Mat3 virial = Mat3::Zero();
    std::vector<double> x, y, z, r2;  // the pairs of one atom with one type
    std::vector<int> owner;
  };
  /// Fixed, so that the numbers do not depend on the number of threads.
  static constexpr std::size_t n_shares = 8;

  [[nodiscard]] std::vector<double> atom_charges(const Frame& frame, const std::vector<int>& types) const;
  void make_half_list(const std::vector<int>& types);
  void add_real_space(const EwaldPlan& plan, double reach, const Request& request);
  void add_atom(int atom, const EwaldPlan& plan, double reach, const Request& request, Share& share) const;
  void add_pairs(int atom, int type, const EwaldPlan& plan, const Request& request, std::size_t count,
                 Share& share) const;
  [[noreturn]] void fail_overlap(int atom, int other, double distance) const;

  std::shared_ptr<const BuckinghamModel> model_;
  ScaledErfc scaled_erfc_;
  int threads_ = 1;
  Neighborhood near_;
  Skin skin_;
  EwaldReciprocal reciprocal_;
  EwaldReciprocal::Result reciprocal_result_;
  // Every pair once, the neighbours of an atom sorted by type: those of atom i and type t are
  // half_[offset_[i·n_types + t] … offset_[i·n_types + t + 1]).
  std::vector<std::size_t> offset_;
  std::vector<int> half_;
  std::vector<int> types_;
  std::array<Share, n_shares> shares_;
};

}  // namespace solion
