// A small parser of Kröger–Vink notation and its checks. Theory: docs/theory/structure.md, "Reactions".
#include "solion/structure/reactions.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <string_view>

#include "solion/base/errors.hpp"
#include "solion/structure/elements.hpp"

namespace solion {
namespace {

/// A spelling of an effective charge and its value.
struct Mark {
  std::string_view text;
  int charge;
};
constexpr std::array<Mark, 16> marks{{{"'", -1},
                                      {"/", -1},
                                      {".", 1},
                                      {"\u00b0", 1},
                                      {"\u2032", -1},
                                      {"\u2019", -1},
                                      {"\u2033", -2},
                                      {"\"", -2},
                                      {"*", 1},
                                      {"\u2022", 1},
                                      {"\u00b7", 1},
                                      {"\u02d9", 1},
                                      {"\u22c5", 1},
                                      {"\u2219", 1},
                                      {"x", 0},
                                      {"\u00d7", 0}}};

constexpr std::string_view spelling =
    "expected OCCUPANT_SITE and a charge, such as V_Li', V_O**, O_Cl', Li_i* (' is -1, * is +1)";

/// Walks over one term from left to right.
class TermReader {
 public:
  TermReader(std::string_view term, std::string where) : term_(term), rest_(term), where_(std::move(where)) {}

  DefectTerm read(int coefficient) {
    DefectTerm term;
    term.coefficient = coefficient;
    term.occupant = occupant();
    if (!take("_")) fail(spelling);
    read_site(term);
    term.charge = charge();
    if (term.occupant.empty() && term.site.front() == 'i')
      fail("an interstitial site has no atom to take away");
    return term;
  }

 private:
  [[noreturn]] void fail(std::string_view problem) const {
    throw InputError("{}: term \"{}\": {}", where_, term_, problem);
  }
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  /// The longest element symbol at the front, or nothing.
  std::string element() {
    for (const std::size_t length : {2UL, 1UL}) {
      std::string symbol(rest_.substr(0, length));
      if (symbol.size() == length && atomic_number(symbol) != 0) {
        rest_.remove_prefix(length);
        return symbol;
      }
    }
    return "";
  }
  std::string occupant() {
    if (take("V_")) {
      rest_ = term_.substr(1);
      return "";
    }
    const bool braces = take("{");
    std::string symbol = element();
    if (symbol.empty()) fail(fmt::format("no element before the '_'; {}", spelling));
    if (braces && !take("}")) fail("a '}' is missing");
    return symbol;
  }
  int digits(int none) {
    std::size_t n = 0;
    while (n < rest_.size() && std::isdigit(static_cast<unsigned char>(rest_[n])) != 0) ++n;
    if (n == 0) return none;
    if (n > 3) fail("a number is too large");
    const int value = std::atoi(std::string(rest_.substr(0, n)).c_str());
    rest_.remove_prefix(n);
    return value;
  }
  void read_site(DefectTerm& term) {
    const bool braces = take("{");
    if (take("i")) {
      const int rank = digits(1);
      if (rank < 1) fail("interstitial sites count from i1");
      term.site = fmt::format("i{}", rank);
    } else {
      term.site = element();
      if (term.site.empty()) fail(fmt::format("no element (or i) after the '_'; {}", spelling));
      constexpr int any = 0;
      const bool numbered = !rest_.empty() && std::isdigit(static_cast<unsigned char>(rest_.front())) != 0;
      term.site_class = digits(any);
      if (numbered && term.site_class < 1) fail("inequivalent sites of an element count from 1");
    }
    if (braces && !take("}")) fail("a '}' is missing");
  }
  int charge() {
    // Only ^ signs: the plain-text spelling of dots.
    if (!rest_.empty() && rest_.find_first_not_of('^') == std::string_view::npos)
      return static_cast<int>(rest_.size());
    const bool raised = take("^");
    const bool braces = raised && take("{");
    const int count = raised ? digits(1) : 1;
    int total = 0;
    int last = 0;
    int n = 0;
    while (const auto mark = next_mark()) {
      if (n > 0 && (*mark > 0) != (last > 0)) fail("mixes positive and negative charge");
      if (n > 0 && (*mark == 0 || last == 0)) fail("a neutral mark beside another charge mark");
      total += *mark;
      last = *mark;
      ++n;
    }
    if (braces && !take("}")) fail("a '}' is missing");
    if (!rest_.empty() || (raised && n == 0)) fail(fmt::format("cannot read \"{}\"; {}", rest_, spelling));
    return count * total;
  }
  std::optional<int> next_mark() {
    for (const Mark& mark : marks) {
      if (take(mark.text)) return mark.charge;
    }
    return std::nullopt;
  }

