// What all formats share: reading options, the streaming reader, and the checks every frame read goes
// through.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "solion/io/text.hpp"
#include "solion/structure/frame.hpp"

namespace solion::io {

/// Mean volume per atom (Å³) of a periodic frame that is taken for real. Below the smaller one no matter
/// under 1 TPa exists (diamond at ambient pressure 5.7, at 1 TPa about 3); the largest of an element is
/// caesium's 116, and porous frameworks reach 100. Å called nm or the reverse is a factor 1000, pm a million.
inline constexpr double least_volume_per_atom_A3 = 2.0;
inline constexpr double largest_volume_per_atom_A3 = 200.0;
/// Beyond this a coordinate or cell vector is an error in any unit (Å).
inline constexpr double largest_coordinate_A = 1e7;
/// A cell thinner than this has atoms nearer than any chemistry to their own images (Å).
inline constexpr double thinnest_cell_A = 0.1;

struct ReadOptions {
  /// Elements of the numeric types 1, 2, … (LAMMPS) or 0, 1, … (DeePMD) where the file names none.
  std::vector<std::string> type_names;
  /// The last resort where neither the file nor `type_names` tells: the type map of the model at hand.
  /// LAMMPS's formats warn that it was used.
  std::vector<std::string> fallback_names;
  /// LAMMPS data: "atomic", "charge" or "full" where the file's `Atoms # style` does not say.
  std::string atom_style;
  /// Accept any volume per atom (a molecule in a large box).
  bool accept_any_density = false;
  /// Accept any volume per atom above the least one.
  bool accept_sparse = false;
  /// Atoms closer than this are an error (Å); 0 switches the check off.
  double closest_A = 0.3;
};

/// One frame at a time out of a file of any length.
class FrameReader {
 public:
  FrameReader() = default;
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;
  FrameReader(FrameReader&&) = delete;
  FrameReader& operator=(FrameReader&&) = delete;
  virtual ~FrameReader() = default;
  /// The next frame, or false behind the last one. InputError with file, line, what was found and expected.
  /// All frames of one file number their types alike: a later frame's type map can only be longer.
  virtual bool next(Frame& frame) = 0;
  /// Byte of the file behind the frame read last (0 for formats of one frame or of several files).
  [[nodiscard]] virtual std::uint64_t offset() const { return 0; }
};

/// A cell from a file, with `where` in front of the message if it is singular or left-handed.
Cell make_cell(const Mat3& h, const std::string& where);

/// Type number of an element name, added to the map; InputError (through `lines`) if it is no element.
int type_of(TypeMap& map, std::string_view element, const LineReader& lines);

/// Everything a reader promises of a frame: `validate`, sane magnitudes, and a plausible volume per atom.
void check_frame(const Frame& frame, const std::string& where, const ReadOptions& options);

/// Throws unless that many lines can still follow; a count in a file is never trusted with memory.
void check_count(std::uint64_t count, std::uint64_t bytes_each, const LineReader& lines,
                 std::string_view what);
/// What may be reserved for a count that was not checked by reading.
std::size_t safe_reserve(std::uint64_t count);

}  // namespace solion::io
