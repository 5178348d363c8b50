// All that `solion analyze msd` says of a trajectory, for whoever has the frames.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "solion/transport/columns.hpp"
#include "solion/transport/diffusion.hpp"
#include "solion/transport/rdf.hpp"
#include "solion/transport/steadiness.hpp"

namespace solion::transport {

struct MsdAnalysisOptions {
  std::string species;                 ///< the mobile one
  std::vector<std::string> framework;  ///< empty: all others
  bool keep_drift = false;
  std::array<bool, 3> axes{true, true, true};
  double jump_length_A = 0;    ///< 0: the first peak of the mobile ions' g(r), else from their displacements
  double window_start_ps = 0;  ///< 0: from the data
  double charge_e = 0;         ///< with `temperature_K`: the conductivity too
  double temperature_K = 0;
  UnwrapOptions unwrap = {};
};

/// Some of x, y and z, each once ("xy"); InputError for anything else.
std::array<bool, 3> parse_axes(const std::string& text);

/// Numbers of one run, or of replicas together.
struct MsdReport {
  MsdAnalysisOptions options;
  MsdCurve curve;                 ///< of the mobile species
  std::vector<MsdCurve> besides;  ///< of all others
  Diffusion diffusion;
  Steadiness steadiness;
  CollectiveDiffusion collective;
  /// Species of the framework that diffuse, with their MSD at the end of the window: taken off as drift,
  /// their walk moves all ions alike.
  std::vector<std::pair<std::string, double>> moving_framework;
  std::string jump_length_from;
  std::size_t n_replicas = 1;
};

/// JSON, table and printed lines of `solion analyze msd`.
Json to_json(const MsdReport& report);
Columns columns(const MsdReport& report);
std::string text(const MsdReport& report);

/// Frames in, D with its error bar or its bound out; memory as MsdAccumulator.
class MsdAnalysis {
 public:
  /// InputError for a charge without a temperature or the other way round.
  explicit MsdAnalysis(MsdAnalysisOptions options);

  /// InputError: see MsdAccumulator and RdfAccumulator.
  void add(const Frame& frame, const std::string& where);
  /// The next frame begins a file that goes on where the last ended, or an independent run.
  void next_part();
  void next_replica();
  [[nodiscard]] std::size_t n_frames() const { return n_frames_; }
  /// InputError with fewer than 5 frames, or if no jump length is given or to be found.
  [[nodiscard]] MsdReport report(double frame_interval_fs) const;

  /// Everything but the options: one with the same options goes on from there, to the last bit.
  [[nodiscard]] std::string save() const;
  void load(std::string_view bytes);

 private:
  void next_run();

  MsdAnalysisOptions options_;
  std::vector<MsdAccumulator> runs_;  // one, or one a replica
  std::optional<RdfAccumulator> shell_;
  std::size_t n_frames_ = 0;
};

}  // namespace solion::transport