  std::string_view term_;
  std::string_view rest_;
  std::string where_;
};

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_nil(std::string_view text) {
  return text.empty() || text == "0" || text == "nil" || text == "perfect" || text == "\u2205";
}

void add_term(Reaction& sum, const DefectTerm& term) {
  for (DefectTerm& present : sum.terms) {
    if (present.text() == term.text()) {
      present.coefficient += term.coefficient;
      return;
    }
  }
  sum.terms.push_back(term);
}

/// Expands sums of names; `open` holds the names that are being expanded, to catch a circle.
class Expander {
 public:
  explicit Expander(const Chemistry& chemistry) : chemistry_(chemistry) {}

  Reaction expand(const std::string& name_or_text) {
    if (const std::string* text = find(name_or_text)) {
      const std::string where = fmt::format("reaction '{}' (\"{}\")", name_or_text, *text);
      if (std::find(open_.begin(), open_.end(), name_or_text) != open_.end())
        throw InputError("{}: it refers to itself", where);
      open_.push_back(name_or_text);
      Reaction result = sum(*text, where);
      open_.pop_back();
      result.name = name_or_text;
      return result;
    }
    Reaction result = sum(name_or_text, fmt::format("reaction \"{}\"", name_or_text));
    result.name = result.terms.empty() ? "perfect" : result.text();
    return result;
  }

 private:
  [[nodiscard]] const std::string* find(const std::string& name) const {
    for (const auto& entry : chemistry_.reactions) {
      if (entry.first == name) return &entry.second;
    }
    return nullptr;
  }

  Reaction sum(std::string_view text, const std::string& where) {
    for (const std::string_view arrow : {"<->", "<=>", "->", "\u2192", "\u21cc", "\u21c4", "\u2194", "="}) {
      const std::size_t at = text.find(arrow);
      if (at == std::string_view::npos) continue;
      if (!is_nil(trim(text.substr(0, at))))
        throw InputError("{}: left of the arrow stands \"{}\"; expected 0 (the perfect crystal)", where,
                         trim(text.substr(0, at)));
      text = text.substr(at + arrow.size());
    }
    Reaction result;
    if (is_nil(trim(text))) return result;
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find('+', begin), text.size());
      add(result, trim(text.substr(begin, end - begin)), where);
      begin = end + 1;
    }
    return result;
  }

  void add(Reaction& result, std::string_view item, const std::string& where) {
    std::size_t n = 0;
    while (n < item.size() && std::isdigit(static_cast<unsigned char>(item[n])) != 0) ++n;
    const std::string_view name = trim(item.substr(n));
    if (name.empty()) throw InputError("{}: a term is missing beside a '+'; {}", where, spelling);
    if (n > 3) throw InputError("{}: term \"{}\": the coefficient is too large", where, item);
    const int coefficient = n == 0 ? 1 : std::atoi(std::string(item.substr(0, n)).c_str());
    if (coefficient < 1)
      throw InputError("{}: term \"{}\": expected a coefficient of at least 1", where, item);
    if (find(std::string(name)) != nullptr) {
      Reaction part = expand(std::string(name));
      for (DefectTerm& term : part.terms) {
        term.coefficient *= coefficient;
        add_term(result, term);
      }
      return;
    }
    if (name.find('_') == std::string_view::npos) {
      std::vector<std::string> names;
      names.reserve(chemistry_.reactions.size());
      for (const auto& entry : chemistry_.reactions) names.push_back(entry.first);
      throw InputError(
          "{}: \"{}\" is neither a known reaction ({}) nor a term; {}", where, name,
          names.empty() ? "none are known for this crystal" : fmt::format("{}", fmt::join(names, ", ")),
          spelling);
    }
    add_term(result, TermReader(name, where).read(coefficient));
  }

