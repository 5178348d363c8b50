// Relaxations that survive an interruption: a file beside the results, found again by content.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>

#include "solion/relax/minimize.hpp"

namespace solion::defects {

/// Where the relaxations of a run are kept: beside its first named output; nowhere if it names none.
std::filesystem::path kept_beside(const std::string& output, const std::string& json);

/// The present state of every relaxation of a run, as frames (extxyz, with energy, forces and virial). A
/// relaxation is known by potential, starting frame, kind of cell and pressure; how far it goes is not part
/// of that, so that one with a smaller force or more steps goes on from what is there.
class KeptRelaxations {
 public:
  /// Reads what an earlier run left. An empty name: nothing is kept. InputError for a file that is none of
  /// this kind.
  KeptRelaxations(std::filesystem::path file, std::string potential_identity);
  KeptRelaxations(const KeptRelaxations&) = delete;
  KeptRelaxations& operator=(const KeptRelaxations&) = delete;

  /// minimize(), from where an earlier run was; `max_steps` and the result's steps count from the first
  /// start. Writes the file at most every two seconds, and when it is interrupted or fails.
  relax::RelaxResult minimize(Potential& potential, const Frame& start, const relax::RelaxOptions& options);

  /// Writes the file: what there is, for the next run.
  void save();
  /// Everything is done and in its place: the file goes.
  void remove();

 private:
  struct Entry {
    Frame frame;  ///< with labels
    double start_eV = 0;
    int steps = 0;
  };
  void keep(const std::string& job, const relax::RelaxResult& now);

  std::filesystem::path file_;
  std::string identity_;
  std::map<std::string, Entry> entries_;
  std::chrono::steady_clock::time_point saved_ = std::chrono::steady_clock::now();
};

}  // namespace solion::defects
