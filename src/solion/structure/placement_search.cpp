// Nearest and farthest placements by branch and bound. Theory: docs/theory/structure.md, "Placements".
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "solion/base/errors.hpp"
#include "solion/base/progress.hpp"
#include "solion/structure/placement.hpp"

namespace solion {
namespace {

constexpr double better_A = 1e-7;  // sums closer than this are a tie: the first one found stays

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// Search for one reaction beside the defects that are already placed. Cost: sign × sum of pair distances.
class ClusterSearch {
 public:
  ClusterSearch(const PlacementProblem& problem, const Configuration& placed, bool farthest,
                std::size_t nodes)
      : problem_(problem), sign_(farthest ? -1.0 : 1.0), nodes_left_(nodes) {
    const auto& terms = problem.reaction().terms;
    std::vector<int> order(terms.size());
    std::iota(order.begin(), order.end(), 0);
    for (int term = 0; term < static_cast<int>(terms.size()); ++term) {
      std::vector<int> free;
      for (const int site : problem.candidates(term)) {
        if (problem.compatible(placed, {term, site})) free.push_back(site);
      }
      free_.push_back(std::move(free));
    }
    std::set<int> relevant;
    for (const auto& sites : free_) relevant.insert(sites.begin(), sites.end());
    relevant_.assign(relevant.begin(), relevant.end());
    // The rarest sites first: the first defect is fixed up to symmetry, and the tree stays narrow.
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return free_[at(a)].size() < free_[at(b)].size(); });
    for (const int term : order) slots_.insert(slots_.end(), at(terms[at(term)].coefficient), term);
    first_ = placed.empty() ? orbit_representatives(slots_.front()) : free_[at(slots_.front())];
    // A step goes over all sites a few times: some seconds of work in all.
    nodes_left_ = std::min(nodes_left_, 500'000'000 / std::max<std::size_t>(1, relevant_.size()));
    nodes_left_ = std::max(nodes_left_, slots_.size() + 1);  // one answer at least
    whole_ = placed.empty();
    bound_pairs();
    if (slots_.size() > 2) bound_triples();
  }

  /// False if nothing fits.
  bool run() {
    chosen_.reserve(slots_.size());
    std::vector<double> cost(at(problem_.lattice().n_sites()), 0.0);
    descend(0, 0.0, cost, {}, 0);
    if (best_.empty()) return false;
    if (!proven()) improve();
    return true;
  }
  [[nodiscard]] bool proven() const { return !std::isfinite(open_); }
  [[nodiscard]] const Configuration& best() const { return best_; }
  /// No sum of distances is beyond this.
  [[nodiscard]] double bound_A() const { return sign_ * std::min(open_, best_cost_); }

 private:
  [[nodiscard]] std::vector<int> orbit_representatives(int term) const {
    std::vector<int> result;
    std::set<int> seen;
    for (const int site : free_[at(term)]) {
      if (seen.contains(site)) continue;
      result.push_back(site);
      for (int op = 0; op < problem_.lattice().n_operations(); ++op)
        seen.insert(problem_.lattice().image(op, site));
    }
    return result;
  }

  [[nodiscard]] double cost_of_pair(int a, int b) const { return sign_ * problem_.lattice().distance(a, b); }

  /// rest_[d]: no choice for the slots from d on can cost less than this among themselves.
  void bound_pairs() {
    const std::size_t n = slots_.size();
    rest_.assign(n + 1, 0.0);
    std::map<std::pair<int, int>, double> least;
    for (std::size_t i = n; i-- > 0;) {
      rest_[i] = rest_[i + 1];
      for (std::size_t j = i + 1; j < n; ++j) {
        const auto [entry, is_new] = least.try_emplace({slots_[i], slots_[j]}, 0.0);
        if (is_new) entry->second = least_cost(slots_[i], slots_[j]);
        rest_[i] += entry->second;
      }
    }
  }

