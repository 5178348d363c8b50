// Lennard-Jones with a shifted force, one plain loop over pairs.
#include "solion/potential/lennard_jones.hpp"

#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/base/row_major.hpp"
#include "solion/potential/pair_tables.hpp"
#include "solion/potential/pairs.hpp"

namespace solion {
namespace {

constexpr double closest_A = 0.1;

struct Value {
  double energy, slope;
};

Value lennard_jones(const LennardJonesPair& pair, double r) {
  const double x6 = std::pow(pair.sigma_A / r, 6);
  return {4 * pair.epsilon_eV * x6 * (x6 - 1), -24 * pair.epsilon_eV * x6 * (2 * x6 - 1) / r};
}

}  // namespace

LennardJonesModel LennardJonesModel::from_toml(TomlTable& table) {
  LennardJonesModel model;
  (void)table.text("kind");
  for (TomlTable& item : table.tables("pairs")) {
    for (const std::string& name : item.texts("elements")) {
      require_element(item, "elements", name);
      model.type_map.find_or_add(name);
    }
  }
  const int n = model.type_map.size();
  if (n == 0) table.fail("pairs", "expected at least one [[pairs]] entry");
  model.pairs.resize(row_major(n, 0, n));
  read_pairs(table, model.type_map, [&](TomlTable& item, int a, int b) {
    const LennardJonesPair pair{item.number("epsilon_eV"), item.number("sigma_A")};
    if (!(pair.epsilon_eV >= 0)) item.fail("epsilon_eV", "expected a number of at least 0");
    if (!(pair.sigma_A > 0)) item.fail("sigma_A", "expected a positive number");
    model.pairs[row_major(a, b, n)] = pair;
    model.pairs[row_major(b, a, n)] = pair;
  });
  model.cutoff_A = table.number("cutoff_A");
  if (!(model.cutoff_A > closest_A && model.cutoff_A <= 50)) table.fail("cutoff_A", "expected 0.1 to 50 Å");
  for (const LennardJonesPair& pair : model.pairs) {
    if (pair.epsilon_eV > 0 && !(model.cutoff_A > pair.sigma_A))
      table.fail("cutoff_A",
                 fmt::format("expected more than the largest sigma_A, {:g} Å (Å, not multiples of it)",
                             pair.sigma_A));
  }
  table.refuse_unknown();
  return model;
}

LennardJones::LennardJones(LennardJonesModel model)
    : model_(std::make_shared<const LennardJonesModel>(std::move(model))) {}

std::unique_ptr<Potential> LennardJones::clone() const { return std::make_unique<LennardJones>(*model_); }

void LennardJones::reset() {
  near_.clear();
  skin_.start();
}

std::string LennardJones::description() const {
  return fmt::format("Lennard-Jones {}, shifted force to {:g} Å", fmt::join(type_map().names(), ", "),
                     model_->cutoff_A);
}

void LennardJones::evaluate(const Frame& frame, const Request& request, Evaluation& result) {
  const std::vector<int> map = match_types(frame, *this);
  const auto type = [&](int atom) {
    return map[static_cast<std::size_t>(frame.types[static_cast<std::size_t>(atom)])];
  };
  const std::size_t n = frame.n_atoms();
  result.energy = 0;
  result.virial.setZero();
  result.forces.assign(request.forces ? n : 0, Vec3::Zero());
  result.atomic_energies.assign(request.atomic_energies ? n : 0, 0.0);
  const double rc = model_->cutoff_A;
  near_.update(frame, rc, skin_);
  for (int i = 0; i < near_.n_local(); ++i) {
    for (const int j : near_.neighbors(i)) {
      const int o = near_.owner(j);
      const Vec3 d = near_.position(j) - near_.position(i);
      const double r = d.norm();
      if (r >= rc || !first_of_pair(near_, i, j)) continue;
      if (!(r > closest_A))
        throw InputError("atoms {} ({}) and {} ({}) are {:.3f} Å apart", i + 1, type_map().name(type(i)),
                         o + 1, type_map().name(type(o)), r);
      const LennardJonesPair& pair = model_->pairs[row_major(type(i), type(o), type_map().size())];
      const Value here = lennard_jones(pair, r), edge = lennard_jones(pair, rc);
      const double e = here.energy - edge.energy - (r - rc) * edge.slope;
      const Vec3 f = -(here.slope - edge.slope) / r * d;
      result.energy += e;
      if (request.virial) result.virial += Mat3(d * f.transpose());
      if (request.forces) {
        result.forces[static_cast<std::size_t>(o)] += f;
        result.forces[static_cast<std::size_t>(i)] -= f;
      }
      if (request.atomic_energies) {
        result.atomic_energies[static_cast<std::size_t>(i)] += 0.5 * e;
        result.atomic_energies[static_cast<std::size_t>(o)] += 0.5 * e;
      }
    }
  }
  if (!std::isfinite(result.energy))
    throw WorkError("{}: the Lennard-Jones energy is not a finite number", frame.formula());
}

}  // namespace solion
