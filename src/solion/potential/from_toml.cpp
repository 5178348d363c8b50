// The kinds of analytic potentials.
#include "solion/potential/from_toml.hpp"

#include "solion/potential/buckingham.hpp"
#include "solion/potential/lennard_jones.hpp"

namespace solion {

std::unique_ptr<Potential> potential_from_toml(const std::filesystem::path& path) {
  TomlTable table = TomlTable::read(path);
  const std::string kind = table.text("kind");
  if (kind == "buckingham") return std::make_unique<Buckingham>(BuckinghamModel::from_toml(table));
  if (kind == "lennard-jones") return std::make_unique<LennardJones>(LennardJonesModel::from_toml(table));
  table.fail("kind", "expected \"buckingham\" or \"lennard-jones\"");
}

}  // namespace solion
