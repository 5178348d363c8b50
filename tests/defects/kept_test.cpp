// Relaxations that were interrupted: what goes on, what is not done twice, and what is refused.
#include "solion/defects/kept.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "support/li3ocl.hpp"
#include "support/temp_folder.hpp"

namespace solion::defects {
namespace {

using ::testing::HasSubstr;
using testing::TempFolder;

/// Counts what it is asked, and is interrupted when its patience ends.
class Counting : public Potential {
 public:
  [[nodiscard]] std::string description() const override { return inner_->description(); }
  [[nodiscard]] const TypeMap& type_map() const override { return inner_->type_map(); }
  [[nodiscard]] std::unique_ptr<Potential> clone() const override { return inner_->clone(); }
  using Potential::evaluate;
  void evaluate(const Frame& frame, const Request& request, Evaluation& result) override {
    if (asked == patience) throw Interrupted();
    ++asked;
    inner_->evaluate(frame, request, result);
  }
  int asked = 0, patience = -1;

 private:
  std::unique_ptr<Potential> inner_ = solion::testing::li3ocl_buckingham();
};

class Kept : public ::testing::Test {
 protected:
  relax::RelaxResult run(Counting& potential, const std::string& identity = "salt") {
    KeptRelaxations kept(file_, identity);
    return kept.minimize(potential, start_, options_);
  }
  static Frame rattled() {
    Frame frame = repeat(solion::testing::li3ocl_cell(3.95), {2, 2, 2});
    for (std::size_t i = 0; i < frame.n_atoms(); ++i)
      frame.positions[i] += 0.1 * Vec3(std::sin(1.0 + 7.0 * static_cast<double>(i)),
                                       std::sin(2.0 + 5.0 * static_cast<double>(i)),
                                       std::sin(3.0 + 3.0 * static_cast<double>(i)));
    return frame;
  }
  TempFolder folder_;
  std::filesystem::path file_ = folder_ / "out.xyz.relaxing.xyz";
  Frame start_ = rattled();
  relax::RelaxOptions options_{.cell = relax::CellMode::full, .force_eV_per_A = 1e-4, .stress_GPa = 1e-4};
};

TEST_F(Kept, GoesOnFromWhereItWasCutShort) {
  Counting undisturbed;
  const relax::RelaxResult whole = relax::minimize(undisturbed, start_, options_);
  ASSERT_TRUE(whole.converged);
  ASSERT_GT(undisturbed.asked, 25);

  int asked = 0;
  for (const int patience : {8, 8, -1}) {  // interrupted twice
    Counting potential;
    potential.patience = patience;
    if (patience > 0) {
      EXPECT_THROW(run(potential), Interrupted);
      EXPECT_TRUE(std::filesystem::exists(file_));
    } else {
      const relax::RelaxResult r = run(potential);
      EXPECT_TRUE(r.converged);
      EXPECT_NEAR(r.energy_eV, whole.energy_eV, 1e-5);
      EXPECT_NEAR(r.frame.cell->volume(), whole.frame.cell->volume(), 1e-2);
      EXPECT_EQ(r.start_eV, whole.start_eV);  // of the first start
      // One evaluation each was of the start or lost with the interruption.
      EXPECT_GE(r.steps, asked + potential.asked - 3);
      EXPECT_LE(r.steps, asked + potential.asked);
    }
    asked += potential.asked;
  }
  EXPECT_LT(asked, 2 * undisturbed.asked);
}

TEST_F(Kept, WhatIsRelaxedIsNotAskedAgain) {
  Counting potential;
  KeptRelaxations first(file_, "salt");
  const relax::RelaxResult r = first.minimize(potential, start_, options_);
  first.save();
  potential.asked = 0;
  const relax::RelaxResult again = run(potential);
  EXPECT_EQ(potential.asked, 0);
  EXPECT_TRUE(again.converged);
  EXPECT_EQ(again.energy_eV, r.energy_eV);
  EXPECT_EQ(again.steps, r.steps);
  EXPECT_EQ(again.start_eV, r.start_eV);
  EXPECT_EQ(again.largest_force_eV_per_A, r.largest_force_eV_per_A);
  EXPECT_NEAR(again.largest_stress_GPa, r.largest_stress_GPa, 1e-12);
  options_.force_eV_per_A = 1e-6;  // further, from there
  const relax::RelaxResult tighter = run(potential);
  EXPECT_TRUE(tighter.converged);
  EXPECT_GT(potential.asked, 0);
  EXPECT_LT(potential.asked, r.steps);
  EXPECT_GT(tighter.steps, r.steps);
  // Another potential, cell or pressure is another job.
  potential.asked = 0;
  run(potential, "sugar");
  EXPECT_GT(potential.asked, r.steps - 1);
  first.remove();
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(Kept, RefusesAnothersFile) {
  for (const char* text :
       {"2\nLattice=\"9 0 0 0 9 0 0 0 9\" Properties=species:S:1:pos:R:3\nLi 0 0 0\nCl 2 2 2\n",
        "1\nProperties=species:S:1:pos:R:3 relax_job=a relax_steps=x relax_start_eV=1\nLi 0 0 0\n"}) {
    write_file(file_, text);
    try {
      const KeptRelaxations kept(file_, "salt");
      FAIL() << "accepted " << text;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(),
                  HasSubstr("out.xyz.relaxing.xyz: expected the relaxations of an interrupted run"));
    }
  }
  EXPECT_EQ(kept_beside("a.xyz", "b.json"), "a.xyz.relaxing.xyz");
  EXPECT_EQ(kept_beside("system/", ""), "system.relaxing.xyz");
  EXPECT_EQ(kept_beside("", "b.json"), "b.json.relaxing.xyz");
  EXPECT_TRUE(kept_beside("", "").empty());
}

}  // namespace
}  // namespace solion::defects
