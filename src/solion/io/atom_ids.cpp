// Sorting by id, and comparing with the first frame.
#include "solion/io/atom_ids.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>

#include "solion/io/reorder.hpp"

namespace solion::io {

std::optional<std::int64_t> AtomIds::repeated() const {
  if (std::is_sorted(ids_.begin(), ids_.end(), std::less_equal<>())) return std::nullopt;
  std::vector<std::int64_t> sorted = ids_;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  return twice == sorted.end() ? std::nullopt : std::optional(*twice);
}

std::vector<std::size_t> AtomIds::sort(Frame& frame) {
  if (std::is_sorted(ids_.begin(), ids_.end())) return {};
  std::vector<std::size_t> order(ids_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return ids_[a] < ids_[b]; });
  reorder_atoms(frame, order);
  reorder(ids_, order);
  return order;
}

void AtomIds::compare(Frame& frame) {
  if (first_.empty()) first_ = ids_;
  if (ids_.size() != first_.size() || ids_ == first_) return;
  std::vector<std::int64_t> gone, added;
  std::set_difference(first_.begin(), first_.end(), ids_.begin(), ids_.end(), std::back_inserter(gone));
  std::set_difference(ids_.begin(), ids_.end(), first_.begin(), first_.end(), std::back_inserter(added));
  frame.info["atom_ids_changed"] = fmt::format("id {} is gone, id {} is new", gone.front(), added.front());
}

}  // namespace solion::io
