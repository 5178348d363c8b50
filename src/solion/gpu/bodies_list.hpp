// Kernel bodies of the neighbour list: periodic cells of any shape and size, many of them side by side.
// Theory: docs/theory/gpu.md, section 2.
#pragma once

#include <cmath>

#include "solion/gpu/block.hpp"

namespace solion::gpu {

/// A periodic cell, its share of the bins and whether its list is to be made anew.
struct Box {
  double h[9];        ///< rows a, b, c (Å)
  double inverse[9];  ///< f = r·inverse
  int bins[3];        ///< along a, b, c; stay as long as the atoms do
  int reach[3];       ///< so many bins hold all neighbours, on either side
  int first_bin;
  int rebuild;
};

/// An atom as the loops over pairs see it: 32 bytes, one sector of memory.
struct alignas(32) Site {
  double x, y, z;  ///< inside the cell when the list was made
  int type, box;
};

/// Where every neighbour comes from: r_ij = site(j) − site(i) + n·h.
struct ListView {
  const Site* sites;
  const Box* boxes;
  const int* neighbors;  ///< [atom·capacity + k]
  const int* shifts;     ///< n, packed
  const int* counts;     ///< [atom]
  const int* reverse;    ///< the number k' of the pair that leads back, in the neighbour's row
  int capacity;
};

constexpr int largest_shift = 511;
SOLION_BOTH inline int pack_shift(int a, int b, int c) {
  return (a + 512) << 20 | (b + 512) << 10 | (c + 512);
}
SOLION_BOTH inline int opposite_shift(int packed) { return 2 * pack_shift(0, 0, 0) - packed; }
/// n·h, exactly opposite for opposite n.
SOLION_BOTH inline void shift_vector(int packed, const double* h, double* out) {
  const double a = (packed >> 20) - 512, b = ((packed >> 10) & 1023) - 512, c = (packed & 1023) - 512;
  for (int k = 0; k < 3; ++k) out[k] = a * h[k] + b * h[3 + k] + c * h[6 + k];
}

/// Moves atoms into the loops' places; in a box that is to be rebuilt it chooses their images and bins. Every
/// atom is counted in its bin while any box is rebuilt.
struct PlaceAtoms {
  const Box* boxes;
  const double* positions;  ///< [3·atom], not wrapped
  const int* types;
  const int* box_of;
  int* images;    ///< [3·atom]: place = position − images·h
  double* built;  ///< positions when the list was made
  int* bin_of;
  int* bin_count;
  Site* sites;
  int building;

  SOLION_BOTH void operator()(std::int64_t i) const {
    const Box& box = boxes[box_of[i]];
    const double* r = positions + 3 * i;
    int* image = images + 3 * i;
    if (box.rebuild != 0) {
      int bin = 0;
      for (int k = 0; k < 3; ++k) {
        const double f = r[0] * box.inverse[k] + r[1] * box.inverse[3 + k] + r[2] * box.inverse[6 + k];
        const double whole = std::floor(f);
        // Wild numbers go anywhere: their run has ended, but the others go on.
        image[k] = std::abs(whole) < 1e9 ? static_cast<int>(whole) : 0;
        const double place = (f - whole) * box.bins[k];
        const int b = place > 0 ? (place < box.bins[k] ? static_cast<int>(place) : box.bins[k] - 1) : 0;
        bin = bin * box.bins[k] + b;
        built[3 * i + k] = r[k];
      }
      bin_of[i] = box.first_bin + bin;
    }
    if (building != 0) add(bin_count + bin_of[i], 1);
    const double a = image[0], b = image[1], c = image[2];
    Site site{};
    site.x = r[0] - (a * box.h[0] + b * box.h[3] + c * box.h[6]);
    site.y = r[1] - (a * box.h[1] + b * box.h[4] + c * box.h[7]);
    site.z = r[2] - (a * box.h[2] + b * box.h[5] + c * box.h[8]);
    site.type = types[i];
    site.box = box_of[i];
    sites[i] = site;
  }
};

/// start[b] = Σ count[b' < b], start[n] the total: one block, every thread a part.
struct ScanBins {
  static constexpr bool blocks = true;
  static constexpr int parts = 1024;
  const int* count;
  int* start;
  int n;
  [[nodiscard]] static std::size_t scratch() { return parts * sizeof(int); }

  template <typename Block>
  SOLION_BOTH void operator()(Block& block, std::int64_t /*i*/) const {
    int* sums = reinterpret_cast<int*>(block.memory);
    const int width = (n + parts - 1) / parts;
    const auto end_of = [&](int p) { return (p + 1) * width < n ? (p + 1) * width : n; };
    block.for_each(parts, [&](int p) {
      int sum = 0;
      for (int b = p * width; b < end_of(p); ++b) sum += count[b];
      sums[p] = sum;
    });
    block.for_each(1, [&](int /*only*/) {
      int before = 0;
      for (int p = 0; p < parts; ++p) {
        const int here = sums[p];
        sums[p] = before;
        before += here;
      }
      start[n] = before;
    });
    block.for_each(parts, [&](int p) {
      int before = sums[p];
      for (int b = p * width; b < end_of(p); ++b) {
        start[b] = before;
        before += count[b];
      }
    });
  }
};

/// Deals the atoms out to their bins, in no particular order.
struct FillBins {
  const int* bin_of;
  const int* start;
  int* filled;  ///< zeros before
  int* members;
  SOLION_BOTH void operator()(std::int64_t i) const {
    const int bin = bin_of[i];
    members[start[bin] + add(filled + bin, 1)] = static_cast<int>(i);
  }
};

/// The atoms of a bin by their numbers, so that lists and sums have one order.
struct OrderBin {
  const int* start;
  int* members;
  SOLION_BOTH void operator()(std::int64_t bin) const {
    for (int k = start[bin] + 1; k < start[bin + 1]; ++k) {
      const int atom = members[k];
      int at = k;
      for (; at > start[bin] && members[at - 1] > atom; --at) members[at] = members[at - 1];
      members[at] = atom;
    }
  }
};

/// Atoms in their bins, ready to be searched.
struct BinView {
  const Box* boxes;
  const Site* sites;
  const int* bin_of;
  const int* start;
  const int* members;