  /// Three defects cannot all be as far from each other as two: with t(a, b, c) the least cost of any three
  /// sites of their terms, sums over triples bound sums over pairs, since each pair of m defects is in m − 2
  /// triples (docs/theory/structure.md).
  void bound_triples() {
    const std::size_t n = slots_.size();
    across_.assign(n + 1, 0.0);
    std::map<std::array<int, 3>, double> least;
    const auto triple = [&](std::size_t a, std::size_t b, std::size_t c) {
      std::array<int, 3> terms{slots_[a], slots_[b], slots_[c]};
      std::sort(terms.begin(), terms.end());
      const auto [entry, is_new] = least.try_emplace(terms, 0.0);
      if (is_new) entry->second = least_triple(terms);
      return entry->second;
    };
    for (std::size_t d = 0; d < n; ++d) {
      double open = 0;
      for (std::size_t a = d; a < n; ++a)
        for (std::size_t b = a + 1; b < n; ++b) {
          for (std::size_t c = b + 1; c < n; ++c) open += triple(a, b, c);
          for (std::size_t x = 0; x < d; ++x) across_[d] += triple(x, a, b);
        }
      const std::size_t m = n - d;
      if (m > 2) rest_[d] = std::max(rest_[d], open / static_cast<double>(m - 2));
    }
  }
  [[nodiscard]] double least_triple(std::array<int, 3> terms) const {
    // The first site is fixed up to symmetry; the term with most sites gains most.
    std::sort(terms.begin(), terms.end(),
              [&](int a, int b) { return free_[at(a)].size() > free_[at(b)].size(); });
    const std::vector<int> firsts = whole_ ? orbit_representatives(terms[0]) : free_[at(terms[0])];
    const auto &seconds = free_[at(terms[1])], &thirds = free_[at(terms[2])];
    const double work = static_cast<double>(firsts.size()) * static_cast<double>(seconds.size()) *
                        static_cast<double>(thirds.size());
    double least = std::numeric_limits<double>::infinity();
    if (work > 3e7)
      return least_cost(terms[0], terms[1]) + least_cost(terms[0], terms[2]) + least_cost(terms[1], terms[2]);
    for (const int a : firsts)
      for (const int b : seconds) {
        if (a == b) continue;
        const double ab = cost_of_pair(a, b);
        for (const int c : thirds)
          if (c != a && c != b) least = std::min(least, ab + cost_of_pair(a, c) + cost_of_pair(b, c));
      }
    return least;
  }
  [[nodiscard]] double least_cost(int term, int other) const {
    double least = std::numeric_limits<double>::infinity();
    for (const int a : free_[at(term)]) {
      for (const int b : free_[at(other)]) {
        if (problem_.compatible({term, a}, {other, b})) least = std::min(least, cost_of_pair(a, b));
      }
    }
    return least;
  }

  /// Slots of one term after the first slot of all are interchangeable: they take sites of `list` in its
  /// order, from `begin` on. `cost[site]`: what a defect there would add to the pairs with those chosen.
  void descend(std::size_t depth, double total, const std::vector<double>& cost, const std::vector<int>& list,
               std::size_t begin) {
    if (depth == slots_.size()) {
      if (total < best_cost_ - better_A) {
        best_cost_ = total;
        best_ = chosen_;
      }
      return;
    }
    double own = 0;  // the least of this slot's own costs
    const double mixed = mixed_costs(depth, cost, own);
    const double least = total + bound(depth, mixed);
    if (!(least < best_cost_ - better_A)) return;
    throw_if_interrupted();
    const int term = slots_[depth];
    const bool continues = depth > 1 && slots_[depth - 1] == term;
    const std::vector<int> fresh = continues ? std::vector<int>{} : sorted_by_cost(depth, cost);
    const std::vector<int>& sites = continues ? list : fresh;
    std::set<int> alike;  // second sites that an operation which keeps the first maps onto one that was tried
    const std::vector<int> keeping = depth == 1 && whole_ ? stabilizer(chosen_[0].site) : std::vector<int>{};
    for (std::size_t k = continues ? begin : 0; k < sites.size(); ++k) {
      const TakenSite next{term, sites[k]};
      if (alike.contains(next.site) || !problem_.compatible(chosen_, next)) continue;
      if (!(total + bound(depth, mixed - own + cost[at(next.site)]) < best_cost_ - better_A)) continue;
      if (nodes_left_ == 0) {
        open_ = std::min(open_, least);
        break;
      }
      --nodes_left_;
      for (const int op : keeping) alike.insert(problem_.lattice().image(op, next.site));
      std::vector<double> deeper = cost;
      if (depth + 1 < slots_.size()) add_costs(next.site, deeper);
      chosen_.push_back(next);
      descend(depth + 1, total + cost[at(next.site)], deeper, sites, k + 1);
      chosen_.pop_back();
    }
  }

  void add_costs(int site, std::vector<double>& cost) const {
    for (const int other : relevant_) cost[at(other)] += cost_of_pair(site, other);
    cost[at(site)] = std::numeric_limits<double>::infinity();  // taken
  }

  [[nodiscard]] std::vector<int> stabilizer(int site) const {
    std::vector<int> result;
    for (int op = 0; op < problem_.lattice().n_operations(); ++op)
      if (problem_.lattice().image(op, site) == site) result.push_back(op);
    return result;
  }

  /// What the open slots cost at least with the sites chosen; `own`: the share of the first of them.
  [[nodiscard]] double mixed_costs(std::size_t depth, const std::vector<double>& cost, double& own) const {
    double sum = 0;
    double least = 0;
    for (std::size_t d = depth; d < slots_.size(); ++d) {
      if (d == depth || slots_[d] != slots_[d - 1]) {
        least = std::numeric_limits<double>::infinity();
        for (const int site : free_[at(slots_[d])]) least = std::min(least, cost[at(site)]);
      }
      if (d == depth) own = least;
      sum += least;
    }
    return sum;
  }

