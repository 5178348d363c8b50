// The stages of a campaign. Each is a set of ledger tasks: inputs name them, outputs are JSON and files in
// run_dir.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "solion/learn/calibrate.hpp"
#include "solion/learn/campaign.hpp"
#include "solion/learn/labeller.hpp"
#include "solion/learn/ledger.hpp"
#include "solion/learn/run.hpp"

namespace solion::learn {

/// What every stage works with.
struct Context {
  const Campaign& campaign;
  const Options& options;
  Ledger& ledger;
  Labeller& labeller;
  TypeMap elements;  ///< of the training input

  std::filesystem::path folder(const std::string& name) const;  ///< made if it is not there
};

/// Tasks of the ledger that a frame came from stand in its `info` under these names, and tasks say in their
/// outputs, under "from", which others they came from. No key depends on either.
inline constexpr const char* trajectory_task = "trajectory_task";
inline constexpr const char* selection_task = "selection_task";
inline constexpr const char* label_task = "label_task";
/// The values of these names in the frames, each once.
Json origins(const std::vector<Frame>& frames, std::initializer_list<const char*> names);

/// Labelled frames; `info` says structure and temperature.
struct DataPart {
  std::string key;           ///< content: SHA-256 of the frames and their labels
  std::filesystem::path at;  ///< folder with systems that the trainer reads
  std::vector<Frame> frames;
};

/// The cell of a structure (a reaction's name or one of system.files); `variant` runs through the placements.
/// InputError for a structure that nothing knows.
Frame build_cell(const Campaign& campaign, const std::string& structure, int variant);
/// Strains the cell by random symmetric components up to ±strain and displaces atoms by normal deviates.
Frame perturbed(const Frame& frame, double strain, double displacement_A, std::uint64_t seed,
                std::uint64_t index);
/// Every structure that an iteration explores, in the order of the file.
std::vector<std::string> all_structures(const Campaign& campaign);
/// The dynamics of a trajectory of an iteration; the pressure is that of NPT.
md::Settings exploration_settings(const IterationConfig& config, double temperature_K, double pressure_bar,
                                  std::uint64_t seed);
/// The dynamics with the reference that held-out frames are of.
md::Settings held_out_settings(const Campaign& campaign, double temperature_K, int variant);
/// Builds every cell and looks at the settings of all dynamics, so that what is wrong with them is said
/// before anything is labelled. InputError.
void rehearse(const Campaign& campaign, const TypeMap& elements);
/// InputError if the frame has an element that the models will not know. `what` names it in the message.
void require_elements(const Campaign& campaign, const TypeMap& elements, const Frame& frame,
                      const std::string& what);
/// InputError if given systems and the labels that the campaign will write lie in each other.
void require_own_place(const Campaign& campaign, const std::filesystem::path& run_dir);

/// Labels the frames that the ledger does not know; rejected ones, and a frame given twice the second time,
/// are left out. Counts them in `rejected`. `known`: this reference's labels so far, with which its audit
/// compares. WorkError if most calculations gave no result: the reference is broken, not the frames; the same
/// call tries them again.
std::vector<Frame> label_frames(const Context& context, const std::vector<Frame>& frames,
                                std::size_t& rejected, const std::vector<Frame>& known = {});
/// The frames as a folder of systems that the trainer reads.
DataPart write_part(const Context& context, const std::string& name, std::vector<Frame> frames);
/// The user's systems. InputError for a frame without energy, forces or virial.
/// `elements`: the names of the types where a system has no type_map.raw.
std::vector<DataPart> given_data(const Campaign& campaign, const TypeMap& elements);
/// Displaced and strained cells of every structure with labels; no frames if the campaign asks for none.
std::vector<Frame> start_frames(const Context& context, std::size_t& rejected);
/// The user's held-out frames. InputError if one of them is a frame of `data`, or if the stop rule asks for
/// errors of a structure that no held-out frame will have forces of.
std::vector<Frame> given_test(const Campaign& campaign, const std::vector<DataPart>& data,
                              const TypeMap& elements);
/// Held-out frames of dynamics with the reference, with its labels.
std::vector<Frame> drawn_test(const Context& context, std::size_t& rejected);

/// Drops a finished task whose file "frames" is missing or was changed (its "sha256"), so that it is done
/// again.
void forget_if_lost(const Context& context, const std::string& key);

/// A trained committee.
struct Models {
  std::vector<std::string> keys;             ///< of the training tasks
  std::vector<std::filesystem::path> files;  ///< from run_dir
};

/// InputError if retraining has settings that no training can have.
void require_retraining(const Campaign& campaign);

/// Trains every member, from the members of `previous` if there are any.
Models train_committee(const Context& context, const std::string& name, const std::vector<DataPart>& data,
                       const Models* previous);

/// Errors of the first member by structure: {"all": errors, "structures": {name: errors}}, null without
/// frames.
Json errors_of(const Context& context, const Models& models, const std::string& name,
               const std::vector<Frame>& frames);
/// Deviation of the models and true error of the first one for labelled frames that were selected.
std::vector<CalibrationPoint> measure(const Context& context, const Models& models, int iteration,
                                      const std::vector<Frame>& labelled);

/// All trajectories of an iteration.
struct Explored {
  Json summary;               ///< counts, overall and by structure
  std::vector<Frame> frames;  ///< candidates
  std::string key;
};
Explored explore_all(const Context& context, int iteration, const IterationConfig& config,
                     const TrustLevels& levels, const Models& models);

/// The candidates worth a label: {"frames", "near_duplicates"}.
struct Chosen {
  std::vector<Frame> frames;
  std::size_t near_duplicates = 0;
};
Chosen select_frames(const Context& context, int iteration, const Explored& explored,
                     const std::vector<DataPart>& data);

/// Writes table_s1.json, table_s1.csv and calibration.csv (and .json).
void write_tables(const Context& context, const Json& rows, const std::vector<CalibrationPoint>& points);

}  // namespace solion::learn
