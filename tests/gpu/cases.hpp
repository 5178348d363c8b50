// The devices that the shared cases run on, and what they compare.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>
#include <string>

#include "solion/base/errors.hpp"
#include "solion/dp/deep_potential.hpp"
#include "solion/gpu/cuda_device.hpp"
#include "solion/gpu/device_potential.hpp"
#include "solion/gpu/host_device.hpp"
#include "support/dp_models.hpp"
#include "support/potential_checks.hpp"

namespace solion::gpu {

/// Every case runs on the host and, where there is one, on a GPU; the others are skipped by name.
struct Kind {
  const char* name;
  std::unique_ptr<Device> (*make)(bool split_products);
};
inline void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }  // in the names of tests
inline const Kind host_kind{"host", [](bool split) { return make_host_device({.split_products = split}); }};
inline const Kind cuda_kind{"cuda", [](bool split) { return open_cuda_device({.split_products = split}); }};

class OnDevice : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    try {
      (void)GetParam().make(true);
    } catch (const InputError& error) {
      GTEST_SKIP() << error.what();
    }
  }
  /// Products in single precision are split for tensor cores as a GPU has them by default.
  static std::unique_ptr<Device> make(bool split_products = true) { return GetParam().make(split_products); }
  static std::shared_ptr<SharedDevice> device(bool split_products = true) {
    auto result = std::make_shared<SharedDevice>();
    result->device = make(split_products);
    return result;
  }
};
inline std::string kind_name(const ::testing::TestParamInfo<Kind>& info) { return info.param.name; }

constexpr Request everything{true, true, true, true};

inline double largest(const std::vector<Vec3>& forces) {
  double most = 0;
  for (const Vec3& f : forces) most = std::max(most, f.cwiseAbs().maxCoeff());
  return most;
}

/// Against the reference path: forces within `relative` of the largest plus `absolute`, the rest alike.
inline void expect_agreement(const std::shared_ptr<SharedDevice>& device, const dp::Model& model,
                             const Frame& frame, Precision precision, double relative, double absolute) {
  const auto shared_model = std::make_shared<const dp::Model>(model);
  dp::DeepPotential oracle(shared_model, {.path = dp::Path::reference});
  const Evaluation exact = oracle.evaluate(frame, everything);
  DevicePotential potential(device, shared_model, {.precision = precision});
  const Evaluation found = potential.evaluate(frame, everything);
  ASSERT_EQ(found.forces.size(), frame.n_atoms());
  ASSERT_EQ(found.atomic_energies.size(), frame.n_atoms());
  ASSERT_EQ(found.atomic_virials.size(), frame.n_atoms());
  const double tolerance = relative * largest(exact.forces) + absolute;
  const double n = static_cast<double>(frame.n_atoms());
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    EXPECT_LE((found.forces[i] - exact.forces[i]).cwiseAbs().maxCoeff(), tolerance) << "atom " << i;
    EXPECT_NEAR(found.atomic_energies[i], exact.atomic_energies[i],
                relative * (1 + std::abs(exact.atomic_energies[i])) + absolute);
    EXPECT_LE((found.atomic_virials[i] - exact.atomic_virials[i]).cwiseAbs().maxCoeff(),
              tolerance * model.descriptor.rcut * 10);
  }
  EXPECT_NEAR(found.energy, exact.energy, (relative + absolute) * n);
  EXPECT_LE((found.virial - exact.virial).cwiseAbs().maxCoeff(), tolerance * model.descriptor.rcut * n * 10);
}

inline void expect_agreement(const std::shared_ptr<SharedDevice>& device, const dp::Model& model,
                             const Frame& frame) {
  {
    SCOPED_TRACE("double");
    expect_agreement(device, model, frame, Precision::double_precision, 1e-9, 1e-14);
  }
  {
    SCOPED_TRACE("single");
    expect_agreement(device, model, frame, Precision::single_precision, 0, 2e-5);
  }
}

}  // namespace solion::gpu
