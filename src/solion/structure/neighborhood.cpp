// Linked cells over local and ghost atoms. Theory: docs/theory/structure.md.
#include "solion/structure/neighborhood.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "solion/base/errors.hpp"

namespace solion {
namespace {

/// Adds the life time of an object to a sum.
class Stopwatch {
 public:
  explicit Stopwatch(double& sum) : sum_(sum) {}
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() { sum_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  double& sum_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Atoms sorted into a grid of boxes at least `width` wide, over the bounding box of the positions.
class Grid {
 public:
  Grid(const std::vector<Vec3>& positions, double width) {
    low_ = high_ = positions.front();
    for (const Vec3& r : positions) {
      low_ = low_.cwiseMin(r);
      high_ = high_.cwiseMax(r);
    }
    // At most about two boxes an atom, so that a sparse frame cannot ask for unbounded memory.
    const Vec3 extent = high_ - low_;
    double w = std::max(width, 1e-3);
    const double most = 2.0 * static_cast<double>(positions.size()) + 27.0;
    while ((extent[0] / w + 1) * (extent[1] / w + 1) * (extent[2] / w + 1) > most) w *= 1.26;
    for (int k = 0; k < 3; ++k) n_[k] = static_cast<int>(extent[k] / w) + 1;
    width_ = w;
    sort(positions);
  }

  template <typename F>
  void for_each_near(const Vec3& r, double reach, const F& visit) const {
    Int3 first, last;
    for (int k = 0; k < 3; ++k) {
      first[k] = std::clamp(static_cast<int>(std::floor((r[k] - reach - low_[k]) / width_)), 0, n_[k] - 1);
      last[k] = std::clamp(static_cast<int>(std::floor((r[k] + reach - low_[k]) / width_)), 0, n_[k] - 1);
    }
    for (int x = first[0]; x <= last[0]; ++x) {
      for (int y = first[1]; y <= last[1]; ++y) {
        // Boxes along z are neighbours in memory: one run of atoms.
        const std::size_t row =
            (static_cast<std::size_t>(x) * static_cast<std::size_t>(n_[1]) + static_cast<std::size_t>(y)) *
            static_cast<std::size_t>(n_[2]);
        const int begin = start_[row + static_cast<std::size_t>(first[2])];
        const int end = start_[row + static_cast<std::size_t>(last[2]) + 1];
        for (int a = begin; a < end; ++a) visit(atoms_[static_cast<std::size_t>(a)]);
      }
    }
  }

  /// The atoms box by box.
  [[nodiscard]] const std::vector<int>& atoms() const { return atoms_; }

 private:
  void sort(const std::vector<Vec3>& positions) {
    const auto box_of = [&](const Vec3& r) {
      std::size_t box = 0;
      for (int k = 0; k < 3; ++k) {
        const int c = std::clamp(static_cast<int>((r[k] - low_[k]) / width_), 0, n_[k] - 1);
        box = box * static_cast<std::size_t>(n_[k]) + static_cast<std::size_t>(c);
      }
      return box;
    };
    start_.assign(
        static_cast<std::size_t>(n_[0]) * static_cast<std::size_t>(n_[1]) * static_cast<std::size_t>(n_[2]) +
            1,
        0);
    for (const Vec3& r : positions) ++start_[box_of(r) + 1];
    for (std::size_t b = 1; b < start_.size(); ++b) start_[b] += start_[b - 1];
    atoms_.resize(positions.size());
    std::vector<int> next(start_.begin(), start_.end() - 1);
    for (std::size_t i = 0; i < positions.size(); ++i) {
      atoms_[static_cast<std::size_t>(next[box_of(positions[i])]++)] = static_cast<int>(i);
    }
  }

  Vec3 low_, high_;
  Int3 n_;
  double width_;
  std::vector<int> start_;
  std::vector<int> atoms_;
};

}  // namespace

NeighborView Neighborhood::view() const {
  return {.positions = positions_,
          // A local atom owns itself: the first owners are the numbers of the local atoms.
          .centres = {owner_.data(), static_cast<std::size_t>(n_local_)},
          .owner = owner_,
          .n_owners = n_local_,
          .cutoff = cutoff_,
          .generation = generation_,
          .source = this,
          .neighbors_of = [](const void* source, int centre) {
            return static_cast<const Neighborhood*>(source)->neighbors(centre);
          }};
}

void Neighborhood::build(const Frame& frame, double cutoff, double skin) {
  const Stopwatch watch(seconds_);
  build_now(frame, cutoff, skin);
}

void Neighborhood::build_now(const Frame& frame, double cutoff, double skin) {
  if (!(cutoff > 0) || !(skin >= 0))
    throw InputError("neighbour list: cutoff {} Å and skin {} Å", cutoff, skin);
  if (n_local_ > 0 && !first_) first_ = std::move(built_);
  cutoff_ = cutoff;
  ++generation_;
  n_local_ = static_cast<int>(frame.n_atoms());
  built_ = {frame.positions, frame.cell, cutoff};
  place_atoms(frame);
  if (frame.cell) make_ghosts(frame, cutoff + skin);
  search(cutoff + skin);
}

bool Neighborhood::update(const Frame& frame, double cutoff, Skin& skin) {
  const Stopwatch watch(seconds_);
  const double needed = needed_skin(built_, frame, cutoff);
  if (!skin.keeps(needed, first_ ? needed_skin(*first_, frame, cutoff) : needed)) {
    build_now(frame, cutoff, skin.value());
    return true;
  }
  cutoff_ = cutoff;
  refresh(frame);
  return false;
}

void Neighborhood::place_atoms(const Frame& frame) {
  const std::size_t n = frame.n_atoms();
  owner_.resize(n);
  shift_.resize(n);
  positions_.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    Vec3 r = frame.positions[i];
    if (!r.allFinite())
      throw WorkError("neighbour list: the position of atom {} is not a finite number", i + 1);
    Int3 image = Int3::Zero();
    if (frame.cell) frame.cell->wrap(r, image);
    owner_[i] = static_cast<int>(i);
    shift_[i] = -image;
    positions_[i] = r;
  }
}

void Neighborhood::make_ghosts(const Frame& frame, double reach) {
  const Cell& cell = *frame.cell;
  // An image n of an atom at fractional f can be within `reach` of the cell only where −m ≤ f + n ≤ 1 + m.
  const Vec3 m = reach * cell.widths().cwiseInverse();
  for (int i = 0; i < n_local_; ++i) {
    const auto local = static_cast<std::size_t>(i);
    const Vec3 wrapped = positions_[local];
    const Int3 home = shift_[local];
    const Vec3 f = cell.to_fractional(wrapped);
    Int3 low, high;
    for (int k = 0; k < 3; ++k) {
      low[k] = static_cast<int>(std::ceil(-m[k] - f[k]));
      high[k] = static_cast<int>(std::floor(1 + m[k] - f[k]));
    }
    for (int a = low[0]; a <= high[0]; ++a) {
      for (int b = low[1]; b <= high[1]; ++b) {
        for (int c = low[2]; c <= high[2]; ++c) {
          if (a == 0 && b == 0 && c == 0) continue;
          owner_.push_back(i);
          shift_.push_back(home + Int3(a, b, c));
          positions_.push_back(wrapped + cell.to_cartesian(Vec3(a, b, c)));
        }
      }
    }
  }
}

void Neighborhood::search(double reach) {
  offset_.assign(1, 0);
  index_.clear();
  if (n_local_ == 0) return;
  const Grid grid(positions_, reach / 2);
  const double reach2 = reach * reach;
  for (int i = 0; i < n_local_; ++i) {
    const Vec3& ri = positions_[static_cast<std::size_t>(i)];
    grid.for_each_near(ri, reach, [&](int j) {
      if (j != i && (positions_[static_cast<std::size_t>(j)] - ri).squaredNorm() < reach2)
        index_.push_back(j);
    });
    offset_.push_back(index_.size());
  }
}

void Neighborhood::refresh(const Frame& frame) {
  for (std::size_t a = 0; a < owner_.size(); ++a) {
    positions_[a] = frame.positions[static_cast<std::size_t>(owner_[a])];
    if (frame.cell) positions_[a] += frame.cell->to_cartesian(shift_[a].cast<double>());
  }
}

/// Of a list made from `origin`, to serve a frame; infinite where it is of other atoms.
double Neighborhood::needed_skin(const Origin& origin, const Frame& frame, double cutoff) {
  constexpr double never = std::numeric_limits<double>::infinity();
  if (frame.n_atoms() != origin.positions.size() || frame.n_atoms() == 0) return never;
  if (frame.cell.has_value() != origin.cell.has_value()) return never;
  const Deformation change = frame.cell ? deformation(*origin.cell, *frame.cell) : Deformation();
  double largest = 0;
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    const Vec3 r = change.back.transpose() * frame.positions[i];
    const double moved = (r - origin.positions[i]).squaredNorm();
    if (std::isnan(moved)) return never;  // building refuses it by name
    largest = std::max(largest, moved);
  }
  return change.needed_reach(cutoff, std::sqrt(largest)) - origin.cutoff;
}

void Neighborhood::clear() {
  n_local_ = 0;
  built_.positions.clear();
  first_.reset();
}

Deformation deformation(const Cell& built, const Cell& now) {
  // Displacements are measured in the built cell's metric: r' = r·h⁻¹·h_built + u. A pair that was farther
  // than cutoff + skin is still farther than (cutoff + skin)·s − 2·max|u|·s, s the smallest stretch of the
  // cell.
  Deformation change;
  const Mat3 deformed = built.matrix().inverse() * now.matrix();
  change.back = deformed.inverse();
  const double largest_shrink = std::sqrt((change.back * change.back.transpose()).trace());
  const double excess = (change.back - Mat3::Identity()).norm();
  change.stretch = excess < 1e-14 ? 1.0 : 1.0 / std::min(1.0 + excess, largest_shrink);
  return change;
}

std::vector<int> spatial_order(const std::vector<Vec3>& positions, double width) {
  if (positions.empty()) return {};
  return Grid(positions, width).atoms();
}

}  // namespace solion
