// Analyses inside a run: the [[analysis]] tables of an md input as observers with a state.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "solion/md/run.hpp"

namespace solion::observe {

/// Which steps an analysis sees, and where its results go.
struct Target {
  std::int64_t every = 1;  ///< steps between two frames
  std::int64_t first = 0;  ///< production step of the first frame
  std::int64_t last = 0;   ///< production step after which no frame is seen
  int stage = 0;           ///< the only stage that it sees, from 1; 0: all of the production
  double interval_fs = 0;  ///< between two frames
  std::filesystem::path json, csv;
  [[nodiscard]] std::int64_t n_frames() const { return (last - first) / every + 1; }
};

/// One accumulator with the JSON, the table and the lines of the analysis of the same name of
/// `solion analyze`.
class Analysis {
 public:
  explicit Analysis(Target target) : target_(std::move(target)) {}
  Analysis(const Analysis&) = delete;
  Analysis& operator=(const Analysis&) = delete;
  virtual ~Analysis() = default;

  [[nodiscard]] const Target& target() const { return target_; }
  /// What the state depends on, in one line.
  [[nodiscard]] virtual std::string identity() const = 0;
  virtual void add(const Frame& frame, const std::string& where) = 0;
  /// The present frame of a run.
  virtual void see(const md::Simulation& run) { add(run.frame(), step_of(run)); }
  [[nodiscard]] virtual std::string save() const = 0;
  virtual void load(std::string_view bytes) = 0;
  /// Writes the files and returns the lines to print.
  [[nodiscard]] virtual std::string write() const = 0;

 protected:
  /// Stands in errors.
  [[nodiscard]] static std::string step_of(const md::Simulation& run);

 private:
  Target target_;
};

/// The tables of one input. Memory: that of the accumulators (docs/theory/md.md); no frame is kept.
class Analyses {
 public:
  /// `start` as the run gets it. InputError with file, line and key for what is unknown, missing or out of
  /// range: a species that no atom of `start` has, fewer frames than the analysis needs, a target without its
  /// folder.
  Analyses(const md::Input& input, const Frame& start);

  /// They refer to this object. See md::RunOptions.
  [[nodiscard]] std::vector<md::Observer> observers();
  [[nodiscard]] bool empty() const { return analyses_.empty(); }
  /// Where the results go.
  [[nodiscard]] std::vector<std::filesystem::path> files() const;
  /// After the run: writes all results; one text for each, to be printed. InputError where the frames were
  /// too few for a number, WorkError where a file cannot be written; the restart file still has all frames.
  [[nodiscard]] std::vector<std::string> write() const;

 private:
  std::vector<std::unique_ptr<Analysis>> analyses_;
};

/// Reads one table. See Analyses.
std::unique_ptr<Analysis> read_analysis(TomlTable& table, const md::Settings& settings, const Frame& start);

}  // namespace solion::observe
