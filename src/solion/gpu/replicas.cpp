// The steps of md::Simulation for many cells: atoms on the device, scalars on the host.
#include "solion/gpu/replicas.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "solion/base/constants.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/random_block.hpp"
#include "solion/gpu/device_model.hpp"

namespace solion::gpu {
namespace {

Flow flow_of(const md::LinearFlow& flow) {
  Flow result{};
  copy(flow.first, result.first);
  copy(flow.second, result.second);
  return result;
}

/// x ← x + h·y.
Flow plain_flow(double h) { return flow_of({Mat3::Identity(), Mat3(Mat3::Identity() * h)}); }

Flow kick_flow(const md::Couplings& c, const Mat3& strain_rate, double h, bool npt) {
  return npt ? flow_of(md::velocity_flow(c.barostat, strain_rate, h)) : plain_flow(h);
}

Mat3 kinetic_from(const double* s) {
  Mat3 m;
  m << s[0], s[3], s[4], s[3], s[1], s[5], s[4], s[5], s[2];
  return m * constants::amu_A2_per_fs2_in_eV;
}

std::vector<double> flat(const std::vector<Vec3>& vectors) {
  std::vector<double> numbers;
  numbers.reserve(3 * vectors.size());
  for (const Vec3& v : vectors) numbers.insert(numbers.end(), v.data(), v.data() + 3);
  return numbers;
}

/// The model's type of every atom.
std::vector<int> types_of(const Frame& frame, const TypeMap& known) {
  const std::vector<int> map = frame.type_map.to(known);
  std::vector<int> types;
  for (const int t : frame.types) {
    types.push_back(map[static_cast<std::size_t>(t)]);
    if (types.back() < 0)
      throw InputError("the model does not know the element '{}'; it knows {}", frame.type_map.name(t),
                       fmt::join(known.names(), ", "));
  }
  return types;
}

}  // namespace

Replicas::Replicas(Device& device, std::shared_ptr<const dp::Model> model, Precision precision,
                   std::vector<ReplicaStart> starts, const BatchOptions& options)
    : device_(device),
      model_(std::move(model)),
      batch_(make_batch(device, model_, precision, options)),
      pairs_(device) {
  if (starts.empty()) throw InputError("no replicas");
  std::vector<BatchCell> cells;
  for (ReplicaStart& start : starts) {
    start.settings.check();
    const Frame& frame = start.state.frame;
    if (!frame.cell) throw InputError("md: the starting structure has no cell");
    cells.push_back({types_of(frame, model_->type_map), frame.positions, *frame.cell});
    replicas_.push_back({.settings = start.settings,
                         .state = std::move(start.state),
                         .start_positions = cells.back().positions,
                         .start_cell = cells.back().cell});
  }
  batch_->set_cells(cells);
  upload_atoms();
  take_kinetic(batch_->kinetic_sums(kinetic_columns()), false);
  for (Replica& replica : replicas_)
    replica.limit_K = md::temperature_limit(replica.settings, replica.state, replica.kinetic);
  find_first_forces();
}

void Replicas::upload_atoms() {
  std::vector<double> masses, velocities;
  motions_.resize(replicas_.size());
  for (std::size_t r = 0; r < replicas_.size(); ++r) {
    Replica& replica = replicas_[r];
    const md::State& state = replica.state;
    for (const double m : state.masses) replica.mass += m;
    masses.insert(masses.end(), state.masses.begin(), state.masses.end());
    const std::vector<double> v = flat(state.frame.velocities);
    velocities.insert(velocities.end(), v.begin(), v.end());
    motions_[r] = Motion{};
    motions_[r].first_atom = batch_->first_atoms()[r];
    motions_[r].mass = replica.mass;
    const auto key = random_key(replica.settings.seed, "md langevin");
    std::copy(key.begin(), key.end(), motions_[r].key);
    motions_[r].rests = replica.settings.thermostat_at(state.step + 1) != md::Thermostat::langevin ? 1 : 0;
  }
  masses_.upload(device_, masses);
  velocities_.upload(device_, velocities);
  heat_.resize(device_, masses.size());
  heat_.clear();
  upload_motions();
}

void Replicas::find_first_forces() {
  const auto has_forces = [](const Replica& r) { return !r.state.now.forces.empty(); };
  std::vector<Totals> totals;
  if (!std::all_of(replicas_.begin(), replicas_.end(), has_forces)) {
    batch_->evaluate();
    totals = batch_->totals();
    const double* net = batch_->net_forces().data();
    device_.each(static_cast<std::int64_t>(n_atoms()),
                 RestForces{device_motions_.data(), batch_->cell_of_atoms().data(), masses_.data(), net,
                            batch_->forces().data()});
  }
  for (std::size_t r = 0; r < replicas_.size(); ++r) {
    md::State& state = replicas_[r].state;
    const auto first = static_cast<std::size_t>(batch_->first_atoms()[r]);
    if (has_forces(replicas_[r])) {
      const std::vector<double> forces = flat(state.now.forces);
      device_.upload(batch_->forces().data() + 3 * first, forces.data(), forces.size() * sizeof(double));
      replicas_[r].fetched = state.step;
      continue;
    }
    if (totals[r].too_close)
      throw InputError("md: atoms {} and {} of the starting structure are closer than {} Å",
                       totals[r].too_close->first + 1, totals[r].too_close->second + 1, nearest_A);
    state.now.energy = totals[r].energy;
    state.now.virial = totals[r].virial;
    if (!std::isfinite(state.now.energy))
      throw WorkError("md: the energy of the starting structure is not a finite number");
  }
  for (int r = 0; r < size(); ++r) batch_->forget(r);
}

void Replicas::upload_motions() { device_motions_.upload(device_, motions_); }

bool Replicas::moving() const {
  return std::any_of(replicas_.begin(), replicas_.end(), [](const Replica& r) { return r.moves(); });
}

md::Thermo Replicas::thermo(int replica) const {
  const Replica& r = at(replica);
  return md::thermo(r.settings, r.state, r.kinetic);
}

template <typename F>
void Replicas::for_moving(const F& work) {
  for (std::size_t r = 0; r < replicas_.size(); ++r) {
    if (!replicas_[r].moves()) continue;
    try {
      work(r, replicas_[r]);
    } catch (const Error& error) {
      fail(r, error.what());
    }
  }
}

std::vector<Cell> Replicas::cells() const {
  std::vector<Cell> all;
  for (const Replica& replica : replicas_) all.push_back(*replica.state.frame.cell);
  return all;
}

void Replicas::step() {
  const auto n = static_cast<std::int64_t>(n_atoms());
  const int* cell_of = batch_->cell_of_atoms().data();
  for (std::size_t r = 0; r < replicas_.size(); ++r) motions_[r].moves = 0;
  for_moving([&](std::size_t r, Replica& /*replica*/) { begin_step(r); });
  upload_motions();
  device_.each(n, Advance{device_motions_.data(), cell_of, masses_.data(), batch_->forces().data(),
                          velocities_.data(), batch_->positions().data(), heat_.data()});
  batch_->deform(cells());
  const std::vector<Moves> moves = batch_->moves(&velocities_);
  check_moves(moves);
  batch_->forget_stale(moves);
  batch_->evaluate();
  // The second half, with what the noise has left of the strain.
  for_moving([&](std::size_t r, Replica& replica) {
    motions_[r].kick = kick_flow(replica.couplings, replica.state.strain_rate,
                                 replica.settings.timestep_fs / 2, replica.npt());
    motions_[r].rests =
        replica.settings.thermostat_at(replica.state.step + 1) != md::Thermostat::langevin ? 1 : 0;
  });
  upload_motions();
  const double* net = batch_->net_forces().data();
  device_.each(n, RestForces{device_motions_.data(), cell_of, masses_.data(), net, batch_->forces().data()});
  device_.each(
      n, Kick{device_motions_.data(), cell_of, masses_.data(), batch_->forces().data(), velocities_.data()});
  const std::vector<double> sums = batch_->kinetic_sums(kinetic_columns());
  const std::vector<Totals> totals = batch_->totals();
  for_moving([&](std::size_t r, Replica& replica) {
    const double* s = sums.data() + r * KineticColumns::n;
    replica.kinetic = kinetic_from(s);
    end_step(replica, totals[r], s[6]);
  });
  settle();
}

void Replicas::begin_step(std::size_t r) {
  Replica& replica = replicas_[r];
  md::State& state = replica.state;
  Motion& motion = motions_[r];
  const double dt = replica.settings.timestep_fs;
  replica.couplings = md::couplings(replica.settings, state.masses.size(), state.step + 1);
  const md::Couplings& c = replica.couplings;
  motion.moves = 1;
  motion.step = state.step + 1;
  motion.scales[0] = replica.scale;
  motion.scales[1] = 1;
  replica.scale = 1;
  if (c.thermostat == md::Thermostat::nose_hoover) {
    motion.scales[1] = md::move_chains(replica.settings, c, replica.kinetic, state);
    replica.kinetic *= motion.scales[1] * motion.scales[1];
  }
  md::kick_cell(replica.settings, c, replica.kinetic, state);
  motion.kick = kick_flow(c, state.strain_rate, dt / 2, replica.npt());
  motion.two_drifts = c.thermostat == md::Thermostat::langevin ? 1 : 0;
  drift(replica, motion.two_drifts != 0 ? dt / 2 : dt, motion.drifts[0]);
  if (motion.two_drifts == 0) return;
  noise(replica, motion);
  drift(replica, dt / 2, motion.drifts[1]);
}

void Replicas::drift(Replica& replica, double h, Flow& flow) {
  flow = replica.npt() ? flow_of(md::deform_cell(h, replica.state)) : plain_flow(h);
}

void Replicas::noise(Replica& replica, Motion& motion) {
  const md::Couplings& c = replica.couplings;
  const md::Settings& s = replica.settings;
  motion.keep = std::exp(-s.timestep_fs / s.thermostat_time_fs);
  motion.width = std::sqrt((1.0 - motion.keep * motion.keep) * c.kT);
  // The cell's numbers come behind those of the atoms, 3N normal ones of four words each.
  RandomStream random(s.seed, "md langevin", static_cast<std::uint64_t>(motion.step));
  random.set_counter(12 * static_cast<std::uint64_t>(replica.state.masses.size()));
  md::shake_cell(s, c, random, replica.state);
}

void Replicas::check_moves(const std::vector<Moves>& moves) {
  for_moving([&](std::size_t r, Replica& replica) {
    const std::int64_t step = replica.state.step + 1;
    md::check_move(replica.state, step, static_cast<std::size_t>(moves[r].fastest),
                   moves[r].speed * replica.settings.timestep_fs);
    md::check_growth(replica.state, step);
  });
}

void Replicas::end_step(Replica& replica, const Totals& totals, double heat) {
  md::State& state = replica.state;
  const md::Couplings& c = replica.couplings;
  const md::Settings& s = replica.settings;
  const std::int64_t step = state.step + 1;
  if (totals.too_close)
    throw WorkError(
        "md: step {}: atoms {} and {} are closer than {} Å (timestep_fs too long, or a structure far from "
        "equilibrium?)",
        step, totals.too_close->first + 1, totals.too_close->second + 1, nearest_A);
  state.now.energy = totals.energy;
  state.now.virial = totals.virial;
  state.reservoir_eV -= heat;
  md::kick_cell(s, c, replica.kinetic, state);
  if (c.thermostat == md::Thermostat::nose_hoover) {
    replica.scale = md::move_chains(s, c, replica.kinetic, state);
  } else if (c.thermostat == md::Thermostat::csvr) {
    replica.scale = md::rescale(s, c, step, replica.kinetic, state);
  }
  replica.kinetic *= replica.scale * replica.scale;
  state.step = step;
  md::check_energies(s, state, replica.kinetic, replica.limit_K);
}

/// Where a restart may begin, nothing is left over: velocities have their factor, the list is new, and the
/// kinetic energy is that of the velocities as they stand.
void Replicas::settle() {
  bool any = false;
  for (std::size_t r = 0; r < replicas_.size(); ++r) {
    Replica& replica = replicas_[r];
    motions_[r].scales[0] = 1;
    if (motions_[r].moves == 0 || !replica.failure.empty() ||
        replica.state.step % replica.settings.reset_every != 0)
      continue;
    motions_[r].scales[0] = replica.scale;
    replica.scale = 1;
    batch_->forget(static_cast<int>(r));
    any = true;
  }
  if (!any) return;
  upload_motions();
  device_.each(static_cast<std::int64_t>(n_atoms()),
               Scale{device_motions_.data(), batch_->cell_of_atoms().data(), velocities_.data()});
  take_kinetic(batch_->kinetic_sums(kinetic_columns()), true);
}

void Replicas::take_kinetic(const std::vector<double>& sums, bool only_exact) {
  for (std::size_t r = 0; r < replicas_.size(); ++r) {
    Replica& replica = replicas_[r];
    if (only_exact && replica.state.step % replica.settings.reset_every != 0) continue;
    replica.kinetic = kinetic_from(sums.data() + r * KineticColumns::n);
  }
}

void Replicas::fail(std::size_t r, const std::string& why) {
  Replica& replica = replicas_[r];
  replica.failure = why;
  motions_[r].moves = 0;
  // It stays where it began, so that nothing wild is left in the batch.
  replica.state.frame.cell = replica.start_cell;
  const auto first = static_cast<std::size_t>(batch_->first_atoms()[r]);
  const std::vector<double> positions = flat(replica.start_positions);
  const std::vector<double> rest(positions.size(), 0.0);
  device_.upload(batch_->positions().data() + 3 * first, positions.data(), positions.size() * sizeof(double));
  device_.upload(velocities_.data() + 3 * first, rest.data(), rest.size() * sizeof(double));
  batch_->deform(cells());
  batch_->forget(static_cast<int>(r));
}

std::optional<PairCounts> Replicas::count_pairs(int replica, double bin_A, int bins) {
  const Frame& frame = at(replica).state.frame;
  const std::ptrdiff_t first = batch_->first_atoms()[static_cast<std::size_t>(replica)];
  auto counts = pairs_.count(batch_->positions().data() + 3 * first, frame.types, frame.type_map.size(),
                             *frame.cell, bin_A, bins);
  if (!counts) return std::nullopt;
  PairCounts result{frame.type_map, {}, frame.cell->volume(), bin_A, bins, std::move(*counts)};
  result.atoms.resize(static_cast<std::size_t>(frame.type_map.size()));
  for (const int t : frame.types) ++result.atoms[static_cast<std::size_t>(t)];
  return result;
}

const md::State& Replicas::state(int replica) {
  Replica& r = replicas_[static_cast<std::size_t>(replica)];
  md::State& state = r.state;
  if (r.fetched == state.step) return state;
  const auto first = static_cast<std::size_t>(batch_->first_atoms()[static_cast<std::size_t>(replica)]);
  std::vector<double> numbers(3 * state.masses.size());
  const auto fetch = [&](const DeviceArray<double>& array, double factor, std::vector<Vec3>& out) {
    device_.download(numbers.data(), array.data() + 3 * first, numbers.size() * sizeof(double));
    out.resize(state.masses.size());
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = factor * Vec3(numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2]);
  };
  fetch(batch_->positions(), 1, state.frame.positions);
  fetch(velocities_, r.scale, state.frame.velocities);
  fetch(batch_->forces(), 1, state.now.forces);
  r.fetched = state.step;
  return state;
}

}  // namespace solion::gpu