  /// visit(j, image, r²) for every atom or image j ≠ i in the bins within the box's reach of i; `image` is a
  /// packed shift.
  template <typename Visit>
  SOLION_BOTH void near(std::int64_t i, const Visit& visit) const {
    const Site site = sites[i];
    const Box& box = boxes[site.box];
    int bin = bin_of[i] - box.first_bin;
    const int c0 = bin % box.bins[2];
    bin /= box.bins[2];
    const int b0 = bin % box.bins[1], a0 = bin / box.bins[1];
    for (int a = a0 - box.reach[0]; a <= a0 + box.reach[0]; ++a) {
      for (int b = b0 - box.reach[1]; b <= b0 + box.reach[1]; ++b) {
        for (int c = c0 - box.reach[2]; c <= c0 + box.reach[2]; ++c) search(i, site, box, a, b, c, visit);
      }
    }
  }

 private:
  static SOLION_BOTH int cells_over(int b, int bins) { return b >= 0 ? b / bins : -((bins - 1 - b) / bins); }

  template <typename Visit>
  SOLION_BOTH void search(std::int64_t i, const Site& site, const Box& box, int a, int b, int c,
                          const Visit& visit) const {
    const int na = cells_over(a, box.bins[0]), nb = cells_over(b, box.bins[1]),
              nc = cells_over(c, box.bins[2]);
    const int bin = box.first_bin +
                    ((a - na * box.bins[0]) * box.bins[1] + b - nb * box.bins[1]) * box.bins[2] + c -
                    nc * box.bins[2];
    const int packed = pack_shift(na, nb, nc);
    double shift[3];
    shift_vector(packed, box.h, shift);
    for (int k = start[bin]; k < start[bin + 1]; ++k) {
      const int j = members[k];
      if (j == i && packed == pack_shift(0, 0, 0)) continue;
      const Site& other = sites[j];
      const double x = other.x - site.x + shift[0], y = other.y - site.y + shift[1],
                   z = other.z - site.z + shift[2];
      visit(j, packed, x * x + y * y + z * z);
    }
  }
};

/// The list of one atom. Counts beyond the capacity, so that the host knows how much is needed.
struct FindNeighbors {
  BinView bins;
  double reach2;  ///< (cutoff + skin)², Å²
  int capacity;
  int* neighbors;
  int* shifts;
  int* counts;
  int* most;

  SOLION_BOTH void operator()(std::int64_t i) const {
    if (bins.boxes[bins.sites[i].box].rebuild == 0) return;
    int n = 0;
    bins.near(i, [&](int j, int image, double r2) {
      if (!(r2 < reach2)) return;
      if (n < capacity) {
        neighbors[i * capacity + n] = j;
        shifts[i * capacity + n] = image;
      }
      ++n;
    });
    counts[i] = n;
    raise(most, n);
    if (n <= capacity) order_row(i * capacity, n);
  }

 private:
  /// By neighbour, then by image: sums do not depend on the bins that the atoms were found in.
  SOLION_BOTH void order_row(std::int64_t row, int n) const {
    int *atom = neighbors + row, *shift = shifts + row;
    for (int k = 1; k < n; ++k) {
      const int a = atom[k], s = shift[k];
      int at = k;
      for (; at > 0 && (atom[at - 1] > a || (atom[at - 1] == a && shift[at - 1] > s)); --at) {
        atom[at] = atom[at - 1];
        shift[at] = shift[at - 1];
      }
      atom[at] = a;
      shift[at] = s;
    }
  }
};

/// For the pair i → j its way back j → i, whose gradient is the force on i. One item a place in the list.
struct FindReverse {
  ListView list;
  int* reverse;
  int* missing;  ///< how many have none: 0, unless the list is wrong
  SOLION_BOTH void operator()(std::int64_t place) const {
    const std::int64_t i = place / list.capacity;
    const int k = static_cast<int>(place % list.capacity);
    if (k >= list.counts[i] || list.boxes[list.sites[i].box].rebuild == 0) return;
    const int j = list.neighbors[place], back = opposite_shift(list.shifts[place]);
    const std::int64_t row = static_cast<std::int64_t>(j) * list.capacity;
    for (int m = 0; m < list.counts[j]; ++m) {
      if (list.neighbors[row + m] != i || list.shifts[row + m] != back) continue;
      reverse[place] = m;
      return;
    }
    reverse[place] = 0;
    add(missing, 1);
  }
};

/// Rows of another length: a list that needs more room keeps what it has.
struct WidenRows {
  const int* from;
  int* to;
  int old_capacity, new_capacity;
  SOLION_BOTH void operator()(std::int64_t place) const {
    const std::int64_t i = place / old_capacity;
    to[i * new_capacity + place % old_capacity] = from[place];
  }
};

}  // namespace solion::gpu
