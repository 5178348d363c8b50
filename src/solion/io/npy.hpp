// NumPy's .npy files of floating-point numbers, as DeePMD systems hold them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace solion::io {

struct NpyArray {
  std::vector<std::size_t> shape;
  std::vector<double> data;  ///< C order
};

/// Parses format versions 1 to 3, dtypes <f4, <f8, <i4 and <i8 in C order; InputError naming `name` for
/// big-endian or Fortran-ordered arrays, other dtypes, truncated or foreign bytes.
NpyArray parse_npy(std::string_view bytes, const std::string& name);
NpyArray read_npy(const std::filesystem::path& path);

/// Writes format version 1.0, <f8, C order, atomically. The product of `shape` is the size of `data`.
void write_npy(const std::filesystem::path& path, const std::vector<std::size_t>& shape,
               std::span<const double> data);

}  // namespace solion::io
