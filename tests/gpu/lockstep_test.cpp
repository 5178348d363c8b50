// Runs that step together against each alone: same files, same bits; who comes late, ends early or fails.
#include "solion/gpu/lockstep.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "gpu/cases.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/gpu/device_simulation.hpp"
#include "solion/md/run.hpp"
#include "support/temp_folder.hpp"

namespace solion::gpu {
namespace {

using testing::random_frame;
using testing::random_model;

std::shared_ptr<const dp::Model> gentle_model() {
  dp::Model model = random_model({});
  for (nn::Network& net : model.fitting) net.layers.back().w *= 0.05;
  return std::make_shared<const dp::Model>(std::move(model));
}

md::Settings settings_of(int k) {
  md::Settings s;
  s.ensemble = k % 2 == 0 ? md::Ensemble::nvt : md::Ensemble::npt;
  s.thermostat = md::Thermostat::nose_hoover;
  s.barostat = k % 2 == 0 ? md::Barostat::none : md::Barostat::isotropic;
  s.timestep_fs = 0.5;
  s.seed = static_cast<std::uint64_t>(k);
  s.thermostat_time_fs = 20;
  s.barostat_time_fs = 200;
  s.equilibration_steps = 10;
  s.stages = {{40 + 15 * k, 300.0 + 100 * k, 300.0 + 100 * k}};
  s.temperature_limit_K = 1e6;
  return s;
}

struct Files {
  std::string log, trajectory, last;
  std::vector<Vec3> positions;  ///< Å, of the restart file
  friend bool operator==(const Files&, const Files&) = default;
};

/// A run with all its files; a frame every 7 steps and a look every 3, so that strides differ.
Files run(const md::Settings& settings, const Frame& start, Potential& potential,
          std::function<std::unique_ptr<md::Simulation>(const md::Settings&, md::State)> mover) {
  const testing::TempFolder folder;
  md::Outputs outputs;
  outputs.log = folder.path() / "log";
  outputs.restart = folder.path() / "restart";
  outputs.restart_every = 20;
  md::TrajectoryOutput trajectory;
  trajectory.file = folder.path() / "t.extxyz";
  trajectory.every = settings.seed % 2 == 0 ? 7 : 10;
  trajectory.velocities = true;
  outputs.trajectories = {trajectory};
  outputs.final_structure = folder.path() / "last.extxyz";
  md::RunOptions options;
  options.mover = std::move(mover);
  md::run(settings, outputs, start, potential, options);
  return {read_file(outputs.log), read_file(trajectory.file), read_file(outputs.final_structure),
          md::read_restart(outputs.restart).state.frame.positions};
}

using Companies = OnDevice;
INSTANTIATE_TEST_SUITE_P(Host, Companies, ::testing::Values(host_kind), kind_name);
INSTANTIATE_TEST_SUITE_P(Cuda, Companies, ::testing::Values(cuda_kind), kind_name);

/// To the last bit on the host; to rounding where a library multiplies matrices.
void expect_same(const Files& together, const Files& alone, bool to_the_bit) {
  EXPECT_FALSE(alone.trajectory.empty());
  if (to_the_bit) {
    EXPECT_TRUE(together == alone);
  }
  ASSERT_EQ(together.positions.size(), alone.positions.size());
  for (std::size_t i = 0; i < alone.positions.size(); ++i)
    EXPECT_LE((together.positions[i] - alone.positions[i]).norm(), 1e-3);
  EXPECT_EQ(std::ranges::count(together.log, '\n'), std::ranges::count(alone.log, '\n'));
}

TEST_P(Companies, GiveTheFilesOfEachAlone) {
  DevicePotential potential(OnDevice::device(), gentle_model(), {.precision = Precision::single_precision});
  constexpr int n = 4;
  std::vector<Frame> frames;
  for (int k = 0; k < n; ++k) frames.push_back(random_frame(20 + 3 * k, 3, static_cast<std::uint64_t>(k)));
  std::vector<Files> together(n);
  Lockstep company(potential);
  {
    std::vector<std::jthread> threads;
    for (int k = 0; k < n; ++k) {
      threads.emplace_back([&, k] {
        const auto i = static_cast<std::size_t>(k);
        together[i] = run(settings_of(k), frames[i], potential, company.mover());
      });
    }
  }
  EXPECT_GT(company.largest_batch(), 1);
  for (int k = 0; k < n; ++k) {
    SCOPED_TRACE(k);
    const auto i = static_cast<std::size_t>(k);
    const Files alone = run(settings_of(k), frames[i], potential, mover_of(potential));
    expect_same(together[i], alone, GetParam().name == host_kind.name);
  }
}

TEST_P(Companies, LoseOneThatFailsAlone) {
  DevicePotential potential(OnDevice::device(), gentle_model(), {.precision = Precision::single_precision});
  md::Settings settings = settings_of(0);
  settings.draw_velocities = false;
  settings.thermostat = md::Thermostat::csvr;
  Frame calm = random_frame(20, 3), wild = calm;
  calm.velocities.assign(calm.n_atoms(), Vec3(1e-3, 0, 0));
  calm.velocities[0] = Vec3(0, 1e-3, 0);
  wild.velocities = calm.velocities;
  wild.velocities[4] = Vec3(5, 0, 0);
  Lockstep company(potential);
  std::string failure;
  Files good;
  {
    const std::jthread one([&] { good = run(settings, calm, potential, company.mover()); });
    const std::jthread other([&] {
      try {
        (void)run(settings, wild, potential, company.mover());
      } catch (const WorkError& error) {
        failure = error.what();
      }
    });
  }
  EXPECT_NE(failure.find("atom 5 "), std::string::npos) << failure;
  expect_same(good, run(settings, calm, potential, mover_of(potential)), GetParam().name == host_kind.name);
}

/// What only a device may call.
struct Open : Device {
  using Launch = void (Device::*)(int, std::int64_t, int, std::size_t, const void*);
  static Launch launch_of() { return &Open::launch; }
};

/// A device that is lost after so many downloads.
class Dying final : public Device {
 public:
  Dying(std::unique_ptr<Device> inner, int downloads) : inner_(std::move(inner)), left_(downloads) {}
  [[nodiscard]] std::string description() const override { return inner_->description(); }
  [[nodiscard]] std::size_t free_bytes() const override { return inner_->free_bytes(); }
  [[nodiscard]] bool splits_products() const override { return inner_->splits_products(); }
  [[nodiscard]] void* allocate(std::size_t bytes) override { return inner_->allocate(bytes); }
  void release(void* memory) noexcept override { inner_->release(memory); }
  void upload(void* to, const void* from, std::size_t bytes) override {
    if (left_ == 0) throw WorkError("the device is lost");
    inner_->upload(to, from, bytes);
  }
  void download(void* to, const void* from, std::size_t bytes) override {
    if (left_ > 0) --left_;
    if (left_ == 0) throw WorkError("the device is lost");
    inner_->download(to, from, bytes);
  }
  void clear(void* memory, std::size_t bytes) override { inner_->clear(memory, bytes); }
  void product(const Product<float>& product) override { inner_->product(product); }
  void product(const Product<double>& product) override { inner_->product(product); }

