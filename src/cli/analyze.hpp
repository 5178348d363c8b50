// The sub-verbs of `solion analyze`, each with its own options and file.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/outputs.hpp"
#include "solion/base/errors.hpp"
#include "solion/base/input.hpp"
#include "solion/transport/columns.hpp"
#include "solion/transport/read.hpp"

namespace solion::cli {

/// Options that every analysis of a trajectory shares.
struct TrajectoryOptions {
  std::vector<std::string> files;
  double frame_interval_fs = 0;  ///< 0: from the file
  double skip_ps = 0;
  bool replicas = false;
  bool any_density = false;
  bool needs_time = true;
  std::size_t skip_frames = 0;
  std::size_t every = 1;
  std::vector<std::string> type_map;
  std::string json;
  std::string csv;

  /// `timed`: the analysis needs the time between frames; `joins`: it takes independent runs together.
  void add_to(CLI::App& app, bool timed, bool joins = false);
  [[nodiscard]] transport::ReadTrajectory trajectory() const;
};

using transport::Columns;

/// Any number but NaN and infinities.
extern const CLI::Validator finite_number;
/// The symbol of an element; the message asks whether another case was meant.
extern const CLI::Validator an_element;

/// What `work` on a whole trajectory gives; its messages name the files.
template <class Work>
auto about(const TrajectoryOptions& trajectory, const Work& work) {
  try {
    return work();
  } catch (const InputError& error) {
    throw InputError("{}{}: {}", trajectory.files.front(), trajectory.files.size() > 1 ? " …" : "",
                     error.what());
  }
}

std::function<void()> setup_analyze_msd(CLI::App& app);
std::function<void()> setup_analyze_rdf(CLI::App& app);
std::function<void()> setup_analyze_arrhenius(CLI::App& app);
std::function<void()> setup_analyze_hops(CLI::App& app);
std::function<void()> setup_analyze_van_hove(CLI::App& app);
std::function<void()> setup_analyze_green_kubo(CLI::App& app);
std::function<void()> setup_analyze_polyhedra(CLI::App& app);
std::function<void()> setup_analyze_density(CLI::App& app);
std::function<void()> setup_analyze_paths(CLI::App& app);
std::function<void()> setup_analyze_channels(CLI::App& app);
std::function<void()> setup_analyze_doas(CLI::App& app);
std::function<void()> setup_analyze_deviation(CLI::App& app);

}  // namespace solion::cli
