// Lennard-Jones pairs with a shifted force: smooth, cheap, one formula; for tests of whatever moves atoms.
#pragma once

#include <memory>
#include <vector>

#include "solion/base/input.hpp"
#include "solion/potential/potential.hpp"
#include "solion/structure/neighborhood.hpp"

namespace solion {

struct LennardJonesPair {
  double epsilon_eV = 0;
  double sigma_A = 1;
};

struct LennardJonesModel {
  TypeMap type_map;
  std::vector<LennardJonesPair> pairs;  ///< [type·n_types + type], symmetric
  double cutoff_A = 8.5;

  /// Reads `kind = "lennard-jones"`: `cutoff_A` and [[pairs]] of every two elements with `elements`,
  /// `epsilon_eV`, `sigma_A`. InputError for unknown keys, missing or repeated pairs, impossible values.
  static LennardJonesModel from_toml(TomlTable& table);
};

/// V(r) = u(r) − u(rc) − (r − rc)·u'(rc) with u(r) = 4ε[(σ/r)¹² − (σ/r)⁶]: energy and force are continuous at
/// the cutoff (Allen and Tildesley, Computer Simulation of Liquids, 2nd ed., equation (5.10)). With or
/// without a cell. InputError for two atoms nearer than 0.1 Å.
class LennardJones final : public Potential {
 public:
  explicit LennardJones(LennardJonesModel model);

  [[nodiscard]] std::string description() const override;
  [[nodiscard]] const TypeMap& type_map() const override { return model_->type_map; }
  using Potential::evaluate;
  void evaluate(const Frame& frame, const Request& request, Evaluation& result) override;
  [[nodiscard]] std::unique_ptr<Potential> clone() const override;
  void reset() override;
  [[nodiscard]] double list_seconds() const override { return near_.seconds(); }
  [[nodiscard]] double next_skin_A() const override { return skin_.next(near_.cutoff()); }
  void set_skin_A(double skin) override { skin_.start(skin); }

 private:
  std::shared_ptr<const LennardJonesModel> model_;
  Neighborhood near_;
  Skin skin_;
};

}  // namespace solion
