// Chooses the atoms at the first frame, shifts by the mean of the framework, and watches whether it is one.
#include "solion/transport/mobile_view.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"

namespace solion::transport {

namespace {

struct Centre {
  Vec3 mean = Vec3::Zero();  ///< fractional, unwrapped
  double atoms = 0;
};

/// The centres of the species that the chosen atoms are of.
std::map<std::string, Centre> centres_of(const Frame& frame, const std::vector<Vec3>& fractional,
                                         const std::vector<std::size_t>& chosen) {
  std::vector<Centre> of_types(static_cast<std::size_t>(frame.type_map.size()));
  for (const std::size_t i : chosen) {
    Centre& centre = of_types[static_cast<std::size_t>(frame.types[i])];
    centre.mean += fractional[i];
    centre.atoms += 1;
  }
  std::map<std::string, Centre> centres;
  for (std::size_t t = 0; t < of_types.size(); ++t) {
    if (!(of_types[t].atoms > 0)) continue;
    of_types[t].mean /= of_types[t].atoms;
    centres[frame.type_map.name(static_cast<int>(t))] = of_types[t];
  }
  return centres;
}

}  // namespace

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
  if (!warned_) watch_framework(frame, s, where);
  ++n_frames_;
}

void MobileView::watch_framework(const Frame& frame, const std::vector<Vec3>& s, const std::string& where) {
  // Vibration does not take the means of two species so far apart, nor one atom twice as far.
  constexpr double apart_A = 1;
  const std::map<std::string, Centre> now = centres_of(frame, s, fixed_);
  if (began_.size() != now.size()) {
    began_.clear();
    for (const auto& [species, centre] : now) began_[species] = centre.mean;
  }
  for (auto a = now.begin(); a != now.end(); ++a) {
    for (auto b = std::next(a); b != now.end(); ++b) {
      const Vec3 moved = a->second.mean - began_[a->first] - (b->second.mean - began_[b->first]);
      const double distance = (cell_.transpose() * moved).norm();
      const double few = 2 / std::sqrt(std::min(a->second.atoms, b->second.atoms));
      if (warned_ || !(distance > apart_A * std::max(1.0, few))) continue;
      warned_ = true;
      log().warn(
          "{}: {} and {} of the framework, whose mean displacement is taken off as drift, have moved "
          "{:.1f} Å apart: an ion that walks is no framework; name what stays where it is (framework)",
          where, a->first, b->first, distance);
    }
  }
}

}  // namespace solion::transport