  const Chemistry& chemistry_;
  std::vector<std::string> open_;
};

std::string charge_marks(int charge) {
  return std::string(static_cast<std::size_t>(std::abs(charge)), charge < 0 ? '\'' : '*');
}

int oxidation_state(const Chemistry& chemistry, const std::string& element, const std::string& where) {
  const auto found = chemistry.oxidation_states.find(element);
  if (found == chemistry.oxidation_states.end()) {
    throw InputError(
        "{}: the oxidation state of {} is not known; it is not guessed: give it in a table "
        "[oxidation_states] of the "
        "reactions file ({} = …)",
        where, element, element);
  }
  return found->second;
}

void check_term(const Reaction& reaction, const DefectTerm& term, const Frame& host,
                const Chemistry& chemistry) {
  const std::string where = fmt::format("reaction '{}': term \"{}\"", reaction.name, term.text());
  const int site_type = term.is_interstitial() ? -1 : host.type_map.find(term.site);
  if (!term.is_interstitial() &&
      (site_type < 0 || std::find(host.types.begin(), host.types.end(), site_type) == host.types.end())) {
    throw InputError("{}: the crystal has no {} site; expected one of {} or i (interstitial)", where,
                     term.site, fmt::join(host.type_map.names(), ", "));
  }
  if (!term.is_interstitial() && term.occupant == term.site)
    throw InputError("{}: {} on its own site is no defect", where, term.site);
  const int occupant = term.is_vacancy() ? 0 : oxidation_state(chemistry, term.occupant, where);
  const int site = term.is_interstitial() ? 0 : oxidation_state(chemistry, term.site, where);
  if (term.charge != occupant - site) {
    DefectTerm right = term;
    right.charge = occupant - site;
    throw InputError("{}: effective charge {:+}; expected ({:+}) - ({:+}) = {:+}, written {}", where,
                     term.charge, occupant, site, right.charge, right.text());
  }
}

}  // namespace

int DefectTerm::interstitial_rank() const { return std::atoi(site.c_str() + 1) - 1; }

std::string DefectTerm::site_kind() const {
  return site_class > 0 ? fmt::format("{}{}", site, site_class) : site;
}

std::string DefectTerm::text() const {
  const std::string who = occupant.empty() ? "V" : occupant == "V" ? "{V}" : occupant;
  return fmt::format("{}_{}{}", who, site == "i1" ? "i" : site_kind(), charge_marks(charge));
}

std::string Reaction::text() const {
  std::string result;
  for (const DefectTerm& term : terms) {
    if (!result.empty()) result += " + ";
    if (term.coefficient > 1) result += fmt::format("{} ", term.coefficient);
    result += term.text();
  }
  return result.empty() ? "0" : result;
}

int Reaction::n_defects() const {
  int n = 0;
  for (const DefectTerm& term : terms) n += term.coefficient;
  return n;
}

Chemistry Chemistry::parse(TomlTable& table) {
  Chemistry result;
  TomlTable states = table.table_or_empty("oxidation_states");
  for (const std::string& element : states.keys()) {
    if (atomic_number(element) == 0) states.fail(element, "not an element symbol");
    const auto state = states.integer(element);
    if (state < -9 || state > 9) states.fail(element, "expected an oxidation state between -9 and 9");
    result.oxidation_states[element] = static_cast<int>(state);
  }
  TomlTable reactions = table.table_or_empty("reactions");
  for (const std::string& name : reactions.keys()) result.reactions.emplace_back(name, reactions.text(name));
  return result;
}

