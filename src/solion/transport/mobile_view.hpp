// The ions of one species as the framework sees them: unwrapped, drift taken off.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "solion/structure/frame.hpp"
#include "solion/transport/unwrap.hpp"

namespace solion::transport {

/// True for an element of `framework`, which may be the mobile one; empty: all but the mobile one.
[[nodiscard]] bool is_framework(const std::string& element, const std::string& mobile,
                                const std::vector<std::string>& framework);

/// InputError for a name in `framework` that no atom of the frame has.
void check_framework(const Frame& frame, const std::string& where, const std::vector<std::string>& framework);

/// InputError that says what to name where `is_framework` holds for no atom of the frame.
[[noreturn]] void throw_without_framework(const Frame& frame, const std::string& where,
                                          const std::string& mobile);

/// Frame after frame into fractional coordinates s − (⟨s⟩_F − ⟨s⟩_F at the first frame), s unwrapped and F
/// the framework: an ion that the crystal carries along stays where it is.
class MobileView {
 public:
  /// `framework` empty: all species but the mobile one.
  explicit MobileView(std::string species, std::vector<std::string> framework = {}, UnwrapOptions unwrap = {})
      : species_(std::move(species)), framework_(std::move(framework)), unwrapper_(unwrap) {}

  /// Warns once where species of the framework come away from each other: what walks is no framework.
  /// InputError without a cell, if no atom is of the species or of one of the framework, and see Unwrapper.
  void add(const Frame& frame, const std::string& where);

  [[nodiscard]] std::size_t n_ions() const { return ions_.size(); }
  [[nodiscard]] std::size_t n_frames() const { return n_frames_; }
  /// Atoms of the frame that the ions are.
  [[nodiscard]] const std::vector<std::size_t>& atoms() const { return ions_; }
  [[nodiscard]] const std::vector<Vec3>& fractional() const { return fractional_; }
  [[nodiscard]] const Mat3& cell() const { return cell_; }

  /// All that later frames depend on; see StateWriter.
  template <class Archive, class Self>
  static void archive(Archive& a, Self& self) {
    a(self.unwrapper_, self.n_frames_, self.ions_, self.fixed_, self.fractional_, self.origin_, self.cell_);
  }

 private:
  void watch_framework(const Frame& frame, const std::vector<Vec3>& s, const std::string& where);

  std::string species_;
  std::vector<std::string> framework_;
  Unwrapper unwrapper_;
  std::size_t n_frames_ = 0;
  std::vector<std::size_t> ions_, fixed_;
  std::vector<Vec3> fractional_;
  Vec3 origin_ = Vec3::Zero();
  Mat3 cell_ = Mat3::Identity();
  // Only for a warning, and begun anew by who goes on from a saved state: mean coordinate of each species of
  // the framework at the first frame.
  std::map<std::string, Vec3> began_;
  bool warned_ = false;
};

}  // namespace solion::transport
