// Pairs of neighbouring sites of a crystal, with all images of a small cell.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion::transport {

struct SiteEdge {
  Vec3 from, to;  ///< fractional, `to` in the image next to `from`
  std::size_t sites[2];
  double length_A = 0;
};

/// Fractional coordinates of the atoms of a species in a crystal. `who` begins the message of an InputError:
/// no cell, or no such atom.
std::vector<Vec3> sites_of(const Frame& crystal, const std::string& species, const std::string& who);

/// A cell whose edges differ from those of the sites' cell by less is the same one, warm or strained.
inline constexpr double largest_strain = 0.15;
/// InputError (begun by `where`) for a frame whose cell `h` is no such one: another supercell, crystal or
/// choice of axes, where fractional coordinates mean something else. Its orientation does not matter.
void check_cell(const Cell& of_sites, const Mat3& h, const std::string& where);

/// Each pair once that is no farther apart than `share` times the least distance; two sites of a small cell
/// may have several edges, and a site one with its own image. InputError (begun by `who`) for a share
/// below 1.
std::vector<SiteEdge> site_edges(const std::vector<Vec3>& sites, const Cell& cell, double share,
                                 const std::string& who);

}  // namespace solion::transport