  /// What the open slots cost at least, among themselves and with those chosen, given the latter.
  [[nodiscard]] double bound(std::size_t depth, double sum) const {
    const std::size_t open = slots_.size() - depth;
    if (depth == 0 || open < 2 || across_.empty()) return sum + rest_[depth];
    // Triples of one chosen and two open slots hold each mixed pair (open − 1) times and each open pair
    // `depth` times; what they leave over is bounded as before.
    const double share = 1 / static_cast<double>(std::max(open - 1, depth));
    const double mixed_left = 1 - share * static_cast<double>(open - 1);
    const double open_left = 1 - share * static_cast<double>(depth);
    return std::max(sum + rest_[depth], share * across_[depth] + mixed_left * sum + open_left * rest_[depth]);
  }

  [[nodiscard]] std::vector<int> sorted_by_cost(std::size_t depth, const std::vector<double>& cost) const {
    std::vector<int> sites = depth == 0 ? first_ : free_[at(slots_[depth])];
    std::stable_sort(sites.begin(), sites.end(),
                     [&](int a, int b) { return cost[at(a)] < cost[at(b)] - better_A; });
    return sites;
  }

  /// Moves one defect at a time to a better site until none is left.
  void improve() {
    for (bool better = true; better;) {
      better = false;
      for (std::size_t k = 0; k < best_.size(); ++k) better = move_defect(k) || better;
    }
  }
  bool move_defect(std::size_t k) {
    Configuration others = best_;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(k));
    const auto cost_at = [&](int site) {
      double sum = 0;
      for (const TakenSite& o : others) sum += cost_of_pair(site, o.site);
      return sum;
    };
    double least = cost_at(best_[k].site);
    bool moved = false;
    for (const int site : free_[at(best_[k].term)]) {
      if (cost_at(site) < least - better_A && problem_.compatible(others, {best_[k].term, site})) {
        least = cost_at(site);
        best_[k].site = site;
        moved = true;
      }
    }
    return moved;
  }

  const PlacementProblem& problem_;
  double sign_;
  std::size_t nodes_left_;
  std::vector<std::vector<int>> free_;  ///< of each term: sites that go with what is placed; ascending
  std::vector<int> relevant_;           ///< the sites of `free_` together
  std::vector<int> slots_;              ///< the term of each defect, in the order of the search
  std::vector<int> first_;
  std::vector<double> rest_;
  Configuration chosen_;
  Configuration best_;
  double best_cost_ = std::numeric_limits<double>::infinity();
  double open_ = std::numeric_limits<double>::infinity();  ///< least bound of a branch that was not searched
  bool whole_ = false;                                     ///< the cell is empty: all symmetry holds
  std::vector<double> across_;  ///< of each depth: triples of one chosen and two open slots, see bound()
};

/// The image of `cluster` under symmetry that stands farthest from what is placed (largest smallest distance,
/// then largest sum); empty if none fits.
Configuration farthest_image(const PlacementProblem& problem, const Configuration& cluster,
                             const Configuration& placed) {
  Configuration best;
  double best_least = -1;
  double best_sum = -1;
  for (int op = 0; op < problem.lattice().n_operations(); ++op) {
    Configuration image = cluster;
    double least = std::numeric_limits<double>::infinity();
    double sum = 0;
    bool good = true;
    for (TakenSite& t : image) {
      t.site = problem.lattice().image(op, t.site);
      good = good && problem.compatible(placed, t);
      for (const TakenSite& p : placed) {
        const double d = problem.lattice().distance(t.site, p.site);
        least = std::min(least, d);
        sum += d;
      }
    }
    const bool better =
        least > best_least + better_A || (least > best_least - better_A && sum > best_sum + better_A);
    if (!good || !better) continue;
    best = image;
    best_least = least;
    best_sum = sum;
  }
  return best;
}

}  // namespace

SearchResult extreme_configuration(const PlacementProblem& problem, bool farthest, std::size_t nodes) {
  SearchResult result{{}, true, 0};
  if (problem.reaction().terms.empty()) return result;
  Configuration cluster;
  for (int reaction = 0; reaction < problem.count(); ++reaction) {
    Configuration next;
    if (reaction > 0) next = farthest_image(problem, cluster, result.configuration);
    if (next.empty()) {
      ClusterSearch search(problem, result.configuration, farthest, nodes);
      if (!search.run()) {
        throw InputError(
            "reaction '{}': only {} of {} fit into the supercell with the minimum separation; take a larger "
            "supercell, a smaller count or separation",
            problem.reaction().name, reaction, problem.count());
      }
      next = search.best();
      result.proven = result.proven && search.proven();
      if (reaction == 0) result.bound_A = problem.count() * search.bound_A();
    }
    if (reaction == 0) cluster = next;
    for (TakenSite& t : next) t.reaction = reaction;
    result.configuration.insert(result.configuration.end(), next.begin(), next.end());
  }
  std::stable_sort(result.configuration.begin(), result.configuration.end(),
                   [](const auto& a, const auto& b) {
                     return std::tie(a.reaction, a.term, a.site) < std::tie(b.reaction, b.term, b.site);
                   });
  return result;
}

}  // namespace solion
