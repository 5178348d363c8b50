// The kinds of analytic potentials.
#include "solion/potential/from_toml.hpp"

#include <utility>

#include "solion/potential/buckingham.hpp"
#include "solion/potential/lennard_jones.hpp"

namespace solion {

std::unique_ptr<Potential> potential_from_toml(const std::filesystem::path& path, bool charged_cells) {
  TomlTable table = TomlTable::read(path);
  const std::string kind = table.text("kind");
  if (kind == "buckingham") {
    BuckinghamModel model = BuckinghamModel::from_toml(table);
    model.background = model.background || charged_cells;
    return std::make_unique<Buckingham>(std::move(model));
  }
  if (kind == "lennard-jones") return std::make_unique<LennardJones>(LennardJonesModel::from_toml(table));
  table.fail("kind", "expected \"buckingham\" or \"lennard-jones\"");
}

}  // namespace solion
