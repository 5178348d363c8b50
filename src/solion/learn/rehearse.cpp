// What would fail after the first labels, and after the first training, is said before them.
#include <fmt/ranges.h>

#include "solion/base/errors.hpp"
#include "solion/learn/stages.hpp"

namespace solion::learn {
namespace {

void look_at_cell(const Campaign& campaign, const std::string& structure, const TypeMap& elements) {
  const Frame frame = build_cell(campaign, structure, 0);
  if (!frame.cell) throw InputError("structure {}: the frame has no cell", structure);
  const std::vector<int> known = frame.type_map.to(elements);
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (known[static_cast<std::size_t>(frame.types[i])] < 0)
      throw InputError("structure {} has {}, which the type_map of {} does not have: {}", structure,
                       frame.element(i), campaign.model.training_input.string(),
                       fmt::join(elements.names(), " "));
  }
}

void look_at_iteration(const IterationConfig& config, std::size_t number) {
  try {
    for (const double temperature_K : config.temperatures_K) {
      for (const double pressure_bar : config.pressures_bar)
        exploration_settings(config, temperature_K, pressure_bar, 0).check();
    }
  } catch (const InputError& error) {
    throw InputError("[[iterations]] {}: {}", number, error.what());
  }
}

void look_at_test(const Campaign& campaign) {
  try {
    for (const double temperature_K : campaign.test.temperatures_K)
      held_out_settings(campaign, temperature_K, 0).check();
  } catch (const InputError& error) {
    throw InputError("[test] {}", error.what());
  }
}

}  // namespace

void rehearse(const Campaign& campaign, const TypeMap& elements) {
  try {
    for (const std::string& structure : all_structures(campaign)) look_at_cell(campaign, structure, elements);
    for (const std::string& structure : campaign.test.structures) look_at_cell(campaign, structure, elements);
    for (std::size_t n = 0; n < campaign.iterations.size(); ++n)
      look_at_iteration(campaign.iterations[n], n + 1);
    look_at_test(campaign);
  } catch (const InputError& error) {
    throw InputError("{}: {}", campaign.file.string(), error.what());
  }
}

}  // namespace solion::learn
