// What would fail after the first labels, and after the first training, is said before them.
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "solion/base/errors.hpp"
#include "solion/learn/stages.hpp"

namespace solion::learn {
namespace {

/// What is no name of a file counts as a reaction of the crystal; a slip of the pen is told by both.
Frame built(const Campaign& campaign, const std::string& structure) {
  const auto& files = campaign.system.files;
  if (files.empty() || files.contains(structure)) return build_cell(campaign, structure, 0);
  try {
    return build_cell(campaign, structure, 0);
  } catch (const InputError& error) {
    std::string names;
    for (const auto& [name, path] : files) names += (names.empty() ? "" : ", ") + name;
    throw InputError("structures: '{}' is none of system.files ({}), and of the crystal {}: {}", structure,
                     names, campaign.system.crystal, error.what());
  }
}

void look_at_cell(const Campaign& campaign, const std::string& structure, const TypeMap& elements) {
  const Frame frame = built(campaign, structure);
  if (!frame.cell) throw InputError("structure {}: the frame has no cell", structure);
  require_elements(campaign, elements, frame, fmt::format("structure {}", structure));
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

void require_elements(const Campaign& campaign, const TypeMap& elements, const Frame& frame,
                      const std::string& what) {
  const std::vector<int> known = frame.type_map.to(elements);
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    if (known[static_cast<std::size_t>(frame.types[i])] < 0)
      throw InputError("{} has {}, which the type_map of {} does not have: {}", what, frame.element(i),
                       campaign.model.training_input.string(), fmt::join(elements.names(), " "));
  }
}

void require_own_place(const Campaign& campaign, const std::filesystem::path& run_dir) {
  const auto whole = [](const std::filesystem::path& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path)) / "";
  };
  const auto holds = [](const std::filesystem::path& outer, const std::filesystem::path& inner) {
    return std::mismatch(outer.begin(), std::prev(outer.end()), inner.begin(), inner.end()).first ==
           std::prev(outer.end());
  };
  const std::filesystem::path own = whole(run_dir / "data");
  const auto look = [&](const char* key, const std::vector<std::filesystem::path>& given) {
    for (const std::filesystem::path& path : given) {
      if (holds(whole(path), own) || holds(own, whole(path)))
        throw InputError(
            "{}: {} = '{}': the campaign writes its own labels to {}, and its next call would take them for "
            "given ones; give another --run-dir",
            campaign.file.string(), key, path.string(), (run_dir / "data").string());
    }
  };
  look("data.systems", campaign.data);
  look("test.systems", campaign.test.systems);
}

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
