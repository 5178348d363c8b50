// The ids of a frame's atoms: the order they give it, and whether they are those of the first frame.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion::io {

class AtomIds {
 public:
  /// The next frame begins.
  void clear() { ids_.clear(); }
  void add(std::int64_t id) { ids_.push_back(id); }
  /// An id that stands twice in the frame.
  [[nodiscard]] std::optional<std::int64_t> repeated() const;
  /// Sorts the atoms by id, none of which stands twice. Atom k was atom order[k]; empty if it already was so.
  std::vector<std::size_t> sort(Frame& frame);
  /// Where atoms take the places of others, sorting by id gives a frame of the right size in a wrong order.
  /// That is no fault of a set of structures, so that it is only noted, in info["atom_ids_changed"], for
  /// those who follow atoms. Call it for each frame, sorted.
  void compare(Frame& frame);

 private:
  std::vector<std::int64_t> ids_, first_;
};

}  // namespace solion::io
