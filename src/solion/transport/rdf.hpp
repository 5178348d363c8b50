// Partial radial distribution functions and coordination numbers, frame by frame.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "solion/structure/neighborhood.hpp"
#include "solion/structure/pair_counts.hpp"

namespace solion::transport {

using ElementPair = std::pair<std::string, std::string>;

struct RdfOptions {
  std::vector<ElementPair> pairs;  ///< (a, b): b around a
  double r_max_A = 8;              ///< any length: images beyond half the cell are counted
  double bin_A = 0.02;
};

/// g(r) of b around a, and n(r), the mean number of b within r of an a.
struct RdfCurve {
  ElementPair pair;
  std::size_t n_frames = 0;
  std::vector<double> r_A;           ///< middle of each bin
  std::vector<double> g;             ///< 1 for an ideal gas
  std::vector<double> coordination;  ///< n at the outer edge of each bin
  /// First maximum above 1.2, and the deepest point between it and the next shell (below 0.9); NaN if there
  /// is none.
  double first_peak_A = std::numeric_limits<double>::quiet_NaN();
  double first_peak_g = std::numeric_limits<double>::quiet_NaN();
  double first_minimum_A = std::numeric_limits<double>::quiet_NaN();
  double first_coordination = std::numeric_limits<double>::quiet_NaN();  ///< n at the first minimum
};

/// "Li-O" → (Li, O); InputError for anything else.
ElementPair parse_pair(const std::string& text);

/// Any cell shape, changing cells (each frame counts with its own density). Section 5 of the theory page.
class RdfAccumulator {
 public:
  /// InputError for no pairs, r_max or bin that are not positive, fewer than 10 or more than a million bins,
  /// or r_max below 0.5 Å.
  explicit RdfAccumulator(RdfOptions options);

  /// Adds a frame; `where` stands in errors. InputError without a cell, or with a species that no atom has.
  void add(const Frame& frame, const std::string& where);
  /// Adds a frame whose pairs someone else has counted, in bins as these. InputError for a species that no
  /// atom has.
  void add(const PairCounts& counts, const std::string& where);
  [[nodiscard]] int n_bins() const { return static_cast<int>(sums_.front().count.size()); }
  [[nodiscard]] std::size_t n_frames() const { return n_frames_; }
  /// One curve a pair, in the order of the options. InputError if no frame was added.
  [[nodiscard]] std::vector<RdfCurve> curves() const;

  /// The next frame's neighbours are searched for anew, so that nothing of its counts, to the last bit of a
  /// distance, depends on the frames before.
  void forget_neighbors() { near_.clear(); }
  /// Everything but the options and the neighbour list.
  [[nodiscard]] std::string save() const;
  /// InputError if the bytes are not those of `save()`.
  void load(std::string_view bytes);
  template <class Archive, class Self>
  static void archive(Archive& a, Self& self) {
    a(self.n_frames_, self.sums_);
  }

 private:
  struct Sums {
    int a = 0, b = 0;           // types
    double density = 0;         // Σ_frames N_a·N_b/V
    double centres = 0;         // Σ_frames N_a
    std::vector<double> count;  // by bin
    template <class Archive, class Self>
    static void archive(Archive& a, Self& self) {
      a(self.a, self.b, self.density, self.centres, self.count);
    }
  };

  void add_composition(const TypeMap& types, const std::vector<std::int64_t>& atoms, double volume_A3,
                       const std::string& where);

  RdfOptions options_;
  std::size_t n_frames_ = 0;
  std::vector<Sums> sums_;
  Neighborhood near_;
};

}  // namespace solion::transport
