// Sudden jumps between consecutive frames of a file: lost frames, renumbered atoms.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "solion/structure/frame.hpp"

namespace solion::transport {

/// Steps are stationary in a trajectory, and what one instant cannot do is no motion. Theory:
/// docs/theory/transport.md, section 1.
class JumpCheck {
 public:
  /// `steps` and the positions at their beginning and end are fractional (Cartesian without a cell).
  /// InputError, naming `where`, once ten steps have said what is usual: if a third of all atoms, or of one
  /// species (eight ions or more), jump; if ions of one species take each other's places in closed cycles by
  /// steps far above any before; or if more than a third of a species (eight ions or more) move in one step,
  /// six times as many as in any before, and not in the next one. The first ten steps are held against each
  /// other.
  void next(const Frame& frame, const std::vector<Vec3>& steps, const std::vector<Vec3>& before,
            const std::vector<Vec3>& now, const std::string& where);

  /// All that later frames depend on; see StateWriter.
  template <class Archive, class Self>
  static void archive(Archive& a, Self& self) {
    a(self.n_steps_, self.groups_, self.first_steps_, self.suspect_);
  }

 private:
  struct Mover {
    std::size_t atom = 0;
    double A2 = 0;
    template <class Archive, class Self>
    static void archive(Archive& a, Self& self) {
      a(self.atom, self.A2);
    }
  };
  /// How far atoms of a group went in one step or, of several steps, at most.
  struct Record {
    double mean_A2 = 0;
    double largest_A2 = 0;           // of one atom
    std::size_t moved = 0;           // atoms that left their sites
    std::vector<Mover> exchanged{};  // atoms that took each other's places (first steps only)
    void raise_to(const Record& other);
    template <class Archive, class Self>
    static void archive(Archive& a, Self& self) {
      a(self.mean_A2, self.largest_A2, self.moved, self.exchanged);
    }
  };
  /// All atoms (the first group), or those of a species.
  struct Group {
    std::string name;
    std::vector<std::size_t> atoms;
    Record most;  // over the steps so far
    template <class Archive, class Self>
    static void archive(Archive& a, Self& self) {
      a(self.name, self.atoms, self.most);
    }
  };
  struct FirstStep {
    std::string where;
    std::vector<Record> records;  // by group
    template <class Archive, class Self>
    static void archive(Archive& a, Self& self) {
      a(self.where, self.records);
    }
  };
  /// A step in which suddenly many moved: a block of frames is missing, unless as many go on to move.
  struct Suspect {
    std::string where;  // empty: none
    std::size_t group = 0, moved = 0, most = 0;
    template <class Archive, class Self>
    static void archive(Archive& a, Self& self) {
      a(self.where, self.group, self.moved, self.most);
    }
  };
  struct Step {
    const Frame& frame;
    const std::vector<Vec3>&steps, &before, &now;
    const std::string& where;
  };
  void start(const Frame& frame);
  void measure(const Step& step);
  [[nodiscard]] Record record(const Step& step, const Group& group, const Vec3& common) const;
  void check(const Step& step, const std::vector<Record>& records);
  void check_first_steps();
  void check_first_step(std::size_t k, std::size_t g);
  void check_suspect(const std::vector<Record>& records);
  [[nodiscard]] std::vector<Mover> exchanged(const Step& step, const Group& group, double far_A2) const;
  [[nodiscard]] std::vector<std::size_t> in_cycles(const Step& step,
                                                   const std::vector<std::size_t>& movers) const;

  std::size_t n_steps_ = 0;
  std::vector<Group> groups_;
  std::vector<FirstStep> first_steps_;  // until they are held against each other
  Suspect suspect_;
  // Of the step at hand.
  Vec3 drift_ = Vec3::Zero();
  std::vector<double> own_A2_;  // less the drift
};

/// The middle of each component.
Vec3 median(const std::vector<Vec3>& steps);

}  // namespace solion::transport
