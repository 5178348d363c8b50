// The two kinds of reference.
#include "solion/learn/labeller.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/base/files.hpp"
#include "solion/base/hash.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"
#include "solion/catalog/open.hpp"
#include "solion/reference/code_potential.hpp"
#include "solion/reference/process.hpp"
#include "solion/reference/settings.hpp"
#include "solion/reference/stress_check.hpp"

namespace solion::learn {
namespace {

namespace ref = reference;

/// An analytic potential, audited as a code would be.
class EmbeddedLabeller final : public Labeller {
 public:
  EmbeddedLabeller(const std::filesystem::path& file, int threads)
      : file_(file), threads_(threads), potential_(open_potential(file.string())) {}

  [[nodiscard]] std::string description() const override { return potential_->description(); }
  [[nodiscard]] Json identity() const override {
    // The hash of the file; of a code's settings file also what its template and k-points decide.
    return {{"potential", potential_identity(file_.string(), "double")}};
  }
  void require(std::span<const Frame> frames) override {
    for (const Frame& frame : frames) match_types(frame, *potential_);
  }
  void label(std::span<const Frame> frames, const std::vector<Frame>& /*known*/,
             const std::function<void(std::size_t, const Labelled&)>& done) override {
    std::mutex mutex;
    parallel_for(frames.size(), threads_, [&](std::size_t begin, std::size_t end, int) {
      const auto mine = potential_->clone();
      for (std::size_t i = begin; i < end; ++i) {
        throw_if_interrupted();
        mine->reset();  // no label depends on what was labelled before it
        const Labelled labelled = one(frames[i], *mine);
        const std::lock_guard lock(mutex);
        done(i, labelled);
      }
    });
  }
  [[nodiscard]] std::unique_ptr<Potential> potential() const override { return potential_->clone(); }

 private:
  [[nodiscard]] static Labelled one(const Frame& frame, Potential& potential) {
    Labelled result;
    result.about = {{"code", "embedded"}};
    ref::RawResult raw;
    try {
      const Evaluation e = potential.evaluate(frame);
      raw.converged = true;
      raw.energy_eV = e.energy;
      raw.forces_eV_per_A = e.forces;
      raw.stress_eV_per_A3 = Mat3(-e.virial / frame.cell->volume());
    } catch (const Error& error) {
      result.rejected = error.what();
      return result;
    }
    const ref::Audit audit{ref::AuditLimits{}};
    if (const auto reason = audit.reject(frame, raw)) {
      result.rejected = *reason;
      return result;
    }
    double correction = 0;
    result.frame = ref::corrected(frame, raw, ref::LabelOptions{}, correction);
    return result;
  }

  std::filesystem::path file_;
  int threads_;
  std::unique_ptr<Potential> potential_;
};

/// A reference code: its own folders, locks and audit (reference/label.hpp).
class CodeLabeller final : public Labeller {
 public:
  CodeLabeller(const ReferenceConfig& config, const std::filesystem::path& work)
      : code_(ref::calculator(config.code)),
        settings_(config.settings.empty() ? ref::default_settings(code_)
                                          : ref::read_settings(config.settings, code_)) {
    settings_.options.work = work;
    settings_.options.jobs = config.jobs;
    settings_.options.nice = config.nice;
    if (config.executor) settings_.options.executor = *config.executor;
  }

