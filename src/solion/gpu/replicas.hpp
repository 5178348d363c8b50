// Molecular dynamics of many cells at once, all on a device: types × temperatures × seeds in one process.
// Theory: docs/theory/gpu.md, section 5.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "solion/gpu/batch.hpp"
#include "solion/gpu/pair_counter.hpp"
#include "solion/md/stepping.hpp"
#include "solion/structure/pair_counts.hpp"

namespace solion::gpu {

/// Where a replica begins: at step 0 (md::initial_state; no forces yet) or anywhere else (a restart file).
struct ReplicaStart {
  md::Settings settings;
  md::State state;
};

/// Steps them all with the splitting, the random numbers and the checks of md::Simulation, each with its own
/// ensemble, bath, seed and length. Positions, velocities and forces stay on the device; baths and cells are
/// a few numbers a replica and step, and are moved on the host by the functions that md::Simulation calls. A
/// replica that fails stops alone.
class Replicas {
 public:
  /// InputError for an unknown element or a model that the device cannot evaluate. `device` must outlive
  /// this.
  Replicas(Device& device, std::shared_ptr<const dp::Model> model, Precision precision,
           std::vector<ReplicaStart> starts, const BatchOptions& options = {});

  /// One step of every replica that has neither finished nor failed.
  void step();
  [[nodiscard]] int size() const { return static_cast<int>(replicas_.size()); }
  [[nodiscard]] std::size_t n_atoms() const { return static_cast<std::size_t>(batch_->first_atoms().back()); }
  /// False when nothing is left to do.
  [[nodiscard]] bool moving() const;

  [[nodiscard]] const md::Settings& settings(int replica) const { return at(replica).settings; }
  [[nodiscard]] std::int64_t steps_done(int replica) const { return at(replica).state.step; }
  [[nodiscard]] const Cell& cell(int replica) const { return *at(replica).state.frame.cell; }
  [[nodiscard]] md::Thermo thermo(int replica) const;
  /// Why it stopped; empty: it has not failed.
  [[nodiscard]] const std::string& failure(int replica) const { return at(replica).failure; }
  /// It moves no more, as if it had failed.
  void stop(int replica) { fail(static_cast<std::size_t>(replica), "stopped"); }
  /// Everything, as a restart file keeps it; brought from the device. Meaningless after a failure.
  const md::State& state(int replica);
  /// Of the present configuration, `bins` bins of `bin_A`: positions stay on the device. None if they are too
  /// many (PairCounter).
  std::optional<PairCounts> count_pairs(int replica, double bin_A, int bins);
  [[nodiscard]] double list_seconds() const { return batch_->list_seconds(); }

 private:
  struct Replica {
    md::Settings settings;
    md::State state;  ///< arrays by atom are as old as `fetched` says
    md::Couplings couplings{};
    Mat3 kinetic = Mat3::Zero();  ///< Σ m v⊗v, eV, with `scale` in it
    double scale = 1;             ///< of velocities, not yet applied on the device
    double limit_K = 0;
    double mass = 0;
    std::int64_t fetched = -1;
    std::vector<Vec3> start_positions = {};
    Cell start_cell;
    std::string failure = {};
    [[nodiscard]] bool moves() const { return failure.empty() && state.step < settings.total_steps(); }
    [[nodiscard]] bool npt() const { return settings.ensemble == md::Ensemble::npt; }
  };
  [[nodiscard]] const Replica& at(int replica) const { return replicas_[static_cast<std::size_t>(replica)]; }

  void upload_atoms();
  void find_first_forces();
  void take_kinetic(const std::vector<double>& sums, bool only_exact);
  void begin_step(std::size_t r);
  static void drift(Replica& replica, double h, Flow& flow);
  static void noise(Replica& replica, Motion& motion);
  void check_moves(const std::vector<Moves>& moves);
  static void end_step(Replica& replica, const Totals& totals, double heat);
  void settle();
  void upload_motions();
  void fail(std::size_t r, const std::string& why);
  /// Runs `work` for every replica that moves; one that throws has failed.
  template <typename F>
  void for_moving(const F& work);
  std::vector<Cell> cells() const;
  KineticColumns kinetic_columns() { return {masses_.data(), velocities_.data(), heat_.data()}; }

  Device& device_;
  std::shared_ptr<const dp::Model> model_;
  std::unique_ptr<Batch> batch_;
  PairCounter pairs_;
  std::vector<Replica> replicas_;
  std::vector<Motion> motions_;
  DeviceArray<Motion> device_motions_;
  DeviceArray<double> masses_, velocities_, heat_;
};

}  // namespace solion::gpu
