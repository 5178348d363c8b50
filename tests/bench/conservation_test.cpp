// Constant energy: dynamics with the tables conserve it in both precisions, as molecular dynamics needs.
#include <gtest/gtest.h>

#include <cmath>

#include "solion/dp/deep_potential.hpp"
#include "solion/md/run.hpp"
#include "solion/potential/lennard_jones.hpp"
#include "support/dp_models.hpp"

namespace solion::bench {
namespace {

/// A random model says nothing of atoms that meet: Lennard-Jones keeps them apart, so that the run stays
/// where a crystal would be, and the model adds forces of a usual size.
class Held : public Potential {
 public:
  Held(std::shared_ptr<const dp::Model> model, dp::Path path)
      : deep_(std::move(model), {.path = path}), hard_(repulsion(deep_.type_map())) {}
  [[nodiscard]] std::string description() const override { return "sum"; }
  [[nodiscard]] const TypeMap& type_map() const override { return deep_.type_map(); }
  void evaluate(const Frame& frame, const Request& request, Evaluation& result) override {
    deep_.evaluate(frame, request, result);
    hard_.evaluate(frame, request, more_);
    result.energy += more_.energy;
    result.virial += more_.virial;
    for (std::size_t i = 0; i < result.forces.size(); ++i) result.forces[i] += more_.forces[i];
  }
  [[nodiscard]] std::unique_ptr<Potential> clone() const override { return std::make_unique<Held>(*this); }
  void reset() override {
    deep_.reset();
    hard_.reset();
  }

 private:
  static LennardJonesModel repulsion(const TypeMap& types) {
    LennardJonesModel model;
    model.type_map = types;
    model.pairs.assign(static_cast<std::size_t>(types.size()) * static_cast<std::size_t>(types.size()),
                       {0.05, 2.2});
    model.cutoff_A = 5;
    return model;
  }
  dp::DeepPotential deep_;
  LennardJones hard_;
  Evaluation more_;
};

/// A random model whose forces on `frame` have the mean square (0.3 eV/Å)².
dp::Model mild_model(const Frame& frame) {
  dp::Model model = testing::random_model();
  const Evaluation result =
      dp::DeepPotential(std::make_shared<const dp::Model>(model)).Potential::evaluate(frame, {});
  double square = 0;
  for (const Vec3& f : result.forces) square += f.squaredNorm() / static_cast<double>(frame.n_atoms());
  for (nn::Network& net : model.fitting) net.layers.back().w *= 0.3 / std::sqrt(square);
  return model;
}

class Conservation : public ::testing::TestWithParam<dp::Path> {};

TEST_P(Conservation, NveAt900K) {
  const Frame frame = testing::random_frame(40, 3, 1, 0.05, 2.1);
  Held potential(std::make_shared<const dp::Model>(mild_model(frame)), GetParam());
  md::Settings settings;
  settings.equilibration_steps = 500;
  settings.thermostat = md::Thermostat::csvr;
  settings.stages = {{5000, 900, 900}};
  md::Outputs outputs;
  outputs.thermo_every = 1;
  std::vector<double> energies;
  md::RunOptions options;
  options.observers.push_back(
      {1, [&](const md::Simulation& s) { energies.push_back(s.thermo().conserved_eV); }});
  const md::Summary summary = md::run(settings, outputs, frame, potential, options);
  EXPECT_NEAR(summary.averages.temperature_K.mean, 900, 300);
  // Slope of a line, and its standard error from ten blocks: fluctuations of the shadow energy are no drift.
  const std::size_t blocks = 10, length = energies.size() / blocks;
  double sxy = 0, sxx = 0, mean = 0, rest = 0;
  std::vector<double> means(blocks, 0.0);
  for (std::size_t b = 0; b < blocks; ++b) {
    for (std::size_t k = 0; k < length; ++k)
      means[b] += energies[b * length + k] / static_cast<double>(length);
    mean += means[b] / static_cast<double>(blocks);
  }
  const double step_ps = static_cast<double>(length) * 1e-3;
  const double middle = static_cast<double>(blocks - 1) / 2;
  for (std::size_t b = 0; b < blocks; ++b) {
    const double x = (static_cast<double>(b) - middle) * step_ps;
    sxy += x * (means[b] - mean);
    sxx += x * x;
  }
  const double slope = sxy / sxx;
  for (std::size_t b = 0; b < blocks; ++b) {
    const double line = mean + slope * (static_cast<double>(b) - middle) * step_ps;
    rest += (means[b] - line) * (means[b] - line);
  }
  const double error = std::sqrt(rest / static_cast<double>(blocks - 2) / sxx);
  const double per_atom = 1e3 / static_cast<double>(frame.n_atoms());  // eV/ps → meV/atom/ps
  RecordProperty("drift_meV_per_atom_per_ps", std::to_string(slope * per_atom));
  RecordProperty("standard_error", std::to_string(error * per_atom));
  const double bound = GetParam() == dp::Path::fast_single ? 5e-3 : 1e-3;
  EXPECT_LE(std::abs(slope) * per_atom, bound + 3 * error * per_atom);
  // Three times the error must not hide what the bound forbids.
  EXPECT_LE(error * per_atom, 2e-3);
}

INSTANTIATE_TEST_SUITE_P(Paths, Conservation, ::testing::Values(dp::Path::fast_double, dp::Path::fast_single),
                         [](const auto& path) { return std::string(dp::path_name(path.param)); });

}  // namespace
}  // namespace solion::bench
