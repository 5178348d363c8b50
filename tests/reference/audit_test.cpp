// Every kind of bad label is found, and a good one passes.
#include "solion/reference/audit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <functional>

#include "fake_code.hpp"

namespace solion::reference {
namespace {

using testing::fake_frame;
using testing::fake_result;
using ::testing::HasSubstr;

TEST(Audit, AGoodLabelPasses) { EXPECT_EQ(Audit({}).reject(fake_frame(1), fake_result()), std::nullopt); }

struct Damage {
  const char* name;
  std::function<void(RawResult&)> apply;
  const char* says;
};

class AuditRejects : public ::testing::TestWithParam<Damage> {};

TEST_P(AuditRejects, Names) {
  AuditLimits limits;
  limits.valence_electrons = {{"Li", 1.0}};
  RawResult result = fake_result();
  GetParam().apply(result);
  const auto reason = Audit(limits).reject(fake_frame(1), result);
  ASSERT_TRUE(reason.has_value());
  EXPECT_THAT(*reason, HasSubstr(GetParam().says));
}

const double nan = std::nan("");
const double infinity = INFINITY;

INSTANTIATE_TEST_SUITE_P(
    Kinds, AuditRejects,
    ::testing::Values(
        Damage{"scf", [](RawResult& r) { r.converged = false; }, "did not converge in 9 iterations"},
        Damage{"no_energy", [](RawResult& r) { r.energy_eV.reset(); }, "no energy"},
        Damage{"nan_energy", [](RawResult& r) { r.energy_eV = nan; }, "energy is not a finite"},
        Damage{"no_stress", [](RawResult& r) { r.stress_eV_per_A3.reset(); }, "no stress"},
        Damage{"infinite_stress", [](RawResult& r) { (*r.stress_eV_per_A3)(1, 2) = infinity; },
               "stress is not a finite"},
        Damage{"few_forces", [](RawResult& r) { r.forces_eV_per_A.pop_back(); }, "1 forces for 2 atoms"},
        Damage{"nan_force", [](RawResult& r) { r.forces_eV_per_A[1][2] = nan; }, "force on atom 2"},
        Damage{"net_force", [](RawResult& r) { r.forces_eV_per_A[1][2] += 0.03; }, "forces sum to 0.0150"},
        Damage{"large_force",
               [](RawResult& r) {
                 r.forces_eV_per_A = {Vec3(0, 31, 0), Vec3(0, -31, 0)};
               },
               "is 31.0 eV/Å"},
        Damage{"large_stress", [](RawResult& r) { (*r.stress_eV_per_A3)(0, 0) = -0.7; }, "112.2 GPa"},
        Damage{"asymmetric", [](RawResult& r) { (*r.stress_eV_per_A3)(0, 1) = 0.001; }, "not symmetric"},
        Damage{"electrons", [](RawResult& r) { r.n_electrons = 3; }, "3 electrons, but the valences give 2"},
        Damage{"no_electrons", [](RawResult& r) { r.n_electrons.reset(); }, "no electron count"}),
    [](const auto& kind) { return kind.param.name; });

TEST(Audit, ComparesWithOtherLabelsOfTheComposition) {
  Audit audit({});
  for (const double e : {-3.4, -3.5, -3.6, -3.3}) audit.accept(fake_frame(1), e, 2.0);
  RawResult result = fake_result();
  result.energy_eV = -5.0;  // 0.75 eV per atom off
  EXPECT_EQ(audit.reject(fake_frame(1), result), std::nullopt) << "four labels are too few to judge";
  audit.accept(fake_frame(1), -3.5, 2.0);
  EXPECT_THAT(audit.reject(fake_frame(1), result).value_or(""), HasSubstr("median of 5 labels"));
  result.energy_eV = -4.4;  // 0.45 eV per atom is within the floor
  EXPECT_EQ(audit.reject(fake_frame(1), result), std::nullopt);
  result.n_electrons = 6;
  EXPECT_THAT(audit.reject(fake_frame(1), result).value_or(""), HasSubstr("6 electrons"));
  // Another composition has its own statistics.
  Frame other = fake_frame(1);
  other.add_atom("O", Vec3(2, 0, 2));
  result = fake_result();
  result.energy_eV = -30;
  result.forces_eV_per_A.push_back(Vec3::Zero());
  EXPECT_EQ(audit.reject(other, result), std::nullopt);
}

TEST(Audit, AFrameWithoutCellIsRefused) {
  Frame frame = fake_frame(1);
  frame.cell.reset();
  EXPECT_THAT(Audit({}).reject(frame, fake_result()).value_or(""), HasSubstr("no cell"));
}

}  // namespace
}  // namespace solion::reference
