// Labels from any reference: a DFT code as a process, or an analytic potential, which makes a campaign a
// replay of seconds.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>

#include "solion/learn/campaign.hpp"
#include "solion/potential/potential.hpp"

namespace solion::learn {

/// What became of one frame: its labels, or why it has none.
struct Labelled {
  std::optional<Frame> frame;
  std::string rejected;
  bool judged = true;  ///< false: no result came at all, and another try might bring one
  bool again = false;  ///< nor did it in an earlier call
  Json about;          ///< provenance: code, version, wall time, raw stress
};

class Labeller {
 public:
  Labeller() = default;
  Labeller(const Labeller&) = delete;
  Labeller& operator=(const Labeller&) = delete;
  Labeller(Labeller&&) = delete;
  Labeller& operator=(Labeller&&) = delete;
  virtual ~Labeller() = default;

  /// One line for people.
  [[nodiscard]] virtual std::string description() const = 0;
  /// Everything that decides a label: two labellers of the same identity give the same labels.
  [[nodiscard]] virtual Json identity() const = 0;
  /// What else decides the labels of this frame (pseudopotential files); empty: nothing.
  [[nodiscard]] virtual std::string data_identity(const Frame& /*frame*/) const { return {}; }
  /// Decides what the settings leave open (k-points) from all frames of a call, before identities are asked.
  virtual void prepare(std::span<const Frame> /*frames*/) {}
  /// Finds out at little cost whether the reference is there (program or queue, pseudopotentials) and knows
  /// these frames; WorkError or InputError if not.
  virtual void require(std::span<const Frame> frames) = 0;
  /// What the settings must pass once before anything is labelled by them.
  virtual void check(std::span<const Frame> /*frames*/) {}
  /// Labels every frame, calling `done(index, labelled)` for each, one at a time, as soon as it is known. A
  /// frame that cannot be labelled never stops the others. Throws Interrupted, and WorkError if nothing can
  /// be labelled.
  /// `known`: labels of this reference that are there already, with which the audit compares.
  virtual void label(std::span<const Frame> frames, const std::vector<Frame>& known,
                     const std::function<void(std::size_t, const Labelled&)>& done) = 0;
  /// The reference as a potential, for molecular dynamics with it.
  [[nodiscard]] virtual std::unique_ptr<Potential> potential() const = 0;
  /// How many of these potentials may be at work at once, `threads` at most. InputError if the reference does
  /// not run on this machine.
  [[nodiscard]] virtual int at_once(int threads) const { return threads; }
};

/// `work`: folder for the calculations of a code. `threads`: for an analytic potential.
std::unique_ptr<Labeller> open_labeller(const ReferenceConfig& config, const std::filesystem::path& work,
                                        int threads);

/// Identity of a configuration: elements, cell and positions rounded to 1e-8 Å.
std::string frame_key(const Frame& frame);

/// Labels as JSON, all digits kept and what is missing left out; and back, where none may be missing.
Json labels_to_json(const Labels& labels);
Labels labels_from_json(const Json& json);

}  // namespace solion::learn
