// How long does one evaluation of a Deep Potential take, by model, precision and threads? (µs per atom and
// step)
#include <benchmark/benchmark.h>

#include "solion/dp/deep_potential.hpp"
#include "support/dp_models.hpp"

namespace {

using namespace solion;

/// Li3OCl, 5×5×5 cells of 5 atoms, displaced by 0.1 Å.
Frame crystal(int n) {
  Frame cell;
  cell.cell = Cell::cubic(3.91);
  cell.add_atom("Li", Vec3(0.5, 0.5, 0) * 3.91);
  cell.add_atom("Li", Vec3(0.5, 0, 0.5) * 3.91);
  cell.add_atom("Li", Vec3(0, 0.5, 0.5) * 3.91);
  cell.add_atom("O", Vec3(0.5, 0.5, 0.5) * 3.91);
  cell.add_atom("Cl", Vec3(0, 0, 0));
  Frame frame = repeat(cell, {n, n, n});
  RandomStream random(1, "displacements");
  for (Vec3& r : frame.positions) r += 0.1 * Vec3(random.normal(), random.normal(), random.normal());
  return frame;
}

testing::ModelRecipe recipe_of(int kind) {
  testing::ModelRecipe recipe;
  recipe.rcut = 6;
  recipe.rcut_smth = 0.5;
  recipe.sel = 50;
  recipe.resnet_dt = true;
  if (kind == 0) {
    recipe.embedding = {25, 50, 100};
    recipe.axis = 16;
    recipe.fitting = {240, 240, 240};
  } else {
    recipe.embedding = {10, 20, 40};
    recipe.axis = 8;
    recipe.fitting = {64, 64, 64};
  }
  return recipe;
}

/// Arguments: model (0 standard, 1 compact), path, cells along an edge, threads.
void evaluate(benchmark::State& state) {
  const auto model =
      std::make_shared<const dp::Model>(testing::random_model(recipe_of(static_cast<int>(state.range(0)))));
  const auto path = static_cast<dp::Path>(state.range(1));
  Frame frame = crystal(static_cast<int>(state.range(2)));
  dp::DeepPotential potential(model, {.path = path, .threads = static_cast<int>(state.range(3))});
  Evaluation result;
  std::size_t step = 0;
  for (auto _ : state) {
    // Atoms move as they do in a run: the list is refreshed, and rarely built.
    frame.positions[step % frame.n_atoms()][0] += step % 2 == 0 ? 1e-4 : -1e-4;
    ++step;
    potential.evaluate(frame, {}, result);
    benchmark::DoNotOptimize(result.energy);
  }
  const auto atoms = static_cast<double>(frame.n_atoms());
  state.counters["us_per_atom"] = benchmark::Counter(
      atoms * 1e-6, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.SetLabel(std::string(state.range(0) == 0 ? "standard " : "compact ") +
                 std::string(dp::path_name(path)));
}

BENCHMARK(evaluate)
    ->ArgNames({"model", "path", "cells", "threads"})
    ->Args({0, static_cast<int>(dp::Path::fast_single), 5, 1})
    ->Args({0, static_cast<int>(dp::Path::fast_double), 5, 1})
    ->Args({1, static_cast<int>(dp::Path::fast_single), 5, 1})
    ->Args({1, static_cast<int>(dp::Path::fast_double), 5, 1})
    ->Args({0, static_cast<int>(dp::Path::fast_single), 5, 2})
    ->Args({0, static_cast<int>(dp::Path::reference), 2, 1})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
