// A run of the usual loop with its usual output into a folder that vanishes, watched from outside.
#include "solion/bench/inference.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/dp/deep_potential.hpp"
#include "solion/md/run.hpp"

namespace solion::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// User time of all threads of this process, s.
double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec);
}

/// A potential that sums the time spent in it.
class Timed : public Potential {
 public:
  explicit Timed(Potential& inner) : inner_(&inner) {}
  [[nodiscard]] std::string description() const override { return inner_->description(); }
  [[nodiscard]] const TypeMap& type_map() const override { return inner_->type_map(); }
  void evaluate(const Frame& frame, const Request& request, Evaluation& result) override {
    const auto start = Clock::now();
    inner_->evaluate(frame, request, result);
    seconds_ += seconds_since(start);
  }
  [[nodiscard]] std::unique_ptr<Potential> clone() const override { return std::make_unique<Timed>(*this); }
  void reset() override { inner_->reset(); }
  [[nodiscard]] double list_seconds() const override { return inner_->list_seconds(); }
  [[nodiscard]] double next_skin_A() const override { return inner_->next_skin_A(); }
  void set_skin_A(double skin) override { inner_->set_skin_A(skin); }
  [[nodiscard]] double seconds() const { return seconds_; }

 private:
  Potential* inner_;
  double seconds_ = 0;
};

/// The clocks at the end of a step.
struct Mark {
  std::int64_t step;
  Clock::time_point at;
  double potential_s, list_s, processor_s;
};

/// Caches, page faults and the clock of the core need a few steps; a large system is its own warm-up.
std::int64_t warm_up_of(std::size_t n_atoms) { return n_atoms > 50000 ? 1 : 5; }

}  // namespace

MdTiming time_md(const Frame& frame, Potential& potential, std::int64_t steps, double timestep_fs) {
  if (steps < 1) throw InputError("bench: {} steps; expected at least 1", steps);
  const TemporaryFolder scratch("bench");
  const std::int64_t warm_up_steps = warm_up_of(frame.n_atoms());
  md::Settings settings;
  settings.timestep_fs = timestep_fs;
  settings.stages = {{warm_up_steps + steps, 300, 300}};
  settings.draw_velocities = frame.velocities.empty();
  settings.temperature_limit_K = 1e7;  // an untrained model may heat its atoms: that is not the question here
  md::Outputs outputs;
  outputs.log = scratch.path() / "log";
  outputs.trajectories = {{scratch.path() / "trajectory.extxyz", 100}};
  Timed timed(potential);
  std::vector<Mark> marks;
  marks.reserve(static_cast<std::size_t>(warm_up_steps + steps) + 1);
  MdTiming timing;
  md::RunOptions options;
  options.progress = "bench";
  // A block holds one period of all that a run does regularly.
  const std::int64_t block = std::min(steps, settings.reset_every);
  options.observers.push_back({1, [&](const md::Simulation& s) {
                                 if (s.state().step > warm_up_steps && s.state().step % block == 0)
                                   timing.temperature_K = s.thermo().temperature_K;
                                 timing.skin_A = s.state().skin_A;
                                 marks.push_back({s.state().step, Clock::now(), timed.seconds(),
                                                  timed.list_seconds(), processor_seconds()});
                               }});
  md::run(settings, outputs, frame, timed, options);

  const auto first = static_cast<std::size_t>(warm_up_steps);
  const double n_atoms = static_cast<double>(frame.n_atoms());
  std::vector<double> blocks;
  for (std::size_t k = first; k + static_cast<std::size_t>(block) < marks.size();
       k += static_cast<std::size_t>(block)) {
    const auto& a = marks[k];
    const auto& b = marks[k + static_cast<std::size_t>(block)];
    blocks.push_back(std::chrono::duration<double>(b.at - a.at).count() * 1e6 / n_atoms /
                     static_cast<double>(b.step - a.step));
  }
  std::sort(blocks.begin(), blocks.end());
  const Mark& start = marks[first];
  const Mark& end = marks.back();
  const double wall = std::chrono::duration<double>(end.at - start.at).count();
  const double list = end.list_s - start.list_s;
  timing.steps = steps;
  timing.n_atoms = frame.n_atoms();
  const std::size_t half = blocks.size() / 2;
  timing.us_per_atom_step = blocks.size() % 2 == 1 ? blocks[half] : (blocks[half - 1] + blocks[half]) / 2;
  timing.fastest_us_per_atom_step = blocks.front();
  timing.cpu_us_per_atom_step =
      (end.processor_s - start.processor_s) * 1e6 / (n_atoms * static_cast<double>(steps));
  timing.list_share = list / wall;
  timing.overhead_share = 1 - (end.potential_s - start.potential_s - list) / wall;
  return timing;
}

Arithmetic arithmetic_of(const Potential& potential, double neighbors) {
  Arithmetic sum;
  const auto* deep = dynamic_cast<const dp::DeepPotential*>(&potential);
  if (deep == nullptr) return sum;
  const dp::Model& model = deep->model();
  for (const nn::Layer& layer : model.fitting.front().layers)
    sum.fitting += 4.0 * static_cast<double>(layer.w.size());
  const double m1 = static_cast<double>(model.n_embedding());
  const double m2 = model.descriptor.axis_neuron;
  sum.descriptor = 2 * 4 * m1 * m2 * 3;
  // Of each channel: six rows of the table give G, four of R take it (forward); the six rows again, their
  // slopes, the four products with ∂E/∂T both ways, and the sum along r (backward).
  sum.embedding = neighbors * m1 * 2 * ((6 + 4) + (6 + 6 + 4 + 4 + 1));
  return sum;
}

double mean_neighbors(const Potential& potential, const Frame& frame) {
  const auto* deep = dynamic_cast<const dp::DeepPotential*>(&potential);
  if (deep == nullptr || frame.n_atoms() == 0) return 0;
  Neighborhood list;
  list.build(frame, deep->model().descriptor.rcut, 0);
  return static_cast<double>(list.n_pairs()) / static_cast<double>(frame.n_atoms());
}

double peak_memory_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

}  // namespace solion::bench
