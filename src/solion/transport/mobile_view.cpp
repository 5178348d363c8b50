// Chooses the atoms at the first frame, then shifts by the framework's mean.
#include "solion/transport/mobile_view.hpp"

#include <algorithm>

#include "solion/base/errors.hpp"

namespace solion::transport {

bool is_framework(const std::string& element, const std::string& mobile,
                  const std::vector<std::string>& framework) {
  if (framework.empty()) return element != mobile;
  return std::find(framework.begin(), framework.end(), element) != framework.end();
}

void check_framework(const Frame& frame, const std::string& where,
                     const std::vector<std::string>& framework) {
  for (const std::string& name : framework) {
    bool there = false;
    for (std::size_t i = 0; i < frame.n_atoms() && !there; ++i) there = frame.element(i) == name;
    if (!there)
      throw InputError("{}: no atom is of species '{}' (framework); found {}", where, name, frame.formula());
  }
}

void throw_without_framework(const Frame& frame, const std::string& where, const std::string& mobile) {
  throw InputError(
      "{}: no atom of the framework, whose drift is taken off; found {}. The framework may be '{}' itself: "
      "then the drift is the mean of all its atoms",
      where, frame.formula(), mobile);
}

void MobileView::add(const Frame& frame, const std::string& where) {
  if (!frame.cell) throw InputError("{}: no cell; ions in a crystal need one", where);
  const std::vector<Vec3>& s = unwrapper_.next(frame, where);
  if (n_frames_ == 0) {
    for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
      if (frame.element(i) == species_) ions_.push_back(i);
      if (is_framework(frame.element(i), species_, framework_)) fixed_.push_back(i);
    }
    if (ions_.empty())
      throw InputError("{}: no atom is of species '{}'; found {}", where, species_, frame.formula());
    check_framework(frame, where, framework_);
    if (fixed_.empty()) throw_without_framework(frame, where, species_);
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
