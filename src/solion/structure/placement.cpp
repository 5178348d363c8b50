// Symmetry-distinct, random and extreme placements. Theory: docs/theory/structure.md, "Placements".
#include "solion/structure/placement.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"

namespace solion {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// A set of sites of one term with the operations that keep it.
struct Subset {
  std::vector<int> sites;  ///< ascending
  std::vector<int> stabilizer;
  std::size_t orbit_size = 1;
};

std::vector<int> image_of(const SiteLattice& lattice, int op, const std::vector<int>& sites) {
  std::vector<int> image;
  image.reserve(sites.size());
  for (const int s : sites) image.push_back(lattice.image(op, s));
  std::sort(image.begin(), image.end());
  return image;
}

/// Enumerates classes term by term: a class of all terms is a class of the first term's sites, then a class
/// of the next term's sites under the operations that keep the first, and so on. Orbit sizes multiply.
class Enumerator {
 public:
  Enumerator(const PlacementProblem& problem, std::size_t most) : problem_(problem), most_(most) {}

  std::vector<SymmetryClass> run() {
    std::vector<int> group(at(problem_.lattice().n_operations()));
    std::iota(group.begin(), group.end(), 0);
    Configuration placed;
    descend(0, group, placed, 1);
    return std::move(classes_);
  }

 private:
  void descend(int term, const std::vector<int>& group, const Configuration& placed, std::size_t degeneracy) {
    if (term == static_cast<int>(problem_.reaction().terms.size())) {
      check(classes_.size() + 1);
      classes_.push_back({placed, degeneracy});
      return;
    }
    const int n = problem_.reaction().terms[at(term)].coefficient;
    for (const Subset& subset : subsets(term, n * problem_.count(), group, placed)) {
      Configuration next = placed;
      for (std::size_t k = 0; k < subset.sites.size(); ++k)
        next.push_back({term, subset.sites[k], static_cast<int>(k) / n});
      descend(term + 1, subset.stabilizer, next, degeneracy * subset.orbit_size);
    }
  }

  /// Classes of `n`-subsets of the term's free sites under `group`, grown one site at a time.
  std::vector<Subset> subsets(int term, int n, const std::vector<int>& group, const Configuration& placed) {
    std::vector<int> free;
    for (const int site : problem_.candidates(term)) {
      if (problem_.compatible(placed, {term, site})) free.push_back(site);
    }
    std::vector<Subset> level{{{}, group, 1}};
    for (int size = 1; size <= n; ++size) {
      std::map<std::vector<int>, Subset> next;
      for (const Subset& smaller : level) grow(smaller, term, free, group, next);
      level.clear();
      for (auto& entry : next) level.push_back(std::move(entry.second));
    }
    return level;
  }

  void grow(const Subset& smaller, int term, const std::vector<int>& free, const std::vector<int>& group,
            std::map<std::vector<int>, Subset>& next) {
    std::set<int> seen;  // sites that an operation keeping the smaller set maps onto one that was tried
    for (const int site : free) {
      if (seen.contains(site) || !fits(smaller.sites, term, site)) continue;
      for (const int op : smaller.stabilizer) seen.insert(problem_.lattice().image(op, site));
      std::vector<int> sites = smaller.sites;
      sites.insert(std::lower_bound(sites.begin(), sites.end(), site), site);
      Subset canonical = canonical_form(sites, group);
      std::vector<int> key = canonical.sites;
      next.try_emplace(std::move(key), std::move(canonical));
      check(next.size());
    }
  }

  /// The smallest image of the set under the group, with the operations that keep that image.
  [[nodiscard]] Subset canonical_form(const std::vector<int>& sites, const std::vector<int>& group) const {
    Subset result;
    result.sites = sites;
    for (const int op : group) result.sites = std::min(result.sites, image_of(problem_.lattice(), op, sites));
    for (const int op : group) {
      if (image_of(problem_.lattice(), op, result.sites) == result.sites) result.stabilizer.push_back(op);
    }
    result.orbit_size = group.size() / result.stabilizer.size();
    return result;
  }

  [[nodiscard]] bool fits(const std::vector<int>& sites, int term, int site) const {
    return std::all_of(sites.begin(), sites.end(), [&](int other) {
      return problem_.compatible({term, other}, {term, site});
    });
  }

  void check(std::size_t n) const {
    if (n <= most_) return;
    throw InputError(
        "reaction '{}': more than {} symmetry-distinct placements; take a smaller supercell or count, or the "
        "placement 'random'",
        problem_.reaction().name, most_);
  }

