// The built-in crystals as TOML text: what a user's own file looks like.
#include "solion/structure/crystal_data.hpp"

namespace solion {

// Lattice constants are rounded room-temperature values: starting points for a relaxation.
const std::vector<std::string_view>& crystal_texts() {
  static const std::vector<std::string_view> texts{
      R"(
name = "li3ocl"
summary = "Li3OCl, antiperovskite, Pm-3m"
cell_A = 3.91
sites = ["Li 0.5 0.5 0", "Li 0.5 0 0.5", "Li 0 0.5 0.5", "O 0.5 0.5 0.5", "Cl 0 0 0"]
[oxidation_states]
Li = 1
O = -2
Cl = -1
[reactions]
perfect = "0"
type1 = "V_Li' + V_Cl*"      # LiCl Schottky pair
type2 = "2 V_Li' + V_O**"    # Li2O Schottky triple
type3 = "O_Cl' + Li_i*"      # O on Cl, charge balanced by a Li interstitial
type12 = "type1 + type2"
type13 = "type1 + type3"
type23 = "type2 + type3"
type123 = "type1 + type2 + type3"
)",
      R"(
name = "li3obr"
summary = "Li3OBr, antiperovskite, Pm-3m"
cell_A = 4.02
sites = ["Li 0.5 0.5 0", "Li 0.5 0 0.5", "Li 0 0.5 0.5", "O 0.5 0.5 0.5", "Br 0 0 0"]
[oxidation_states]
Li = 1
O = -2
Br = -1
[reactions]
perfect = "0"
type1 = "V_Li' + V_Br*"
type2 = "2 V_Li' + V_O**"
type3 = "O_Br' + Li_i*"
type12 = "type1 + type2"
type13 = "type1 + type3"
type23 = "type2 + type3"
type123 = "type1 + type2 + type3"
)",
      R"(
name = "na3ocl"
summary = "Na3OCl, antiperovskite, Pm-3m"
cell_A = 4.50
sites = ["Na 0.5 0.5 0", "Na 0.5 0 0.5", "Na 0 0.5 0.5", "O 0.5 0.5 0.5", "Cl 0 0 0"]
[oxidation_states]
Na = 1
O = -2
Cl = -1
[reactions]
perfect = "0"
type1 = "V_Na' + V_Cl*"
type2 = "2 V_Na' + V_O**"
type3 = "O_Cl' + Na_i*"
type12 = "type1 + type2"
type13 = "type1 + type3"
type23 = "type2 + type3"
type123 = "type1 + type2 + type3"
)",
      R"(
name = "li2o"
summary = "Li2O, antifluorite, Fm-3m"
cell_A = 4.62
sites = ["O 0 0 0", "O 0.5 0.5 0", "O 0.5 0 0.5", "O 0 0.5 0.5",
         "Li 0.25 0.25 0.25", "Li 0.75 0.25 0.25", "Li 0.25 0.75 0.25", "Li 0.25 0.25 0.75",
         "Li 0.75 0.75 0.25", "Li 0.75 0.25 0.75", "Li 0.25 0.75 0.75", "Li 0.75 0.75 0.75"]
[oxidation_states]
Li = 1
O = -2
[reactions]
perfect = "0"
frenkel = "V_Li' + Li_i*"
schottky = "2 V_Li' + V_O**"
)",
      R"(
name = "licl"
summary = "LiCl, rock salt, Fm-3m"
cell_A = 5.13
sites = ["Li 0.5 0.5 0.5", "Li 0 0 0.5", "Li 0 0.5 0", "Li 0.5 0 0",
         "Cl 0 0 0", "Cl 0.5 0.5 0", "Cl 0.5 0 0.5", "Cl 0 0.5 0.5"]
[oxidation_states]
Li = 1
Cl = -1
[reactions]
perfect = "0"
frenkel = "V_Li' + Li_i*"
schottky = "V_Li' + V_Cl*"
)"};
  return texts;
}

}  // namespace solion
