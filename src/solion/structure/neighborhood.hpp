// The exact neighbour list of a frame in linear time, with ghost atoms for the periodic images.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "solion/structure/frame.hpp"
#include "solion/structure/skin.hpp"

namespace solion {

/// The neighbours that an evaluation works on, whoever found them: a Neighborhood or a simulator that owns
/// atoms, ghosts and list. Refers to arrays that must outlive it.
struct NeighborView {
  std::span<const Vec3> positions;  ///< of all atoms, ghosts too, Å
  std::span<const int> centres;     ///< the atoms whose energies are wanted
  std::span<const int> owner;       ///< [atom]: who gets the force on it; ghosts may own themselves
  int n_owners = 0;                 ///< owners are 0…n_owners−1
  double cutoff = 0;                ///< every pair (centre, any atom) closer than this is in the list, Å
  std::uint64_t generation = 0;     ///< stays as long as the centres do
  const void* source = nullptr;
  /// The neighbours of a centre; what it refers to holds until the next call.
  std::span<const int> (*neighbors_of)(const void* source, int centre) = nullptr;

  [[nodiscard]] std::span<const int> neighbors(int centre) const { return neighbors_of(source, centre); }
  [[nodiscard]] const Vec3& position(int atom) const { return positions[static_cast<std::size_t>(atom)]; }
};

/// Local atoms 0…n_local−1 are the atoms of the frame, wrapped into the cell; ghost atoms n_local…n_total−1
/// are their periodic images within reach of the cell. A pair (i, j) of the full list has i local and j any
/// of them,
///     r_ij = position(j) − position(i),  |r_ij| < cutoff + skin when built,
/// so that no periodic arithmetic is left in a pair loop; a force on a ghost belongs to `owner(j)`. Works for
/// triclinic cells, cells smaller than the cutoff (several images of one atom) and frames without a cell.
class Neighborhood {
 public:
  /// Builds list and ghosts from scratch. `cutoff` and `skin` in Å.
  void build(const Frame& frame, double cutoff, double skin);
  /// Moves local and ghost atoms to the frame's present positions and cell without a new search; rebuilds
  /// only when the list could have become incomplete (displacement, strain and growth of the cutoff beyond
  /// the skin, other atoms, other periodicity). Returns true if it rebuilt.
  bool update(const Frame& frame, double cutoff, Skin& skin);
  /// The same with a skin that stays.
  bool update(const Frame& frame, double cutoff, double skin) {
    Skin given(skin);
    return update(frame, cutoff, given);
  }
  /// Forgets the frame, so that the next update builds; keeps the memory and the clock.
  void clear();
  /// How often it was built: as long as this stays, so do the pairs.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  /// Wall time of all builds and updates so far, s.
  [[nodiscard]] double seconds() const { return seconds_; }

  [[nodiscard]] int n_local() const { return n_local_; }
  [[nodiscard]] int n_total() const { return static_cast<int>(owner_.size()); }
  /// All pairs closer than this are in the list, Å.
  [[nodiscard]] double cutoff() const { return cutoff_; }
  [[nodiscard]] const Vec3& position(int atom) const { return positions_[static_cast<std::size_t>(atom)]; }
  [[nodiscard]] const std::vector<Vec3>& positions() const { return positions_; }
  /// The local atom that `atom` is an image of (itself for a local atom).
  [[nodiscard]] int owner(int atom) const { return owner_[static_cast<std::size_t>(atom)]; }
  [[nodiscard]] const std::vector<int>& owners() const { return owner_; }
  /// position(atom) = frame position of owner + shift·h.
  [[nodiscard]] const Int3& shift(int atom) const { return shift_[static_cast<std::size_t>(atom)]; }
  [[nodiscard]] std::span<const int> neighbors(int local) const {
    const auto i = static_cast<std::size_t>(local);
    return {index_.data() + offset_[i], index_.data() + offset_[i + 1]};
  }
  [[nodiscard]] std::size_t n_pairs() const { return index_.size(); }
  /// For an evaluation; holds until the next build or update.
  [[nodiscard]] NeighborView view() const;

 private:
  void build_now(const Frame& frame, double cutoff, double skin);
  void place_atoms(const Frame& frame);
  void make_ghosts(const Frame& frame, double reach);
  void search(double reach);
  void refresh(const Frame& frame);
  /// What a list was made from.
  struct Origin {
    std::vector<Vec3> positions;
    std::optional<Cell> cell;
    double cutoff = 0;
  };
  static double needed_skin(const Origin& origin, const Frame& frame, double cutoff);

  int n_local_ = 0;
  double cutoff_ = 0;
  double seconds_ = 0;
  std::uint64_t generation_ = 0;
  std::vector<int> owner_;
  std::vector<Int3> shift_;
  std::vector<Vec3> positions_;
  std::vector<std::size_t> offset_;
  std::vector<int> index_;
  Origin built_;
  std::optional<Origin> first_;  ///< of the first list since `clear`, where built_ is of a later one
};

/// How a list made in one cell serves another: a point r of `now` was at r·back in `built`, and no distance
/// has shrunk below `stretch` times what it was.
struct Deformation {
  Mat3 back = Mat3::Identity();
  double stretch = 1.0;
  /// How far a list must have reached to have every pair within the cutoff, after no atom has moved farther
  /// than `largest_move` (Å, in the built cell).
  [[nodiscard]] double needed_reach(double cutoff, double largest_move) const {
    return cutoff / stretch + 2 * largest_move;
  }
};
Deformation deformation(const Cell& built, const Cell& now);

/// The numbers of the positions, near ones close to each other: box by box of at least `width` Å.
std::vector<int> spatial_order(const std::vector<Vec3>& positions, double width);

}  // namespace solion
