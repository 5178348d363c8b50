// Means of both groups, and how often chance deals out hops that differ as much.
#include "solion/transport/ion_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "solion/base/errors.hpp"
#include "solion/base/random.hpp"

namespace solion::transport {
namespace {

struct Groups {
  std::size_t n[2] = {0, 0};  // staying, hopping
  double sum[2] = {0, 0};
  [[nodiscard]] double mean(int group) const { return sum[group] / static_cast<double>(n[group]); }
  [[nodiscard]] double difference() const { return mean(1) - mean(0); }
};

/// Values of each row, hops of the row of the ion that `owner` names.
Groups grouped(const std::vector<double>& values, const std::vector<IonRow>& rows,
               const std::vector<std::size_t>& owner) {
  Groups groups;
  const std::size_t n = owner.size();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (!std::isfinite(values[row])) continue;
    const bool hops = rows[row - row % n + owner[row % n]].hops;
    ++groups.n[hops ? 1 : 0];
    groups.sum[hops ? 1 : 0] += values[row];
  }
  return groups;
}

HopCorrelation judged(const std::string& name, const std::vector<double>& values,
                      const std::vector<IonRow>& rows, std::size_t n_ions, std::size_t permutations,
                      std::uint64_t seed) {
  std::vector<std::size_t> owner(n_ions);
  std::iota(owner.begin(), owner.end(), std::size_t{0});
  const Groups seen = grouped(values, rows, owner);
  HopCorrelation result{name,         seen.n[1],    seen.n[0],
                        seen.mean(1), seen.mean(0), std::numeric_limits<double>::quiet_NaN()};
  if (seen.n[0] == 0 || seen.n[1] == 0) return result;
  RandomStream random(seed, "ion table " + name);
  std::size_t as_large = 0;
  for (std::size_t p = 0; p < permutations; ++p) {
    for (std::size_t i = n_ions; i-- > 1;) std::swap(owner[i], owner[random.below(i + 1)]);
    const Groups dealt = grouped(values, rows, owner);
    // A deal that leaves one group without known values tells nothing against chance.
    if (!(std::abs(dealt.difference()) < std::abs(seen.difference()) * (1 - 1e-12))) ++as_large;
  }
  result.p_value = static_cast<double>(1 + as_large) / static_cast<double>(1 + permutations);
  return result;
}

}  // namespace

std::vector<HopCorrelation> correlate_with_hops(const std::vector<IonRow>& rows, std::size_t n_ions,
                                                std::size_t permutations, std::uint64_t seed) {
  if (n_ions == 0 || rows.empty() || rows.size() % n_ions != 0)
    throw InputError("ion table: {} rows for {} ions", rows.size(), n_ions);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows[row].ion != row % n_ions || rows[row].frame != rows[row - row % n_ions].frame)
      throw InputError("ion table: row {} is of ion {} in frame {}", row + 1, rows[row].ion, rows[row].frame);
  }
  struct Property {
    const char* name;
    double IonRow::*member;
  };
  std::vector<HopCorrelation> result;
  for (const Property& property :
       {Property{"energy_eV", &IonRow::energy_eV}, Property{"coordination", &IonRow::coordination},
        Property{"channel_A", &IonRow::channel_A}}) {
    std::vector<double> values(rows.size());
    std::transform(rows.begin(), rows.end(), values.begin(),
                   [&](const IonRow& r) { return r.*property.member; });
    result.push_back(judged(property.name, values, rows, n_ions, permutations, seed));
  }
  return result;
}

}  // namespace solion::transport