  const PlacementProblem& problem_;
  std::size_t most_;
  std::vector<SymmetryClass> classes_;
};

}  // namespace

PlacementProblem::PlacementProblem(const SiteLattice& lattice, const Reaction& reaction, int count,
                                   double min_separation_A)
    : lattice_(lattice), reaction_(reaction), count_(count), min_separation_A_(min_separation_A) {
  std::map<std::string, int> needed;
  for (const DefectTerm& term : reaction.terms) {
    candidates_.push_back(lattice.sites_of_kind(term.site, term.site_class));
    if (const int classes = lattice.n_classes(term.site); term.site_class > classes)
      throw InputError("reaction '{}': term \"{}\": the crystal has {} kind{} of {} site; expected {} to {}",
                       reaction.name, term.text(), classes, classes == 1 ? "" : "s", term.site,
                       term.site + "1", fmt::format("{}{}", term.site, classes));
    int& n = needed[term.site_kind()];
    n += term.coefficient * count;
    if (n > static_cast<int>(candidates_.back().size())) {
      throw InputError("reaction '{}' ({}) {} times needs {} {} sites; the supercell has {}", reaction.name,
                       reaction.text(), count, n, term.site_kind(), candidates_.back().size());
    }
  }
}

bool PlacementProblem::compatible(const TakenSite& a, const TakenSite& b) const {
  if (a.site == b.site) return false;
  const DefectTerm& s = reaction_.terms[at(a.term)];
  const DefectTerm& t = reaction_.terms[at(b.term)];
  const auto falls_into = [](const DefectTerm& ion, const DefectTerm& hole) {
    return ion.is_interstitial() && hole.is_vacancy() && hole.site == ion.occupant;
  };
  const bool apart = (s.is_interstitial() && t.is_interstitial()) || falls_into(s, t) || falls_into(t, s);
  return !apart || lattice_.distance(a.site, b.site) > min_separation_A_ - 1e-6;
}

bool PlacementProblem::compatible(const Configuration& placed, const TakenSite& next) const {
  return std::all_of(placed.begin(), placed.end(), [&](const TakenSite& p) { return compatible(p, next); });
}

std::size_t PlacementProblem::degeneracy(const Configuration& configuration) const {
  std::set<std::pair<int, int>> taken;
  for (const TakenSite& t : configuration) taken.emplace(t.term, t.site);
  std::size_t keeping = 0;
  for (int op = 0; op < lattice_.n_operations(); ++op) {
    const bool keeps = std::all_of(configuration.begin(), configuration.end(), [&](const TakenSite& t) {
      return taken.contains({t.term, lattice_.image(op, t.site)});
    });
    if (keeps) ++keeping;
  }
  return at(lattice_.n_operations()) / std::max<std::size_t>(keeping, 1);  // the identity always keeps
}

double PlacementProblem::sum_of_distances(const Configuration& configuration) const {
  double sum = 0;
  for (std::size_t i = 0; i < configuration.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (configuration[i].reaction == configuration[j].reaction)
        sum += lattice_.distance(configuration[i].site, configuration[j].site);
    }
  }
  return sum;
}

std::vector<SymmetryClass> distinct_configurations(const PlacementProblem& problem, std::size_t most) {
  return Enumerator(problem, most).run();
}

Configuration random_configuration(const PlacementProblem& problem, std::uint64_t seed) {
  constexpr int most_draws = 10000;
  RandomStream random(seed, "defect placement");
  const auto& terms = problem.reaction().terms;
  for (int draw = 0; draw < most_draws; ++draw) {
    // Drawing without replacement from one pool a kind of site keeps every configuration equally likely; a
    // draw that breaks the distance rule is thrown away whole, for the same reason.
    std::map<std::string, std::vector<int>> pools;
    Configuration configuration;
    bool good = true;
    for (int reaction = 0; reaction < problem.count() && good; ++reaction) {
      for (int term = 0; term < static_cast<int>(terms.size()) && good; ++term) {
        auto& pool = pools.try_emplace(terms[at(term)].site_kind(), problem.candidates(term)).first->second;
        for (int k = 0; k < terms[at(term)].coefficient && good; ++k) {
          std::swap(pool[random.below(pool.size())], pool.back());
          const TakenSite taken{term, pool.back(), reaction};
          pool.pop_back();
          good = problem.compatible(configuration, taken);
          configuration.push_back(taken);
        }
      }
    }
    if (good) return configuration;
  }
  throw InputError(
      "reaction '{}' {} times: {} random placements gave none that keeps the minimum separation; take a "
      "larger supercell or a smaller separation",
      problem.reaction().name, problem.count(), most_draws);
}

}  // namespace solion
