// The models that every path of evaluation is held against the exact one with.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "support/dp_models.hpp"

namespace solion::testing {

/// DeePMD-kit's stock model.
inline ModelRecipe standard_recipe() {
  ModelRecipe recipe;
  recipe.embedding = {25, 50, 100};
  recipe.axis = 16;
  recipe.fitting = {240, 240, 240};
  recipe.resnet_dt = true;
  recipe.rcut = 6;
  recipe.rcut_smth = 0.5;
  recipe.sel = 60;
  return recipe;
}

/// `agrees(model, frame)` for a model of every option that the paths have, with a cell and without: one list
/// for the processor and the devices.
template <typename Agrees>
void for_every_model_option(const Agrees& agrees) {
  const auto check = [&agrees](
                         const std::string& name, const std::function<void(ModelRecipe&)>& change_recipe,
                         const std::function<void(dp::Model&)>& change_model = [](dp::Model&) {}) {
    SCOPED_TRACE(name);
    ModelRecipe recipe;
    change_recipe(recipe);
    dp::Model model = random_model(recipe);
    change_model(model);
    Frame frame = random_frame(40, recipe.n_types);
    agrees(model, frame);
    frame.cell.reset();
    agrees(model, frame);
  };
  check("plain", [](ModelRecipe&) {});
  check("two sides", [](ModelRecipe& r) { r.type_one_side = false; });
  check("timestep", [](ModelRecipe& r) { r.resnet_dt = true; });
  check("odd widths", [](ModelRecipe& r) {
    r.embedding = {3, 7, 13};
    r.axis = 5;
    r.fitting = {11, 22, 13};
  });
  check("one channel", [](ModelRecipe& r) {
    r.embedding = {1};
    r.axis = 1;
    r.fitting = {4};
  });
  check("one type", [](ModelRecipe& r) { r.n_types = 1; });
  check("four types", [](ModelRecipe& r) { r.n_types = 4; });
  check("beyond sel", [](ModelRecipe& r) { r.sel = 2; });
  check("gelu", [](ModelRecipe& r) { r.activation = nn::Activation::gelu; });
  check("softplus", [](ModelRecipe& r) { r.activation = nn::Activation::softplus; });
  check("sigmoid", [](ModelRecipe& r) { r.activation = nn::Activation::sigmoid; });
  check("silu", [](ModelRecipe& r) { r.activation = nn::Activation::silu; });
  check("linear", [](ModelRecipe& r) { r.activation = nn::Activation::linear; });
  check(
      "protection", [](ModelRecipe&) {}, [](dp::Model& m) { m.descriptor.env_protection = 0.3; });
  check(
      "excluded in the descriptor", [](ModelRecipe&) {},
      [](dp::Model& m) {
        m.descriptor.exclude_types = {{0, 1}, {1, 0}};
      });
  check(
      "excluded pairs", [](ModelRecipe&) {},
      [](dp::Model& m) {
        m.pair_exclude_types = {{0, 0}, {1, 2}, {2, 1}};
      });
  check(
      "excluded atoms", [](ModelRecipe&) {}, [](dp::Model& m) { m.atom_exclude_types = {0}; });
}

}  // namespace solion::testing
