// Any potential from what the user typed: an analytic model's file or a trained one's.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "solion/potential/committee.hpp"

namespace solion {

struct OpenOptions {
  // Of a Deep Potential:
  /// "double"; "single" with sums in double, for molecular dynamics; "reference", exact and slow
  /// (dp/deep_potential.hpp).
  std::string precision = "double";
  /// Of its neighbour list; nothing: 1 Å, tuned by molecular dynamics on the processor.
  std::optional<double> skin_A = std::nullopt;
  /// "cpu", or where a device's kernels run (gpu::open_device): "gpu" and more.
  std::string device = "cpu";
  /// Of rigid ions: a cell with a net charge gets a uniform background (single charged defects).
  bool charged_cells = false;
};

/// Opens a potential by the suffix of the file `spec`:
///   .toml                    analytic, by its `kind` (potential/from_toml.hpp)
///   .dp .hdf5 .yaml .yml     Deep Potential (dp/model_file.hpp)
/// or a reference code (reference/code_potential.hpp): its name (gpaw, cp2k, …) with its built-in template,
/// or the settings file of `solion label` with the key `code`. InputError with one message: another suffix
/// (naming these), a missing file, an unknown precision or device, or what the file's reader found.
std::unique_ptr<Potential> open_potential(const std::string& spec, const OpenOptions& options = {});

/// All of these, as members of one committee; InputError as above, or for fewer than two.
Committee open_committee(const std::vector<std::filesystem::path>& models, const OpenOptions& options = {});

/// What a restart file keeps of a potential: the SHA-256 of its file, or its name; and its precision where it
/// is not double.
std::string potential_identity(const std::string& spec, const std::string& precision);

}  // namespace solion
