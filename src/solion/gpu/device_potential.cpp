// One cell in a batch; positions go to the device and results come back.
#include "solion/gpu/device_potential.hpp"

#include <cmath>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"
#include "solion/gpu/device_model.hpp"

namespace solion::gpu {
namespace {

/// The cell of a frame; one without gets a box so large that no image is a neighbour.
Cell cell_of(const Frame& frame, double reach) {
  if (frame.cell) return *frame.cell;
  Vec3 low = Vec3::Zero(), high = Vec3::Zero();
  if (frame.n_atoms() > 0) low = high = frame.positions.front();
  for (const Vec3& r : frame.positions) {
    low = low.cwiseMin(r);
    high = high.cwiseMax(r);
  }
  // Whole steps, so that the box of a moving molecule seldom changes.
  const Vec3 size = ((high - low) / reach).array().ceil() + 2;
  return Cell(Mat3((size * reach).asDiagonal()));
}

std::vector<Vec3> vectors(const DeviceArray<double>& array) {
  const std::vector<double> numbers = array.values();
  std::vector<Vec3> result(numbers.size() / 3);
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = Vec3(numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2]);
  return result;
}

std::vector<Mat3> matrices(const DeviceArray<double>& array) {
  const std::vector<double> numbers = array.values();
  std::vector<Mat3> result(numbers.size() / 9);
  for (std::size_t i = 0; i < result.size(); ++i) {
    for (int q = 0; q < 9; ++q) result[i](q / 3, q % 3) = numbers[9 * i + static_cast<std::size_t>(q)];
  }
  return result;
}

}  // namespace

DevicePotential::DevicePotential(std::shared_ptr<SharedDevice> device, std::shared_ptr<const dp::Model> model,
                                 const DeviceOptions& options)
    : device_(std::move(device)), model_(std::move(model)), options_(options) {
  const std::lock_guard lock(device_->turn);
  batch_ = make_batch(*device_->device, model_, options_.precision, {.skin_A = options_.skin_A});
}

DevicePotential::DevicePotential(const DevicePotential& other)
    : Potential(other),
      device_(other.device_),
      model_(other.model_),
      options_(other.options_),
      warned_(other.warned_) {
  const std::lock_guard lock(device_->turn);
  batch_ = make_batch(*device_->device, model_, options_.precision, {.skin_A = options_.skin_A});
}

DevicePotential::~DevicePotential() {
  const std::lock_guard lock(device_->turn);
  batch_.reset();
}

std::string DevicePotential::description() const {
  return fmt::format("Deep Potential of {}, cutoff {} Å, on {}", fmt::join(model_->type_map.names(), ", "),
                     model_->descriptor.rcut, device_->device->description());
}

std::unique_ptr<Potential> DevicePotential::clone() const { return std::make_unique<DevicePotential>(*this); }

double DevicePotential::list_seconds() const { return batch_->list_seconds(); }

void DevicePotential::prepare(const Frame& frame) {
  const Cell cell = cell_of(frame, model_->descriptor.rcut + options_.skin_A);
  const std::vector<int> map = match_types(frame, *this);
  std::vector<int> types(frame.n_atoms());
  for (std::size_t i = 0; i < types.size(); ++i) types[i] = map[static_cast<std::size_t>(frame.types[i])];
  // After reset() nothing of an earlier cell may show, not even in how its bins were chosen.
  const bool anew = !first_ || types != types_ || (forget_ && first_->matrix() != cell.matrix());
  std::vector<double> positions;
  positions.reserve(3 * frame.n_atoms());
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    const Vec3& r = frame.positions[i];
    if (!r.allFinite())
      throw WorkError("neighbour list: the position of atom {} is not a finite number", i + 1);
    positions.insert(positions.end(), r.data(), r.data() + 3);
  }
  if (anew) {
    first_.reset();  // if this fails, the next frame begins again
    const BatchCell one{types, frame.positions, cell};
    batch_->set_cells(std::span(&one, 1));
    first_ = cell;
    types_ = std::move(types);
  } else {
    batch_->positions().upload(*device_->device, positions);
    batch_->deform(std::span(&cell, 1));
    if (forget_) batch_->forget(0);
    if (!forget_) batch_->forget_stale(batch_->moves(nullptr));
  }
  forget_ = false;
}

void DevicePotential::evaluate(const Frame& frame, const Request& request, Evaluation& result) {
  const std::lock_guard lock(device_->turn);
  result.energy = 0;
  result.virial.setZero();
  result.forces.clear();
  result.atomic_energies.clear();
  result.atomic_virials.clear();
  if (frame.n_atoms() == 0) return;
  prepare(frame);
  batch_->evaluate();
  const Totals totals = batch_->totals().front();
  if (totals.too_close) {
    forget_ = true;
    throw InputError(
        "atoms {} and {} are closer than {} Å or lie at the same place; the model's tables end there",
        totals.too_close->first + 1, totals.too_close->second + 1, nearest_A);
  }
  result.energy = totals.energy;
  result.virial = totals.virial;
  if (!std::isfinite(result.energy))
    throw WorkError("{}: the energy is not a finite number; the atoms are where the model means nothing",
                    description());
  if (request.forces) result.forces = vectors(batch_->forces());
  if (request.atomic_energies) result.atomic_energies = batch_->atomic_energies().values();
  if (request.atomic_virials) result.atomic_virials = matrices(batch_->atomic_virials());
  warn_of_many_neighbors();
}

void DevicePotential::warn_of_many_neighbors() {
  if (warned_->load()) return;
  const std::vector<int> most = batch_->most_neighbors();
  for (std::size_t b = 0; b < most.size(); ++b) {
    const int sel = model_->descriptor.sel[b];
    if (most[b] <= sel || warned_->exchange(true)) continue;
    log().warn("{}: an atom has {} neighbours of {} where the model's sel is {}; the same formula goes on",
               description(), most[b], model_->type_map.name(static_cast<int>(b)), sel);
  }
}

}  // namespace solion::gpu
