// Deep Potential models on disk, in DeePMD-kit's portable formats `.dp` (HDF5) and `.yaml`.
#pragma once

#include <filesystem>

#include "solion/dp/model.hpp"

namespace solion::dp {

/// Reads a model that DeePMD-kit or this program wrote; the format goes by the suffix. Every option either
/// works or is refused by name. InputError "FILE: path/in/the/tree: problem" for files that are truncated,
/// foreign, incomplete, of wrong shapes, or of another kind of model.
Model read_model(const std::filesystem::path& path);

/// Writes a file that DeePMD-kit 3.0 and later opens and `read_model` reads back bit by bit (parameters of a
/// single-precision net are rounded to float). InputError if the model's parts do not fit together.
void write_model(const std::filesystem::path& path, const Model& model);

}  // namespace solion::dp
