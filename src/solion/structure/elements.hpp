// The periodic table: symbols and standard atomic weights.
#pragma once

#include <string_view>

namespace solion {

/// Atomic number of an element symbol ("Li" → 3), or 0 if there is no such element.
int atomic_number(std::string_view symbol);
/// Symbol of an atomic number 1…118; InputError outside.
std::string_view element_symbol(int atomic_number);
/// Standard atomic weight in amu (IUPAC 2021, abridged; of the longest-lived isotope where there is none).
/// InputError naming the symbol if it is no element.
double atomic_mass_amu(std::string_view symbol);

}  // namespace solion
