// The periodic graph of sites: closed walks that end in another cell.
#include "solion/defects/hop_network.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "solion/base/errors.hpp"

namespace solion::defects {
namespace {

/// A step from one site of the cell to another one, `image` cells away.
struct Step {
  std::size_t from = 0, to = 0;
  Int3 image;
  double length_A = 0;
};

std::vector<Vec3> sites_of(const Frame& crystal, const std::string& species) {
  std::vector<Vec3> sites;
  for (std::size_t i = 0; i < crystal.n_atoms(); ++i)
    if (crystal.element(i) == species) sites.push_back(crystal.positions[i]);
  if (!crystal.cell || sites.empty()) throw InputError("hops: the crystal has no {} sites", species);
  return sites;
}

std::vector<Step> steps_within(const Frame& crystal, const std::vector<Vec3>& sites, double within_A) {
  const Mat3& h = crystal.cell->matrix();
  Int3 reach;
  for (int k = 0; k < 3; ++k) {
    const Vec3 across = h.row((k + 1) % 3).cross(h.row((k + 2) % 3)).transpose();
    // Positions may lie outside the cell.
    double spread = 0;
    for (const Vec3& r : sites) spread = std::max(spread, std::abs(crystal.cell->to_fractional(r)[k]));
    reach[k] = static_cast<int>(std::ceil(within_A * across.norm() / crystal.cell->volume() + 2 * spread));
  }
  std::vector<Step> steps;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    for (std::size_t j = 0; j < sites.size(); ++j) {
      for (int a = -reach[0]; a <= reach[0]; ++a) {
        for (int b = -reach[1]; b <= reach[1]; ++b) {
          for (int c = -reach[2]; c <= reach[2]; ++c) {
            const double d = (sites[j] + crystal.cell->to_cartesian(Vec3(a, b, c)) - sites[i]).norm();
            if (d > 1e-6 && d <= within_A) steps.push_back({i, j, Int3(a, b, c), d});
          }
        }
      }
    }
  }
  return steps;
}

/// Largest rank of the cells that closed walks of steps up to `within_A` end in.
int dimensions(std::size_t n_sites, const std::vector<Step>& steps, double within_A) {
  std::vector<std::optional<Int3>> at(n_sites);
  int most = 0;
  for (std::size_t start = 0; start < n_sites; ++start) {
    if (at[start]) continue;
    at[start] = Int3::Zero();
    std::vector<std::size_t> open{start};
    Eigen::MatrixXd ends = Eigen::MatrixXd::Zero(3, 3);
    int rank = 0;
    while (!open.empty()) {
      const std::size_t i = open.back();
      open.pop_back();
      for (const Step& step : steps) {
        if (step.from != i || step.length_A > within_A) continue;
        const Int3 there = *at[i] + step.image;
        if (!at[step.to]) {
          at[step.to] = there;
          open.push_back(step.to);
        } else if (rank < 3 && there != *at[step.to]) {
          ends.col(rank) = (there - *at[step.to]).cast<double>();
          rank = static_cast<int>(Eigen::FullPivLU<Eigen::MatrixXd>(ends.leftCols(rank + 1)).rank());
        }
      }
    }
    most = std::max(most, rank);
  }
  return most;
}

}  // namespace

int hop_dimensions(const Frame& crystal, const std::string& species, double within_A) {
  const std::vector<Vec3> sites = sites_of(crystal, species);
  return dimensions(sites.size(), steps_within(crystal, sites, within_A), within_A);
}

double within_for_three_A(const Frame& crystal, const std::string& species) {
  const std::vector<Vec3> sites = sites_of(crystal, species);
  // The images of one site are three-dimensional by themselves.
  const double enough = crystal.cell->matrix().rowwise().norm().maxCoeff() * (1 + 1e-9);
  const std::vector<Step> steps = steps_within(crystal, sites, enough);
  std::vector<double> lengths;
  for (const Step& step : steps) lengths.push_back(std::ceil(step.length_A * 100 - 1e-6) / 100);
  std::sort(lengths.begin(), lengths.end());
  lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
  const auto found = std::partition_point(lengths.begin(), lengths.end(), [&](double within) {
    return dimensions(sites.size(), steps, within) < 3;
  });
  return found == lengths.end() ? enough : *found;
}

}  // namespace solion::defects