 protected:
  void launch(int body_number, std::int64_t n, int threads, std::size_t scratch, const void* body) override {
    (inner_.get()->*Open::launch_of())(body_number, n, threads, scratch, body);
  }

 private:
  std::unique_ptr<Device> inner_;
  int left_;
};

TEST(Lockstep, ALostDeviceEndsAllWithItsWords) {
  auto device = std::make_shared<SharedDevice>();
  device->device = std::make_unique<Dying>(make_host_device(), 300);
  DevicePotential potential(device, gentle_model(), {.precision = Precision::single_precision});
  Lockstep company(potential);
  std::atomic<int> told = 0;
  {
    std::vector<std::jthread> threads;
    for (int k = 0; k < 3; ++k) {
      threads.emplace_back([&, k] {
        try {
          md::Settings settings = settings_of(k);
          settings.stages.front().steps = 1'000'000;
          (void)run(settings, random_frame(20, 3), potential, company.mover());
        } catch (const WorkError& error) {
          told += std::string(error.what()).find("the device is lost") != std::string::npos ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(told, 3);
}

TEST(Together, KeepsTheOrderAndTheRoom) {
  const std::vector<std::size_t> atoms{4, 5, 2, 30, 1, 1, 1};
  std::mutex mutex;
  std::size_t inside = 0, most = 0, n = 0;
  std::vector<std::size_t> began;
  run_together(atoms, 10, [&](std::size_t i) {
    {
      const std::lock_guard lock(mutex);
      inside += atoms[i];
      began.push_back(i);
      if (atoms[i] < 10) most = std::max(most, inside);
      if (atoms[i] > 10) {
        EXPECT_EQ(inside, atoms[i]);  // too large for the room, so alone
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const std::lock_guard lock(mutex);
    inside -= atoms[i];
    ++n;
  });
  EXPECT_EQ(n, atoms.size());
  EXPECT_LE(most, 10U);
  EXPECT_LT(std::ranges::find(began, 2U), std::ranges::find(began, 3U));
  EXPECT_LT(std::ranges::find(began, 3U), std::ranges::find(began, 4U));
  EXPECT_THROW(run_together({1, 1}, 1, [](std::size_t) { throw WorkError("no"); }), WorkError);
}

}  // namespace
}  // namespace solion::gpu
