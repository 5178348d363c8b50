// The list of all kernel bodies: what a device can be asked to run. Both sides of the module with CUDA are
// compiled from it, and a body's place in it is its name between them.
#pragma once

#include <type_traits>

#include "solion/gpu/bodies_fitting.hpp"
#include "solion/gpu/bodies_list.hpp"
#include "solion/gpu/bodies_model.hpp"
#include "solion/gpu/bodies_motion.hpp"
#include "solion/gpu/bodies_pairs.hpp"
#include "solion/gpu/bodies_sums.hpp"
#include "solion/gpu/bodies_tape.hpp"
#include "solion/gpu/bodies_training.hpp"

namespace solion::gpu {

template <typename... Body>
struct BodyList {
  static constexpr int size = sizeof...(Body);
  /// The place of a body.
  template <typename Wanted>
  static constexpr int place() {
    const bool is[] = {std::is_same_v<Wanted, Body>...};
    for (int k = 0; k < size; ++k) {
      if (is[k]) return k;
    }
    return -1;
  }
  /// Changes with the order and the layout of the bodies: a module of another build is refused.
  static constexpr unsigned long long signature() {
    unsigned long long sum = 14695981039346656037ULL;
    for (const unsigned long long bytes : {sizeof(Body)...}) sum = (sum ^ bytes) * 1099511628211ULL;
    return sum;
  }
};

using Bodies =
    BodyList<PlaceAtoms, ScanBins, FillBins, OrderBin, FindNeighbors, FindReverse, WidenRows,
             Environment<float>, Environment<double>, Gradients<float>, Gradients<double>,
             GatherForces<float>, GatherForces<double>, GatherVirials<float>, GatherVirials<double>,
             Activate<float>, Activate<double>, AtomicEnergies<float>, AtomicEnergies<double>,
             Backward<float>, Backward<double>, SumSlices<AtomColumns>, SumSlices<ForceColumns>, SumBoxes,
             LargestMoves, Advance, RestForces, Kick, Scale, SumSlices<KineticColumns>, TapeForward<float>,
             TapeForward<double>, TapeTangent<float>, TapeTangent<double>, TapeBackward<float>,
             TapeBackward<double>, TapeTangentBackward<float>, TapeTangentBackward<double>, TapeSkip<float>,
             TapeSkip<double>, TrainEnvironment<float>, TrainEnvironment<double>, TrainDescriptor<float>,
             TrainDescriptor<double>, TrainPairGradients<float>, TrainPairGradients<double>,
             TrainForces<float>, TrainForces<double>, TrainDisplace<float>, TrainDisplace<double>,
             TrainDescriptorTangent<float>, TrainDescriptorTangent<double>, TrainDescriptorBack<float>,
             TrainDescriptorBack<double>, TrainPadding<float>, TrainPadding<double>, CountPairs>;

/// For tables of times.
inline const char* body_name(int place) {
  constexpr const char* names[] = {"place atoms",
                                   "scan bins",
                                   "fill bins",
                                   "order bins",
                                   "find neighbours",
                                   "find ways back",
                                   "widen rows",
                                   "environment, single",
                                   "environment, double",
                                   "gradients, single",
                                   "gradients, double",
                                   "gather forces, single",
                                   "gather forces, double",
                                   "gather virials, single",
                                   "gather virials, double",
                                   "activate, single",
                                   "activate, double",
                                   "atomic energies, single",
                                   "atomic energies, double",
                                   "backward, single",
                                   "backward, double",
                                   "sum energies",
                                   "sum forces",
                                   "sum cells",
                                   "largest moves",
                                   "advance",
                                   "rest forces",
                                   "kick",
                                   "scale",
                                   "sum kinetic energies",
                                   "tape forward, single",
                                   "tape forward, double",
                                   "tape tangent, single",
                                   "tape tangent, double",
                                   "tape backward, single",
                                   "tape backward, double",
                                   "tape tangent-backward, single",
                                   "tape tangent-backward, double",
                                   "tape skip, single",
                                   "tape skip, double",
                                   "training environment, single",
                                   "training environment, double",
                                   "training descriptor, single",
                                   "training descriptor, double",
                                   "training pair gradients, single",
                                   "training pair gradients, double",
                                   "training forces, single",
                                   "training forces, double",
                                   "training displacement, single",
                                   "training displacement, double",
                                   "training descriptor tangent, single",
                                   "training descriptor tangent, double",
                                   "training descriptor back, single",
                                   "training descriptor back, double",
                                   "training padding, single",
                                   "training padding, double",
                                   "count pairs"};
  static_assert(sizeof names / sizeof names[0] == Bodies::size);
  return names[place];
}

/// True for a body that runs as a block.
template <typename Body>
concept BlockBody = requires {
  Body::blocks;
};

/// C(m, n) = A(m, k)·B(k, n), all row-major with rows `ld…` apart; `…_turned`: it is the transpose that lies
/// there. `add`: added to what C was. `tensor`: of numbers with 11 bits, on the tensor cores.
template <typename T>
struct Product {
  std::int64_t m, n, k;
  const T *a, *b;
  std::int64_t lda, ldb, ldc;
  T* c;
  int tensor;
  int a_turned = 0, b_turned = 0, add = 0;
};

}  // namespace solion::gpu
