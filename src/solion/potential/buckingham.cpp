// Buckingham pairs and the real-space part of the Ewald sum, eight pairs at a time.
#include "solion/potential/buckingham.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "solion/base/errors.hpp"
#include "solion/base/row_major.hpp"
#include "solion/base/threads.hpp"
#include "solion/potential/pair_tables.hpp"
#include "solion/potential/pairs.hpp"

namespace solion {
namespace {

/// Å beyond the cutoff: the neighbour list holds until atoms moved half of it.
constexpr double most_net_charge = 1e-6;

constexpr int pack_size = 8;
using Pack = Eigen::Array<double, pack_size, 1>;

/// Energy of a pair and −(dV/dr)/r, for pairs of two given types.
struct PairTerms {
  double a, inverse_rho, c, short2;  // short-range part for r² < short2
  double charge2, alpha, long2;      // k·q·q, Ewald's α, for r² < long2

  void operator()(const Pack& r2, const ScaledErfc& scaled_erfc, Pack& energy, Pack& pull) const {
    const Pack r = r2.sqrt();
    const Pack inverse2 = r2.inverse();
    const Pack repulsion = a * (-inverse_rho * r).exp();
    const Pack dispersion = c * inverse2.cube();
    const auto short_range = r2 < short2;
    energy = short_range.select(repulsion - dispersion, 0.0);
    pull = short_range.select((repulsion * r * inverse_rho - 6 * dispersion) * inverse2, 0.0);

    const Pack x = (alpha * r).min(ScaledErfc::x_max);
    const Pack gauss = (-x.square()).exp();
    const Pack coulomb = charge2 * gauss * scaled_erfc(x) / r;
    const double slope = 2 * alpha / std::sqrt(constants::pi) * charge2;
    const auto long_range = r2 < long2;
    energy += long_range.select(coulomb, 0.0);
    pull += long_range.select((coulomb + slope * gauss) * inverse2, 0.0);
  }
};

}  // namespace

BuckinghamModel BuckinghamModel::from_toml(TomlTable& table) {
  BuckinghamModel model;
  (void)table.text("kind");
  TomlTable charges = table.table("charges");
  for (const std::string& element : charges.keys()) {
    require_element(charges, element, element);
    model.charges.push_back(charges.number(element));
    model.type_map.find_or_add(element);
  }
  if (model.type_map.size() == 0) table.fail("charges", "no elements; expected ELEMENT = charge in e");
  const int n = model.type_map.size();
  model.pairs.resize(row_major(n, 0, n));
  read_pairs(table, model.type_map, [&](TomlTable& item, int a, int b) {
    const BuckinghamPair pair{item.number("A_eV"), item.number("rho_A"), item.number("C_eV_A6")};
    if (!(pair.a_eV >= 0)) item.fail("A_eV", "expected a number of at least 0");
    if (!(pair.rho_A > 0)) item.fail("rho_A", "expected a positive number");
    if (!(pair.c_eV_A6 >= 0)) item.fail("C_eV_A6", "expected a number of at least 0");
    model.pairs[row_major(a, b, n)] = pair;
    model.pairs[row_major(b, a, n)] = pair;
  });
  model.cutoff_A = table.number("cutoff_A", model.cutoff_A);
  if (!(model.cutoff_A > 0 && model.cutoff_A <= 50))
    table.fail("cutoff_A", "expected more than 0 and up to 50 Å");
  model.closest_A = table.number("closest_A", model.closest_A);
  if (!(model.closest_A > 0 && model.closest_A < model.cutoff_A))
    table.fail("closest_A", "expected a positive number below cutoff_A");
  model.ewald_accuracy = table.number("ewald_accuracy", model.ewald_accuracy);
  if (!(model.ewald_accuracy >= 1e-14 && model.ewald_accuracy <= 1e-2))
    table.fail("ewald_accuracy", "expected 1e-14 to 1e-2");
  model.coulomb_eV_A = table.number("coulomb_eV_A", model.coulomb_eV_A);
  // A value far from e²/(4πε₀) is one in other units (kcal/mol, Hartree·Bohr).
  if (!(std::abs(model.coulomb_eV_A / constants::coulomb_eV_A - 1) < 1e-3))
    table.fail("coulomb_eV_A", "expected e²/(4πε₀) in eV·Å, 14.3996");
  const std::string net_charge = table.text("net_charge", "refuse");
  if (net_charge != "refuse" && net_charge != "background")
    table.fail("net_charge",
               "expected \"refuse\" or \"background\" (a uniform charge makes the cell neutral)");
  model.background = net_charge == "background";
  table.refuse_unknown();
  return model;
}

Buckingham::Buckingham(BuckinghamModel model)
    : model_(std::make_shared<const BuckinghamModel>(std::move(model))) {}

std::unique_ptr<Potential> Buckingham::clone() const {
  auto copy = std::make_unique<Buckingham>(*model_);
  copy->model_ = model_;
  copy->threads_ = threads_;
  return copy;
}

void Buckingham::reset() {
  near_.clear();
  skin_.start();
  reciprocal_ = EwaldReciprocal();
  types_.clear();
}

std::string Buckingham::description() const {
  std::vector<std::string> ions;
  ions.reserve(type_map().size());
  for (int t = 0; t < type_map().size(); ++t)
    ions.push_back(fmt::format("{} {:+g}", type_map().name(t), model_->charges[static_cast<std::size_t>(t)]));
  return fmt::format("rigid ions {}, Buckingham to {:g} Å, Ewald {:g}", fmt::join(ions, ", "),
                     model_->cutoff_A, model_->ewald_accuracy);
}

std::vector<double> Buckingham::atom_charges(const Frame& frame, const std::vector<int>& types) const {
  std::vector<double> charges;
  charges.reserve(types.size());
  double net = 0;
  for (const int t : types) {
    charges.push_back(model_->charges[static_cast<std::size_t>(t)]);
    net += charges.back();
  }
  if (!model_->background && !(std::abs(net) <= most_net_charge)) {
    throw InputError(
        "{}: the cell has a net charge of {:+g} e with these ions ({}); an Ewald sum needs a "
        "neutral one, or net_charge = \"background\" in the potential's file",
        frame.formula(), net, description());
  }
  return charges;
}

void Buckingham::make_half_list(const std::vector<int>& types) {
  types_ = types;
  const auto n_types = static_cast<std::size_t>(type_map().size());
  const auto n = static_cast<std::size_t>(near_.n_local());
  offset_.assign(n * n_types + 1, 0);
  const auto slot = [&](int i, int j) {
    return static_cast<std::size_t>(i) * n_types +
           static_cast<std::size_t>(types_[static_cast<std::size_t>(near_.owner(j))]);
  };
  for (int i = 0; i < near_.n_local(); ++i) {
    for (const int j : near_.neighbors(i)) {
      if (first_of_pair(near_, i, j)) ++offset_[slot(i, j) + 1];
    }
  }
  for (std::size_t s = 1; s < offset_.size(); ++s) offset_[s] += offset_[s - 1];
  half_.resize(offset_.back());
  std::vector<std::size_t> next(offset_.begin(), offset_.end() - 1);
  for (int i = 0; i < near_.n_local(); ++i) {
    for (const int j : near_.neighbors(i)) {
      if (first_of_pair(near_, i, j)) half_[next[slot(i, j)]++] = j;
    }
  }
}

void Buckingham::fail_overlap(int atom, int other, double distance) const {
  const auto element = [&](int i) { return type_map().name(types_[static_cast<std::size_t>(i)]); };
  throw InputError(
      "atoms {} ({}) and {} ({}) are {:.3f} Å apart; this potential is not meant for pairs "
      "nearer than {:g} Å",
      atom + 1, element(atom), other + 1, element(other), distance, model_->closest_A);
}

void Buckingham::add_pairs(int atom, int type, const EwaldPlan& plan, const Request& request,
                           std::size_t count, Share& share) const {
  const auto i = static_cast<std::size_t>(atom);
  const BuckinghamPair& pair = model_->pair(types_[i], type);
  const double charge2 = model_->coulomb_eV_A * model_->charges[static_cast<std::size_t>(types_[i])] *
                         model_->charges[static_cast<std::size_t>(type)];
  const PairTerms terms{
      pair.a_eV, 1 / pair.rho_A, pair.c_eV_A6,           model_->cutoff_A * model_->cutoff_A,
      charge2,   plan.alpha,     plan.r_cut * plan.r_cut};
  Vec3 force = Vec3::Zero();
  double atom_energy = 0;
  Pack energy, pull;
  for (std::size_t first = 0; first < count; first += pack_size) {
    terms(Eigen::Map<const Pack>(share.r2.data() + first), scaled_erfc_, energy, pull);
    const std::size_t last = std::min(count - first, static_cast<std::size_t>(pack_size));
    for (std::size_t p = 0; p < last; ++p) {
      const std::size_t at = first + p;
      const auto e = energy[static_cast<Eigen::Index>(p)];
      const Vec3 d(share.x[at], share.y[at], share.z[at]);
      const Vec3 f = pull[static_cast<Eigen::Index>(p)] * d;
      share.energy += e;
      if (request.atomic_energies) {
        atom_energy += 0.5 * e;
        share.energies[static_cast<std::size_t>(share.owner[at])] += 0.5 * e;
      }
      force -= f;
      share.forces[static_cast<std::size_t>(share.owner[at])] += f;
      if (request.virial) share.virial += Mat3(d * f.transpose());
    }
  }
  share.forces[i] += force;
  if (request.atomic_energies) share.energies[i] += atom_energy;
}

void Buckingham::add_atom(int atom, const EwaldPlan& plan, double reach, const Request& request,
                          Share& share) const {
  const auto n_types = static_cast<std::size_t>(type_map().size());
  const Vec3 home = near_.position(atom);
  const double reach2 = reach * reach;
  const double closest2 = model_->closest_A * model_->closest_A;
  for (std::size_t t = 0; t < n_types; ++t) {
    const std::size_t begin = offset_[static_cast<std::size_t>(atom) * n_types + t];
    const std::size_t end = offset_[static_cast<std::size_t>(atom) * n_types + t + 1];
    const std::size_t room = end - begin + pack_size;
    if (share.r2.size() < room) {
      for (auto* values : {&share.x, &share.y, &share.z, &share.r2}) values->resize(room);
      share.owner.resize(room);
    }
    std::size_t count = 0;
    for (std::size_t p = begin; p < end; ++p) {
      const int j = half_[p];
      const Vec3 d = near_.position(j) - home;
      const double r2 = d.squaredNorm();
      if (!(r2 >= closest2)) fail_overlap(atom, near_.owner(j), std::sqrt(r2));
      share.x[count] = d[0];
      share.y[count] = d[1];
      share.z[count] = d[2];
      share.r2[count] = r2;
      share.owner[count] = near_.owner(j);
      count += r2 < reach2 ? 1 : 0;
    }
    std::fill_n(share.r2.begin() + static_cast<std::ptrdiff_t>(count), pack_size, reach2);
    add_pairs(atom, static_cast<int>(t), plan, request, count, share);
  }
}

void Buckingham::add_real_space(const EwaldPlan& plan, double reach, const Request& request) {
  const auto n = static_cast<std::size_t>(near_.n_local());
  parallel_dynamic(n_shares, threads_, [&](std::size_t s, int) {
    Share& share = shares_[s];
    share.forces.assign(n, Vec3::Zero());
    share.energies.assign(request.atomic_energies ? n : 0, 0.0);
    share.energy = 0;
    share.virial.setZero();
    // Interleaved: atoms with low numbers have more pairs in the half list.
    for (std::size_t i = s; i < n; i += n_shares) add_atom(static_cast<int>(i), plan, reach, request, share);
  });
}

void Buckingham::evaluate(const Frame& frame, const Request& request, Evaluation& result) {
  if (!frame.cell)
    throw InputError("{}: the frame has no cell; rigid ions with Ewald sums need one", frame.formula());
  const std::vector<int> map = match_types(frame, *this);
  std::vector<int> types;
  types.reserve(frame.types.size());
  for (const int t : frame.types) types.push_back(map[static_cast<std::size_t>(t)]);
  const std::vector<double> charges = atom_charges(frame, types);
  double charge2 = 0;
  for (const double q : charges) charge2 += q * q;
  const EwaldPlan plan = plan_ewald(frame.n_atoms(), charge2, frame.cell->volume(), model_->ewald_accuracy);
  const double reach = std::max(plan.r_cut, model_->cutoff_A);
  if (near_.update(frame, reach, skin_) || types != types_) make_half_list(types);
  add_real_space(plan, reach, request);
  reciprocal_.evaluate(*frame.cell, frame.positions, charges, plan, threads_, reciprocal_result_);

  const double k = model_->coulomb_eV_A;
  const std::size_t n = frame.n_atoms();
  const double net = model_->background ? std::accumulate(charges.begin(), charges.end(), 0.0) : 0.0;
  // Of one unit charge in the background, docs/theory/potential.md (4b); it exerts no force.
  const double background = -0.5 * k * constants::pi * net / (frame.cell->volume() * plan.alpha * plan.alpha);
  result.energy = k * reciprocal_result_.energy + net * background;
  result.virial = k * reciprocal_result_.virial + net * background * Mat3::Identity();
  for (const Share& share : shares_) {
    result.energy += share.energy;
    result.virial += share.virial;
  }
  result.forces.resize(request.forces ? n : 0);
  result.atomic_energies.resize(request.atomic_energies ? n : 0);
  for (std::size_t i = 0; i < n; ++i) {
    if (request.forces) {
      result.forces[i] = k * reciprocal_result_.forces[i];
      for (const Share& share : shares_) result.forces[i] += share.forces[i];
    }
    if (request.atomic_energies) {
      result.atomic_energies[i] = k * reciprocal_result_.energies[i] + charges[i] * background;
      for (const Share& share : shares_) result.atomic_energies[i] += share.energies[i];
    }
  }
  if (!request.virial) result.virial.setZero();
  if (!std::isfinite(result.energy))
    throw WorkError("{}: the energy of rigid ions is not a finite number", frame.formula());
}

}  // namespace solion
