// How many entries of a neighbour list can a loop over pairs pass by in the time that one entry takes to
// make? (structure/skin.cpp)
#include <benchmark/benchmark.h>

#include <cmath>

#include "solion/base/random.hpp"
#include "solion/structure/neighborhood.hpp"

namespace {

using namespace solion;

constexpr double cutoff = 6, skin = 1;

/// Atoms displaced from a simple cubic lattice, at the density of Li3OCl.
Frame arrangement(int n_atoms) {
  const double edge = std::cbrt(n_atoms / 0.0836);
  const int side = static_cast<int>(std::ceil(std::cbrt(n_atoms)));
  Frame frame;
  frame.cell = Cell::cubic(edge);
  RandomStream random(1, "arrangement");
  for (int i = 0; i < n_atoms; ++i) {
    const Vec3 site(i % side, i / side % side, i / (side * side));
    const Vec3 off(random.normal(), random.normal(), random.normal());
    frame.add_atom("Li", site * edge / side + 0.3 * off);
  }
  return frame;
}

void made(benchmark::State& state) {
  const Frame frame = arrangement(static_cast<int>(state.range(0)));
  Neighborhood list;
  for (auto _ : state) list.build(frame, cutoff, skin);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(list.n_pairs()));
}

/// As potentials do: the pairs within the cutoff are put aside.
void passed(benchmark::State& state) {
  const Frame frame = arrangement(static_cast<int>(state.range(0)));
  Neighborhood list;
  list.build(frame, cutoff, skin);
  std::vector<int> near;
  for (auto _ : state) {
    for (int i = 0; i < list.n_local(); ++i) {
      near.clear();
      for (const int j : list.neighbors(i))
        if ((list.position(j) - list.position(i)).squaredNorm() < cutoff * cutoff) near.push_back(j);
      benchmark::DoNotOptimize(near.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(list.n_pairs()));
}

}  // namespace

BENCHMARK(made)->Arg(320)->Arg(5000);
BENCHMARK(passed)->Arg(320)->Arg(5000);

BENCHMARK_MAIN();
