// DeePMD-kit's npy systems: a folder with type.raw, type_map.raw and
// set.*/{coord,box,energy,force,virial,atom_ener}.npy.
#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "solion/io/frames.hpp"

namespace solion::io {

/// True if the folder holds a `type.raw`.
bool is_deepmd_system(const std::filesystem::path& folder);

/// Reads all sets in the order of their names. Units as in the files: Å, eV, eV/Å, virial eV (W = −∂E/∂ε).
/// The type map is type_map.raw, or `options.type_names` (or `fallback_names`) where there is none. A `nopbc`
/// file means no cell. Without sets, the text files of dpdata's deepmd/raw are read (coord.raw, box.raw …).
/// Frames of a system of mixed type (real_atom_types.npy) have atoms of their own. InputError for arrays of
/// different length (naming the file), and what check_frame refuses.
std::unique_ptr<FrameReader> read_deepmd(const std::filesystem::path& folder, const ReadOptions& options);

/// Writes a new system of float64 sets set.000, set.001, … with at most `frames_per_set` frames each. All
/// frames must have the same elements in the same order, and the same labels; a label is written if the
/// frames have it. The folder is written aside and renamed; a DeePMD system or an empty folder at that place
/// is replaced, anything else refused (require_replaceable).
void write_deepmd(const std::filesystem::path& folder, std::span<const Frame> frames,
                  std::size_t frames_per_set = 2000);

/// InputError if `write_deepmd` would not replace what is at that place: something else than a system, or one
/// with entries that are not written here (nested systems, an input.json, further arrays, sets of mixed
/// type), which would be lost.
void require_replaceable(const std::filesystem::path& folder);

/// InputError if `write_deepmd` would refuse these frames or this place; nothing is written.
void require_deepmd(const std::filesystem::path& folder, std::span<const Frame> frames);

/// Adds one set behind those of an existing system (or makes the system). The frames must fit its types.
void append_deepmd_set(const std::filesystem::path& folder, std::span<const Frame> frames);

}  // namespace solion::io
