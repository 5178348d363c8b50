// Defect reactions in Kröger–Vink notation: reading them, and checking their charge and site balance.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "solion/base/input.hpp"
#include "solion/structure/frame.hpp"

namespace solion {

/// One kind of point defect of a reaction, `coefficient` times. Notation: occupant _ site charge.
///   occupant: an element, or V for a vacancy (vanadium is written {V});
///   site:     an element of the host, or i for an interstitial; i is the best void found, i2 the second, …;
///             S2 is the second of the inequivalent S sites, in the order of the crystal (SiteLattice);
///   charge:   relative to the perfect crystal: ' ′ ’ each −1, * • · ˙ each +1, x or × or nothing 0; a ^ may
///   stand
///             before it, and then a count too (V_O^2*); ^ alone is one more spelling of +1 (V_O^^).
struct DefectTerm {
  int coefficient = 1;
  std::string occupant;  ///< empty: vacancy
  std::string site;      ///< element, or "i1", "i2", … for an interstitial
  int site_class = 0;    ///< of the element's inequivalent sites, from 1; 0: any
  int charge = 0;        ///< effective charge in e

  [[nodiscard]] bool is_vacancy() const { return occupant.empty(); }
  [[nodiscard]] bool is_interstitial() const { return site.front() == 'i'; }
  /// 0 for i and i1, 1 for i2, …; only of an interstitial.
  [[nodiscard]] int interstitial_rank() const;
  /// Its sites as they are written: "S", "S2", "i1".
  [[nodiscard]] std::string site_kind() const;
  /// The defect in plain ASCII without its coefficient: "V_Li'", "V_O**", "Li_i*".
  [[nodiscard]] std::string text() const;
};

/// A reaction "nil → terms"; without terms it is the perfect crystal.
struct Reaction {
  std::string name;
  std::vector<DefectTerm> terms;

  [[nodiscard]] std::string text() const;  ///< "2 V_Li' + V_O**"; "0" for the perfect crystal
  [[nodiscard]] int n_defects() const;
};

/// What a user must say about a crystal: the charge of each element, and the reactions by name.
struct Chemistry {
  std::map<std::string, int> oxidation_states;
  std::vector<std::pair<std::string, std::string>> reactions;  ///< name, text; in the order of the file

  /// Reads the tables [oxidation_states] and [reactions] (either may be missing) of a TOML file; every
  /// reaction is parsed, so that an error names the line.
  static Chemistry parse(TomlTable& table);
  /// Entries of `other` replace those of the same name.
  void merge(const Chemistry& other);

  /// The reaction of this name; otherwise `text` itself is read as a reaction. A reaction is a sum of terms
  /// and of names of other reactions, each with an optional coefficient; "0" (or "nil", "perfect") is the
  /// perfect crystal. InputError names the term and what was expected.
  [[nodiscard]] Reaction reaction(const std::string& text) const;
};

/// The oxidation states must make the host neutral: InputError with `where`, the composition and the states
/// otherwise. Nothing is said where an element of the host has no state.
void check_neutral(const Frame& host, const Chemistry& chemistry, const std::string& where);

/// Site and charge balance against a host: the sites named exist in it, the effective charge of every defect
/// is the oxidation state of its occupant minus that of the site's own species (0 for a vacancy's occupant
/// and for an interstitial's site), and unless they `may_be_charged` the effective charges sum to 0.
/// InputError names the term and what was expected.
void check_reaction(const Reaction& reaction, const Frame& host, const Chemistry& chemistry,
                    bool may_be_charged = false);

/// Sum of the effective charges, e.
int net_charge_e(const Reaction& reaction);

/// Atoms gained (+) or lost (−) by one reaction, per element.
std::map<std::string, int> composition_change(const Reaction& reaction);

/// Composition per formula unit with x reactions in it, in the order of the host's type map:
/// "Li(3-2x)O(1-x)Cl".
std::string composition_formula(const Frame& host, const Reaction& reaction);

}  // namespace solion
