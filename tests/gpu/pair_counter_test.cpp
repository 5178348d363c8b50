// Counted pairs against a search through all images; the same for a run, alone and among others.
#include "solion/gpu/pair_counter.hpp"

#include <cmath>

#include "gpu/cases.hpp"
#include "solion/gpu/device_simulation.hpp"
#include "solion/gpu/lockstep.hpp"
#include "solion/md/run.hpp"

namespace solion::gpu {
namespace {

using testing::random_frame;
using testing::random_model;

using Pairs = OnDevice;
INSTANTIATE_TEST_SUITE_P(Host, Pairs, ::testing::Values(host_kind), kind_name);
INSTANTIATE_TEST_SUITE_P(Cuda, Pairs, ::testing::Values(cuda_kind), kind_name);

/// [a][b][k], by every image of every atom.
std::vector<std::int64_t> plain_counts(Frame frame, double bin_A, int bins) {
  wrap(frame);
  const auto n_types = static_cast<std::size_t>(frame.type_map.size());
  std::vector<std::int64_t> counts(n_types * n_types * static_cast<std::size_t>(bins));
  const Mat3 h = frame.cell->matrix();
  const Vec3 widths = frame.cell->widths();
  const auto count = [&](std::size_t i, std::size_t j, const Vec3& between) {
    const double place = between.norm() / bin_A;
    const std::size_t row =
        static_cast<std::size_t>(frame.types[i]) * n_types + static_cast<std::size_t>(frame.types[j]);
    if (place < bins) ++counts[row * static_cast<std::size_t>(bins) + static_cast<std::size_t>(place)];
  };
  std::array<int, 3> reach{};
  for (int k = 0; k < 3; ++k) reach[k] = static_cast<int>(bin_A * bins / widths[k]) + 2;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    for (std::size_t j = 0; j < frame.n_atoms(); ++j) {
      for (int a = -reach[0]; a <= reach[0]; ++a)
        for (int b = -reach[1]; b <= reach[1]; ++b)
          for (int c = -reach[2]; c <= reach[2]; ++c) {
            if (i == j && a == 0 && b == 0 && c == 0) continue;
            const Vec3 image = Vec3(a, b, c).transpose() * h;
            count(i, j, frame.positions[j] - frame.positions[i] + image);
          }
    }
  }
  return counts;
}

TEST_P(Pairs, AreThoseOfAllImages) {
  const auto device = make();
  PairCounter counter(*device);
  Frame frame = random_frame(30, 3);
  Mat3 skewed = frame.cell->matrix();
  skewed(1, 0) += 0.3 * skewed(0, 0);
  skewed(2, 1) -= 0.4 * skewed(1, 1);
  frame.cell = Cell(skewed);
  const double width = frame.cell->widths().minCoeff();
  struct Reach {
    double bin_A;
    int bins;
  };
  // Shorter than the cell, several cells long, and more counts than a block holds.
  for (const Reach reach : {Reach{0.1, 20}, Reach{1.7 * width / 40, 40}, Reach{0.002, 2000}}) {
    SCOPED_TRACE(reach.bins);
    DeviceArray<double> positions;
    std::vector<double> numbers;
    for (const Vec3& r : frame.positions) numbers.insert(numbers.end(), r.data(), r.data() + 3);
    positions.upload(*device, numbers);
    const auto found = counter.count(positions.data(), frame.types, frame.type_map.size(), *frame.cell,
                                     reach.bin_A, reach.bins);
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, plain_counts(frame, reach.bin_A, reach.bins));
    EXPECT_GT(*std::ranges::max_element(*found), 0);
    // Unwrapped atoms are the same crystal.
    for (std::size_t i = 0; i < frame.n_atoms(); i += 2)
      frame.positions[i] += Vec3(2, -1, static_cast<double>(i)).transpose() * frame.cell->matrix();
  }
  DeviceArray<double> none;
  EXPECT_FALSE(counter.count(none.data(), frame.types, frame.type_map.size(), *frame.cell, 1e-5, 1'000'000));
}

/// Counts a run's pairs where its atoms are, and from its frames.
class Look {
 public:
  md::Observer observer() {
    md::Observer result;
    result.every = 5;
    result.see = [this](const md::Simulation& run) {
      const auto counts = run.count_pairs(0.05, 100);
      if (!counts) return;
      const Frame frame = run.frame();
      EXPECT_EQ(counts->counts, plain_counts(frame, 0.05, 100)) << "step " << run.steps_done();
      EXPECT_EQ(counts->volume_A3, frame.cell->volume());
      EXPECT_EQ(counts->atoms, (std::vector<std::int64_t>{6, 7, 7}));
      ++seen_;
    };
    return result;
  }
  [[nodiscard]] int seen() const { return seen_; }

 private:
  int seen_ = 0;
};

md::Settings settings() {
  md::Settings s;
  s.ensemble = md::Ensemble::npt;
  s.thermostat = md::Thermostat::nose_hoover;
  s.barostat = md::Barostat::full;
  s.timestep_fs = 0.5;
  s.thermostat_time_fs = 20;
  s.barostat_time_fs = 200;
  s.stages = {{40, 300, 300}};
  s.temperature_limit_K = 1e6;
  return s;
}

TEST_P(Pairs, OfARunAreThoseOfItsFrames) {
  dp::Model model = random_model({});
  for (nn::Network& net : model.fitting) net.layers.back().w *= 0.05;
  DevicePotential potential(device(), std::make_shared<const dp::Model>(std::move(model)),
                            {.precision = Precision::double_precision});
  const auto count = [&](auto mover) {
    Look look;
    md::RunOptions options;
    options.mover = std::move(mover);
    options.observers = {look.observer()};
    md::run(settings(), md::Outputs{}, random_frame(20, 3), potential, options);
    return look.seen();
  };
  EXPECT_EQ(count(mover_of(potential)), 9);
  Lockstep company(potential);
  EXPECT_EQ(count(company.mover()), 8);  // before the first step its frame is on the host
}

}  // namespace
}  // namespace solion::gpu
