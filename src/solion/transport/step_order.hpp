// The steps that frames say must grow evenly.
#pragma once

#include <optional>
#include <string>

#include "solion/structure/frame.hpp"

namespace solion::transport {

/// Holds the step numbers of consecutive frames (info keys `step`, `Step`, `timestep`, `Timestep`,
/// `vasp_configuration`) against each other: frames that are lost, repeated or out of order make every rate
/// wrong.
class StepOrder {
 public:
  /// The MD step of a frame, where the file has it.
  [[nodiscard]] static std::optional<double> number(const Frame& frame);

  /// InputError, naming `where`: a step that comes or goes, does not grow, or grows by another interval.
  void next(const Frame& frame, const std::string& where);
  [[nodiscard]] std::optional<double> last() const { return last_; }
  /// Steps between frames, once two frames have said so.
  [[nodiscard]] std::optional<double> interval() const { return interval_; }

  /// All that later frames depend on; see StateWriter.
  template <class Archive, class Self>
  static void archive(Archive& a, Self& self) {
    a(self.begun_, self.last_, self.interval_);
  }

 private:
  bool begun_ = false;
  std::optional<double> last_, interval_;
};

}  // namespace solion::transport