void Chemistry::merge(const Chemistry& other) {
  for (const auto& [element, state] : other.oxidation_states) oxidation_states[element] = state;
  for (const auto& entry : other.reactions) {
    const auto same = std::find_if(reactions.begin(), reactions.end(),
                                   [&](const auto& mine) { return mine.first == entry.first; });
    if (same != reactions.end()) {
      same->second = entry.second;
    } else {
      reactions.push_back(entry);
    }
  }
}

Reaction Chemistry::reaction(const std::string& text) const { return Expander(*this).expand(text); }

void check_neutral(const Frame& host, const Chemistry& chemistry, const std::string& where) {
  std::map<std::string, int> count;
  for (std::size_t i = 0; i < host.n_atoms(); ++i) ++count[host.element(i)];
  int charge = 0;
  std::string states;
  for (const auto& [element, n] : count) {
    const auto found = chemistry.oxidation_states.find(element);
    if (found == chemistry.oxidation_states.end()) return;
    charge += n * found->second;
    states += fmt::format("{}{} = {}", states.empty() ? "" : ", ", element, found->second);
  }
  if (charge != 0)
    throw InputError(
        "{}: {} has the charge {:+} with these oxidation states ({}); expected a neutral crystal", where,
        host.formula(), charge, states);
}

int net_charge_e(const Reaction& reaction) {
  int total = 0;
  for (const DefectTerm& term : reaction.terms) total += term.coefficient * term.charge;
  return total;
}

void check_reaction(const Reaction& reaction, const Frame& host, const Chemistry& chemistry,
                    bool may_be_charged) {
  std::string sum;
  for (const DefectTerm& term : reaction.terms) {
    check_term(reaction, term, host, chemistry);
    sum += fmt::format("{}{}({:+})", sum.empty() ? "" : " + ", term.coefficient, term.charge);
  }
  const int total = net_charge_e(reaction);
  if (total != 0 && !may_be_charged) {
    throw InputError("reaction '{}' ({}): the effective charges sum to {} = {:+}; expected 0", reaction.name,
                     reaction.text(), sum, total);
  }
}

std::map<std::string, int> composition_change(const Reaction& reaction) {
  std::map<std::string, int> change;
  for (const DefectTerm& term : reaction.terms) {
    if (!term.is_vacancy()) change[term.occupant] += term.coefficient;
    if (!term.is_interstitial()) change[term.site] -= term.coefficient;
  }
  std::erase_if(change, [](const auto& entry) { return entry.second == 0; });
  return change;
}

std::string composition_formula(const Frame& host, const Reaction& reaction) {
  std::vector<std::pair<std::string, int>> count;
  count.reserve(host.type_map.names().size());
  for (const std::string& name : host.type_map.names()) count.emplace_back(name, 0);
  for (const int t : host.types) ++count[static_cast<std::size_t>(t)].second;
  int units = 0;
  for (const auto& entry : count) units = std::gcd(units, entry.second);
  std::map<std::string, int> change = composition_change(reaction);
  for (const auto& entry : change) {
    if (host.type_map.find(entry.first) < 0) count.emplace_back(entry.first, 0);
  }
  std::string text;
  for (const auto& [name, atoms] : count) {
    const int n = atoms / std::max(units, 1);
    const int d = change.contains(name) ? change[name] : 0;
    if (n == 0 && d == 0) continue;
    const std::string x = std::abs(d) == 1 ? "x" : fmt::format("{}x", std::abs(d));
    if (d == 0) {
      text += n == 1 ? name : fmt::format("{}{}", name, n);
    } else if (n == 0) {
      text += fmt::format("{}({}{})", name, d < 0 ? "-" : "", x);
    } else {
      text += fmt::format("{}({}{}{})", name, n, d < 0 ? "-" : "+", x);
    }
  }
  return text;
}

}  // namespace solion
