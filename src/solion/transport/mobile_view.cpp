// Chooses the atoms at the first frame, then shifts by the framework's mean.
#include "solion/transport/mobile_view.hpp"

#include <algorithm>

#include "solion/base/errors.hpp"

namespace solion::transport {

void MobileView::add(const Frame& frame, const std::string& where) {
  if (!frame.cell) throw InputError("{}: no cell; ions in a crystal need one", where);
  const std::vector<Vec3>& s = unwrapper_.next(frame, where);
  if (n_frames_ == 0) {
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      const std::string& element = frame.element(i);
      if (element == species_) {
        ions_.push_back(i);
      } else if (framework_.empty() ||
                 std::find(framework_.begin(), framework_.end(), element) != framework_.end()) {
        fixed_.push_back(i);
      }
    }
    if (ions_.empty())
      throw InputError("{}: no atom is of species '{}'; found {}", where, species_, frame.formula());
    if (fixed_.empty()) throw InputError("{}: no atom of the framework; found {}", where, frame.formula());
  }
  Vec3 mean = Vec3::Zero();
  for (const std::size_t i : fixed_) mean += s[i] / static_cast<double>(fixed_.size());
  if (n_frames_ == 0) origin_ = mean;
  fractional_.resize(ions_.size());
  for (std::size_t k = 0; k < ions_.size(); ++k) fractional_[k] = s[ions_[k]] - (mean - origin_);
  cell_ = frame.cell->matrix();
  ++n_frames_;
}

}  // namespace solion::transport
