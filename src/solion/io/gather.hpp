// Frames of several files or compositions together: one numbering of the types, one DeePMD system a
// composition.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion::io {

/// Numbers the types of `frame` by `map`, which grows by the frame's new elements. Frames of several files in
/// one dump need that: a number means the same element in all of them.
void share_type_map(TypeMap& map, Frame& frame);

/// Writes one system a composition: into `folder` itself if there is only one, else into folders of it named
/// by the formulas. All have one type map, which lists every element of the frames. Where the atoms of a
/// composition do not stand in the same order in all frames, they are sorted by type, with a warning. Others
/// name systems of `folder` from before that are replaced or stay beside the new ones. InputError, before
/// anything is written, if `folder` is one system and must hold several, or if one of them cannot be written.
void write_deepmd_systems(const std::filesystem::path& folder, std::vector<Frame> frames);

/// Writes frames by the name of the output: the systems of `write_deepmd_systems`, or one file.
void write_frames_or_systems(const std::filesystem::path& path, std::vector<Frame> frames);

/// Arrays of a system that frames have no place for ("fparam", "spin"), sorted.
std::vector<std::string> arrays_beside_frames(const std::filesystem::path& folder);

}  // namespace solion::io
