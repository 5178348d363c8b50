// Do four models that share the neighbour list of the first cost less than four by themselves? (processor
// time)
#include <benchmark/benchmark.h>

#include <cmath>
#include <memory>
#include <vector>

#include "solion/base/random.hpp"
#include "solion/dp/deep_potential.hpp"
#include "support/dp_models.hpp"

namespace {

using namespace solion;

/// Random atoms at the density of Li3OCl, in two arrangements so far apart that no list serves both.
std::vector<Frame> arrangements(int n_atoms) {
  const double edge = std::cbrt(n_atoms / 0.0836);
  std::vector<Frame> frames;
  for (std::uint64_t k = 0; k < 2; ++k) {
    Frame frame;
    frame.cell = Cell::cubic(edge);
    const int side = static_cast<int>(std::ceil(std::cbrt(n_atoms)));
    RandomStream random(1, "arrangement", k);
    for (int i = 0; i < n_atoms; ++i) {
      const Vec3 site(i % side, i / side % side, i / (side * side));
      const Vec3 off(random.normal(), random.normal(), random.normal());
      frame.add_atom(i % 5 < 3 ? "Li" : i % 5 == 3 ? "O" : "Cl", site * edge / side + 0.3 * off);
    }
    frames.push_back(frame);
  }
  return frames;
}

/// Arguments: members that share (0: by themselves), atoms.
void committee(benchmark::State& state) {
  const bool shared = state.range(0) != 0;
  testing::ModelRecipe recipe;
  recipe.rcut = 6;
  recipe.rcut_smth = 0.5;
  recipe.sel = 80;
  recipe.embedding = {16, 32, 64};
  recipe.axis = 12;
  recipe.fitting = {120, 120, 120};
  std::vector<std::unique_ptr<dp::DeepPotential>> members;
  for (int k = 0; k < 4; ++k) {
    recipe.seed = static_cast<std::uint64_t>(k + 1);
    members.push_back(
        std::make_unique<dp::DeepPotential>(std::make_shared<const dp::Model>(testing::random_model(recipe)),
                                            dp::Options{.path = dp::Path::fast_single, .threads = 1}));
  }
  const std::vector<Frame> frames = arrangements(static_cast<int>(state.range(1)));
  Evaluation result;
  std::size_t step = 0;
  for (auto _ : state) {
    const Frame& frame = frames[step++ % 2];
    for (auto& member : members) {
      if (shared && member != members.front())
        member->evaluate_beside(*members.front(), frame, {}, result);
      else
        member->evaluate(frame, {}, result);
      benchmark::DoNotOptimize(result.energy);
    }
  }
  state.SetLabel(shared ? "one list" : "four lists");
}

BENCHMARK(committee)
    ->ArgNames({"shared", "atoms"})
    ->Args({0, 40})
    ->Args({1, 40})
    ->Args({0, 1000})
    ->Args({1, 1000})
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