  [[nodiscard]] std::string description() const override {
    return fmt::format("{} ({})", code_.name(), settings_.settings.template_name);
  }
  [[nodiscard]] Json identity() const override {
    Json corrections(settings_.options.virial_correction_eV);
    Json identity{{"code", code_.name()},
                  {"template", sha256(settings_.settings.template_text)},
                  {"kpoints", settings_.settings.kpoints.text()},
                  {"pressure_correction_GPa", settings_.options.pressure_correction_GPa},
                  {"virial_correction_eV", corrections}};
    const Vec3& shear = settings_.options.shear_correction_eV;
    if (!shear.isZero(0)) identity["shear_correction_eV"] = {shear[0], shear[1], shear[2]};
    if (!settings_.settings.species.empty()) identity["species"] = settings_.settings.species;
    if (const auto folders = ref::data_folders(settings_.settings); !folders.empty())
      identity["data_folders"] = folders;
    if (const ref::AuditLimits& audit = settings_.options.audit; audit != ref::AuditLimits{})
      identity["audit"] = ref::to_json(audit);
    return identity;
  }
  void prepare(std::span<const Frame> frames) override { ref::choose_kpoints(settings_.settings, frames); }
  void require(std::span<const Frame> frames) override {
    if (settings_.options.executor.kind == ref::ExecutorSettings::Kind::local) {
      (void)code_.version(settings_.settings);
    } else if (!ref::in_path("sbatch")) {
      throw WorkError("the executor is Slurm, and its sbatch is not here (Debian: slurm-client)");
    }
    std::set<std::string> seen;
    for (const Frame& frame : frames)
      if (seen.insert(frame.formula()).second) (void)data_identity(frame);
  }
  void check(std::span<const Frame> frames) override {
    ref::require_stress_check(code_, settings_.settings, frames, settings_.options);
  }
  [[nodiscard]] std::string data_identity(const Frame& frame) const override {
    return code_.data_identity(frame, settings_.settings);
  }
  void label(std::span<const Frame> frames, const std::vector<Frame>& known,
             const std::function<void(std::size_t, const Labelled&)>& done) override {
    ref::Receiver receiver;
    receiver.accept = [&](const ref::Label& label) -> std::optional<std::string> {
      Labelled result;
      result.frame = label.frame;
      result.about = ref::provenance(label, code_);
      done(label.index, result);
      ref::release(quarantine(), label.key);
      return std::nullopt;
    };
    receiver.fail = [&](const ref::Failure& failure) {
      ref::quarantine(quarantine(), frames[failure.index], failure);
      Labelled result;
      result.rejected = failure.reason;
      result.judged = failure.judged;
      result.again = failure.again;
      result.about = {{"code", code_.name()}, {"key", failure.key}, {"log_tail", failure.log_tail}};
      done(failure.index, result);
    };
    ref::LabelOptions options = settings_.options;
    options.known = known;
    options.retry_failed = true;  // what is final is in the campaign's ledger
    ref::label(code_, settings_.settings, frames, options, receiver);
  }
  [[nodiscard]] std::unique_ptr<Potential> potential() const override {
    return std::make_unique<ref::CodePotential>(code_, settings_);
  }
  [[nodiscard]] int at_once(int threads) const override {
    const ref::ExecutorSettings& executor = settings_.options.executor;
    if (executor.kind == ref::ExecutorSettings::Kind::slurm)
      throw InputError(
          "test.structures: dynamics with {} would run on this machine, and the executor is Slurm; draw and "
          "label held-out frames beforehand (solion md, solion label) and give them as test.systems",
          code_.name());
    const std::size_t slots = ref::local_slots(executor, settings_.options.jobs, ref::free_memory_GB());
    return std::min(threads, static_cast<int>(slots));
  }

 private:
  [[nodiscard]] std::filesystem::path quarantine() const { return settings_.options.work / "quarantine"; }

  const ref::Calculator& code_;
  ref::LabelSettings settings_;
};

}  // namespace

std::unique_ptr<Labeller> open_labeller(const ReferenceConfig& config, const std::filesystem::path& work,
                                        int threads) {
  if (!config.potential.empty()) return std::make_unique<EmbeddedLabeller>(config.potential, threads);
  return std::make_unique<CodeLabeller>(config, work);
}

std::string frame_key(const Frame& frame) {
  std::string text;
  const auto add = [&text](double x) { text += fmt::format(" {:.8f}", std::round(x * 1e8) / 1e8 + 0.0); };
  if (frame.cell) {
    for (int k = 0; k < 9; ++k) add(frame.cell->matrix()(k / 3, k % 3));
  }
  for (std::size_t i = 0; i < frame.n_atoms(); ++i) {
    text += "\n" + frame.element(i);
    for (int k = 0; k < 3; ++k) add(frame.positions[i][k]);
  }
  return sha256(text).substr(0, 32);
}

Json labels_to_json(const Labels& labels) {
  Json json = Json::object();
  if (labels.energy_eV) json["energy_eV"] = *labels.energy_eV;
  if (!labels.forces_eV_per_A.empty()) {
    Json& forces = json["forces_eV_per_A"] = Json::array();
    for (const Vec3& f : labels.forces_eV_per_A) {
      for (int k = 0; k < 3; ++k) forces.push_back(f[k]);
    }
  }
  if (labels.virial_eV) {
    Json& virial = json["virial_eV"] = Json::array();
    for (int k = 0; k < 9; ++k) virial.push_back((*labels.virial_eV)(k / 3, k % 3));
  }
  return json;
}

Labels labels_from_json(const Json& json) {
  Labels labels;
  labels.energy_eV = json.at("energy_eV").get<double>();
  const auto forces = json.at("forces_eV_per_A").get<std::vector<double>>();
  for (std::size_t i = 0; i + 2 < forces.size(); i += 3)
    labels.forces_eV_per_A.emplace_back(forces[i], forces[i + 1], forces[i + 2]);
  const auto virial = json.at("virial_eV").get<std::vector<double>>();
  Mat3 w;
  for (int k = 0; k < 9; ++k) w(k / 3, k % 3) = virial.at(static_cast<std::size_t>(k));
  labels.virial_eV = w;
  return labels;
}

}  // namespace solion::learn
