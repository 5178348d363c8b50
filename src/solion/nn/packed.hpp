// A matrix that never changes, laid out once for fast products with few rows: the weights of inference.
#pragma once

#include <cstddef>

#include "solion/base/aligned.hpp"

namespace solion::nn {

/// W (n_in, n_out) in panels of `panel_columns` columns, each panel with its rows one after the other, so
/// that a product reads it from front to back. The instruction set is chosen when the program runs.
template <typename T>
class PackedMatrix {
 public:
  /// Rows of x and y are worked on in groups of so many.
  static constexpr std::ptrdiff_t row_group = 8;
  /// Columns are padded to whole vectors of 64 bytes.
  static constexpr std::ptrdiff_t lanes = 64 / static_cast<std::ptrdiff_t>(sizeof(T));
  static constexpr std::ptrdiff_t panel_columns = 3 * lanes;
  static constexpr std::ptrdiff_t padded_rows(std::ptrdiff_t m) {
    return (m + row_group - 1) / row_group * row_group;
  }
  static constexpr std::ptrdiff_t padded_columns(std::ptrdiff_t n) { return (n + lanes - 1) / lanes * lanes; }

  PackedMatrix() = default;
  /// From row-major w with rows `ldw` apart, or its transpose (then w is (n_out, n_in)).
  PackedMatrix(const T* w, std::ptrdiff_t n_in, std::ptrdiff_t n_out, std::ptrdiff_t ldw, bool transposed);

  [[nodiscard]] std::ptrdiff_t n_in() const { return n_in_; }
  [[nodiscard]] std::ptrdiff_t n_out() const { return n_out_; }

  /// y(m, n_out) = x(m, n_in)·W + bias; `bias` (padded_columns(n_out)) may be null. Works on padded_rows(m)
  /// rows of x and y and on padded_columns(n_out) columns of y (ldy is at least that); what it writes there
  /// beyond m and n_out has no meaning.
  void multiply(std::ptrdiff_t m, const T* x, std::ptrdiff_t ldx, const T* bias, T* y,
                std::ptrdiff_t ldy) const;

 private:
  std::ptrdiff_t n_in_ = 0;
  std::ptrdiff_t n_out_ = 0;
  AlignedVector<T> panels_;
};

/// x = tanh x for n numbers; absolute error below 4e-16 (double) and 3e-7 (float), and |tanh| never above 1.
void tanh_in_place(float* x, std::ptrdiff_t n);
void tanh_in_place(double* x, std::ptrdiff_t n);

}  // namespace solion::nn
