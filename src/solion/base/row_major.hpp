// The place of an element in a table that is stored row by row.
#pragma once

#include <cstddef>

namespace solion {

/// Index of element (row, column) of a table with `columns` columns; all non-negative. The product is formed
/// in 64 bits, so that tables of more than 2³¹ elements work.
constexpr std::size_t row_major(std::ptrdiff_t row, std::ptrdiff_t column, std::ptrdiff_t columns) {
  return static_cast<std::size_t>(row * columns + column);
}

}  // namespace solion
