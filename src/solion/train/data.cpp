// Reads systems, finds the neighbours of their frames, and hands out batches.
#include "solion/train/data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "solion/base/errors.hpp"
#include "solion/base/log.hpp"
#include "solion/base/progress.hpp"
#include "solion/base/threads.hpp"
#include "solion/dataset/plausible.hpp"

namespace solion::train {
namespace {

/// A term of the loss counts the frames that have its label. Systems without are said; a label that is needed
/// and that no frame has is refused.
template <typename T>
void check_label(const std::vector<PreparedSystem<T>>& systems, bool Prepared<T>::*has,
                 const std::string& label, const std::string& wanted, bool needed) {
  std::size_t labelled = 0;
  std::vector<std::string> without;
  for (const PreparedSystem<T>& system : systems) {
    const auto n = static_cast<std::size_t>(std::count_if(system.frames->begin(), system.frames->end(),
                                                          [&](const Prepared<T>& f) { return f.*has; }));
    labelled += n;
    if (n < system.frames->size())
      without.push_back(
          fmt::format("{} ({} of {} frames)", system.name, system.frames->size() - n, system.frames->size()));
  }
  if (labelled == 0 && needed) {
    throw InputError("{}: no frame has {}, which {}", systems.front().name, label, wanted);
  }
  if (without.empty()) return;
  const std::size_t article = label.find(' ');  // "a virial"
  log().warn("no {} in {}: these frames do not count for that part of the loss",
             article == std::string::npos ? label : label.substr(article + 1), fmt::join(without, ", "));
}

template <typename T>
void check_labels(const std::vector<PreparedSystem<T>>& systems, const Settings& settings, bool needed) {
  const bool filter = settings.optimizer.kind == OptimizerSettings::Kind::kalman;
  const LossSettings loss = settings.measured();
  const auto check = [&](bool wants, bool Prepared<T>::*has, const char* label, char key) {
    const std::string wanted =
        filter ? fmt::format("the optimizer LKF wants (kf_start_pref_{}, kf_limit_pref_{})", key, key)
               : fmt::format("the loss wants (loss/start_pref_{}, limit_pref_{})", key, key);
    if (wants) check_label(systems, has, label, wanted, needed);
  };
  check(loss.wants_energy(), &Prepared<T>::has_energy, "an energy", 'e');
  check(loss.wants_force(), &Prepared<T>::has_forces, "forces", 'f');
  check(loss.wants_virial(), &Prepared<T>::has_virial, "a virial", 'v');
}

/// The frames of a system that is named twice, as by a folder and itself, are drawn twice as often.
template <typename T>
void warn_of_repeated(const std::vector<PreparedSystem<T>>& systems, const std::string& purpose) {
  std::set<std::filesystem::path> seen;
  std::set<std::string> repeated;
  for (const PreparedSystem<T>& system : systems) {
    if (!seen.insert(std::filesystem::weakly_canonical(system.name)).second) repeated.insert(system.name);
  }
  if (!repeated.empty())
    log().warn("{} data: more than once among the systems, and counted as often: {}", purpose,
               fmt::join(repeated, ", "));
}

/// Validation on frames that are trained on is done on purpose (to watch the fit) and by mistake.
void warn_of_training_systems(const DataSettings& validation, const DataSettings& training) {
  std::set<std::filesystem::path> trained;
  for (const auto& path : training.systems) {
    for (const auto& folder : dataset::find_systems(path)) trained.insert(std::filesystem::canonical(folder));
  }
  std::vector<std::string> common;
  for (const auto& path : validation.systems) {
    for (const auto& folder : dataset::find_systems(path)) {
      if (trained.contains(std::filesystem::canonical(folder))) common.push_back(folder.string());
    }
  }
  if (!common.empty())
    log().warn("validation on systems that are trained on says nothing of other frames: {}",
               fmt::join(common, ", "));
}

}  // namespace

template <typename T>
std::shared_ptr<const std::vector<Prepared<T>>> FrameStore::prepared(const std::filesystem::path& folder,
                                                                     const ModelSettings& model,
                                                                     int threads) {
  const std::string key = fmt::format("{} {} {}", std::filesystem::weakly_canonical(folder).string(),
                                      fmt::join(model.type_map, ","), model.rcut);
  const std::scoped_lock lock(mutex_);
  auto& known = [&]() -> Known<T>& {
    if constexpr (std::is_same_v<T, float>)
      return single_;
    else
      return double_;
  }();
  if (const auto found = known.find(key); found != known.end()) return found->second;
  const dataset::System system = dataset::load_system(folder, model.type_map);
  dataset::warn_of_implausible(system);
  dataset::warn_of_unused_arrays(folder);
  const TypeMap type_map(model.type_map);
  std::vector<Prepared<T>> frames(system.frames.size());
  parallel_dynamic(frames.size(), threads, [&](std::size_t f, int) {
    throw_if_interrupted();
    frames[f] = prepare<T>(system.frames[f], type_map, model.rcut,
                           fmt::format("{}: frame {}", system.path.string(), f));
  });
  return known[key] = std::make_shared<const std::vector<Prepared<T>>>(std::move(frames));
}

template <typename T>
Data<T>::Data(const DataSettings& settings, const Settings& all, const std::string& purpose, int threads,
              FrameStore& store) {
  DataSettings expanded = settings;
  std::vector<int> sizes;
  std::vector<std::size_t> n_frames, n_atoms;
  for (std::size_t k = 0; k < settings.systems.size(); ++k) {
    for (const auto& folder : dataset::find_systems(settings.systems[k])) {
      PreparedSystem<T> system{folder.string(), store.prepared<T>(folder, all.model, threads)};
      n_frames.push_back(system.frames->size());
      n_atoms.push_back(static_cast<std::size_t>(system.frames->front().n_atoms));
      n_frames_ += system.frames->size();
      systems_.push_back(std::move(system));
      if (settings.batch.sizes.size() > 1 && !settings.one_folder) sizes.push_back(settings.batch.sizes[k]);
    }
  }
  if (purpose == "validation") warn_of_training_systems(settings, all.training);
  warn_of_repeated(systems_, purpose);
  check_labels(systems_, all, purpose == "training");
  if (!sizes.empty()) expanded.batch.sizes = sizes;
  try {
    sampler_.emplace(expanded, n_frames, n_atoms, all.seed, purpose);
  } catch (const InputError& error) {
    throw InputError("{}: training/{}_data/{}", all.file.string(), purpose, error.what());
  }
  for (std::size_t k = 0; k < systems_.size(); ++k) {
    const std::size_t batch = settings.batch.kind == BatchRule::Kind::mixed ? 1 : sampler_->batch_size(k);
    systems_[k].n_sampled = std::min(n_frames[k], batch * static_cast<std::size_t>(all.model.stat_batches));
  }
}

template <typename T>
const std::vector<const Prepared<T>*>& Data<T>::batch(std::int64_t step) {
  batch_.clear();
  for (const FrameId& id : sampler_->next(step)) batch_.push_back(&(*systems_[id.system].frames)[id.frame]);
  return batch_;
}

template class Data<float>;
template class Data<double>;

}  // namespace solion::train
