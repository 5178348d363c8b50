// Any potential from what the user typed: an analytic model's file or a trained one's.
#pragma once

#include <memory>
#include <string>

#include "solion/potential/potential.hpp"

namespace solion {

/// Opens a potential by the suffix of the file `spec`:
///   .toml                    analytic, by its `kind` (potential/from_toml.hpp)
///   .dp .hdf5 .yaml .yml     Deep Potential (dp/model_file.hpp)
/// InputError with one message: another suffix (naming these), a missing file, or what the file's reader
/// found.
std::unique_ptr<Potential> open_potential(const std::string& spec);

}  // namespace solion
